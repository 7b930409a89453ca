"""When certificates expire: the one date that the standard library does not read out of them (RFC 5280, 4.1). Pure."""

from datetime import UTC, datetime

from chargerd_drivers.ocpp.der import certificates_in, elements, fields_of

_UTC_TIME = 0x17


def expires_at(pem: bytes) -> datetime:
    """Return when the first of a file's certificates expires. Raises ValueError when there is none to be read."""
    found = [_not_after(certificate) for certificate in certificates_in(pem)]
    if not found:
        msg = "no certificate in it"
        raise ValueError(msg)
    return min(found)


def _not_after(certificate: bytes) -> datetime:
    try:
        _, until = elements(fields_of(certificate)[3].content)
    except (IndexError, ValueError) as error:
        msg = "a certificate in it is damaged"
        raise ValueError(msg) from error
    spelled = until.content.decode("ascii")
    if until.tag == _UTC_TIME:
        spelled = ("20" if spelled < "5" else "19") + spelled
    return datetime.strptime(spelled, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
