"""The process dies and comes back; the connection comes and goes; nothing is lost, doubled or started needlessly."""

from chargerd.core.commands import SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.events import StatusReported
from chargerd.core.ids import TransactionId
from chargerd.core.model import Quality
from tests.support.home import GARAGE, Home, utc


def test_a_restart_in_a_running_block_continues_it() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:20")
    home.boost(60)
    before = home.doc
    home.restart()
    after = home.doc
    assert after["pluggedInAt"] == before["pluggedInAt"]
    assert after["target"] == before["target"]
    assert after["error"]["latest"] is None
    starts = len(home.sent(StartTransaction))
    home.until("11T01:30")
    assert len(home.sent(StartTransaction)) == starts, "nothing is started again"
    assert not home.sent(StopTransaction)
    assert len(home.doc["blocks"]) == len(before["blocks"])
    home.until("11T06:50").unplug().until("11T06:55")
    total = home.settled[0].document["statistics"]["aggregated"]["kwhSum"]
    assert total * 1000 == round(home.box.register) - 100_000


def test_a_restart_sends_the_limit_again_but_only_after_listening() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:20")
    before = len(home.sent(SetCurrentLimit))
    home.restart()
    home.until("11T01:20:09")
    assert len(home.sent(SetCurrentLimit)) == before
    home.until("11T01:20:11")
    assert [command.limit_a for command in home.sent(SetCurrentLimit)[before:]] == [16.0]


def test_energy_of_a_time_without_connection_is_recovered_from_the_register() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:05").offline()
    home._advance(utc("11T01:25"))
    home.online().until("11T01:40")
    assert len(home.doc["blocks"]) == 1, "the block ran on"
    assert home.doc["blocks"][0]["startAt"] == "2025-06-11T01:00:00Z"
    cells = home.state.slots[0].session.ledger.cells
    assert Quality.RECOVERED in {cell.quality for cell in cells}
    home.until("11T06:50").unplug().until("11T06:55")
    total = home.settled[0].document["statistics"]["aggregated"]["kwhSum"]
    assert total * 1000 == round(home.box.register) - 100_000


def test_adopts_a_transaction_whose_start_was_told_to_nobody() -> None:
    home = Home()
    home.until("10T22:15").plug()
    home.tell(StatusReported(charger_id=GARAGE, plugged=True, transaction_id=TransactionId("42")))
    assert home.state.facts.transaction is not None
    assert home.state.facts.transaction.transaction_id == "42"
    assert home.sent(SetCurrentLimit)[-1].transaction_id == "42"


def test_a_policy_taken_away_in_mid_visit_leaves_the_visit_unmanaged() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:20")
    home.managed = False
    home.tell(home.configuration())
    assert home.state.guest is not None
    home.until("11T02:00").unplug().until("11T02:05")
    doc = home.settled[0].document
    assert doc["policyId"] is None
    assert doc["blocks"] == []
    assert doc["target"]["latest"] is None
    assert doc["outcome"]["latest"] is None
    assert doc["statistics"]["aggregated"]["kwhSum"] > 5


def test_a_policy_edited_in_mid_session_makes_a_new_target() -> None:
    home = Home()
    home.until("10T22:15").plug().until("10T23:00")
    home.goal = 70
    home.tell(home.configuration())
    assert home.target["id"] == 2
    assert home.target["minimumChargeTarget"] == 70
    home.tell(home.configuration())
    assert home.target["id"] == 2, "the same again changes nothing"


def test_a_policy_edited_before_plug_in_makes_a_new_target() -> None:
    home = Home()
    home.goal = 70
    home.tell(home.configuration())
    assert home.target["id"] == 2
    home.ready_by = "08:00"
    home.tell(home.configuration())
    assert home.target["readyBy"] == "2025-06-11T08:00:00Z"


def test_a_guest_is_measured_and_appears_only_once_settled() -> None:
    home = Home(managed=False)
    home.until("10T22:15").plug().start_box().until("10T23:15")
    assert not home.sent(SetCurrentLimit)
    assert home.settled == []
    home.unplug().until("10T23:20")
    doc = home.settled[0].document
    assert list(doc) == [
        "id", "policyId", "state", "pluggedInAt", "pluggedOutAt", "blocks", "statistics", "target", "outcome", "error",
    ]  # fmt: skip
    assert doc["policyId"] is None
    assert doc["statistics"]["aggregated"] == {"kwhSum": 11.0, "batteryFrom": None, "batteryTo": None}
    assert sum(row["wh"] for row in home.settled[0].ledger) == 11_000
