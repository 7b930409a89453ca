"""A night with an OCPP client that is not ours: it checks every frame of chargerd against its own schemas."""

from pathlib import Path
from typing import Any

import pytest
from tests.e2e.house import SAMPLE_S, VERSIONS, Bay, House, at, house, seconds_between
from tests.independent.independent_client import arguments, charged_in, needs_node, told

pytestmark = [needs_node, pytest.mark.e2e, pytest.mark.timeout(180)]

TARIFF = """kind = "time-of-use"
default_price_per_kwh = 0.35
window = [
  { from = "00:00", to = "00:45", price_per_kwh = 0.20 },
  { from = "01:30", to = "03:00", price_per_kwh = 0.21 },
]"""
"""Twice cheap with a dear hour between, so that the charger is started, paused and resumed."""

LAG_S = SAMPLE_S + 400
"""A sample, and a real second of a busy machine."""

ASKED = {
    "1.6": {
        "RemoteStartTransaction.req",
        "SetChargingProfile.req",
        "GetConfiguration.req",
        "ChangeConfiguration.req",
        "TriggerMessage.req",
        "BootNotification.conf",
        "Heartbeat.conf",
        "MeterValues.conf",
        "StartTransaction.conf",
        "StatusNotification.conf",
        "StopTransaction.conf",
    },
    "2.0.1": {
        "RequestStartTransaction.req",
        "SetChargingProfile.req",
        "GetVariables.req",
        "SetVariables.req",
        "TriggerMessage.req",
        "BootNotification.conf",
        "Heartbeat.conf",
        "MeterValues.conf",
        "StatusNotification.conf",
        "TransactionEvent.conf",
    },
}
"""What a night must bring at least, so that the strict client has something to check."""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_strict_client_that_is_not_ours_finds_no_fault_in_a_night(tmp_path: Path, version: str) -> None:
    bay = Bay(
        id="garage",
        version=version,
        level=35,
        target=60,
        ready_by="03:00",
        start_timeout_s=1800,
        stop_timeout_s=900,  # on a busy machine a second is many minutes of this clock
    )
    with house(tmp_path, bay, start="2026-01-14T23:15:00Z", speed=400, tariff=TARIFF) as home:
        home.start()
        url = f"ws://127.0.0.1:{home.ocpp_port}/ocpp"
        client = home.spawn(arguments(url, version, home.clock.spelling), "client")
        home.wait("the client is set up", lambda: told(client, "asked") and told(client, "booted"))
        client.tell({"do": "plug"})
        client.tell({"do": "unplug", "at": "2026-01-15T03:10:00Z"})
        home.wait("the night is over", lambda: told(client, "unplugged"), patience_s=90)
        document = home.wait_settled(bay)
        client.tell({"do": "quit"})
        [checked] = home.wait("the client has ended", lambda: told(client, "checked"))
        assert client.wait() == 0, client.tail(20)
        assert checked["frames"].keys() >= ASKED[version]
        assert home.logged("ocpp.broken_frame") == []
        assert home.logged("ocpp.odd_payload") == []
        _check_night(home, bay, document, told(client, "unplugged")[0], charged_in(client))


def _check_night(
    home: House, bay: Bay, document: dict[str, Any], unplugged: dict[str, Any], stretches: list[tuple[str, str]]
) -> None:
    assert document["state"] == "SETTLED"
    assert document["error"]["latest"] is None
    assert home.errors_shown(bay) == []
    assert document["outcome"]["latest"]["state"] == "ON_TARGET"
    assert unplugged["levelPct"] >= bay.target - 1
    assert unplugged["sessionWh"] > 14_000
    assert abs(document["statistics"]["aggregated"]["kwhSum"] * 1000 - unplugged["sessionWh"]) <= 10
    assert len(stretches) == 2, stretches
    for start, end in stretches:
        assert any(
            seconds_between(block["startAt"], start) >= -LAG_S and seconds_between(end, block["endAt"]) >= -LAG_S
            for block in document["blocks"]
        ), (start, end, document["blocks"])
    assert at(stretches[0][0]) >= at("2026-01-15T00:00:00Z")
