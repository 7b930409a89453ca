"""Wrong passwords, counted by address and identity."""

import pytest

from chargerd_drivers.ocpp.logins import FAILURES_MAX, FORGOTTEN_AFTER_S, Logins


def test_after_ten_failures_the_next_try_waits_until_one_is_forgotten() -> None:
    logins = Logins()
    for number in range(FAILURES_MAX):
        assert logins.wait_s("10.0.0.9", "cp1", number * 0.01) == 0
        logins.failed("10.0.0.9", "cp1", number * 0.01)
    assert logins.wait_s("10.0.0.9", "cp1", 0.1) == pytest.approx(FORGOTTEN_AFTER_S, rel=0.02)
    assert logins.wait_s("10.0.0.9", "cp1", 0.1 + FORGOTTEN_AFTER_S) == 0


def test_who_guesses_at_a_chargers_password_does_not_shut_it_out() -> None:
    logins = Logins()
    for address in ("10.0.0.9", "10.0.0.10"):
        for _ in range(FAILURES_MAX):
            logins.failed(address, "cp1", 0)
    assert logins.wait_s("10.0.0.9", "cp1", 0) > 0
    assert logins.wait_s("10.0.0.1", "cp1", 0) == 0


def test_guesses_from_many_addresses_at_one_identity_are_counted_together() -> None:
    logins = Logins()
    for number in range(FAILURES_MAX):
        logins.failed(f"10.0.0.{number}", "cp1", 0)
    assert logins.wait_s("10.0.0.3", "cp1", 0) > 0


def test_a_charger_with_a_wrong_password_does_not_shut_out_another_behind_the_same_router() -> None:
    logins = Logins()
    for _ in range(FAILURES_MAX):
        logins.failed("10.0.0.1", "cp1", 0)
    assert logins.wait_s("10.0.0.1", "cp2", 0) == 0


def test_the_tables_are_bounded_and_forget_who_failed_longest_ago() -> None:
    logins = Logins()
    for _ in range(FAILURES_MAX):
        logins.failed("10.0.0.1", "cp1", 0)
    for number in range(300):
        logins.failed(f"address {number}", f"identity {number}", 0)
    assert logins.wait_s("10.0.0.1", "cp1", 0) == 0
