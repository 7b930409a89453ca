"""``make bench``: what a decision costs, whether that grows with the number of chargers, and what a plan costs.

Figures are medians of repeated runs in one process; compare the ratios, not the times, between machines.
The peer is ``json.loads`` of one session document: work that any daemon does for each answer of its API.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.support.home import POLICY, Home, prices, utc

from chargerd.core import document
from chargerd.core.decide import decide
from chargerd.core.events import MeterSampled, TimePassed
from chargerd.core.ids import ChargerId
from chargerd.core.model import State
from chargerd.plan.cheapest import schedule
from chargerd.plan.schedule import BlockKind, Need

ROUNDS = 15


def main() -> None:
    """Measure and print."""
    charging = _charging()
    peer = json.dumps(document.current(charging.state, POLICY))
    peer_us = _median_us(lambda: json.loads(peer), 500)
    one, thousand = _fleet(charging.state, 1), _fleet(charging.state, 1000)
    rows = {
        "peer: json.loads of a session document": peer_us,
        "decide: a meter sample, 1 charger": _median_us(lambda: _sample(one), 200),
        "decide: a meter sample, 1,000 chargers": _median_us(lambda: _sample(thousand), 200),
        "decide: a deadline, with a new plan": _median_us(lambda: _deadline(charging), 50),
        "document of an active session": _median_us(lambda: document.current(charging.state, POLICY), 200),
        "plan: one car, 192 quarter hours": _median_us(_plan, 20),
    }
    for name, micros in rows.items():
        print(f"{name:<42}{micros:>10.1f} us{micros / peer_us:>8.1f} x peer")
    growth = rows["decide: a meter sample, 1,000 chargers"] / rows["decide: a meter sample, 1 charger"]
    print(f"{'a decision among 1,000 chargers over one':<42}{growth:>10.2f} times")


def _charging() -> Home:
    home = Home(goal=80)
    home.until("10T22:15").plug().until("11T01:10")
    return home


def _fleet(state: State, count: int) -> dict[ChargerId, State]:
    return {
        ChargerId(f"charger-{number}"): replace(
            state, charger=replace(state.charger, charger_id=ChargerId(f"charger-{number}"))
        )
        for number in range(count)
    }


def _sample(fleet: dict[ChargerId, State]) -> None:
    """One sample for the charger in the middle, as the loop does it."""
    charger_id = ChargerId(f"charger-{len(fleet) // 2}")
    state = fleet[charger_id]
    now = state.at + timedelta(seconds=10)
    event = MeterSampled(charger_id=charger_id, measured_at=now, register_wh=101_900, power_w=11_000.0)
    fleet[charger_id] = replace(decide(state, event, now).state, at=state.at)


def _deadline(home: Home) -> None:
    decide(home.state, TimePassed(charger_id=home.state.charger.charger_id), home.now)


def _plan() -> None:
    curve = prices("10T00:00", [0.1 + (hour * 7 % 11) / 50 for hour in range(48)])
    need = Need(kind=BlockKind.REGULAR, wh=40_000, ready_by=utc("12T00:00"))
    schedule([need], prices=curve, power_w=10_450.0, now=utc("10T00:00"))


def _median_us(work: Callable[[], object], times: int) -> float:
    work()
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(times):
            work()
        rounds.append((time.perf_counter() - start) / times * 1e6)
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
