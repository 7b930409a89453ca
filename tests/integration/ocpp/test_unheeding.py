"""Chargers that hear nothing, refuse, or end by themselves what they were asked for: driver, core and database."""

from pathlib import Path

from structlog.testing import capture_logs

from tests.integration.ocpp.ocpp_house import Box, HandClock, House, house
from tests.integration.ocpp.test_transactions_16 import charge, status


async def gives_up(box: Box, home: House) -> None:
    """Hear nothing any more, and let time pass until the daemon closes the connection."""
    box.asked.clear()
    box.is_deaf = True
    for _ in range(10):
        await home.pass_s(60)
        if not home.state.facts.online:
            return
        await box.call("Heartbeat", {})
    raise AssertionError("the connection is still there")


async def test_a_charger_that_hears_nothing_is_sent_away_then_restarted_once_and_the_household_is_told(
    tmp_path: Path,
) -> None:
    with capture_logs() as logs:
        async with house(tmp_path, HandClock(), call_timeout_s=0.05) as home:
            async with home.box() as box:
                await status(box, home, "Preparing")
                await home.boost()
                await gives_up(box, home)
                commands = [action for action, _ in box.asked if action != "TriggerMessage"]
                assert len(commands) == 3
                assert "Reset" not in commands
            async with home.box() as box:
                await status(box, home, "Preparing")
                await gives_up(box, home)
                assert box.all_asked("Reset") == [{"type": "Soft"}]
            async with home.box() as box:
                await status(box, home, "Preparing")
                await gives_up(box, home)
                assert not box.all_asked("Reset")
            await home.pass_s(1200)
            assert home.doc["error"]["latest"] == {"type": "START_FAIL"}
            async with home.box() as box:
                await charge(box, home)
                await home.calm()
                assert home.doc["error"]["latest"] is None
    told = [log["message"] for log in logs if log["event"] == "ocpp.unresponsive"]
    assert len(told) == 3
    assert "restart" in told[1]
