"""Cases of the OCTT for a central system in OCPP 1.6, by their purpose; docs/ocpp.md lists them."""

import base64
from typing import Any

import pytest
from ocpp_rig import BOOT_16, GARAGE, Rig, ScriptedCharger, running
from octt_rig import ACCEPTED, LIMIT, START, STOP, TX, booted, commanded, deciding, of, plugs
from websockets.exceptions import InvalidStatus

from chargerd.contract import (
    Activity,
    AuthorizeRequested,
    ChargerBooted,
    ChargerOnline,
    MeterSampled,
    Refused,
    SetCurrentLimit,
    StatusReported,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
)
from chargerd_drivers.ocpp.config import OcppCharger

T0, T1, T2 = "2026-01-14T16:00:00Z", "2026-01-14T16:10:00Z", "2026-01-14T16:20:00Z"
ENDED = {"idTagInfo": {"status": "Accepted"}}
STARTED = {"transactionId": int(TX), **ENDED}


async def status(charger: ScriptedCharger, word: str, connector: int = 1, error: str = "NoError") -> None:
    payload = {"connectorId": connector, "errorCode": error, "status": word, "timestamp": T0}
    assert await charger.call("StatusNotification", payload) == {}


async def authorize(charger: ScriptedCharger, tag: str = "tag") -> str:
    answer = await charger.call("Authorize", {"idTag": tag})
    word: str = answer["idTagInfo"]["status"]
    return word


async def start(charger: ScriptedCharger, at: str = T0, tag: str = "tag") -> None:
    payload = {"connectorId": 1, "idTag": tag, "meterStart": 1000, "timestamp": at}
    assert await charger.call("StartTransaction", payload) == STARTED


async def stop(charger: ScriptedCharger, reason: str, at: str = T2, **more: Any) -> None:
    payload = {"transactionId": int(TX), "meterStop": 4000, "timestamp": at, "reason": reason, **more}
    assert await charger.call("StopTransaction", payload) == ENDED


async def meter(charger: ScriptedCharger, at: str = T1) -> None:
    sample = {"timestamp": at, "sampledValue": [{"value": "2500", "unit": "Wh"}]}
    payload = {"connectorId": 1, "transactionId": int(TX), "meterValue": [sample]}
    assert await charger.call("MeterValues", payload) == {}


def check_transaction(rig: Rig, reason: str) -> None:
    """One transaction was told, from its beginning to its end, in the charger's own times."""
    [started], [ended] = of(rig, TransactionStarted), of(rig, TransactionEnded)
    assert (started.register_wh, f"{started.measured_at:%H:%M}") == (1000, "16:00")
    assert (ended.transaction_id, ended.register_wh, ended.reason) == (TX, 4000, reason)
    assert f"{ended.measured_at:%H:%M}" == "16:20"


async def test_tc_001_cold_boot() -> None:
    async with deciding(heartbeat_interval_s=120) as rig, rig.charger() as charger:
        answer = await charger.call("BootNotification", BOOT_16)
        assert (answer["status"], answer["interval"]) == ("Accepted", 120)
        await status(charger, "Available", connector=0)
        await status(charger, "Available")
        assert (await charger.call("Heartbeat", {})).keys() == {"currentTime"}
        assert [event.vendor for event in of(rig, ChargerBooted)] == ["Acme"]
        assert plugs(rig) == [(False, "IDLE")]


async def test_tc_003_a_session_that_begins_with_the_plug() -> None:
    async with booted("1.6") as (rig, charger):
        await status(charger, "Preparing")
        assert await authorize(charger) == "Accepted"
        await start(charger)
        await status(charger, "Charging")
        await meter(charger)
        assert await authorize(charger) == "Accepted"
        await stop(charger, "Local")
        await status(charger, "Finishing")
        await status(charger, "Available")
        check_transaction(rig, "Local")
        assert [sample.register_wh for sample in of(rig, MeterSampled)] == [2500]
        words = [word for _, word in plugs(rig)]
        assert words == [Activity.EV_CONNECTED, Activity.CHARGING, Activity.FINISHING, Activity.IDLE]
        assert [plugged for plugged, _ in plugs(rig)] == [True, True, True, False]


async def test_tc_004_1_a_session_that_begins_with_a_card() -> None:
    async with booted("1.6") as (rig, charger):
        assert await authorize(charger, "04A2") == "Accepted"
        await status(charger, "Preparing")
        await start(charger, tag="04A2")
        await status(charger, "Charging")
        assert [event.id_token for event in of(rig, AuthorizeRequested)] == ["04A2"]
        assert [event.id_token for event in of(rig, TransactionStarted)] == ["04A2"]


async def test_tc_004_2_a_card_without_a_car_begins_nothing() -> None:
    async with booted("1.6") as (rig, charger):
        assert await authorize(charger) == "Accepted"
        await status(charger, "Preparing")
        await status(charger, "Available")
        assert of(rig, TransactionStarted) == []
        assert plugs(rig)[-1] == (False, "IDLE")


async def test_tc_005_1_the_cable_is_taken_out_at_the_car() -> None:
    async with booted("1.6") as (rig, charger):
        await status(charger, "Preparing")
        await start(charger)
        await status(charger, "SuspendedEV")
        await stop(charger, "EVDisconnected")
        await status(charger, "Finishing")
        await status(charger, "Available")
        check_transaction(rig, "EVDisconnected")
        assert plugs(rig)[-1] == (False, "IDLE")


async def test_tc_007_a_card_that_the_charger_knows_already() -> None:
    async with booted("1.6") as (rig, charger):
        await start(charger, tag="cached")
        assert of(rig, AuthorizeRequested) == []
        assert [event.id_token for event in of(rig, TransactionStarted)] == ["cached"]


async def test_tc_010_remote_start_with_the_cable_in() -> None:
    async with booted("1.6") as (rig, charger):
        await status(charger, "Preparing")
        asked = await commanded(rig, charger, START, ACCEPTED)
        assert asked == ("RemoteStartTransaction", {"idTag": "chargerd", "connectorId": 1}, None)
        assert await authorize(charger, "chargerd") == "Accepted"
        await start(charger, tag="chargerd")
        await status(charger, "Charging")
        assert [event.id_token for event in of(rig, TransactionStarted)] == ["chargerd"]


async def test_tc_011_1_remote_start_before_the_cable_is_in() -> None:
    async with booted("1.6") as (rig, charger):
        action, _, failed = await commanded(rig, charger, START, ACCEPTED)
        assert (action, failed) == ("RemoteStartTransaction", None)
        await status(charger, "Preparing")
        await start(charger, tag="chargerd")
        assert len(of(rig, TransactionStarted)) == 1


async def test_tc_011_2_remote_start_without_a_car_is_accepted_and_begins_nothing() -> None:
    async with booted("1.6") as (rig, charger):
        _, _, failed = await commanded(rig, charger, START, ACCEPTED)
        assert failed is None
        await status(charger, "Preparing")
        await status(charger, "Available")
        assert of(rig, TransactionStarted) == []


async def test_tc_012_remote_stop() -> None:
    async with booted("1.6") as (rig, charger):
        await start(charger)
        asked = await commanded(rig, charger, STOP, ACCEPTED)
        assert asked == ("RemoteStopTransaction", {"transactionId": 17}, None)
        await stop(charger, "Remote")
        await status(charger, "Finishing")
        check_transaction(rig, "Remote")


async def test_tc_019_2_named_configuration_keys_are_read() -> None:
    async with deciding() as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        _, action, payload = await charger.request()
        assert action == "GetConfiguration"
        assert {"MeterValueSampleInterval", "MeterValuesSampledData"} <= set(payload["key"])


async def test_tc_021_a_configuration_key_is_changed() -> None:
    async with deciding(sample_interval_s=30) as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        message_id, _, _ = await charger.request("GetConfiguration")
        known = [{"key": "MeterValueSampleInterval", "readonly": False, "value": "60"}]
        await charger.reply(message_id, {"configurationKey": known, "unknownKey": []})
        _, _, payload = await charger.request("ChangeConfiguration")
        assert payload == {"key": "MeterValueSampleInterval", "value": "30"}


async def test_tc_023_1_a_card_that_is_not_welcome() -> None:
    async with booted("1.6", refused=frozenset({"stolen"})) as (_, charger):
        assert await authorize(charger, "stolen") == "Invalid"
        assert await authorize(charger, "mine") == "Accepted"


async def test_tc_024_a_lock_that_fails_is_told_as_a_fault() -> None:
    async with booted("1.6") as (rig, charger):
        await status(charger, "Faulted", error="ConnectorLockFailure")
        assert [event.fault for event in of(rig, StatusReported)] == ["ConnectorLockFailure"]
        await status(charger, "Available")
        assert of(rig, StatusReported)[-1].fault == ""


@pytest.mark.parametrize("command", [START, STOP], ids=["TC_026 start", "TC_028 stop"])
async def test_tc_026_028_a_remote_start_or_stop_that_is_rejected(command) -> None:
    async with booted("1.6") as (rig, charger):
        _, _, failed = await commanded(rig, charger, command, {"status": "Rejected"})
        assert isinstance(failed, Refused)
        assert failed.supported


async def test_tc_032_1_a_transaction_that_a_power_failure_ended() -> None:
    async with booted("1.6") as (rig, charger):
        await start(charger)
        await charger.socket.close()
        async with rig.charger() as again:
            await again.call("BootNotification", BOOT_16)
            await stop(again, "PowerLoss")
            check_transaction(rig, "PowerLoss")


async def test_tc_037_1_a_transaction_that_began_offline_is_taken_with_its_own_time() -> None:
    async with deciding() as rig, rig.charger() as charger:
        await start(charger, at="2026-01-14T14:30:00Z")
        [started] = of(rig, TransactionStarted)
        assert f"{started.measured_at:%H:%M}" == "14:30"
        assert len(of(rig, ChargerOnline)) == 1


async def test_tc_039_a_whole_transaction_offline_is_taken_in_its_order_and_times() -> None:
    async with deciding() as rig, rig.charger() as charger:
        await start(charger)
        await meter(charger)
        await stop(charger, "Local")
        check_transaction(rig, "Local")
        kinds = [type(event) for event in rig.sink.seen if isinstance(event, TransactionStarted | MeterSampled)]
        assert kinds == [TransactionStarted, MeterSampled]
        assert f"{of(rig, MeterSampled)[0].measured_at:%H:%M}" == "16:10"


@pytest.mark.parametrize("answer", ["NotSupported", "Rejected"], ids=["TC_040_1", "TC_040_2"])
async def test_tc_040_keys_that_cannot_be_set_keep_the_charger_in_service(answer) -> None:
    async with deciding() as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        triggered = ""
        while triggered != "MeterValues":
            message_id, action, payload = await charger.request()
            triggered = payload.get("requestedMessage", "")
            known = {"configurationKey": [], "unknownKey": payload.get("key")}
            await charger.reply(message_id, known if action == "GetConfiguration" else {"status": answer})
        _, _, failed = await commanded(rig, charger, START, ACCEPTED)
        assert failed is None


@pytest.mark.parametrize("answer", ["Accepted", "Rejected"], ids=["TC_054", "TC_055"])
async def test_tc_054_055_status_and_meter_are_asked_for_and_may_be_refused(answer) -> None:
    async with deciding() as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        asked = []
        while len(asked) < 2:
            message_id, _, payload = await charger.request("TriggerMessage")
            asked.append((payload["requestedMessage"], payload["connectorId"]))
            await charger.reply(message_id, {"status": answer})
        assert asked == [("StatusNotification", 1), ("MeterValues", 1)]
        await status(charger, "Available")
        assert plugs(rig) == [(False, "IDLE")]


async def test_tc_056_a_limit_for_transactions_to_come() -> None:
    async with booted("1.6") as (rig, charger):
        action, payload, failed = await commanded(rig, charger, LIMIT, ACCEPTED)
        assert (action, failed) == ("SetChargingProfile", None)
        profile = payload["csChargingProfiles"]
        assert (payload["connectorId"], profile["chargingProfilePurpose"]) == (1, "TxDefaultProfile")
        assert "transactionId" not in profile
        assert profile["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 6}]


async def test_tc_057_a_limit_for_the_transaction_under_way() -> None:
    async with booted("1.6") as (rig, charger):
        await start(charger)
        command = SetCurrentLimit(
            charger_id=GARAGE, command_id=LIMIT.command_id, limit_a=6, transaction_id=TransactionId(TX)
        )
        action, payload, failed = await commanded(rig, charger, command, ACCEPTED)
        assert (action, failed) == ("SetChargingProfile", None)
        profile = payload["csChargingProfiles"]
        assert (profile["chargingProfilePurpose"], profile["transactionId"]) == ("TxProfile", 17)


async def test_tc_064_data_of_a_vendor_whom_nobody_knows() -> None:
    async with booted("1.6") as (_, charger):
        payload = {"vendorId": "acme", "messageId": "x", "data": "y"}
        assert await charger.call("DataTransfer", payload) == {"status": "UnknownVendorId"}


async def test_tc_085_a_password_opens_and_a_wrong_one_does_not(tmp_path) -> None:
    secret = tmp_path / "password"
    secret.write_bytes(base64.b16encode(b"0123456789abcdef0123"))
    async with running({GARAGE: OcppCharger(identity="CP1", password_file=secret)}) as rig:
        async with rig.charger(password=secret.read_bytes()) as charger:
            assert (await charger.call("BootNotification", BOOT_16))["status"] == "Accepted"
        with pytest.raises(InvalidStatus) as refused:
            async with rig.charger(password=b"wrong"):
                pass
        assert refused.value.response.status_code == 401


async def test_tc_088_the_version_is_agreed_on_by_the_subprotocol() -> None:
    async with deciding() as rig, rig.charger(offered=("ocpp2.1", "ocpp1.6")) as charger:
        assert charger.socket.subprotocol == "ocpp1.6"
        assert (await charger.call("BootNotification", BOOT_16))["status"] == "Accepted"
