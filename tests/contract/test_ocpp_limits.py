"""A limit is said in the way that a charger takes, over a real socket: refused ways, ways without effect, restarts."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, KeptMemory, running

from chargerd.contract import (
    CapabilitiesChanged,
    CommandId,
    LimitStep,
    Refused,
    SetCurrentLimit,
    StatusReported,
    TransactionId,
)

LIMIT = SetCurrentLimit(charger_id=GARAGE, command_id=CommandId(9), limit_a=16, transaction_id=TransactionId("17"))
IDLE = replace(LIMIT, transaction_id=None)
NIGHT = datetime(2026, 1, 15, tzinfo=UTC)
LATER = (LimitStep(at=NIGHT, limit_a=0), LimitStep(at=NIGHT + timedelta(hours=4), limit_a=16))


class ProfileBox:
    """A charger that takes the profiles its policy accepts; ``said`` are all that it was sent since it was asked."""

    def __init__(self, charger, policy: Callable[[dict], bool], *, keys: dict[str, str] | None = None) -> None:
        self.charger = charger
        self.policy = policy
        self.keys = keys or {}
        self.said: list[dict] = []
        self.cleared: list[dict] = []
        self.order: list[str] = []
        self.settled = asyncio.Event()

    def took(self) -> list[dict]:
        """Return the profiles since the last look."""
        said, self.said = self.said, []
        return said

    async def serve(self) -> None:
        while True:
            message_id, action, payload = await self.charger.request()
            self.order.append(action)
            await self.charger.reply(message_id, self._answer(action, payload))
            if action == "TriggerMessage" and payload["requestedMessage"] == "MeterValues":
                self.settled.set()

    def _answer(self, action: str, payload: dict) -> dict:
        match action:
            case "SetChargingProfile":
                profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
                self.said.append(profile)
                return {"status": "Accepted" if self.policy(profile) else "Rejected"}
            case "ClearChargingProfile":
                self.cleared.append(payload)
                return {"status": "Unknown"}
            case "GetConfiguration":
                known = [
                    {"key": key, "readonly": True, "value": self.keys[key]}
                    for key in payload["key"]
                    if key in self.keys
                ]
                return {"configurationKey": known, "unknownKey": []}
            case "GetVariables":
                return {"getVariableResult": [self._variable(item) for item in payload["getVariableData"]]}
            case "SetVariables":
                [item] = payload["setVariableData"]
                result = {"attributeStatus": "Rejected", "component": item["component"], "variable": item["variable"]}
                return {"setVariableResult": [result]}
            case _:
                return {"status": "Rejected"}

    def _variable(self, item: dict) -> dict:
        value = self.keys.get(item["variable"]["name"])
        if value is None:
            return {**item, "attributeStatus": "UnknownVariable"}
        return {**item, "attributeStatus": "Accepted", "attributeValue": value}


@asynccontextmanager
async def box(policy, *, version: str = "1.6", memory: KeptMemory | None = None, firmware: str = "1.2", keys=None):
    """A running driver and a charger that has booted and is set up."""
    payload = BOOT_16 | {"firmwareVersion": firmware}
    if version != "1.6":
        payload = {**BOOT_201, "chargingStation": {**BOOT_201["chargingStation"], "firmwareVersion": firmware}}
    async with running(memory=memory) as rig, rig.charger(version) as charger, asyncio.TaskGroup() as tasks:
        made = ProfileBox(charger, policy, keys=keys)
        await charger.call("BootNotification", payload)
        serving = tasks.create_task(made.serve())
        await made.settled.wait()
        yield rig, made
        serving.cancel()


def purposes(profiles: list[dict]) -> list[str]:
    return [profile["chargingProfilePurpose"] for profile in profiles]


def schedule(profile: dict) -> dict:
    found = profile["chargingSchedule"]
    return found[0] if isinstance(found, list) else found


def unit(profile: dict) -> str:
    return schedule(profile)["chargingRateUnit"]


def limits(profile: dict) -> list[float]:
    return [period["limit"] for period in schedule(profile)["chargingSchedulePeriod"]]


def is_default(profile: dict) -> bool:
    return profile["chargingProfilePurpose"] == "TxDefaultProfile"


def is_watt(profile: dict) -> bool:
    return unit(profile) == "W"


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_transaction_profile_that_is_refused_becomes_a_default_within_two_calls_for_ever(version) -> None:
    memory = KeptMemory()
    async with box(is_default, version=version, memory=memory) as (rig, made):
        await rig.driver.execute(LIMIT)
        assert purposes(made.took()) == ["TxProfile", "TxDefaultProfile"]
        await rig.driver.execute(LIMIT)
        assert purposes(made.took()) == ["TxDefaultProfile"]
        learned = [event.capabilities for event in rig.sink.seen if isinstance(event, CapabilitiesChanged)][-1]
        assert (learned.can_limit, learned.limit_purpose, learned.limit_unit) == (True, "TxDefaultProfile", "A")
    async with box(is_default, version=version, memory=memory) as (rig, made):
        await rig.driver.execute(LIMIT)
        assert purposes(made.took()) == ["TxDefaultProfile"], "remembered over a restart"
        assert not made.cleared, "adopted once in its life"


async def test_another_firmware_is_learned_anew() -> None:
    memory = KeptMemory()
    async with box(is_default, memory=memory) as (rig, _):
        await rig.driver.execute(LIMIT)
    async with box(lambda _: True, memory=memory, firmware="1.3") as (rig, made):
        assert (await rig.sink.take(CapabilitiesChanged)).capabilities.reports_energy is None
        await rig.driver.execute(LIMIT)
        assert purposes(made.took()) == ["TxProfile"]
    async with box(is_default, memory=memory) as (rig, made):
        await rig.driver.execute(LIMIT)
        assert purposes(made.took()) == ["TxDefaultProfile"], "the old firmware is known still"


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_charger_that_takes_only_watts_is_told_watts_over_its_phases(version) -> None:
    async with box(is_watt, version=version) as (rig, made):
        await rig.driver.execute(LIMIT)
        *_, last = made.took()
        assert (unit(last), limits(last)) == ("W", [11040])
        await rig.driver.execute(replace(LIMIT, limit_a=8, phases=1, voltage_v=240.0))
        [only] = made.took()
        assert limits(only) == [1920]


@pytest.mark.parametrize(
    ("version", "key", "value", "first"),
    [
        ("1.6", "ChargingScheduleAllowedChargingRateUnit", "W", "W"),
        ("1.6", "ChargingScheduleAllowedChargingRateUnit", "Power", "W"),
        ("1.6", "ChargingScheduleAllowedChargingRateUnit", "Current,Power", "A"),
        ("1.6", "ChargingScheduleAllowedChargingRateUnit", "Current", "A"),
        ("2.0.1", "RateUnit", "W", "W"),
        ("2.0.1", "RateUnit", "W,A", "A"),
    ],
)
async def test_the_unit_that_a_charger_lists_is_used_at_once(version, key, value, first) -> None:
    async with box(lambda _: True, version=version, keys={key: value}) as (rig, made):
        await rig.driver.execute(LIMIT)
        assert [unit(profile) for profile in made.took()] == [first]


async def test_a_limit_that_had_no_effect_is_said_another_way_and_that_is_remembered() -> None:
    """F07: the default is for the next transaction only."""
    memory, pause = KeptMemory(), replace(LIMIT, limit_a=0)
    async with box(lambda _: True, memory=memory) as (rig, made):
        await rig.driver.execute(pause)
        await rig.driver.execute(replace(pause, unheeded=True))
        await rig.driver.execute(pause)
        await rig.driver.execute(replace(pause, unheeded=True))
        ways = [(profile["chargingProfilePurpose"], unit(profile)) for profile in made.took()]
        assert ways == [("TxProfile", "A"), ("TxDefaultProfile", "A"), ("TxDefaultProfile", "A"), ("TxProfile", "W")]
    async with box(lambda _: True, memory=memory) as (rig, made):
        await rig.driver.execute(pause)
        assert [(p["chargingProfilePurpose"], unit(p)) for p in made.took()] == [("TxProfile", "W")]


async def test_amperes_under_which_nothing_is_offered_are_said_in_watts_and_that_is_remembered() -> None:
    """F12: 16 A were taken for 16 W."""
    memory = KeptMemory()
    async with box(lambda _: True, memory=memory) as (rig, made):
        await rig.driver.execute(IDLE)
        await rig.driver.execute(LIMIT)
        await rig.driver.execute(replace(LIMIT, unheeded=True))
        assert [unit(profile) for profile in made.took()] == ["A", "A", "W"]
    async with box(lambda _: True, memory=memory) as (rig, made):
        for command in (IDLE, LIMIT):
            await rig.driver.execute(command)
        assert [(unit(profile), limits(profile)) for profile in made.took()] == [("W", [11040]), ("W", [11040])]


async def test_amperes_of_a_charger_that_lists_no_watts_are_said_in_another_profile() -> None:
    keys = {"ChargingScheduleAllowedChargingRateUnit": "Current"}
    async with box(lambda _: True, keys=keys) as (rig, made):
        await rig.driver.execute(LIMIT)
        await rig.driver.execute(replace(LIMIT, unheeded=True))
        ways = [(profile["chargingProfilePurpose"], unit(profile)) for profile in made.took()]
        assert ways == [("TxProfile", "A"), ("TxDefaultProfile", "A")]


async def test_a_charger_that_wants_relative_schedules_gets_one_without_a_start() -> None:
    async with box(lambda profile: profile["chargingProfileKind"] == "Relative") as (rig, made):
        await rig.driver.execute(LIMIT)
        last = made.took()[-1]
        assert (last["chargingProfilePurpose"], "startSchedule" in schedule(last)) == ("TxProfile", False)
        await rig.driver.execute(LIMIT)
        assert len(made.took()) == 1


async def test_the_ladder_goes_on_with_the_next_command_where_four_calls_were_refused() -> None:
    async with box(lambda _: False) as (rig, made):
        seen = []
        for _ in range(2):
            with pytest.raises(Refused):
                await rig.driver.execute(LIMIT)
            found = made.took()
            assert len(found) == 4
            seen += [(p["chargingProfilePurpose"], unit(p), p["chargingProfileKind"], p["stackLevel"]) for p in found]
        assert len(set(seen)) == 8


async def test_what_was_refused_while_nothing_was_plugged_in_is_tried_again_at_plug_in() -> None:
    plugged = False
    async with box(lambda _: plugged) as (rig, made):
        with pytest.raises(Refused):
            await rig.driver.execute(IDLE)
        first = made.took()[0]
        plugged = True
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}
        await made.charger.ask("StatusNotification", status)
        await rig.sink.take(StatusReported)
        await rig.driver.execute(IDLE)
        [again] = made.took()
        assert again["chargingProfilePurpose"] == first["chargingProfilePurpose"]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_later_steps_are_periods_of_one_schedule_without_an_end(version) -> None:
    async with box(lambda _: True, version=version) as (rig, made):
        await rig.driver.execute(replace(LIMIT, later=LATER))
        [profile] = made.took()
        found = schedule(profile)
        assert limits(profile) == [16, 0, 16]
        assert not {"duration", "validTo", "validFrom"} & (found.keys() | profile.keys())
        start = datetime.fromisoformat(found["startSchedule"])
        ends = [start + timedelta(seconds=period["startPeriod"]) for period in found["chargingSchedulePeriod"][1:]]
        assert all(abs(end - step.at) <= timedelta(seconds=1) for end, step in zip(ends, LATER, strict=True))


async def test_a_charger_that_takes_one_period_only_gets_one_and_the_core_is_told_before_the_command_returns() -> None:
    memory = KeptMemory()
    async with box(lambda profile: len(limits(profile)) == 1, memory=memory) as (rig, made):
        await rig.driver.execute(replace(LIMIT, later=LATER))
        assert [len(limits(profile)) for profile in made.took()] == [3, 1]
        assert rig.sink.seen[-1].capabilities.schedule_periods == 1
    async with box(lambda _: True, memory=memory) as (rig, made):
        await rig.driver.execute(replace(LIMIT, later=LATER))
        assert [limits(profile) for profile in made.took()] == [[16]]


@pytest.mark.parametrize(("version", "key"), [("1.6", "ChargingScheduleMaxPeriods"), ("2.0.1", "PeriodsPerSchedule")])
async def test_no_more_periods_are_sent_than_a_charger_says_it_can_hold(version, key) -> None:
    async with box(lambda _: True, version=version, keys={key: "2"}) as (rig, made):
        await rig.driver.execute(replace(LIMIT, later=LATER))
        assert [limits(profile) for profile in made.took()] == [[16, 0]]
        told = [event.capabilities for event in rig.sink.seen if isinstance(event, CapabilitiesChanged)]
        assert told[0].schedule_periods == 2


async def test_profiles_of_former_central_systems_are_cleared_once_and_ours_has_the_highest_level() -> None:
    memory = KeptMemory()
    async with box(lambda _: True, memory=memory, keys={"ChargeProfileMaxStackLevel": "10"}) as (rig, made):
        await rig.driver.execute(LIMIT)
        await rig.driver.execute(LIMIT)
        assert made.cleared == [{}]
        assert made.order.index("ClearChargingProfile") < made.order.index("SetChargingProfile")
        assert {profile["stackLevel"] for profile in made.took()} == {10}
    async with box(lambda _: True, memory=memory) as (rig, made):
        await rig.driver.execute(LIMIT)
        assert not made.cleared


async def test_a_level_that_is_too_high_is_lowered() -> None:
    async with box(lambda profile: profile["stackLevel"] == 0, keys={"ChargeProfileMaxStackLevel": "10"}) as (
        rig,
        made,
    ):
        await rig.driver.execute(LIMIT)
        assert [profile["stackLevel"] for profile in made.took()] == [10, 10, 0]


async def test_a_station_that_replaces_no_profile_has_the_old_one_cleared_first() -> None:
    """K20: BMW/Delta reject a second profile of the same id until the first one is gone."""
    held: list[dict] = []

    def policy(profile: dict) -> bool:
        free = not held or made.order[-2] == "ClearChargingProfile"
        held[:] = [profile] if free else held
        return free

    memory = KeptMemory()
    async with box(policy, version="2.0.1", memory=memory) as (rig, made):
        await rig.driver.execute(LIMIT)
        await rig.driver.execute(replace(LIMIT, limit_a=0))
        assert limits(held[0]) == [0]
        assert made.cleared[-1] == {"chargingProfileId": held[0]["id"]}
        made.took()
        await rig.driver.execute(replace(LIMIT, limit_a=10))
        assert [limits(profile) for profile in made.took()] == [[10]], "known by then: no refusal first"


async def test_no_limit_has_more_than_one_decimal_and_whole_ones_have_none() -> None:
    async with box(lambda profile: all(isinstance(value, int) for value in limits(profile))) as (rig, made):
        await rig.driver.execute(replace(LIMIT, limit_a=10.000000001))
        assert [limits(profile) for profile in made.took()] == [[10]]
        await rig.driver.execute(replace(LIMIT, limit_a=9.56))
        assert made.took()[-1]["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 9}]


async def test_a_charger_whose_clock_is_behind_is_told_of_a_schedule_that_has_begun_by_it() -> None:
    async with box(lambda _: True) as (rig, made):
        behind = rig.clock.now() - timedelta(minutes=10)
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Preparing", "timestamp": behind.isoformat()}
        await made.charger.ask("StatusNotification", status)
        await rig.sink.take(StatusReported)
        await rig.driver.execute(LIMIT)
        [profile] = made.took()
        assert datetime.fromisoformat(schedule(profile)["startSchedule"]) < behind


async def test_a_store_that_fails_costs_only_the_memory() -> None:
    memory = KeptMemory()
    memory.is_failing = True
    async with box(is_default, memory=memory) as (rig, made):
        for _ in range(2):
            await rig.driver.execute(LIMIT)
        assert purposes(made.took()) == ["TxProfile", "TxDefaultProfile", "TxDefaultProfile"]


async def test_nothing_is_written_while_nothing_is_learned() -> None:
    memory = KeptMemory()
    async with box(lambda _: True, memory=memory) as (rig, _):
        await rig.driver.execute(IDLE)
        await rig.driver.execute(IDLE)
        writes = memory.writes
        for limit_a in (0, 16, 0, 10, 16):
            await rig.driver.execute(replace(IDLE, limit_a=limit_a))
        assert memory.writes == writes
    kept = dict(memory.documents)
    async with box(lambda _: True, memory=memory) as (rig, _):
        await rig.driver.execute(IDLE)
    assert memory.documents == kept
    assert memory.writes == writes
