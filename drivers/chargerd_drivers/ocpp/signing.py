"""What becomes of a charger's request to have a certificate signed: SignCertificate, then CertificateSigned.

OCPP 1.6 security whitepaper A02 and A03, OCPP 2.0.1 part 2, A02 and A03. Every request gets an answer at once; one that
is accepted is followed by the certificate.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from chargerd.contract import Clock, Refused, Unreachable
from chargerd_drivers.ocpp.by_hand import why_not
from chargerd_drivers.ocpp.dialect import Request
from chargerd_drivers.ocpp.entry import Proof
from chargerd_drivers.ocpp.fields import Json, text, word
from chargerd_drivers.ocpp.station import Station
from chargerd_drivers.ocpp.wire import Version

_log = structlog.get_logger("chargerd.ocpp")

_NOT_ALLOWED, _INVALID = "NotEnabled", "InvalidCSR"
"""Reason codes of 2.0.1 (part 2, appendix 5)."""

_NO_KEY = "[ocpp] has no tls_ca_key_file to sign it with"
CERTIFICATE_TOPIC = "certificateRequest"

Call = Callable[[Request], Awaitable[Json]]


class Signing:
    """The requests of one connection; one certificate is under way at a time."""

    def __init__(self, station: Station, version: Version, clock: Clock, call: Call) -> None:
        self._station = station
        self._version = version
        self._clock = clock
        self._call = call
        self._log = _log.bind(charger=station.charger_id)
        self._chain: str | None = None
        self._is_new = False

    def answer(self, payload: Json, now: datetime) -> Json:
        """Return the answer to a request. When it is accepted, ``hand_over`` is due."""
        signer, why = self._station.signer, self._why_withheld(payload)
        if why is not None or signer is None:
            return self._rejected(_NOT_ALLOWED, why or _NO_KEY, now)
        request = payload.get("csr")
        try:
            self._chain = signer.sign(
                request if isinstance(request, str) else "",
                identity=self._station.options.identity,
                now=now,
            )
        except ValueError as error:
            return self._rejected(_INVALID, str(error), now)
        self._is_new = True
        return {"status": "Accepted"}

    def begins(self) -> bool:
        """Tell, once for each that was accepted, whether a certificate waits to be handed over."""
        is_new, self._is_new = self._is_new, False
        return is_new

    async def hand_over(self) -> None:
        """Send the certificate that was signed; what the charger says of it is told."""
        assert self._chain is not None
        payload: Json = {"certificateChain": self._chain}
        if self._version != "1.6":
            payload["certificateType"] = "ChargingStationCertificate"
        try:
            answer = await self._call(("CertificateSigned", payload))
            status = word(answer.get("status"))
            why = "" if status == "accepted" else why_not(answer) or f"it answered {text(answer.get('status'))}"
        except (Refused, Unreachable) as error:
            why = str(error)
        finally:
            self._chain = None
        name = self._station.charger_id
        if why:
            self._note("NotTaken", why, self._clock.now())
            words = f"{name} was sent the certificate that it asked for, and did not take it: {why}"
            self._log.warning("ocpp.certificate_not_taken", message=words)
        else:
            self._note("Installed", "", self._clock.now())
            words = f"{name} has a new certificate of this gateway's authority"
            self._log.info("ocpp.certificate_signed", message=words)

    def _why_withheld(self, payload: Json) -> str | None:
        """Say why nothing is signed, whatever the request holds; None when it may be."""
        entry = self._station.entry
        if word(payload.get("certificateType") or "ChargingStationCertificate") != "chargingstationcertificate":
            return "certificates for cars (V2G) are not signed here"
        if self._station.signer is None:
            return f"{_NO_KEY}; chargerd ca issue --charger makes one by hand"
        if entry is None or entry.proof is Proof.NONE:
            return "it came in without a password, so anybody may be asking; give it one first"
        return None if self._chain is None else "the one that it asked for before is still on its way"

    def _rejected(self, code: str, why: str, now: datetime) -> Json:
        if self._note("Rejected", why, now):
            words = f"{self._station.charger_id} asked for a certificate and was refused: {why}"
            self._log.warning("ocpp.certificate_refused", message=words)
        reason = {"reasonCode": code, "additionalInfo": why[:512]}
        return {"status": "Rejected"} if self._version == "1.6" else {"status": "Rejected", "statusInfo": reason}

    def _note(self, status: str, why: str, now: datetime) -> bool:
        """Keep what came of it for the charger's document; tell whether that is news."""
        members = {"status": status, "why": why} if why else {"status": status}
        last = self._station.hearsay.facts.get(CERTIFICATE_TOPIC, {})
        self._station.hearsay.note(CERTIFICATE_TOPIC, members, now)
        self._station.news.set()
        return (last.get("status"), last.get("why")) != (status, members.get("why"))
