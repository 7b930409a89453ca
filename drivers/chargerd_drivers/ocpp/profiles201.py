"""SetChargingProfile and ClearChargingProfile of OCPP 2.0.1 (part 2, K01 and K10). Pure."""

from ocpp.v201 import call, datatypes, enums

from chargerd_drivers.ocpp.dialect import Request
from chargerd_drivers.ocpp.fields import stamp
from chargerd_drivers.ocpp.ways import Limit, Purpose
from chargerd_drivers.ocpp.wire import to_request

_PURPOSES = {
    Purpose.TX: (2, enums.ChargingProfilePurposeEnumType.tx_profile),
    Purpose.TX_DEFAULT: (1, enums.ChargingProfilePurposeEnumType.tx_default_profile),
    Purpose.STATION_MAX: (3, enums.ChargingProfilePurposeEnumType.charging_station_max_profile),
}
"""Purpose to profile id and word. An id is always the same, so that a repeat replaces what was there."""
_SCHEDULE_ID = 1


def limit_request(limit: Limit, connector: int) -> Request:
    """Return the request that says a limit. A limit of the whole station is set on EVSE 0."""
    way = limit.way
    profile_id, purpose = _PURPOSES[way.purpose]
    schedule = datatypes.ChargingScheduleType(
        id=_SCHEDULE_ID,
        charging_rate_unit=enums.ChargingRateUnitEnumType(way.unit.value),
        charging_schedule_period=[
            datatypes.ChargingSchedulePeriodType(start_period=start_s, limit=value, number_phases=limit.phases)
            for start_s, value in limit.periods
        ],
        start_schedule=None if limit.start is None else stamp(limit.start),
    )
    profile = datatypes.ChargingProfileType(
        id=profile_id,
        stack_level=way.stack_level,
        charging_profile_purpose=purpose,
        charging_profile_kind=enums.ChargingProfileKindEnumType(way.kind.value),
        charging_schedule=[schedule],
        transaction_id=limit.transaction_id,
    )
    target = 0 if way.purpose is Purpose.STATION_MAX else connector
    return to_request(call.SetChargingProfile(evse_id=target, charging_profile=profile))


def clear_request(purpose: Purpose) -> Request:
    """Return the request that takes our own profile of a purpose away."""
    return to_request(call.ClearChargingProfile(charging_profile_id=_PURPOSES[purpose][0]))


def clear_all_requests() -> tuple[Request, ...]:
    """Return the requests that take away every profile there is: one for each purpose, for one criterion is needed.

    Those of a transaction go with it (K01.FR.05).
    """
    return tuple(
        to_request(
            call.ClearChargingProfile(
                charging_profile_criteria=datatypes.ClearChargingProfileType(charging_profile_purpose=purpose)
            )
        )
        for _, purpose in (_PURPOSES[Purpose.TX_DEFAULT], _PURPOSES[Purpose.STATION_MAX])
    )
