"""What could lock a charger out, wear it out or end a charge is never sent unless a person asked for it (K35, J03)."""

import contextlib
from pathlib import Path

import pytest
from ocpp_rig import GARAGE, Rig
from octt_rig import LIMIT, START, STOP
from secure_rig import Box, home, security_event, until
from test_ocpp_unasked import SAID
from tls_rig import folder, made

import chargerd_drivers.ocpp
from chargerd.contract import DriverError
from chargerd_drivers.ocpp import by_hand
from chargerd_drivers.ocpp.wire import Version

__all__ = ["folder", "made"]

VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1")
OLD = b"0123456789abcdef"
BY_ITSELF = {
    *("ChangeConfiguration", "ClearChargingProfile", "GetConfiguration", "GetVariables", "RemoteStartTransaction"),
    *("RemoteStopTransaction", "RequestStartTransaction", "RequestStopTransaction", "SetChargingProfile"),
    *("SetVariables", "TriggerMessage"),
}
"""All that the daemon sends of its own accord."""
SECRET_KEYS = {"authorizationkey", "securityprofile", "basicauthpassword", "networkconfigurationpriority"}
GUIDED = {"security.py", "by_hand.py"}
"""Where requests stand that only a person has sent: the guided upgrade, and the list of what may be asked by hand."""


@pytest.mark.parametrize("version", VERSIONS)
async def test_nothing_that_could_lock_a_charger_out_is_sent_unasked(folder, version) -> None:
    """It boots, comes anew, speaks of all that it can, charges and refuses, with all of the gateway's security on."""
    path = folder / "old"
    path.write_bytes(OLD)
    says = tuple((action, payload) for action, (payload, _) in SAID[version].items())
    box = Box(version, folder, password=OLD, profile=1, says=(*says, security_event("InvalidFirmwareSignature")))
    async with home(box, password_file=path) as rig:
        for count in range(2, 5):
            await rig.driver._links[GARAGE].settled()
            await rig.driver._links[GARAGE].close("again")
            await until(lambda count=count: len(box.statuses) >= count and _is_here(rig))
        for command in (LIMIT, START, LIMIT, STOP):
            with contextlib.suppress(DriverError):
                await rig.driver.execute(command)
    assert {action for action, _ in box.asked} <= BY_ITSELF
    assert not any(key in str(payload).casefold() for _, payload in box.asked for key in SECRET_KEYS)
    assert not any("Sign" in str(payload) for action, payload in box.asked if action == "TriggerMessage")


def _is_here(rig: Rig) -> bool:
    link = rig.driver._links.get(GARAGE)
    return link is not None and link.is_online


def test_only_the_guided_upgrade_can_send_what_a_person_alone_may_ask_for() -> None:
    """Every other module of the driver lacks even the names; but for the reset of one that answers no command."""
    names = set(by_hand.ACTIONS["1.6"]) | set(by_hand.ACTIONS["2.0.1"])
    alone = names - BY_ITSELF - {"CertificateSigned", "DataTransfer", "Reset"}
    modules = Path(chargerd_drivers.ocpp.__path__[0]).glob("*.py")
    for module in modules:
        text = module.read_text()
        if module.name not in GUIDED:
            assert not {name for name in alone if f'"{name}"' in text}, module.name
        if module.name != "guide.py":
            assert "import security" not in text, module.name
