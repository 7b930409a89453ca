"""SetChargingProfile and ClearChargingProfile of OCPP 1.6 (edition 2, sections 5.16 and 5.5). Pure."""

from ocpp.v16 import call, datatypes, enums

from chargerd.contract import ProtocolViolation, TransactionId
from chargerd_drivers.ocpp.dialect import Request
from chargerd_drivers.ocpp.fields import integer, stamp
from chargerd_drivers.ocpp.ways import Limit, Purpose
from chargerd_drivers.ocpp.wire import to_request

_PURPOSES = {
    Purpose.TX: (2, enums.ChargingProfilePurposeType.tx_profile),
    Purpose.TX_DEFAULT: (1, enums.ChargingProfilePurposeType.tx_default_profile),
    Purpose.STATION_MAX: (3, enums.ChargingProfilePurposeType.charge_point_max_profile),
}
"""Purpose to profile id and word. An id is always the same, so that a repeat replaces what was there."""


def limit_request(limit: Limit, connector: int) -> Request:
    """Return the request that says a limit. Raises ProtocolViolation by LOCAL for a transaction id that is no integer.

    A limit of the whole charge point is set on connector 0.
    """
    way = limit.way
    profile_id, purpose = _PURPOSES[way.purpose]
    schedule = datatypes.ChargingSchedule(
        charging_rate_unit=enums.ChargingRateUnitType(way.unit.value),
        charging_schedule_period=[
            datatypes.ChargingSchedulePeriod(start_period=start_s, limit=value, number_phases=limit.phases)
            for start_s, value in limit.periods
        ],
        start_schedule=None if limit.start is None else stamp(limit.start),
    )
    profile = datatypes.ChargingProfile(
        charging_profile_id=profile_id,
        stack_level=way.stack_level,
        charging_profile_purpose=purpose,
        charging_profile_kind=enums.ChargingProfileKindType(way.kind.value),
        charging_schedule=schedule,
        transaction_id=None if limit.transaction_id is None else given_id(limit.transaction_id),
    )
    target = 0 if way.purpose is Purpose.STATION_MAX else connector
    return to_request(call.SetChargingProfile(connector_id=target, cs_charging_profiles=profile))


def clear_request(purpose: Purpose) -> Request:
    """Return the request that takes our own profile of a purpose away."""
    return to_request(call.ClearChargingProfile(id=_PURPOSES[purpose][0]))


def clear_all_requests() -> tuple[Request, ...]:
    """Return the requests that take away every profile there is."""
    return (to_request(call.ClearChargingProfile()),)


def given_id(transaction_id: TransactionId) -> int:
    """Return the integer of a transaction id that we gave. Raises ProtocolViolation by LOCAL."""
    value = integer(transaction_id)
    if value is None:
        msg = f"transaction id {transaction_id!r}: OCPP 1.6 knows integers only"
        raise ProtocolViolation(msg, by="LOCAL")
    return value
