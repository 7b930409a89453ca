"""What the daemon's own values look like outside: camelCase keys, RFC 3339 times, money as a decimal string."""

from datetime import datetime, timedelta
from typing import Any

from chargerd.api.values import rfc3339
from chargerd.contract import Document, Health, LogEntry, Policy, PriceCurve, PriceSlot

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def policy_document(policy: Policy) -> Document:
    """Return a policy as it is configured; times of day are wall time at the site."""
    schedule = {
        day: target
        and {
            "readyBy": target.ready_by.isoformat("minutes"),
            "minimumChargeTarget": target.minimum_charge_target,
        }
        for day, target in zip(DAYS, policy.schedule, strict=True)
    }
    return {
        "id": policy.policy_id,
        "chargerId": policy.charger_id,
        "vehicleId": policy.vehicle_id,
        "batteryReserve": policy.battery_reserve,
        "assumedBatteryLevelAtPlugIn": policy.assumed_battery_level_at_plug_in,
        "schedule": schedule,
        "readOnly": True,
    }


def prices_document(
    curve: PriceCurve, now: datetime, *, start: datetime | None = None, end: datetime | None = None
) -> Document:
    """Return the curve, or the slots of it that overlap a half-open stretch of time."""
    return {
        "currency": curve.currency,
        "fetchedAt": _time(curve.fetched_at),
        "rung": str(curve.rung(now, now + timedelta(microseconds=1))),
        "oldSince": _time(curve.old_since),
        "data": [
            _price(slot)
            for slot in curve.slots
            if (start is None or slot.end > start) and (end is None or slot.start < end)
        ],
    }


def log_document(entry: LogEntry) -> Document:
    """Return one entry of a session's event log; members without a value are left out."""
    note = entry.note
    members: dict[str, Any] = {
        "at": rfc3339(entry.at),
        "event": note.name,
        "level": note.level.value,
        "message": note.message,
        "chargerId": note.charger_id,
        "policyId": note.policy_id,
        "sessionId": note.session_id,
        "transactionId": note.transaction_id,
        "error": note.error,
    }
    return {key: value for key, value in members.items() if value is not None}


def health_document(health: Health, now: datetime) -> Document:
    """Return how the daemon is; ``now`` is its own clock, which may be an accelerated one."""
    return {
        "ready": health.ready,
        "problems": list(health.problems),
        "version": health.version,
        "startedAt": rfc3339(health.started_at),
        "now": rfc3339(now),
        "chargersOnline": health.chargers_online,
        "chargers": health.chargers,
    }


def _price(slot: PriceSlot) -> Document:
    # Fixed point: str() of a small Decimal would be "1E-7".
    return {
        "startAt": rfc3339(slot.start),
        "endAt": rfc3339(slot.end),
        "pricePerKwh": format(slot.price_per_kwh, "f"),
        "origin": str(slot.origin),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
