"""Cases of the OCTT for a CSMS in OCPP 2.0.1, by their purpose; docs/ocpp.md lists them."""

from typing import Any

import pytest
from ocpp_rig import BOOT_201, GARAGE, Rig, ScriptedCharger, running
from octt_rig import ACCEPTED, LIMIT, START, booted, commanded, deciding, of, plugs
from websockets.exceptions import InvalidStatus

from chargerd.contract import (
    AuthorizeRequested,
    ChargerBooted,
    CommandId,
    MeterSampled,
    Refused,
    SampleContext,
    SetCurrentLimit,
    StatusReported,
    StopTransaction,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
)
from chargerd_drivers.ocpp.config import OcppCharger

T0 = "2026-01-14T16:00:00Z"
TOKEN = {"idToken": "04A2", "type": "ISO14443"}
WELCOME = {"idTokenInfo": {"status": "Accepted"}}
EVSE = {"id": 1, "connectorId": 1}


class Transaction:
    """The station's end of one transaction: numbers its events and leaves out the EVSE after the first."""

    def __init__(self, charger: ScriptedCharger, transaction_id: str = "tx") -> None:
        self._charger = charger
        self._id = transaction_id
        self.seq_no = 0

    async def tell(self, kind: str, trigger: str, *, state: str = "", **more: Any) -> dict[str, Any]:
        """Send a TransactionEvent; ``reason`` and ``meter`` are put where they belong."""
        info = {"transactionId": self._id}
        info |= {"chargingState": state} if state else {}
        info |= {"stoppedReason": more.pop("reason")} if "reason" in more else {}
        payload = {"eventType": kind, "timestamp": T0, "triggerReason": trigger, "seqNo": self.seq_no} | more
        payload |= {"evse": EVSE} if self.seq_no == 0 and "evse" not in more else {}
        self.seq_no += 1
        return await self._charger.call("TransactionEvent", payload | {"transactionInfo": info})


def meter(wh: float, context: str, **more: Any) -> list[dict[str, Any]]:
    sample = {"value": wh, "context": context, "measurand": "Energy.Active.Import.Register", **more}
    return [{"timestamp": T0, "sampledValue": [sample]}]


async def plug(charger: ScriptedCharger, word: str = "Occupied") -> None:
    payload = {"timestamp": T0, "connectorStatus": word, "evseId": 1, "connectorId": 1}
    assert await charger.call("StatusNotification", payload) == {}


async def authorize(charger: ScriptedCharger) -> str:
    answer = await charger.call("Authorize", {"idToken": TOKEN})
    word: str = answer["idTokenInfo"]["status"]
    return word


def transactions(rig: Rig) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the transactions that were told to begin, and to end with their reason."""
    ended = [(event.transaction_id, event.reason) for event in of(rig, TransactionEnded)]
    return [event.transaction_id for event in of(rig, TransactionStarted)], ended


# A. Security


@pytest.fixture
def guarded(tmp_path):
    secret = tmp_path / "password"
    secret.write_bytes(b"0123456789abcdef0123")
    return {GARAGE: OcppCharger(identity="CP1", password_file=secret)}


async def test_tc_a_01_the_right_name_and_password(guarded) -> None:
    async with running(guarded) as rig, rig.charger("2.0.1", password=b"0123456789abcdef0123") as charger:
        assert (await charger.call("BootNotification", BOOT_201))["status"] == "Accepted"


@pytest.mark.parametrize(
    ("user", "password"),
    [("CP2", b"0123456789abcdef0123"), ("CP1", b"wrong")],
    ids=["TC_A_02 another name", "TC_A_03 a wrong password"],
)
async def test_tc_a_02_03_another_name_or_a_wrong_password_is_refused(guarded, user, password) -> None:
    async with running(guarded) as rig:
        with pytest.raises(InvalidStatus) as refused:
            async with rig.charger("2.0.1", password=password, user=user):
                pass
        assert refused.value.response.status_code == 401


# B. Provisioning


async def test_tc_b_01_cold_boot() -> None:
    async with deciding(heartbeat_interval_s=120) as rig, rig.charger("2.0.1") as charger:
        answer = await charger.call("BootNotification", BOOT_201)
        assert (answer["status"], answer["interval"]) == ("Accepted", 120)
        await plug(charger, "Available")
        assert (await charger.call("Heartbeat", {})).keys() == {"currentTime"}
        assert [event.vendor for event in of(rig, ChargerBooted)] == ["Acme"]
        assert plugs(rig) == [(False, "IDLE")]


async def test_tc_b_02_a_station_that_nobody_configured_is_pending_and_told_when_to_ask_again() -> None:
    async with deciding() as rig, rig.charger("2.0.1", "/ocpp/NEW") as charger:
        answer = await charger.call("BootNotification", BOOT_201)
        assert answer["status"] == "Pending"
        assert answer["interval"] > 0
        assert rig.sink.seen == []


async def test_tc_b_30_what_a_pending_station_sends_is_refused_and_nothing_of_it_is_taken() -> None:
    async with deciding() as rig, rig.charger("2.0.1", "/ocpp/NEW") as charger:
        assert (await charger.call("BootNotification", BOOT_201))["status"] == "Pending"
        event = {"eventType": "Started", "triggerReason": "CablePluggedIn", "seqNo": 0}
        transaction = event | {"timestamp": T0, "transactionInfo": {"transactionId": "a"}, "evse": {"id": 1}}
        status = {"timestamp": T0, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}
        for action, payload in {
            "TransactionEvent": transaction,
            "StatusNotification": status,
            "Heartbeat": {},
            "Authorize": {"idToken": {"idToken": "x", "type": "Central"}},
        }.items():
            assert (await charger.answer_to(await charger.ask(action, payload)))[2] == "SecurityError"
        assert not charger.requests
        assert rig.sink.seen == []


async def test_tc_b_30_a_configured_station_is_believed_without_a_boot_so_that_no_transaction_is_lost() -> None:
    async with deciding() as rig, rig.charger("2.0.1") as charger:
        event = {"eventType": "Started", "triggerReason": "CablePluggedIn", "seqNo": 0}
        transaction = event | {"timestamp": T0, "transactionInfo": {"transactionId": "a"}, "evse": {"id": 1}}
        assert await charger.call("TransactionEvent", transaction) == {}
        assert [event.transaction_id for event in of(rig, TransactionStarted)] == ["a"]


async def test_tc_b_31_a_pending_station_that_does_not_say_who_it_is_is_asked_to_boot_and_accepted_when_adopted() -> (
    None
):
    async with deciding() as rig, rig.charger("2.0.1", "/ocpp/CP2") as charger:
        for _ in range(2):
            await charger.answer_to(await charger.ask("Heartbeat", {}))
        message_id, action, payload = await charger.request()
        assert (action, payload) == ("TriggerMessage", {"requestedMessage": "BootNotification"})
        await charger.reply(message_id, {"status": "Accepted"})
        assert (await charger.call("BootNotification", BOOT_201))["status"] == "Pending"
        assert [one["vendor"] for one in rig.driver.pending()] == ["Acme"]
        assert not charger.requests
    adopted = {GARAGE: OcppCharger(identity="CP2")}
    async with deciding(chargers=adopted) as rig, rig.charger("2.0.1", "/ocpp/CP2") as charger:
        assert (await charger.call("BootNotification", BOOT_201))["status"] == "Accepted"


async def _first_setup(charger: ScriptedCharger) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Boot and have everything unknown; return the largest GetVariables' data and the first SetVariables' data."""
    await charger.call("BootNotification", BOOT_201)
    asked: list[dict[str, Any]] = []
    while True:
        message_id, action, payload = await charger.request()
        if action != "GetVariables":
            return asked, payload["setVariableData"]
        asked = max(asked, payload["getVariableData"], key=len)
        results = [{**item, "attributeStatus": "UnknownVariable"} for item in payload["getVariableData"]]
        await charger.reply(message_id, {"getVariableResult": results})


async def test_tc_b_07_several_variables_are_read_at_once() -> None:
    async with deciding() as rig, rig.charger("2.0.1") as charger:
        asked, _ = await _first_setup(charger)
        assert len(asked) > 1
        assert {"name": "TxUpdatedInterval"} in [item["variable"] for item in asked]


async def test_tc_b_09_a_variable_is_set() -> None:
    async with deciding(sample_interval_s=30) as rig, rig.charger("2.0.1") as charger:
        _, [written] = await _first_setup(charger)
        assert written["attributeValue"] == "30"
        assert written["component"] == {"name": "SampledDataCtrlr"}


# C. Authorization


async def test_tc_c_02_a_card_that_is_not_welcome() -> None:
    async with booted("2.0.1", refused=frozenset({"04A2"})) as (rig, charger):
        assert await authorize(charger) == "Invalid"
        assert [event.id_token for event in of(rig, AuthorizeRequested)] == ["04A2"]


async def test_tc_c_08_a_card_that_the_station_knows_already() -> None:
    async with booted("2.0.1") as (rig, charger):
        assert await Transaction(charger).tell("Started", "Authorized", idToken=TOKEN) == WELCOME
        assert [event.id_token for event in of(rig, TransactionStarted)] == ["04A2"]


# E. Transactions

STARTS = {
    "TC_E_01 PowerPathClosed": ("ChargingStateChanged", "Charging"),
    "TC_E_02 EnergyTransfer": ("ChargingStateChanged", "Charging"),
    "TC_E_09 EVConnected": ("CablePluggedIn", "EVConnected"),
    "TC_E_10 Authorized": ("Authorized", "EVConnected"),
    "TC_E_11 DataSigned": ("SignedDataReceived", "EVConnected"),
    "TC_E_12 ParkingBayOccupied": ("EVDetected", ""),
}
ENDS = {
    "TC_E_07 PowerPathClosed": ("StopAuthorized", "Local", "EVConnected"),
    "TC_E_08 EnergyTransfer": ("StopAuthorized", "Local", "EVConnected"),
    "TC_E_14 EVDisconnected": ("EVCommunicationLost", "EVDisconnected", "Idle"),
    "TC_E_15 StopAuthorized local": ("StopAuthorized", "Local", "EVConnected"),
    "TC_E_17 Deauthorized at the car": ("Deauthorized", "DeAuthorized", "Idle"),
    "TC_E_19 ParkingBayUnoccupied": ("EVDeparted", "EVDisconnected", "Idle"),
    "TC_E_20 EVDisconnected at the car": ("EVCommunicationLost", "EVDisconnected", "Idle"),
    "TC_E_21 StopAuthorized remote": ("RemoteStop", "Remote", "EVConnected"),
    "TC_E_22 EnergyTransfer suspended": ("ChargingStateChanged", "StoppedByEV", "SuspendedEV"),
    "TC_E_39 Deauthorized after a timeout": ("EVConnectTimeout", "Timeout", "Idle"),
}


@pytest.mark.parametrize(("trigger", "state"), STARTS.values(), ids=STARTS.keys())
async def test_tc_e_a_transaction_begins_at_whatever_point_the_station_has_set(trigger, state) -> None:
    async with booted("2.0.1") as (rig, charger):
        assert await Transaction(charger).tell("Started", trigger, state=state) == {}
        [started] = of(rig, TransactionStarted)
        assert started.transaction_id == "tx"
        assert plugs(rig) == ([] if not state else [(True, "CHARGING" if state == "Charging" else "EV_CONNECTED")])


@pytest.mark.parametrize(("trigger", "reason", "state"), ENDS.values(), ids=ENDS.keys())
async def test_tc_e_a_transaction_ends_at_whatever_point_the_station_has_set(trigger, reason, state) -> None:
    async with booted("2.0.1") as (rig, charger):
        transaction = Transaction(charger)
        await transaction.tell("Started", "CablePluggedIn", state="EVConnected")
        values = meter(5000, "Transaction.End")
        assert await transaction.tell("Ended", trigger, state=state, reason=reason, meterValue=values) == {}
        assert transactions(rig) == (["tx"], [("tx", reason)])
        assert of(rig, TransactionEnded)[0].register_wh == 5000


async def test_tc_e_03_a_session_that_begins_with_the_plug() -> None:
    async with booted("2.0.1") as (rig, charger):
        transaction = Transaction(charger)
        await plug(charger)
        await transaction.tell("Started", "CablePluggedIn", state="EVConnected")
        assert await authorize(charger) == "Accepted"
        assert await transaction.tell("Updated", "Authorized", idToken=TOKEN) == WELCOME
        await transaction.tell("Updated", "ChargingStateChanged", state="Charging")
        assert transactions(rig) == (["tx"], [])
        assert plugs(rig)[-1] == (True, "CHARGING")


async def test_tc_e_04_a_session_that_begins_with_a_card() -> None:
    async with booted("2.0.1") as (rig, charger):
        transaction = Transaction(charger)
        assert await authorize(charger) == "Accepted"
        assert await transaction.tell("Started", "Authorized", idToken=TOKEN) == WELCOME
        assert plugs(rig) == [], "a transaction is no car"
        await plug(charger)
        await transaction.tell("Updated", "CablePluggedIn", state="EVConnected")
        assert plugs(rig)[-1] == (True, "EV_CONNECTED")


async def test_tc_e_26_a_cable_out_at_the_car_suspends_and_the_car_may_come_back() -> None:
    async with booted("2.0.1") as (rig, charger):
        transaction = Transaction(charger)
        await transaction.tell("Started", "CablePluggedIn", state="Charging")
        await transaction.tell("Updated", "EVCommunicationLost", state="Idle")
        assert of(rig, TransactionEnded) == []
        await transaction.tell("Updated", "CablePluggedIn", state="EVConnected")
        await transaction.tell("Updated", "ChargingStateChanged", state="Charging")
        assert transactions(rig) == (["tx"], [])
        assert plugs(rig)[-1] == (True, "CHARGING")


async def test_tc_e_38_a_car_that_is_not_ready() -> None:
    async with booted("2.0.1") as (rig, charger):
        transaction = Transaction(charger)
        await transaction.tell("Started", "CablePluggedIn", state="EVConnected")
        await transaction.tell("Updated", "Authorized", state="SuspendedEV", idToken=TOKEN)
        assert plugs(rig)[-1] == (True, "SUSPENDED_EV")
        await transaction.tell("Updated", "ChargingStateChanged", state="Charging")
        assert plugs(rig)[-1] == (True, "CHARGING")


async def test_tc_e_53_the_numbers_of_each_transaction_begin_at_0() -> None:
    async with booted("2.0.1") as (rig, charger):
        for name in ("tx-1", "tx-2"):
            transaction = Transaction(charger, name)
            await transaction.tell("Started", "CablePluggedIn", state="EVConnected")
            await transaction.tell("Ended", "EVDeparted", state="Idle", reason="EVDisconnected")
            assert transaction.seq_no == 2
        assert transactions(rig) == (["tx-1", "tx-2"], [("tx-1", "EVDisconnected"), ("tx-2", "EVDisconnected")])


# F. Remote control

ASKED = {"idToken": {"idToken": "chargerd", "type": "Central"}, "remoteStartId": 7, "evseId": 1}


async def test_tc_f_01_remote_start_with_the_cable_in() -> None:
    async with booted("2.0.1") as (rig, charger):
        await plug(charger)
        assert await commanded(rig, charger, START, ACCEPTED) == ("RequestStartTransaction", ASKED, None)
        transaction = Transaction(charger)
        assert (
            await transaction.tell("Started", "RemoteStart", state="EVConnected", idToken=ASKED["idToken"]) == WELCOME
        )
        assert [event.id_token for event in of(rig, TransactionStarted)] == ["chargerd"]


@pytest.mark.parametrize("authorizes", [True, False], ids=["TC_F_02", "TC_F_03"])
async def test_tc_f_02_03_remote_start_before_the_cable_is_in_with_and_without_authorisation(authorizes) -> None:
    async with booted("2.0.1") as (rig, charger):
        _, _, failed = await commanded(rig, charger, START, ACCEPTED)
        assert failed is None
        if authorizes:
            answer = await charger.call("Authorize", {"idToken": ASKED["idToken"]})
            assert answer == WELCOME
        transaction = Transaction(charger)
        assert await transaction.tell("Started", "RemoteStart", idToken=ASKED["idToken"]) == WELCOME
        await plug(charger)
        await transaction.tell("Updated", "CablePluggedIn", state="EVConnected")
        await transaction.tell("Updated", "ChargingStateChanged", state="Charging")
        assert plugs(rig)[-1] == (True, "CHARGING")


async def test_tc_f_04_remote_start_without_a_car_ends_by_the_timeout() -> None:
    async with booted("2.0.1") as (rig, charger):
        await commanded(rig, charger, START, ACCEPTED)
        transaction = Transaction(charger)
        await transaction.tell("Started", "RemoteStart", idToken=ASKED["idToken"])
        await transaction.tell("Ended", "EVConnectTimeout", reason="Timeout")
        assert transactions(rig) == (["tx"], [("tx", "Timeout")])
        assert plugs(rig) == [], "no car was there"


async def test_tc_f_a_remote_stop_names_the_transaction() -> None:
    async with booted("2.0.1") as (rig, charger):
        await Transaction(charger).tell("Started", "RemoteStart", state="Charging")
        stop = StopTransaction(charger_id=GARAGE, command_id=CommandId(8), transaction_id=TransactionId("tx"))
        asked = await commanded(rig, charger, stop, ACCEPTED)
        assert asked == ("RequestStopTransaction", {"transactionId": "tx"}, None)
        _, _, failed = await commanded(rig, charger, stop, {"status": "Rejected"})
        assert isinstance(failed, Refused)


async def _triggers(charger: ScriptedCharger, answer: str) -> dict[str, dict[str, Any]]:
    """Boot, refuse the rest of the set-up, answer each TriggerMessage so; return them by what they ask for."""
    await charger.call("BootNotification", BOOT_201)
    asked: dict[str, dict[str, Any]] = {}
    while "MeterValues" not in asked:
        message_id, _, payload = await charger.request("TriggerMessage")
        asked[payload["requestedMessage"]] = payload
        await charger.reply(message_id, {"status": answer})
    return asked


async def test_tc_f_11_the_meter_of_the_evse_is_asked_for() -> None:
    async with deciding() as rig, rig.charger("2.0.1") as charger:
        asked = await _triggers(charger, "Accepted")
        assert asked["MeterValues"]["evse"] == {"id": 1}
        payload = {"evseId": 1, "meterValue": meter(1234, "Trigger")}
        assert await charger.call("MeterValues", payload) == {}
        [sample] = of(rig, MeterSampled)
        assert (sample.register_wh, sample.context) == (1234, SampleContext.TRIGGER)


async def test_tc_f_13_the_transaction_of_the_evse_is_asked_for() -> None:
    async with deciding() as rig, rig.charger("2.0.1") as charger:
        asked = await _triggers(charger, "Accepted")
        assert asked["TransactionEvent"]["evse"] == {"id": 1}
        values = meter(1234, "Trigger")
        assert await Transaction(charger).tell("Updated", "Trigger", state="Charging", meterValue=values) == {}
        assert [sample.transaction_id for sample in of(rig, MeterSampled)] == ["tx"]
        assert plugs(rig) == [(True, "CHARGING")]


@pytest.mark.parametrize(
    ("word", "plugged"), [("Available", False), ("Occupied", True)], ids=["TC_F_23 Available", "TC_F_24 Occupied"]
)
async def test_tc_f_23_24_the_status_of_the_connector_is_asked_for(word, plugged) -> None:
    async with deciding() as rig, rig.charger("2.0.1") as charger:
        asked = await _triggers(charger, "Accepted")
        assert asked["StatusNotification"]["evse"] == EVSE
        await plug(charger, word)
        assert [status.plugged for status in of(rig, StatusReported)] == [plugged]


async def test_tc_f_27_a_trigger_that_is_not_implemented_keeps_the_station_in_service() -> None:
    async with deciding() as rig, rig.charger("2.0.1") as charger:
        asked = await _triggers(charger, "NotImplemented")
        assert len(asked) == 3
        _, _, failed = await commanded(rig, charger, START, ACCEPTED)
        assert failed is None


async def test_tc_g_20_a_lock_that_fails_is_told_as_a_fault() -> None:
    async with booted("2.0.1") as (rig, charger):
        await plug(charger, "Faulted")
        assert [status.fault for status in of(rig, StatusReported)] == ["Faulted"]


# J. Meter values


async def test_tc_j_01_clock_aligned_values_outside_a_transaction() -> None:
    async with booted("2.0.1") as (rig, charger):
        values = meter(1.5, "Sample.Clock", unitOfMeasure={"unit": "kWh"})
        assert await charger.call("MeterValues", {"evseId": 1, "meterValue": values}) == {}
        [sample] = of(rig, MeterSampled)
        assert (sample.register_wh, sample.context, sample.transaction_id) == (1500, SampleContext.CLOCK, None)


METERED = {
    "TC_J_02 clock-aligned": ("Updated", "MeterValueClock", "Sample.Clock", SampleContext.CLOCK),
    "TC_J_03 clock-aligned, at the end": ("Ended", "EVDeparted", "Sample.Clock", SampleContext.CLOCK),
    "TC_J_07 at the beginning, EVSE known": ("Started", "CablePluggedIn", "Transaction.Begin", SampleContext.BEGIN),
    "TC_J_09 in the midst": ("Updated", "MeterValuePeriodic", "Sample.Periodic", SampleContext.PERIODIC),
    "TC_J_10 at the end": ("Ended", "EVDeparted", "Transaction.End", SampleContext.END),
}
SIGNATURE = {"signedMeterData": "AA==", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}


@pytest.mark.parametrize("signed", [{}, {"signedMeterValue": SIGNATURE}], ids=["plain", "TC_J_04 TC_J_11 signed"])
@pytest.mark.parametrize(("kind", "trigger", "spelled", "context"), METERED.values(), ids=METERED.keys())
async def test_tc_j_values_within_a_transaction(kind, trigger, spelled, context, signed) -> None:
    async with booted("2.0.1") as (rig, charger):
        transaction = Transaction(charger)
        if kind != "Started":
            await transaction.tell("Started", "CablePluggedIn", state="EVConnected")
        await transaction.tell(kind, trigger, meterValue=meter(2000, spelled, **signed))
        [sample] = of(rig, MeterSampled)
        assert (sample.register_wh, sample.context, sample.transaction_id) == (2000, context, "tx")


async def test_tc_j_08_values_at_the_beginning_before_the_evse_is_known() -> None:
    async with booted("2.0.1") as (rig, charger):
        transaction = Transaction(charger)
        transaction.seq_no = 1  # without an EVSE
        await transaction.tell("Started", "Authorized", idToken=TOKEN)
        values = meter(2000, "Transaction.Begin")
        await transaction.tell("Updated", "CablePluggedIn", state="EVConnected", meterValue=values, evse=EVSE)
        assert [sample.register_wh for sample in of(rig, MeterSampled)] == [2000]


# K. Smart charging, P. Data transfer


@pytest.mark.parametrize("transaction_id", [None, TransactionId("tx")], ids=["default", "transaction"])
async def test_tc_k_a_limit_by_default_and_for_the_transaction_under_way(transaction_id) -> None:
    async with booted("2.0.1") as (rig, charger):
        command = SetCurrentLimit(
            charger_id=GARAGE, command_id=LIMIT.command_id, limit_a=6, transaction_id=transaction_id
        )
        action, payload, failed = await commanded(rig, charger, command, ACCEPTED)
        assert (action, payload["evseId"], failed) == ("SetChargingProfile", 1, None)
        profile = payload["chargingProfile"]
        expected = "TxDefaultProfile" if transaction_id is None else "TxProfile"
        assert (profile["chargingProfilePurpose"], profile.get("transactionId")) == (expected, transaction_id)


@pytest.mark.parametrize("message", [{"messageId": "x"}, {}], ids=["with a message", "without"])
async def test_tc_p_02_data_of_a_vendor_whom_nobody_knows(message) -> None:
    async with booted("2.0.1") as (_, charger):
        payload = {"vendorId": "acme", "data": {"any": 1}, **message}
        assert await charger.call("DataTransfer", payload) == {"status": "UnknownVendorId"}


async def test_tc_p_03_custom_data_is_no_obstacle() -> None:
    async with booted("2.0.1") as (_, charger):
        custom = {"customData": {"vendorId": "acme", "more": [1, 2]}}
        assert "currentTime" in await charger.call("Heartbeat", custom)
        assert await Transaction(charger).tell("Started", "CablePluggedIn", state="EVConnected", **custom) == {}
