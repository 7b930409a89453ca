"""What a charger is asked for after it connected, over a real socket."""

import asyncio

import pytest
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, running

from chargerd.clock import parse_clock
from chargerd.contract import CapabilitiesChanged, ChargerBooted, CommandId, StartTransaction
from chargerd_drivers.ocpp.metering import CURRENT, ENERGY, POWER, SOC


class WaitingClock:
    """A clock whose sleeps end when the test says so."""

    def __init__(self, inner) -> None:
        self._inner = inner
        self.asleep: list[float] = []
        self.wake = asyncio.Event()
        self.now = inner.now
        self.monotonic = inner.monotonic
        self.real_seconds = inner.real_seconds

    async def sleep(self, seconds: float) -> None:
        self.asleep.append(seconds)
        await self.wake.wait()


class StillClock(WaitingClock):
    """A clock that stands still; only long sleeps wait."""

    def __init__(self, inner) -> None:
        super().__init__(inner)
        began_at = inner.now()
        self.now = lambda: began_at
        self.monotonic = lambda: 0.0

    async def sleep(self, seconds: float) -> None:
        if seconds > 60:
            await super().sleep(seconds)


async def serve_setup_16(charger, values: dict[str, str | None], refused: frozenset[str] = frozenset()) -> list:
    """Answer the set-up as a 1.6 charger with these settings would; return what was written and triggered."""
    done = []
    while True:
        message_id, action, payload = await charger.request()
        if action == "GetConfiguration":
            asked = {key.casefold() for key in payload["key"]}
            known = [{"key": key, "value": value} for key, value in values.items() if key.casefold() in asked]
            await charger.reply(message_id, {"configurationKey": known, "unknownKey": []})
        elif action == "ChangeConfiguration":
            is_refused = payload["value"] in refused
            done.append((payload["key"], payload["value"]))
            if not is_refused:
                values[payload["key"]] = payload["value"]
            await charger.reply(message_id, {"status": "Rejected" if is_refused else "Accepted"})
        elif action == "ClearChargingProfile":
            await charger.reply(message_id, {"status": "Unknown"})
        else:
            done.append((payload["requestedMessage"], payload["connectorId"]))
            await charger.reply(message_id, {"status": "Rejected"})
            if payload["requestedMessage"] == "MeterValues":
                return done


def unknown(item) -> dict:
    return {**item, "attributeStatus": "UnknownVariable"}


TRIGGERS = [("StatusNotification", 1), ("MeterValues", 1)]


async def test_only_differences_are_written_and_the_best_accepted_list_stays() -> None:
    everything = f"{ENERGY},{POWER},{CURRENT},{SOC}"
    async with running(sample_interval_s=30) as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        values = {
            "MeterValueSampleInterval": "60",
            "metervaluessampleddata": ENERGY,
            "ClockAlignedDataInterval": "900",
            "MeterValuesAlignedData": f"{POWER},{ENERGY},Voltage",
        }
        done = await serve_setup_16(charger, values, refused=frozenset({everything}))
        without_level = f"{ENERGY},{POWER},{CURRENT}"
        assert done == [
            ("MeterValueSampleInterval", "30"),
            ("metervaluessampleddata", everything),
            ("metervaluessampleddata", without_level),
            *TRIGGERS,
        ]
        learned = (await rig.sink.take(CapabilitiesChanged)).capabilities
        assert (learned.reports_energy, learned.reports_power, learned.reports_soc) == (True, True, False)


async def test_a_charger_that_already_samples_more_than_asked_for_is_left_as_it_is() -> None:
    async with running() as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        values = {
            "MeterValueSampleInterval": "60",
            "MeterValuesSampledData": f"Voltage,{SOC},{ENERGY},{POWER},{CURRENT}",
            "ClockAlignedDataInterval": "900",
            "MeterValuesAlignedData": f"{ENERGY},{POWER}",
        }
        assert await serve_setup_16(charger, values) == TRIGGERS


async def test_a_refused_read_is_no_reason_not_to_write() -> None:
    async with running() as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        message_id, action, _ = await charger.request()
        assert action == "GetConfiguration"
        await charger.refuse(message_id, "InternalError")
        done = await serve_setup_16(charger, {})
        assert [key for key, _ in done if key not in {"StatusNotification", "MeterValues"}] == [
            "MeterValueSampleInterval",
            "MeterValuesSampledData",
            "ClockAlignedDataInterval",
            "MeterValuesAlignedData",
        ]


async def test_a_2_0_1_station_is_read_in_fours_and_written_one_by_one() -> None:
    async with running(sample_interval_s=45) as rig, rig.charger("2.0.1") as charger:
        await charger.call("BootNotification", BOOT_201)
        message_id, action, payload = await charger.request()
        assert (action, len(payload["getVariableData"])) == ("GetVariables", 1)
        await charger.reply(message_id, {"getVariableResult": [unknown(payload["getVariableData"][0])]})
        message_id, action, payload = await charger.request()
        assert action == "GetVariables"
        assert len(payload["getVariableData"]) == 4
        held = [unknown(item) for item in payload["getVariableData"]]
        held[2] |= {"attributeStatus": "Accepted", "attributeValue": "900"}
        await charger.reply(message_id, {"getVariableResult": held})
        written, triggered = [], []
        while "MeterValues" not in triggered:
            message_id, action, payload = await charger.request()
            if action == "SetVariables":
                [item] = payload["setVariableData"]
                written.append((item["component"]["name"], item["variable"]["name"], item["attributeValue"]))
                result = {"attributeStatus": "Accepted", "component": item["component"], "variable": item["variable"]}
                await charger.reply(message_id, {"setVariableResult": [result]})
            elif action == "GetVariables":
                held = [unknown(item) for item in payload["getVariableData"]]
                await charger.reply(message_id, {"getVariableResult": held})
            elif action == "ClearChargingProfile":
                await charger.reply(message_id, {"status": "Unknown"})
            else:
                triggered.append(payload["requestedMessage"])
                await charger.reply(message_id, {"status": "NotImplemented"})
        assert written == [
            ("SampledDataCtrlr", "TxUpdatedInterval", "45"),
            ("SampledDataCtrlr", "TxUpdatedMeasurands", f"{ENERGY},{POWER},{CURRENT},{SOC}"),
            ("AlignedDataCtrlr", "Measurands", f"{ENERGY},{POWER}"),
        ]
        assert triggered == ["StatusNotification", "TransactionEvent", "MeterValues"]


@pytest.mark.parametrize(("version", "payload"), [("1.6", BOOT_16), ("2.0.1", BOOT_201)])
async def test_no_call_is_sent_before_a_charger_has_settled_after_its_boot(version, payload) -> None:
    waiting = WaitingClock(parse_clock("2026-01-14T16:00:00Z@1000"))
    async with running(clock=waiting) as rig, rig.charger(version) as charger:
        await charger.call("BootNotification", payload)
        start = StartTransaction(charger_id=GARAGE, command_id=CommandId(1), id_token="chargerd")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(rig.driver.execute(start))
            for _ in range(3):
                await charger.call("Heartbeat", {})
            assert not charger.requests
            assert waiting.asleep == [2.0]
            waiting.wake.set()
            message_id, _, _ = await charger.request(
                "RemoteStartTransaction" if version == "1.6" else "RequestStartTransaction"
            )
            await charger.reply(message_id, {"status": "Accepted"})


async def test_a_second_boot_starts_the_set_up_anew() -> None:
    async with running() as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        first, action, _ = await charger.request()
        assert action == "GetConfiguration"
        await charger.call("BootNotification", BOOT_16)
        second, action, _ = await charger.request()
        assert action == "GetConfiguration"
        assert second != first


async def test_a_charger_that_keeps_booting_is_no_longer_configured_only_asked() -> None:
    async with running() as rig:
        for _ in range(2):
            async with rig.charger() as charger:
                await charger.call("BootNotification", BOOT_16)
                _, action, _ = await charger.request()
                assert action == "GetConfiguration"
        async with rig.charger() as charger:
            await charger.call("BootNotification", BOOT_16)
            _, action, payload = await charger.request()
            assert (action, payload["requestedMessage"]) == ("TriggerMessage", "StatusNotification")
        assert sum(isinstance(event, ChargerBooted) for event in rig.sink.seen) == 3


async def test_a_charger_that_restarted_five_times_and_then_stays_gets_one_whole_set_up() -> None:
    """Two of its lives end with a question unanswered, the others after two; it is left alone until it is at rest."""
    clock = StillClock(parse_clock("2026-01-14T16:00:00Z@1000"))
    async with running(clock=clock) as rig:
        for life in range(5):
            async with rig.charger() as charger:
                await charger.call("BootNotification", BOOT_16)
                if life < 2:
                    await charger.request()
                else:
                    assert await serve_setup_16(charger, {}) == TRIGGERS
                    await charger.call("Heartbeat", {})
        async with rig.charger() as charger:
            await charger.call("BootNotification", BOOT_16)
            assert await serve_setup_16(charger, {}) == TRIGGERS
            await charger.call("Heartbeat", {})
            assert not charger.requests
            clock.wake.set()
            done = await serve_setup_16(charger, {})
            assert [key for key, _ in done[:-2]] == [
                "MeterValueSampleInterval",
                "MeterValuesSampledData",
                "ClockAlignedDataInterval",
                "MeterValuesAlignedData",
            ]
            await charger.call("Heartbeat", {})
            assert not charger.requests


async def test_a_charger_that_answers_no_question_is_left_in_peace() -> None:
    async with running(call_timeout_s=0.03) as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        _, action, _ = await charger.request()
        assert action == "GetConfiguration"
        await asyncio.sleep(0.1)
        await charger.call("Heartbeat", {})
        assert not charger.requests


async def test_two_boots_before_a_charger_has_settled_are_one_set_up() -> None:
    waiting = WaitingClock(parse_clock("2026-01-14T16:00:00Z@1000"))
    async with running(clock=waiting) as rig, rig.charger() as charger:
        for _ in range(2):
            await charger.call("BootNotification", BOOT_16)
        await charger.call("Heartbeat", {})
        waiting.wake.set()
        actions = []
        while "TriggerMessage" not in dict(actions):
            message_id, action, payload = await charger.request()
            actions.append((action, str(payload)))
            await charger.refuse(message_id, "NotSupported")
        assert len(set(actions)) == len(actions)


async def test_a_read_only_setting_is_not_written() -> None:
    async with running() as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        message_id, _, payload = await charger.request("GetConfiguration")
        known = [{"key": key, "readonly": True, "value": "7"} for key in payload["key"]]
        await charger.reply(message_id, {"configurationKey": known})
        assert await serve_setup_16(charger, {}) == TRIGGERS
