"""The problem of one car as a mixed-integer linear programme for HiGHS, written without a look at the planner."""

from collections.abc import Sequence

import highspy

from chargerd.plan.optimum import Slice, Wish


def least_cost(slices: Sequence[Slice], wish: Wish) -> float | None:
    """Return the least cost of a wish that fits into the slices; None where no choice keeps every run long enough.

    Per slice: ``on``, whether charging is on in it at all; ``start``, whether it begins there; ``more``, whether there
    is charging after it; and per stage the time that is charged in it.
    """
    model = highspy.Highs()
    model.silent()
    model.setOptionValue("mip_rel_gap", 1e-7)
    count = len(slices)
    on = [model.addBinary() for _ in range(count)]
    start = [model.addVariable(lb=0.0, ub=1.0) for _ in range(count)]
    more = [model.addVariable(lb=0.0, ub=1.0) for _ in range(count)]
    stages = [[model.addVariable(lb=0.0, ub=piece.seconds) for piece in slices] for _ in wish.stages]
    lengths = [stage.wh * 3600 / stage.power_w for stage in wish.stages]
    for index, piece in enumerate(slices):
        time = sum((stage[index] for stage in stages[1:]), stages[0][index] + 0.0)
        model.addConstr(time <= piece.seconds * on[index])
        if index + 1 < count:
            model.addConstr(more[index] >= more[index + 1])
            model.addConstr(more[index] >= on[index + 1])
            model.addConstr(time >= piece.seconds * (on[index] + more[index] - 1))
        before = on[index - 1] if index else float(wish.is_on)
        model.addConstr(start[index] >= on[index] - before)
    for times, length_s in zip(stages, lengths, strict=True):
        model.addConstr(sum(times[1:], times[0] + 0.0) == length_s)
    _in_order(model, stages, lengths, slices)
    _long_enough(model, on, start, stages, slices, min(wish.run_min_s, sum(lengths)))
    costs = [
        time * (piece.price * stage.power_w / 3_600_000)
        for stage, times in zip(wish.stages, stages, strict=True)
        for piece, time in zip(slices, times, strict=True)
    ]
    objective = sum(costs[1:], costs[0])
    for begins in start:
        objective = objective + wish.start_cost * begins
    model.minimize(objective)
    if model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    found: float = model.getObjectiveValue()
    return found


def _in_order(
    model: highspy.Highs, stages: list[list[highspy.highs_var]], lengths: list[float], slices: Sequence[Slice]
) -> None:
    """A stage begins once the one before it is over."""
    for before, length_s, after in zip(stages, lengths, stages[1:], strict=False):
        so_far = None
        for index, piece in enumerate(slices):
            so_far = before[index] + 0.0 if so_far is None else so_far + before[index]
            is_over = model.addBinary()
            model.addConstr(after[index] <= piece.seconds * is_over)
            model.addConstr(so_far >= length_s * is_over)


def _long_enough(
    model: highspy.Highs,
    on: list[highspy.highs_var],
    start: list[highspy.highs_var],
    stages: list[list[highspy.highs_var]],
    slices: Sequence[Slice],
    run_min_s: float,
) -> None:
    """Charging that starts in a slice goes on through the ones after it until it has lasted for long enough."""
    for first in range(len(slices)):
        room_s, total, index = 0.0, None, first
        while room_s < run_min_s and index < len(slices):
            if index > first:
                model.addConstr(on[index] >= start[first])
            for stage in stages:
                total = stage[index] + 0.0 if total is None else total + stage[index]
            room_s += slices[index].seconds
            index += 1
        if total is not None:
            model.addConstr(total >= run_min_s * start[first])
