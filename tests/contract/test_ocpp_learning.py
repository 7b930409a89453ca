"""What a charger's behaviour teaches, over a real socket: probes that kill, tokens, polling, pings, pauses."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from ocpp_rig import BOOT_16, GARAGE, START, KeptMemory, Rig, running
from websockets.exceptions import ConnectionClosed

from chargerd.clock import parse_clock
from chargerd.contract import (
    AnswerTransaction,
    CapabilitiesChanged,
    CommandId,
    MeterSampled,
    Refused,
    SetCurrentLimit,
    StatusReported,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
)
from chargerd_drivers.ocpp.metering import CURRENT, ENERGY, POWER

LIMIT = SetCurrentLimit(charger_id=GARAGE, command_id=CommandId(9), limit_a=16, transaction_id=TransactionId("17"))


class Script:
    """A 1.6 charger whose answers are functions by action; ``got`` is what it was asked, in order."""

    def __init__(self, charger, **answers) -> None:
        self.charger = charger
        self.answers = answers
        self.got: list[tuple[str, dict]] = []
        self.came = asyncio.Condition()

    async def serve(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                message_id, action, payload = await self.charger.request()
                async with self.came:
                    self.got.append((action, payload))
                    self.came.notify_all()
                answer = self.answers.get(action, lambda _: {"status": "Rejected"})(payload)
                if isinstance(answer, str):
                    await self.charger.refuse(message_id, answer)
                elif answer is None:
                    self.charger.socket.transport.abort()
                    return
                else:
                    await self.charger.reply(message_id, answer)

    async def until(self, action: str, **fields) -> dict:
        """Wait until it was asked that."""

        def matches(entry) -> bool:
            return entry[0] == action and all(entry[1].get(key) == value for key, value in fields.items())

        async with asyncio.timeout(5), self.came:
            await self.came.wait_for(lambda: any(map(matches, self.got)))
        return next(payload for _, payload in filter(matches, self.got))


@contextlib.asynccontextmanager
async def scripted(rig: Rig, boot=BOOT_16, **answers) -> AsyncIterator[Script]:
    """A charger that connects, boots and answers."""
    async with rig.charger() as charger, asyncio.TaskGroup() as tasks:
        script = Script(charger, **answers)
        await charger.call("BootNotification", boot)
        serving = tasks.create_task(script.serve())
        yield script
        serving.cancel()


class HandClock:
    """A clock that is set by hand; what sleeps looks at it again and again."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self._looks: asyncio.Queue[float] = asyncio.Queue(1)

    def now(self) -> datetime:
        return datetime(2026, 1, 14, 16, tzinfo=UTC) + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return self.passed_s

    def real_seconds(self, seconds: float) -> float:
        return seconds / 1000

    async def sleep(self, seconds: float) -> None:
        """Sleep; the settling time after a boot is over at once."""
        until = self.passed_s + seconds
        while seconds > 2 and self.passed_s < until:
            with contextlib.suppress(asyncio.QueueFull):
                self._looks.put_nowait(self.passed_s)
            await asyncio.sleep(0)

    async def looked(self) -> None:
        """Wait until those that sleep have seen the time, and done what is due."""
        for _ in range(3):
            await self._looks.get()


def settled(script: Script):
    return script.until("TriggerMessage", requestedMessage="MeterValues")


def configuration(values: dict[str, object]):
    """Answer GetConfiguration from these values."""

    def answer(payload) -> dict:
        wanted = {key.casefold() for key in payload["key"]}
        return {"configurationKey": [{"key": k, "value": v} for k, v in values.items() if k.casefold() in wanted]}

    return answer


def last_learned(rig: Rig):
    return [event.capabilities for event in rig.sink.seen if isinstance(event, CapabilitiesChanged)][-1]


async def tell(script: Script, rig: Rig, event, action: str, payload: dict):
    """Send a CALL, and wait until the core has its event."""
    await script.charger.ask(action, payload)
    return await rig.sink.take(event)


async def begin(script: Script, rig: Rig, id_tag: str = "") -> None:
    started = await tell(
        script, rig, TransactionStarted, "StartTransaction", {"connectorId": 1, "idTag": id_tag, "meterStart": 0}
    )
    answer = AnswerTransaction(charger_id=GARAGE, reply_to=started.reply_to, transaction_id=TransactionId("17"))
    await rig.driver.answer(answer)


async def end(script: Script, rig: Rig, reason: str) -> None:
    stop = {"transactionId": 17, "meterStop": 5, "reason": reason}
    ended = await tell(script, rig, TransactionEnded, "StopTransaction", stop)
    answer = AnswerTransaction(charger_id=GARAGE, reply_to=ended.reply_to, transaction_id=ended.transaction_id)
    await rig.driver.answer(answer)


def status(name: str) -> dict:
    return {"connectorId": 1, "errorCode": "NoError", "status": name}


async def test_a_key_that_kills_a_charger_is_found_and_left_out_after_that_also_by_another_run() -> None:
    """G02: ABB Terra <= 1.8.21 falls over when asked for one key."""
    memory = KeptMemory()

    def deadly(payload):
        return None if "MeterValuesSampledData" in payload["key"] else {"configurationKey": []}

    async with running(memory=memory) as rig:
        for _ in range(2):
            async with scripted(rig, GetConfiguration=deadly) as script:
                await script.charger.closed()
        async with scripted(rig, BOOT_16 | {"chargePointSerialNumber": "3"}, GetConfiguration=deadly) as script:
            await settled(script)
    async with running(memory=memory) as rig, scripted(rig, GetConfiguration=deadly) as script:
        await settled(script)
        asked = [payload["key"] for action, payload in script.got if action == "GetConfiguration"]
        assert asked[:3] == [["MeterValueSampleInterval"], ["ClockAlignedDataInterval"], ["MeterValuesAlignedData"]]


async def test_a_write_that_kills_a_charger_is_left_out_the_next_time() -> None:
    def deadly(payload):
        return None if payload["key"] == "MeterValuesSampledData" else {"status": "Accepted"}

    def keys(_payload):
        return {"configurationKey": []}

    async with running() as rig:
        async with scripted(rig, GetConfiguration=keys, ChangeConfiguration=deadly) as script:
            await script.charger.closed()
        async with scripted(rig, GetConfiguration=keys, ChangeConfiguration=deadly) as script:
            await settled(script)
            tried = [payload["value"] for _, payload in script.got if payload.get("key") == "MeterValuesSampledData"]
            assert not tried


async def test_the_journal_is_written_before_a_probe_that_was_never_survived() -> None:
    memory = KeptMemory()
    seen = []

    def watch(_payload):
        seen.append(memory.documents["ocpp/charger/garage/Acme/Box/1.2"].get("probing"))
        return {"configurationKey": []}

    async with running(memory=memory) as rig, scripted(rig, GetConfiguration=watch) as script:
        await settled(script)
    assert seen[0] == (
        "read MeterValueSampleInterval MeterValuesSampledData ClockAlignedDataInterval MeterValuesAlignedData"
    )
    memory.documents["ocpp/charger/garage/Acme/Box/1.2"] = {"probing": seen[0]}
    async with running(memory=memory) as rig, scripted(rig, GetConfiguration=watch) as script:
        await settled(script)
        assert script.got[0] == ("GetConfiguration", {"key": ["MeterValueSampleInterval"]}), "the power went with it"


async def test_a_charger_that_crashes_by_a_trigger_in_a_boot_loop_is_left_alone_with_that_too() -> None:
    """A02: minimal mode leaves out what came before the crash."""

    def deadly(payload):
        return None if payload["requestedMessage"] == "StatusNotification" else {"status": "Accepted"}

    answers = {"GetConfiguration": lambda _: "NotSupported", "TriggerMessage": deadly}
    async with running(clock=parse_clock("2026-01-14T16:00:00Z@100")) as rig:
        async with scripted(rig, **answers) as script:
            await script.charger.closed()
        for _ in range(2):
            async with scripted(rig, **answers) as script:
                await settled(script)
        assert {action for action, _ in script.got} == {"TriggerMessage"}
        assert [payload["requestedMessage"] for _, payload in script.got] == ["MeterValues"]


async def test_a_lost_answer_teaches_nothing_and_is_asked_for_again() -> None:
    """G11: one lost answer; everything is known at the second connection."""
    keys = configuration({"ChargingScheduleMaxPeriods": 6, "NumberOfConnectors": 1})
    async with running(call_timeout_s=0.1) as rig:
        async with rig.charger() as charger:
            await charger.call("BootNotification", BOOT_16)
            await charger.request("GetConfiguration")
            await asyncio.sleep(0.15)
        async with scripted(rig, GetConfiguration=keys) as script:
            await settled(script)
            assert last_learned(rig).schedule_periods == 6


@pytest.mark.parametrize(
    "answer",
    [
        {"unknownKey": ["ChargingScheduleMaxPeriods"]},
        {"configurationKey": []},
        {},
        {"configurationKey": [{"key": "ChargingScheduleMaxPeriods", "readonly": True, "value": None}]},
        {"configurationKey": {"key": "ChargingScheduleMaxPeriods", "value": ""}},
        "NotSupported",
        "InternalError",
    ],
    ids=str,
)
async def test_a_key_that_a_charger_does_not_know_says_nothing_about_what_it_can_do(answer) -> None:
    """G03: each shape of it; what is not known is tried."""
    accepts = ACCEPTS | {"GetConfiguration": lambda _: answer}
    async with running() as rig, scripted(rig, **accepts) as script:
        await settled(script)
        await rig.driver.execute(LIMIT)
        learned = last_learned(rig)
        assert (learned.can_limit, learned.schedule_periods) == (True, None)
        assert False not in (learned.can_start, learned.can_stop, learned.reports_energy, learned.reports_power)


async def test_one_unknown_measurand_costs_only_itself_and_the_last_list_is_the_best_one() -> None:
    """G06: the charger keeps whatever list it was sent last; power is unknown to it."""
    held = {}

    def change(payload):
        held[payload["key"]] = payload["value"]
        return {"status": "Rejected" if POWER in payload["value"] else "Accepted"}

    def read(payload):
        return {"configurationKey": [{"key": k, "value": v} for k, v in held.items() if k in payload["key"]]}

    async with running() as rig, scripted(rig, GetConfiguration=read, ChangeConfiguration=change) as script:
        await settled(script)
        assert held["MeterValuesSampledData"] == f"{ENERGY},{CURRENT},SoC"
        learned = last_learned(rig)
        assert (learned.reports_energy, learned.reports_power, learned.reports_soc) == (True, False, True)


async def test_what_was_accepted_and_not_kept_is_not_believed() -> None:
    """G08: accepted, and what is read back is the old value."""
    keys = configuration({"MeterValuesSampledData": ENERGY, "MeterValueSampleInterval": 300})
    async with (
        running() as rig,
        scripted(rig, GetConfiguration=keys, ChangeConfiguration=lambda _: {"status": "Accepted"}) as script,
    ):
        await settled(script)
        learned = last_learned(rig)
        assert (learned.reports_energy, learned.reports_power) == (True, False)


@pytest.mark.parametrize("value", [60, 60.0, "60.0", " 60 "])
async def test_a_number_is_the_same_however_it_is_spelled(value) -> None:
    keys = configuration({"MeterValueSampleInterval": value})
    async with running() as rig, scripted(rig, GetConfiguration=keys) as script:
        await settled(script)
        assert not [payload for _, payload in script.got if payload.get("key") == "MeterValueSampleInterval"]


async def test_what_was_refused_is_not_written_again_at_every_connection() -> None:
    keys = configuration({})
    async with running() as rig:
        async with scripted(rig, GetConfiguration=keys) as script:
            await settled(script)
            assert any(action == "ChangeConfiguration" for action, _ in script.got)
        async with scripted(rig, GetConfiguration=keys) as script:
            await settled(script)
            assert not any(action == "ChangeConfiguration" for action, _ in script.got)


async def test_a_2_0_1_station_that_takes_one_item_per_message_is_asked_one_by_one() -> None:
    """K26."""
    async with running() as rig, rig.charger("2.0.1") as charger:
        await charger.call(
            "BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Box"}}
        )
        counts = []
        while True:
            message_id, action, payload = await charger.request()
            if action == "TriggerMessage":
                break
            if action == "GetVariables":
                items = payload["getVariableData"]
                counts.append(len(items))
                is_limit = items[0]["variable"]["name"] == "ItemsPerMessage"
                found = [{**item, "attributeStatus": "UnknownVariable"} for item in items]
                if is_limit:
                    found = [{**items[0], "attributeStatus": "Accepted", "attributeValue": "1"}]
                await charger.reply(message_id, {"getVariableResult": found})
            else:
                await charger.refuse(message_id, "NotSupported")
        assert set(counts) == {1}
        assert len(counts) == 1 + 4 + 4


async def test_a_stop_point_that_ends_transactions_in_a_pause_is_read() -> None:
    """K23: BMW/Delta."""
    async with running() as rig, rig.charger("2.0.1") as charger:
        await charger.call(
            "BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Box"}}
        )
        action = ""
        while action != "TriggerMessage":
            message_id, action, payload = await charger.request()
            if action != "GetVariables":
                await charger.refuse(message_id, "NotSupported")
                continue
            found = [{**item, "attributeStatus": "UnknownVariable"} for item in payload["getVariableData"]]
            for item in found:
                if item["variable"]["name"] == "TxStopPoint":
                    item |= {"attributeStatus": "Accepted", "attributeValue": "EVConnected,PowerPathClosed"}
            await charger.reply(message_id, {"getVariableResult": found})
        assert last_learned(rig).zero_is_stop is True


async def test_the_token_that_a_charger_insists_on_is_read_from_its_settings_and_remembered() -> None:
    """B05: Alfen."""
    memory = KeptMemory()
    keys = configuration({"PlugAndChargeIdentifier": "ALFEN-PNC"})

    def start(payload):
        return {"status": "Accepted" if payload["idTag"] == "ALFEN-PNC" else "Rejected"}

    for expected in (["chargerd", "ALFEN-PNC"], ["ALFEN-PNC"]):
        async with (
            running(memory=memory) as rig,
            scripted(rig, GetConfiguration=keys, RemoteStartTransaction=start) as script,
        ):
            await rig.driver.execute(START)
            assert [p["idTag"] for action, p in script.got if action == "RemoteStartTransaction"] == expected


async def test_the_token_of_a_charger_s_own_start_is_tried_where_ours_is_refused() -> None:
    def start(payload):
        return {"status": "Accepted" if payload["idTag"] == "FreeVend" else "Rejected"}

    async with running() as rig, scripted(rig, RemoteStartTransaction=start) as script:
        await settled(script)
        await begin(script, rig, "FreeVend")
        await end(script, rig, "Local")
        await rig.driver.execute(START)
        await begin(script, rig, "FreeVend")
        await end(script, rig, "Remote")
        await rig.driver.execute(START)
        tags = [payload["idTag"] for action, payload in script.got if action == "RemoteStartTransaction"]
        assert tags == ["chargerd", "FreeVend", "FreeVend"]


async def test_the_card_of_a_driver_is_no_token_of_the_charger() -> None:
    async with running() as rig, scripted(rig, RemoteStartTransaction=lambda _: {"status": "Rejected"}) as script:
        await settled(script)
        await script.charger.ask("Authorize", {"idTag": "04A2"})
        await begin(script, rig, "04A2")
        await end(script, rig, "Local")
        with pytest.raises(Refused):
            await rig.driver.execute(START)
        tags = [payload["idTag"] for action, payload in script.got if action == "RemoteStartTransaction"]
        assert tags == ["chargerd"]


async def test_a_token_that_is_accepted_and_ignored_gives_way_to_the_one_that_works() -> None:
    async with running() as rig, scripted(rig, RemoteStartTransaction=lambda _: {"status": "Accepted"}) as script:
        await settled(script)
        await begin(script, rig, "FreeVend")
        await end(script, rig, "Local")
        await rig.driver.execute(START)
        await rig.driver.execute(START)
        await begin(script, rig, "FreeVend")
        await end(script, rig, "Local")
        await rig.driver.execute(START)
        tags = [payload["idTag"] for action, payload in script.got if action == "RemoteStartTransaction"]
        assert tags == ["chargerd", "FreeVend", "FreeVend"]


ACCEPTS = {"SetChargingProfile": lambda _: {"status": "Accepted"}, "TriggerMessage": lambda _: {"status": "Accepted"}}


def sample(context: str | None = None) -> dict:
    value = {"value": "1000"} | ({} if context is None else {"context": context})
    return {"connectorId": 1, "meterValue": [{"timestamp": "2026-01-14T16:00:00Z", "sampledValue": [value]}]}


async def test_a_charger_that_pushes_no_samples_is_polled_while_it_charges() -> None:
    """E13: Wallbox firmware 6, SyncEV."""
    async with running(sample_interval_s=60) as rig, scripted(rig, **ACCEPTS) as script:
        await settled(script)
        script.got.clear()
        await tell(script, rig, StatusReported, "StatusNotification", status("Charging"))
        for _ in range(2):
            await script.until("TriggerMessage", requestedMessage="MeterValues")
            script.got.clear()
            await tell(script, rig, MeterSampled, "MeterValues", sample())
        assert last_learned(rig).pushes_samples is False
        assert last_learned(rig).reports_energy is True
        await tell(script, rig, StatusReported, "StatusNotification", status("SuspendedEV"))


async def test_a_charger_that_neither_pushes_nor_answers_triggers_is_said_to_report_nothing() -> None:
    measurands = configuration({"MeterValuesSampledData": f"{ENERGY},{POWER},{CURRENT},SoC"})
    async with running(sample_interval_s=30) as rig, scripted(rig, GetConfiguration=measurands) as script:
        await settled(script)
        assert last_learned(rig).reports_energy is True
        await tell(script, rig, StatusReported, "StatusNotification", status("Charging"))
        while last_learned(rig).reports_energy is not False:
            await rig.sink.take(CapabilitiesChanged)
        assert last_learned(rig).pushes_samples is False
        await tell(script, rig, MeterSampled, "MeterValues", sample())
        await rig.sink.take(CapabilitiesChanged)
        assert last_learned(rig).reports_energy is True


async def test_a_charger_that_pushes_is_not_polled() -> None:
    clock = HandClock()
    async with running(clock=clock, sample_interval_s=60) as rig, scripted(rig, **ACCEPTS) as script:
        await settled(script)
        script.got.clear()
        await tell(script, rig, StatusReported, "StatusNotification", status("Charging"))
        for _ in range(8):
            clock.passed_s += 60
            await tell(script, rig, MeterSampled, "MeterValues", sample())
            await clock.looked()
        assert not script.got
        assert last_learned(rig).pushes_samples is True
        clock.passed_s += 120
        await script.until("TriggerMessage", requestedMessage="MeterValues")


async def test_a_charger_that_drops_quiet_connections_is_pinged_more_often_after_three_drops() -> None:
    """I03: Wallbox Copper SB needs a ping within its own time, and cuts the connection otherwise."""
    memory = KeptMemory()
    async with running(memory=memory, ping_interval_s=0.3) as rig:
        for _ in range(3):
            async with scripted(rig) as script:
                await settled(script)
                script.charger.socket.transport.abort()
                await script.charger.closed()
    assert memory.documents["ocpp/charger/garage/Acme/Box/1.2"]["ping_interval_s"] == pytest.approx(0.2)


async def test_what_a_user_knows_of_a_charger_is_taken_for_known(tmp_path) -> None:
    own = tmp_path / "quirks.toml"
    own.write_text(
        """
        version = 1
        [[quirk]]
        vendor = "acme"
        firmware = "1.*"
        source = "my garage"
        zero_is_stop = true
        limit_unit = "W"
        limit_purpose = "TxDefaultProfile"
        limit_kind = "Relative"
        id_token = "FREE"
        skip = ["MeterValuesSampledData"]
        no_trigger = ["StatusNotification"]
        """
    )
    memory = KeptMemory()
    accepts = ACCEPTS | {"RemoteStartTransaction": lambda _: {"status": "Accepted"}}
    async with running(memory=memory, quirks_file=own) as rig, scripted(rig, **accepts) as script:
        await settled(script)
        assert last_learned(rig).zero_is_stop is True
        await rig.driver.execute(LIMIT)
        await rig.driver.execute(START)
        assert "MeterValuesSampledData" not in str(script.got)
        assert not [p for _, p in script.got if p.get("requestedMessage") == "StatusNotification"]
        assert (await script.until("RemoteStartTransaction"))["idTag"] == "FREE"
        profile = (await script.until("SetChargingProfile"))["csChargingProfiles"]
        assert profile["chargingSchedule"]["chargingRateUnit"] == "W"
        assert (profile["chargingProfilePurpose"], profile["chargingProfileKind"]) == ("TxDefaultProfile", "Relative")
    kept = memory.documents["ocpp/charger/garage/Acme/Box/1.2"]
    assert "zero_is_stop" not in kept["capabilities"], "what is only known from a file is not kept as learned"


async def test_a_charger_that_is_known_for_it_has_its_settings_left_alone(tmp_path) -> None:
    own = tmp_path / "quirks.toml"
    own.write_text('version = 1\n[[quirk]]\nvendor = "Acme"\nsource = "my garage"\nminimal_setup = true\n')
    async with running(quirks_file=own) as rig, scripted(rig) as script:
        await settled(script)
        assert {action for action, _ in script.got} == {"TriggerMessage"}
