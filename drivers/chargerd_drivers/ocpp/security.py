"""The requests by which a charger's security is changed, and what their answers mean. Pure, for both versions.

OCPP 1.6 security whitepaper (edition 3) A01, A02, A05, M05; OCPP 2.0.1 part 2, A01, A02, A05, B09, M05.
"""

from chargerd_drivers.ocpp.config import SecurityProfile
from chargerd_drivers.ocpp.dialect import Request
from chargerd_drivers.ocpp.fields import Json, integer, listing, obj, word
from chargerd_drivers.ocpp.settings import Key, found_in, lookup, names_in, read_request, write_request
from chargerd_drivers.ocpp.wire import Version

_PASSWORD: dict[Version, Key] = {"1.6": "AuthorizationKey", "2.0.1": ("SecurityCtrlr", "BasicAuthPassword")}
_PROFILE: dict[Version, Key] = {"1.6": "SecurityProfile", "2.0.1": ("SecurityCtrlr", "SecurityProfile")}
_PRIORITY: Key = ("OCPPCommCtrlr", "NetworkConfigurationPriority")
_ROOT_TYPE: dict[Version, str] = {"1.6": "CentralSystemRootCertificate", "2.0.1": "CSMSRootCertificate"}

_SLOTS = (1, 2, 3, 0, 4, 5)
"""Slots for a network profile, in the order in which they are tried; how many there are is not told."""
_MESSAGE_TIMEOUT_S = 60


def password_request(version: Version, password: str) -> Request:
    """Give a new password."""
    return write_request(_PASSWORD[version], password)


def read_profile_request(version: Version) -> Request:
    """Ask for the profile that is set."""
    return read_request([_PROFILE[version]])


def profile_in(answer: Json, version: Version) -> int | None:
    """Return the profile that is set; None where the charger does not say."""
    found = found_in(answer).get(lookup(_PROFILE[version]))
    return None if found is None else integer(found.value)


def profile_request(profile: SecurityProfile) -> Request:
    """Raise the profile of a 1.6 charger, which comes in anew by itself."""
    return write_request(_PROFILE["1.6"], str(profile))


def read_slots_request() -> Request:
    """Ask a 2.0.1 station which network profiles it uses, the first one first."""
    return read_request([_PRIORITY])


def slots_in(answer: Json) -> tuple[int, ...]:
    """Return the slots of the network profiles in use; () where the station does not say."""
    found = found_in(answer).get(lookup(_PRIORITY))
    names = () if found is None else names_in(found.value or "")
    return tuple(slot for slot in map(integer, names) if slot is not None)


def free_slots(used: tuple[int, ...]) -> tuple[int, ...]:
    """Return the slots to be tried: what is used stays as it is, to fall back on."""
    return tuple(slot for slot in _SLOTS if slot not in used)


def slots_request(slots: tuple[int, ...]) -> Request:
    """Set which network profiles are used, in their order."""
    return write_request(_PRIORITY, ",".join(map(str, slots)))


def network_request(slot: int, *, url: str, profile: SecurityProfile, interface: str) -> Request:
    """Write a network profile. ``url`` is without the identity (2.0.1 part 2, NetworkConnectionProfileType)."""
    data = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": url,
        "messageTimeout": _MESSAGE_TIMEOUT_S,
        "securityProfile": profile,
        "ocppInterface": interface,
    }
    return "SetNetworkProfile", {"configurationSlot": slot, "connectionData": data}


def roots_request(version: Version) -> Request:
    """Ask which roots are installed."""
    kind = _ROOT_TYPE[version]
    return "GetInstalledCertificateIds", {"certificateType": kind if version == "1.6" else [kind]}


def hashes_in(answer: Json) -> list[object]:
    """Return the hash data of the certificates that are installed."""
    chains = listing(answer.get("certificateHashDataChain"))
    return [*listing(answer.get("certificateHashData")), *(obj(one).get("certificateHashData") for one in chains)]


def install_request(version: Version, root: str) -> Request:
    """Give the root of this gateway's certificate."""
    return "InstallCertificate", {"certificateType": _ROOT_TYPE[version], "certificate": root}


def sign_request(version: Version) -> Request:
    """Have the charger ask for a certificate."""
    if version == "1.6":
        return "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}
    return "TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"}


def reset_request(version: Version, *, is_at_once: bool) -> Request:
    """Start the charger anew. ``is_at_once``: though something is being charged."""
    if version == "1.6":
        return "Reset", {"type": "Soft"}
    return "Reset", {"type": "Immediate" if is_at_once else "OnIdle"}


def status_of(answer: Json) -> str:
    """Return the status of an answer, as a word to be looked up."""
    results = listing(answer.get("setVariableResult"))
    return word(obj(results[0]).get("attributeStatus")) if results else word(answer.get("status"))
