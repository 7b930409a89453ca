"""Chargers and cars as they are, many in one house: each car is charged by its time, or the household is told."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from house import PATIENCE_S, Bay, House, Json, energy_wh, house

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        "CHARGERD_ODD" not in os.environ, reason="make odd: two minutes on a machine that does nothing else"
    ),
]

VISIT = timedelta(minutes=80)
NAP = timedelta(minutes=140)


def cheap_quarters(*minutes: int) -> str:
    """Spell a tariff in which the quarters that begin so long after each full hour are cheap."""
    windows = (
        f'{{ from = "{hour:02}:{minute:02}", to = "{hour:02}:{minute + 15}", price_per_kwh = 0.10 }},\n'
        for hour in range(24)
        for minute in minutes
    )
    return f'kind = "time-of-use"\ndefault_price_per_kwh = 0.35\nwindow = [\n{"".join(windows)}]'


@dataclass(frozen=True, kw_only=True)
class Odd:
    """A charger with its personalities, and how its night ends."""

    traits: str
    version: str = "1.6"
    error: str | None = None
    """What the household is told, by its kind; then the car may be charged or not."""
    start_timeout_s: int = 1800
    stop_timeout_s: int = 1800


def odd(*traits: str, version: str = "1.6") -> tuple[Odd, ...]:
    return tuple(Odd(traits=trait, version=version) for trait in traits)


CHARGERS = (
    *odd("no-preparing autostart", "stop-is-terminal", "zero-is-stop", "ignores-profile", "watts-only"),
    *odd("session-register per-phase-meter"),
    *odd("starts-at-energy late-evse nameless-start", "profile-burner", version="2.0.1"),
    Odd(traits="short-transactions", error="START_FAIL", start_timeout_s=300),
    Odd(traits="refuses-stop ignores-profile", error="STOP_FAIL", stop_timeout_s=300),
)
SLEEPERS = (*odd("sleeping-car", "charging-without-power"), *odd("sleeping-car", version="2.0.1"))


def bay(number: int, odd: Odd) -> Bay:
    words = (word for trait in odd.traits.split() for word in ("--personality", trait))
    return Bay(
        id=f"box{number}",
        version=odd.version,
        level=35,
        target=43,
        start_timeout_s=odd.start_timeout_s,
        stop_timeout_s=odd.stop_timeout_s,
        simulator=tuple(words),
    )


def test_a_house_full_of_odd_chargers_has_its_cars_charged_and_its_energy_counted(tmp_path: Path) -> None:
    check_visits(tmp_path, CHARGERS, speed=120, tariff=cheap_quarters(0, 30), visit=VISIT)


def test_cars_that_fall_asleep_in_a_long_pause_are_charged_all_the_same(tmp_path: Path) -> None:
    check_visits(tmp_path, SLEEPERS, speed=400, tariff=cheap_quarters(0), visit=NAP)


def check_visits(folder: Path, chargers: tuple[Odd, ...], *, speed: float, tariff: str, visit: timedelta) -> None:
    """Plug a car in at each charger, each of which needs two cheap quarters, and let all leave at once."""
    odds = {bay(number, odd): odd for number, odd in enumerate(chargers)}
    with house(folder, *odds, start="2026-01-14T12:00:00Z", speed=speed, tariff=tariff) as home:
        home.open()
        leaves = home.clock.now() + visit
        for each in odds:
            ready = (leaves - timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
            home.put_target(each, type="REGULAR", minimumChargeTarget=each.target, readyBy=ready)
            home.simulators[each.id].do("plug")
            home.simulators[each.id].do("unplug", at=leaves.isoformat())
        stumbled = [f"{odd.traits}: {fault}" for each, odd in odds.items() for fault in faults(home, each, odd)]
    assert not stumbled, "\n".join(stumbled)


def faults(home: House, bay: Bay, odd: Odd) -> list[str]:
    """Wait for the end of a visit, and say all that is wrong with it."""
    simulator = home.simulators[bay.id]
    visits = home.wait(f"{odd.traits}: the visit settles", lambda: home.settled(bay), 2 * PATIENCE_S)
    if len(visits) > 1:
        return [f"{len(visits)} visits instead of one: {visits}"]
    document = home.wait_settled(bay)
    wh, left_pct = energy_wh(simulator), simulator.expect("unplugged")["levelPct"]
    told = {error for error in home.errors_shown(bay) if error.isupper()}
    found = []
    if abs(document["statistics"]["aggregated"]["kwhSum"] * 1000 - wh) > 0.5:
        found.append(f"the register counted {wh} Wh, the document {document['statistics']}")
    if told != ({odd.error} - {None}):
        found.append(f"told {told}")
    if odd.error is None and left_pct < bay.target - 1:
        found.append(f"left with {left_pct} %: {_told_of(document)}")
    return found


def _told_of(document: Json) -> str:
    return f"{document['outcome']} {document['blocks']}"
