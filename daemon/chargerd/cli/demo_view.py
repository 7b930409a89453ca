"""The demo's screen: clock, price, plan, power, level and state, a column for each quarter hour. Pure text."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from chargerd.cli.demo_home import CARS, ZONE, DemoCar
from chargerd.cli.demo_watch import Home
from chargerd.cli.text import energy, percent
from chargerd.plan.grid import QUARTER
from chargerd.plan.prices import PriceCurve

Json = dict[str, Any]

COLUMNS = 60
LABEL = 10
_BARS = "▁▂▃▄▅▆▇█"
_HOME, _CLEAR_BELOW, _CLEAR_LINE = "\x1b[H", "\x1b[J", "\x1b[K"
_DIM, _BOLD, _GREEN, _RED, _PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[0m"


def screen(home: Home, now: datetime, *, evening: datetime, speed: float, url: str) -> str:
    """The whole screen, to be written over the last one."""
    local = now.astimezone(ZONE)
    lines = [
        f"{_BOLD}chargerd demo{_PLAIN}   {local:%a %d %b %Y  %H:%M}   {speed:g} times as fast   {url}",
        "",
        *_price_lines(home.prices, now, evening),
    ]
    for car in CARS:
        lines += ["", *_car_lines(car, home, now, evening)]
    lines += ["", f"{_DIM}  · waiting   ░ planned   █ charged   | now      Ctrl-C ends the demo{_PLAIN}"]
    return _HOME + "".join(f"{line}{_CLEAR_LINE}\n" for line in lines) + _CLEAR_BELOW


def _columns(evening: datetime) -> list[datetime]:
    start = evening.astimezone(UTC)
    return [start + index * QUARTER for index in range(COLUMNS)]


def _price_lines(prices: PriceCurve, now: datetime, evening: datetime) -> list[str]:
    columns = _columns(evening)
    values = [prices.at(at) for at in columns]
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0, 0)
    span = float(high - low) or 1.0
    bars = "".join(" " if v is None else _BARS[min(int(float(v - low) / span * 8), 7)] for v in values)
    price = prices.at(now)
    words = "not known" if price is None else f"{float(price) * 100:.1f} ct/kWh"
    hours = "".join(f"{at.astimezone(ZONE):%H}".ljust(8) for at in columns[2::8])
    pointer = "".join("|" if at <= now < at + QUARTER else " " for at in columns)
    return [
        f"{'price':<{LABEL}}{bars}  {words}",
        f"{'':<{LABEL}}{pointer}",
        f"{_DIM}{'':<{LABEL}}  {hours}{_PLAIN}",
    ]


def _car_lines(car: DemoCar, home: Home, now: datetime, evening: datetime) -> list[str]:
    session, charger = home.sessions.get(car.policy), home.chargers.get(car.charger, {})
    title = f"{_BOLD}{car.charger}{_PLAIN}  {car.vehicle}, {charger.get('protocol') or 'not connected'}"
    if session is None:
        return [title]
    rate = charger.get("chargeRate") or 0.0
    totals = session["statistics"]["aggregated"] or {}
    levels = f"{percent(totals.get('batteryFrom'))} -> {percent(totals.get('batteryTo'))}" if totals else "away"
    return [
        f"{title}   {_state(session)}   {_verdict(session)}",
        f"{'plan':<{LABEL}}{_blocks(session, now, evening)}",
        f"{'charging':<{LABEL}}{_series(session, car, evening)}  {rate:.1f} kW",
        f"{'battery':<{LABEL}}{levels}, {_target(session)}   {energy(totals.get('kwhSum') or 0.0)}",
    ]


def _state(session: Json) -> str:
    colour = _GREEN if session["state"].startswith("ACTIVE") else ""
    return f"{colour}{session['state']}{_PLAIN}"


def _verdict(session: Json) -> str:
    error, outcome = session["error"]["latest"], session["outcome"]["latest"]
    if error is not None:
        return f"{_RED}{error['type']}{_PLAIN}"
    return "" if outcome is None else str(outcome.get("state") or "charging now")


def _target(session: Json) -> str:
    target = session["target"]["latest"]
    if target is None:
        return "no target"
    if target["type"] == "IMMEDIATE_START":
        return f"{target['minimumChargeTarget']} % at once"
    ready_by = datetime.fromisoformat(target["readyBy"]).astimezone(ZONE)
    return f"wanted {target['minimumChargeTarget']} % by {ready_by:%H:%M}"


def _blocks(session: Json, now: datetime, evening: datetime) -> str:
    spans = [
        (datetime.fromisoformat(block["startAt"]), datetime.fromisoformat(block["endAt"]))
        for block in session["blocks"]
    ]
    plugged = session["pluggedInAt"] and datetime.fromisoformat(session["pluggedInAt"])
    return "".join(_block_cell(at, spans, now, plugged) for at in _columns(evening))


def _block_cell(at: datetime, spans: Iterable[tuple[datetime, datetime]], now: datetime, plugged: Any) -> str:
    middle = at + QUARTER / 2
    if any(start <= middle < end for start, end in spans):
        return "█" if at <= now else "░"
    return "·" if plugged and plugged <= at + QUARTER and at <= now else " "


def _series(session: Json, car: DemoCar, evening: datetime) -> str:
    rates: dict[datetime, float] = {}
    for entry in session["statistics"]["timeseries"]:
        start = datetime.fromisoformat(entry["startAt"])
        rates[start.replace(minute=start.minute - start.minute % 15, second=0)] = entry["kwh"]
    cells = (rates.get(at, 0.0) for at in _columns(evening))
    return "".join(_BARS[min(int(rate / car.charge_kw * 8), 7)] if rate > 0 else " " for rate in cells)
