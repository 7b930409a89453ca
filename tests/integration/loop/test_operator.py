"""Requests by hand through the real loop: it knows whether a car is there."""

from dataclasses import replace
from pathlib import Path

import pytest

from chargerd.contract import OperatorRequest
from chargerd.core.events import Activity, ChargerOnline, StatusReported, TransactionStarted
from chargerd.core.ids import ReplyTo, TransactionId
from tests.integration.loop.test_loop import rig
from tests.support.home import GARAGE, Home

REQUEST = OperatorRequest(charger_id=GARAGE, action="Reset", payload={"type": "Soft"}, asked_by="me", is_forced=True)
PLUGGED = StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.EV_CONNECTED)
UNPLUGGED = StatusReported(charger_id=GARAGE, plugged=False, activity=Activity.IDLE)
STARTED = TransactionStarted(charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=TransactionId("7"))


@pytest.mark.parametrize(
    ("told", "has_visit"),
    [((), False), ((PLUGGED,), True), ((PLUGGED, UNPLUGGED), False), ((STARTED,), True)],
    ids=["nothing known", "plugged", "unplugged again", "a transaction without a plug"],
)
@pytest.mark.parametrize("managed", [True, False])
async def test_a_request_by_hand_goes_out_with_the_word_whether_a_car_is_there(
    tmp_path: Path, told: tuple[StatusReported, ...], *, has_visit: bool, managed: bool
) -> None:
    async with rig(tmp_path) as home:
        configured = replace(Home(managed=managed).configuration(), restarted=True)
        await home.tell(configured, ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"), *told)
        assert await home.desk.operate(REQUEST) is not None
        assert home.operated == [replace(REQUEST, has_visit=has_visit)]
