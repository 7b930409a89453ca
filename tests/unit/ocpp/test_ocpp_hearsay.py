"""How much of what a charger says is kept, and what of it is news."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from chargerd_drivers.ocpp.unasked import MESSAGES_BYTES_MAX, MESSAGES_MAX, Hearsay, facts

NOW = datetime(2026, 1, 14, 16, tzinfo=UTC)
TAMPERED = {"type": "TamperDetectionActivated", "timestamp": "2026-01-14T16:00:00Z"}


def test_the_latest_messages_are_kept_and_no_more_than_fit() -> None:
    hearsay = Hearsay()
    for number in range(3000):
        hearsay.take("NotifyReport", {"seqNo": number, "text": "x" * 2000}, NOW)
        assert len(hearsay.messages) <= MESSAGES_MAX
    assert sum(len(json.dumps(message)) for message in hearsay.messages) <= MESSAGES_BYTES_MAX
    assert [message["payload"]["seqNo"] for message in hearsay.messages][-1] == 2999
    for number in range(MESSAGES_MAX + 5):
        hearsay.take("NotifyReport", {"seqNo": number}, NOW)
    assert len(hearsay.messages) == MESSAGES_MAX


def test_a_message_that_is_too_large_is_kept_without_its_payload() -> None:
    hearsay = Hearsay()
    hearsay.take("NotifyReport", {"text": "x" * MESSAGES_BYTES_MAX}, NOW)
    assert hearsay.messages == ({"action": "NotifyReport", "at": "2026-01-14T16:00:00Z", "payload": None},)


def test_the_same_event_is_news_again_after_an_hour() -> None:
    hearsay = Hearsay()
    assert len(hearsay.take("SecurityEventNotification", TAMPERED, NOW)) == 1
    assert hearsay.take("SecurityEventNotification", TAMPERED, NOW + timedelta(minutes=59)) == ()
    assert len(hearsay.take("SecurityEventNotification", TAMPERED, NOW + timedelta(minutes=60))) == 1


def test_the_memory_of_what_was_told_is_bounded_and_every_text_short() -> None:
    hearsay = Hearsay()
    for number in range(500):
        kind = f"{number}" + "x" * 10_000
        [fact] = hearsay.take("SecurityEventNotification", {"type": kind, "techInfo": kind}, NOW)
        assert len(fact.words) < 300
    assert len(hearsay._told) == 64
    assert len(json.dumps(hearsay.facts)) < 500


@pytest.mark.parametrize(
    ("action", "payload", "level"),
    [
        ("FirmwareStatusNotification", {"status": "Installed"}, "info"),
        ("FirmwareStatusNotification", {"status": "InstallVerificationFailed"}, "warning"),
        ("LogStatusNotification", {"status": "Uploading"}, "debug"),
        ("LogStatusNotification", {"status": "PermissionDenied"}, "warning"),
        ("DiagnosticsStatusNotification", {"status": "UploadFailed"}, "warning"),
        ("SecurityEventNotification", {"type": "StartupOfTheDevice"}, "info"),
        ("SecurityEventNotification", {"type": "AVendorsOwn"}, "warning"),
        ("NotifyEvent", {"eventData": [{"trigger": "Periodic"}]}, "debug"),
        ("NotifyEvent", {"eventData": {"trigger": "Alerting", "cleared": True}}, "info"),
        ("DataTransfer", {"vendorId": "acme"}, "debug"),
    ],
)
def test_how_much_it_matters(action: str, payload: dict[str, object], level: str) -> None:
    assert [fact.level for fact in facts(action, payload)] == [level]


def test_text_that_could_steer_a_terminal_is_not_passed_on() -> None:
    [fact] = facts("SecurityEventNotification", {"type": "a\x1b[2J\nb\ud800"})
    assert fact.words == "security event: a[2Jb"
