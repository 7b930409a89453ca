"""Transactions, meters and status over a real socket, in both versions."""

import asyncio

import pytest
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, boot, running

from chargerd.contract import (
    Activity,
    AnswerAuthorize,
    AnswerTransaction,
    AuthorizeRequested,
    ChargerBooted,
    ChargerOffline,
    ChargerOnline,
    CommandId,
    MeterSampled,
    ReplyTo,
    StartTransaction,
    StatusReported,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
)

START_16 = {"connectorId": 1, "idTag": "tag", "meterStart": 1000, "timestamp": "2026-01-14T16:00:00Z"}


def event_201(kind: str, **more: object) -> dict[str, object]:
    return {
        "eventType": kind,
        "timestamp": "2026-01-14T16:00:00Z",
        "triggerReason": "ChargingStateChanged",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "tx-1", "chargingState": "Charging"},
        **more,
    }


@pytest.mark.parametrize(("version", "payload"), [("1.6", BOOT_16), ("2.0.1", BOOT_201)])
async def test_a_boot_is_accepted_with_time_and_interval_and_tells_who_booted(version, payload) -> None:
    async with running(heartbeat_interval_s=120) as rig, rig.charger(version) as charger:
        answer = await charger.call("BootNotification", payload)
        assert answer["status"] == "Accepted"
        assert answer["interval"] == 120
        assert answer["currentTime"].startswith("2026-01-14T16:")
        assert answer["currentTime"].endswith("Z")
        assert "." not in answer["currentTime"]
        booted = await rig.sink.take(ChargerBooted)
        assert (booted.charger_id, booted.vendor, booted.model) == (GARAGE, "Acme", "Box")
        online = await rig.sink.take(ChargerOnline)
        assert online.protocol == f"OCPP {version}"


async def test_a_reconnected_charger_that_does_not_boot_is_online_with_its_first_frame() -> None:
    async with running() as rig, rig.charger() as charger:
        assert "currentTime" in await charger.call("Heartbeat", {})
        await rig.sink.take(ChargerOnline)
        assert [type(event) for event in rig.sink.seen] == [ChargerOnline]


async def test_a_reconnected_charger_that_says_nothing_is_online_after_a_while_and_is_asked_how_things_stand() -> None:
    async with running() as rig, rig.charger() as charger:
        await rig.sink.take(ChargerOnline)
        _, _, payload = await charger.request("TriggerMessage")
        assert payload["requestedMessage"] == "StatusNotification"


async def test_the_end_of_a_connection_is_told_once() -> None:
    async with running() as rig:
        async with rig.charger() as charger:
            await charger.call("BootNotification", BOOT_16)
        offline = await rig.sink.take(ChargerOffline)
        assert offline.charger_id == GARAGE
        assert sum(isinstance(event, ChargerOffline) for event in rig.sink.seen) == 1


async def test_a_start_in_1_6_is_answered_with_the_id_that_was_decided() -> None:
    async with running() as rig, rig.charger() as charger:
        message_id = await charger.ask("StartTransaction", START_16)
        started = await rig.sink.take(TransactionStarted)
        assert (started.transaction_id, started.register_wh, started.id_token) == (None, 1000, "tag")
        assert message_id not in charger.answers
        await rig.driver.answer(
            AnswerTransaction(charger_id=GARAGE, reply_to=started.reply_to, transaction_id=TransactionId("17"))
        )
        answer = await charger.answer_to(message_id)
        assert answer[2] == {"transactionId": 17, "idTagInfo": {"status": "Accepted"}}


async def test_heartbeats_are_answered_while_a_decision_is_awaited() -> None:
    async with running() as rig, rig.charger() as charger:
        waiting = await charger.ask("StartTransaction", START_16)
        assert "currentTime" in await charger.call("Heartbeat", {})
        assert waiting not in charger.answers


async def test_a_start_without_a_decision_closes_the_connection_so_that_it_is_sent_again() -> None:
    async with running(answer_timeout_s=0.02) as rig, rig.charger() as charger:
        message_id = await charger.ask("StartTransaction", START_16)
        await charger.closed()
        assert message_id not in charger.answers


async def test_a_stop_without_a_decision_is_confirmed_all_the_same() -> None:
    async with running(answer_timeout_s=0.02) as rig, rig.charger() as charger:
        stop = {"transactionId": 17, "meterStop": 5000, "timestamp": "2026-01-14T17:00:00Z"}
        assert await charger.call("StopTransaction", stop) == {"idTagInfo": {"status": "Accepted"}}


async def test_a_stop_tells_its_samples_before_its_end_and_waits_for_the_decision() -> None:
    async with running() as rig, rig.charger() as charger:
        late = {"timestamp": "2026-01-14T16:30:00Z", "sampledValue": [{"value": "4000"}]}
        early = {"timestamp": "2026-01-14T16:15:00Z", "sampledValue": [{"value": "2000"}]}
        stop = {"transactionId": 17, "meterStop": 5000, "timestamp": "2026-01-14T17:00:00Z", "reason": "Local"}
        message_id = await charger.ask("StopTransaction", {**stop, "transactionData": [late, early]})
        ended = await rig.sink.take(TransactionEnded)
        assert (ended.transaction_id, ended.register_wh, ended.reason) == ("17", 5000, "Local")
        samples = [event.register_wh for event in rig.sink.seen if isinstance(event, MeterSampled)]
        assert samples == [2000, 4000]
        await rig.driver.answer(
            AnswerTransaction(charger_id=GARAGE, reply_to=ended.reply_to, transaction_id=ended.transaction_id)
        )
        assert (await charger.answer_to(message_id))[0] == 3


@pytest.mark.parametrize(("accepted", "status"), [(True, "Accepted"), (False, "Invalid")])
async def test_a_token_is_answered_as_it_was_decided(accepted, status) -> None:
    async with running() as rig, rig.charger() as charger:
        message_id = await charger.ask("Authorize", {"idTag": "04A2"})
        asked = await rig.sink.take(AuthorizeRequested)
        assert asked.id_token == "04A2"
        await rig.driver.answer(AnswerAuthorize(charger_id=GARAGE, reply_to=asked.reply_to, accepted=accepted))
        assert (await charger.answer_to(message_id))[2] == {"idTagInfo": {"status": status}}


async def test_a_charger_that_holds_back_a_remote_start_until_it_has_authorised_is_no_deadlock() -> None:
    async with running() as rig, rig.charger() as charger:
        await boot(charger)
        command = StartTransaction(charger_id=GARAGE, command_id=CommandId(1), id_token="chargerd")
        async with asyncio.TaskGroup() as tasks:
            execution = tasks.create_task(rig.driver.execute(command))
            request_id, _, payload = await charger.request("RemoteStartTransaction")
            assert payload == {"idTag": "chargerd", "connectorId": 1}
            authorize = await charger.ask("Authorize", {"idTag": payload["idTag"]})
            asked = await rig.sink.take(AuthorizeRequested)
            await rig.driver.answer(AnswerAuthorize(charger_id=GARAGE, reply_to=asked.reply_to, accepted=True))
            await charger.answer_to(authorize)
            assert not execution.done()
            await charger.reply(request_id, {"status": "Accepted"})


async def test_an_answer_to_nobody_is_no_error() -> None:
    async with running() as rig, rig.charger() as charger:
        await charger.call("Heartbeat", {})
        await rig.driver.answer(AnswerAuthorize(charger_id=GARAGE, reply_to=ReplyTo("gone"), accepted=True))
        assert "currentTime" in await charger.call("Heartbeat", {})


async def test_two_transactions_waiting_under_the_same_message_id_each_get_their_own_answer() -> None:
    async with running() as rig, rig.charger() as charger:
        answers = []
        for _ in range(2):
            await charger.ask("StartTransaction", START_16, message_id="same")
        questions = [await rig.sink.take(TransactionStarted) for _ in range(2)]
        for number, question in zip(("1", "2"), questions, strict=True):
            await rig.driver.answer(
                AnswerTransaction(charger_id=GARAGE, reply_to=question.reply_to, transaction_id=TransactionId(number))
            )
            answers.append((await charger.answer_to("same"))[2]["transactionId"])
        assert answers == [1, 2]


async def test_a_transaction_in_2_0_1_is_told_from_start_to_end() -> None:
    async with running() as rig, rig.charger("2.0.1") as charger:
        token = {"idToken": "chargerd", "type": "Central"}
        meter = [
            {"timestamp": "2026-01-14T16:00:00Z", "sampledValue": [{"value": 7.2, "unitOfMeasure": {"unit": "kWh"}}]}
        ]
        first = await charger.ask("TransactionEvent", event_201("Started", idToken=token, meterValue=meter))
        started = await rig.sink.take(TransactionStarted)
        assert (started.transaction_id, started.register_wh, started.id_token) == ("tx-1", 7200, "chargerd")
        assert first not in charger.answers
        await rig.driver.answer(
            AnswerTransaction(charger_id=GARAGE, reply_to=started.reply_to, transaction_id=TransactionId("tx-1"))
        )
        assert (await charger.answer_to(first))[2] == {"idTokenInfo": {"status": "Accepted"}}
        assert (await rig.sink.take(StatusReported)).activity is Activity.CHARGING
        assert await charger.call("TransactionEvent", event_201("Updated", meterValue=meter)) == {}
        assert (await rig.sink.take(MeterSampled)).transaction_id == "tx-1"
        last = await charger.ask("TransactionEvent", event_201("Ended"))
        ended = await rig.sink.take(TransactionEnded)
        await rig.driver.answer(
            AnswerTransaction(charger_id=GARAGE, reply_to=ended.reply_to, transaction_id=TransactionId("tx-1"))
        )
        assert (await charger.answer_to(last))[2] == {}


async def test_another_connectors_messages_are_answered_and_told_to_nobody() -> None:
    async with running() as rig, rig.charger() as charger:
        foreign = await charger.call("StartTransaction", {**START_16, "connectorId": 2})
        stop = {"transactionId": foreign["transactionId"], "meterStop": 1, "timestamp": "2026-01-14T17:00:00Z"}
        await charger.call("StopTransaction", stop)
        await charger.call("StatusNotification", {"connectorId": 2, "status": "Charging", "errorCode": "NoError"})
        again = await charger.call("StartTransaction", {**START_16, "connectorId": 2})
        assert again["transactionId"] != foreign["transactionId"]
        assert {type(event) for event in rig.sink.seen} == {ChargerOnline}
