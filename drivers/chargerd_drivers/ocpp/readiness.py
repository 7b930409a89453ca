"""Whether a charger's security can be raised without locking it out: what is meant, and what stands in the way."""

import re
from dataclasses import dataclass, replace

from chargerd.contract import NotBegun, SecurityRequest
from chargerd_drivers.ocpp.config import OcppSection
from chargerd_drivers.ocpp.entry import Entry, Proof
from chargerd_drivers.ocpp.passwords import LENGTH_MAX, LENGTH_MIN
from chargerd_drivers.ocpp.station import Station
from chargerd_drivers.ocpp.tls import Tls
from chargerd_drivers.ocpp.trust import Root, root_in, why_untrusted

_FOLDER = "/var/lib/chargerd/passwords"
_INTERFACE = re.compile(r"(?:Wired|Wireless)[0-3]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """How the gateway listens. ``tls`` and ``port_tls`` are None without TLS."""

    section: OcppSection
    port: int
    port_tls: int | None = None
    tls: Tls | None = None

    def root(self) -> Root | None:
        """The root that chargers must trust; None where a public authority's is at the end of the chain."""
        path = self.section.tls_certificate_file
        return None if path is None or self.tls is None else root_in(path.read_bytes())

    def url(self, entry: Entry, *, over_tls: bool) -> str:
        """The address for a charger that came in so, without its identity."""
        scheme, port = ("wss", self.port_tls) if over_tls else ("ws", self.port)
        return f"{scheme}://{entry.host}:{port}{entry.path}"


def completed(request: SecurityRequest, station: Station) -> SecurityRequest:
    """Return what is meant: a password where the profile needs one, a profile where the password needs one."""
    entry, profile = station.entry, request.profile
    lacks_password = profile in {1, 2} and station.passwords.current is None
    if profile is None and request.new_password and (entry is None or entry.profile == 0):
        profile = 1
    return replace(
        request,
        profile=profile,
        new_password=request.new_password or lacks_password,
        new_certificate=request.new_certificate or (profile == 3 and not request.is_trusting),
    )


def obstacle(request: SecurityRequest, station: Station, around: Surroundings) -> NotBegun | None:
    """Say why nothing is begun; None when all that is needed is there. ``request`` is a completed one."""
    entry = station.entry
    assert entry is not None, "a charger that is connected came in somehow"
    checks = (
        _nothing_to_do(request, entry),
        _no_password_to_give(request, station),
        _no_tls(request, entry, around) if (request.profile or 0) >= 2 else None,
        _no_certificate_to_give(request, station, around),
        None if _INTERFACE.fullmatch(request.interface) else "expected an interface Wired0 to Wired3, Wireless0 to 3",
    )
    for why in checks:
        if why is not None:
            return NotBegun(why)
    if request.has_visit and not request.is_forced:
        why = "a car is plugged in, and the charger may start anew, which ends what is charged"
        return NotBegun(why, is_forcible=True)
    return None


def _nothing_to_do(request: SecurityRequest, entry: Entry) -> str | None:
    wanted, has = request.profile, entry.profile
    if wanted is None:
        is_nothing = not request.new_password and not request.new_certificate
        return "nothing was asked for: expected a profile, a new password or a new certificate" if is_nothing else None
    if wanted < has:
        return (
            f"it comes in with security profile {has}, and chargers refuse to go lower; only its own settings do that"
        )
    if wanted == has and not request.new_password and not request.new_certificate:
        return f"it comes in with security profile {has} already"
    return None


def _no_password_to_give(request: SecurityRequest, station: Station) -> str | None:
    entry, passwords = station.entry, station.passwords
    if request.new_password:
        if request.profile == 3 or (entry is not None and entry.proof is Proof.CERTIFICATE):
            return "security profile 3 is with a certificate in place of a password; ask for one of the two"
        if passwords.path is None:
            return f"there is no place for the password: set password_folder in [ocpp], for example {_FOLDER}"
        return None
    length = len(passwords.current or b"")
    if request.profile in {1, 2} and not LENGTH_MIN <= length <= LENGTH_MAX:
        allowed = f"{LENGTH_MIN} to {LENGTH_MAX}"
        return f"its password has {length} characters, and OCPP allows {allowed}; ask for a new one as well"
    return None


def _no_tls(request: SecurityRequest, entry: Entry, around: Surroundings) -> str | None:
    if around.tls is None or around.port_tls is None:
        return "this gateway has no TLS: chargerd ca init, chargerd ca issue, and listen_tls in [ocpp]"
    if not entry.host:
        return "it did not say by which name it calls this gateway, so that its trust cannot be tried"
    try:
        fault = why_untrusted(around.tls.refresh(), around.root(), entry.host)
    except (OSError, ValueError) as error:
        fault = str(error)
    if fault is not None:
        host = entry.host.strip("[]")
        return (
            f"it calls {host}, and would not trust the certificate: {fault}; chargerd ca issue {host} makes a good one"
        )
    if request.profile == 3 and around.section.tls_client_ca_file is None:
        return "[ocpp] has no tls_client_ca_file, by which the charger's certificate is known"
    return None


def _no_certificate_to_give(request: SecurityRequest, station: Station, around: Surroundings) -> str | None:
    if not request.new_certificate:
        return None
    if station.signer is None or around.tls is None:
        by_hand = f"chargerd ca issue --charger {station.options.identity}"
        return f"[ocpp] has no tls_ca_key_file to sign its certificate; or make one with {by_hand} and carry it there"
    if station.entry is not None and station.entry.proof is Proof.NONE:
        return "it comes in without a password, so anybody may be it; give it a password first"
    return None
