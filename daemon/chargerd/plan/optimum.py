"""The exact cheapest choice of quarter hours for one car.

In a chosen slice of time charging is on from its start until its end, or until the need is met: only the last chosen
one may be partial. What is minimised is energy at its price plus a price for every start. The choice is exact: a search
over how long has been charged by each slice, kept small by a lower bound on what is still to come, from the same
problem with the energy paid for instead of demanded (Lagrangian relaxation).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

_NEGLIGIBLE = 1e-9
"""Share of the cost by which the earlier of equal choices is preferred."""
_ROUNDING = 1e-12
"""Share of the cost below which costs are not told apart."""
_TINY_S = 1e-6
_SHARPENED = 4
"""Rounds by which the bound is made sharper once it lies between the prices of two slices."""

_Path = tuple[int, "_Path | None"]
_Known = tuple[float, _Path | None]
"""The least cost of coming to some point, and the slices chosen on the way, the last one first."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of time in which charging may be on: its length in seconds, over 0, and its price per kWh."""

    seconds: float
    price: float


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of charging: so many Wh at one power in W, both over 0."""

    wh: float
    power_w: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be charged: stages, one at least, in their order.

    ``start_cost`` is the price of a start, 0 or more, in the currency of the prices; ``is_on`` says that charging goes
    on at the beginning, so that going on is no start. Charging that begins lasts ``run_min_s``, or as long as all of it
    takes where that is less.
    """

    stages: tuple[Stage, ...]
    start_cost: float = 0.0
    is_on: bool = False
    run_min_s: float = 0.0


def cheapest(slices: Sequence[Slice], wish: Wish) -> tuple[int, ...]:
    """Return the numbers of the chosen slices, rising: all where they do not suffice, and the earlier of equals."""
    pace = Pace(wish.stages)
    if pace.length_s >= sum(piece.seconds for piece in slices):
        return tuple(range(len(slices)))
    problem = _Problem(slices, wish, pace)
    bound, limit = _bounded(problem)
    return _numbers(_searched(problem, bound, limit)[1])


def cheapest_run(slices: Sequence[Slice], wish: Wish) -> tuple[int, ...]:
    """Return the numbers of the slices of the cheapest charging without a pause: all where they do not suffice."""
    pace = Pace(wish.stages)
    problem = _Problem(slices, wish, pace)
    best, best_cost = tuple(range(len(slices))), inf
    for first in range(len(slices)):
        run = tuple(_run(problem.seconds, first, pace.length_s))
        cost = problem.cost(run)
        if cost is not None and cost < best_cost:
            best, best_cost = run, cost
    return best


def _run(seconds: Sequence[float], first: int, length_s: float) -> Iterable[int]:
    """The slices from one on that make up a time of charging."""
    for number in range(first, len(seconds)):
        yield number
        length_s -= seconds[number]
        if length_s <= _TINY_S:
            return


class Pace:
    """How much is charged by which time of charging, in kWh and seconds."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = [(stage.wh * 3600 / stage.power_w, stage.power_w / 3_600_000) for stage in stages]
        self.most = max(rate for _, rate in self._stages)
        self.least = min(rate for _, rate in self._stages)
        self.length_s = sum(length_s for length_s, _ in self._stages)

    def kwh(self, since_s: float, until_s: float) -> float:
        """Return what is charged from one time of charging to another."""
        if self.most == self.least:
            return (until_s - since_s) * self.most
        begin_s, total = 0.0, 0.0
        for length_s, rate in self._stages:
            total += max(min(until_s, begin_s + length_s) - max(since_s, begin_s), 0.0) * rate
            begin_s += length_s
        return total


class _Problem:
    """The figures of one search. Money in the currency of the prices, energy in kWh, time in seconds."""

    def __init__(self, slices: Sequence[Slice], wish: Wish, pace: Pace) -> None:
        dearest = max(abs(piece.price) for piece in slices) or 1.0
        nudge = dearest * _NEGLIGIBLE / len(slices)
        self.prices = [piece.price + nudge * index for index, piece in enumerate(slices)]
        self.seconds = [piece.seconds for piece in slices]
        self.start_cost, self.is_on = wish.start_cost, wish.is_on
        self.pace, self.length_s = pace, pace.length_s
        self.run_min_s = min(wish.run_min_s, pace.length_s)
        self.need_kwh = pace.kwh(0.0, pace.length_s)
        self.rounding = (dearest * self.need_kwh + wish.start_cost) * _ROUNDING

    def cost(self, chosen: Iterable[int]) -> float | None:
        """Return the cost of charging in these slices; None where they do not suffice, inf where a run is short."""
        cost, charged_s, last = 0.0, 0.0, -1
        run_s = self.run_min_s if self.is_on else 0.0
        for index in chosen:
            if index > last + 1 or (index == 0 and not self.is_on):
                if last >= 0 and run_s < self.run_min_s - _TINY_S:
                    return inf
                cost, run_s = cost + self.start_cost, 0.0
            until_s = min(charged_s + self.seconds[index], self.length_s)
            cost += self.prices[index] * self.pace.kwh(charged_s, until_s)
            run_s, charged_s, last = run_s + until_s - charged_s, until_s, index
            if charged_s >= self.length_s - _TINY_S:
                return cost if run_s >= self.run_min_s - _TINY_S else inf
        return None


@dataclass(frozen=True, slots=True)
class _Bound:
    """What the slices from each one on cost at least, less the ``worth`` of what they charge, which is per kWh.

    ``on`` and ``off`` are for what charging was right before; they have one entry more than there are slices.
    ``value`` is the least that the whole costs, ``chosen`` are the slices that are worth it.
    """

    worth: float
    on: list[float]
    off: list[float]
    value: float
    chosen: list[int]


def _at_worth(problem: _Problem, worth: float) -> _Bound:
    """Solve the problem with energy paid for at its worth."""
    count = len(problem.prices)
    most, least, start_cost = problem.pace.most, problem.pace.least, problem.start_cost
    gains = [
        (price - worth) * seconds * (most if price < worth else least)
        for price, seconds in zip(problem.prices, problem.seconds, strict=True)
    ]
    on, off = [0.0] * (count + 1), [0.0] * (count + 1)
    after_on = after_off = 0.0
    for index in range(count - 1, -1, -1):
        going = gains[index] + after_on
        after_on = min(going, after_off)
        beginning = going + start_cost
        after_off = min(beginning, after_off)
        on[index], off[index] = after_on, after_off
    chosen, is_on = [], problem.is_on
    for index, gain in enumerate(gains):
        is_on = gain + on[index + 1] + (0.0 if is_on else start_cost) < off[index + 1]
        if is_on:
            chosen.append(index)
    value = worth * problem.need_kwh + (on[0] if problem.is_on else off[0])
    return _Bound(worth, on, off, value, chosen)


def _bounded(problem: _Problem) -> tuple[_Bound, float]:
    """Return the sharpest bound found, and the cost of the best choice met on the way.

    The more energy is worth, the more slices are chosen; the bound is sharpest where they are about as many as needed.
    """
    limit = problem.cost(range(len(problem.prices)))
    assert limit is not None, "all of them suffice"
    ladder = sorted(problem.prices)
    ceiling = ladder[-1] + problem.start_cost / min(problem.seconds) / problem.pace.least + abs(ladder[-1]) + 1.0
    low, high, best = ladder[0], ceiling, _at_worth(problem, ladder[0])
    sharpened = 0
    while sharpened < _SHARPENED:
        if ladder:
            worth = ladder[len(ladder) // 2]
        else:
            worth, sharpened = (low + high) / 2, sharpened + 1
        bound = _at_worth(problem, worth)
        best = bound if bound.value > best.value else best
        cost = problem.cost(bound.chosen)
        if cost is None:
            low, ladder = worth, ladder[len(ladder) // 2 + 1 :]
        else:
            high, ladder = worth, ladder[: len(ladder) // 2]
            limit = min(limit, cost)
    return best, limit


def _searched(problem: _Problem, bound: _Bound, limit: float) -> _Known:
    """Go through the slices with all ways of having charged by then that may still be the cheapest.

    A way while charging is on is told by the time of charging so far and what this run lacks of its least length.
    """
    best: _Known = (inf, None)
    on: dict[tuple[float, float], _Known] = {(0.0, 0.0): (0.0, None)} if problem.is_on else {}
    off: dict[float, _Known] = {0.0: (0.0, None)}
    limit += problem.rounding
    left_s = sum(problem.seconds)
    for index, (seconds, price) in enumerate(zip(problem.seconds, problem.prices, strict=True)):
        left_s -= seconds
        ways = [(*way, *known) for way, known in on.items()]
        ways += [
            (charged_s, problem.run_min_s, cost + problem.start_cost, path) for charged_s, (cost, path) in off.items()
        ]
        resting = [(charged_s, known) for (charged_s, lacks_s), known in on.items() if lacks_s <= _TINY_S]
        resting += off.items()
        on, off = {}, {}
        for charged_s, lacks_s, cost, path in ways:
            rest_s = problem.length_s - charged_s
            taken_s = min(seconds, rest_s)
            total = cost + price * problem.pace.kwh(charged_s, charged_s + taken_s)
            still_s = max(lacks_s - taken_s, 0.0)
            if rest_s <= seconds + _TINY_S:
                if total < best[0] and still_s <= _TINY_S:
                    best = (total, (index, path))
                    limit = min(limit, total + problem.rounding)
                continue
            key = (charged_s + taken_s, still_s)
            to_come = bound.on[index + 1] + bound.worth * problem.pace.kwh(key[0], problem.length_s)
            if total + to_come <= limit and (key not in on or total < on[key][0]):
                on[key] = (total, (index, path))
        for charged_s, known in resting:
            to_come = bound.off[index + 1] + bound.worth * problem.pace.kwh(charged_s, problem.length_s)
            is_enough = problem.length_s - charged_s <= left_s + _TINY_S
            if is_enough and known[0] + to_come <= limit and (charged_s not in off or known[0] < off[charged_s][0]):
                off[charged_s] = known
    return best


def _numbers(path: _Path | None) -> tuple[int, ...]:
    found = []
    while path is not None:
        number, path = path
        found.append(number)
    return tuple(reversed(found))
