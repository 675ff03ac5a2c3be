"""Weights that are fitted, and labels that are held to what an earlier pass leaves them, beside every choice."""

from __future__ import annotations

from fractions import Fraction

import pytest

from benchmarks.inputs.problems import random_problem
from dse.exhaustive import selections
from dse.fit import Fitter
from dse.labels.goals import limits_at
from dse.labels.layers import Counter
from dse.labels.network import Network
from dse.labels.passes import cheapest, surrogate
from dse.labels.steps import StepResult, take_step
from dse.labels.weights import Weights
from dse.problem import Objective, Problem
from dse.program import Program

GOAL = Objective.LATENCY
FINE = None
COARSE = 3
"""Labels that stay after an op."""


def asked(seed: int) -> tuple[Problem, Fraction] | None:
    """A problem and a latency that about half of its choices keep to, where it has any choice."""
    problem = random_problem(seed)
    latencies = sorted(found.latency for _, found in selections(problem))
    return (problem, Fraction(latencies[len(latencies) // 2])) if latencies else None


def fitter_of(
    problem: Problem, value: Fraction, room: int | None, counter: Counter | None = None
) -> tuple[Fitter, Weights]:
    """With the weights of equal shares."""
    network = Network(problem, timed=True, whole=False)
    program = Program(problem)
    program.add("deadline", program.latency, float(value), rule=("limit", "latency"))
    fitter = Fitter(network, limits_at(problem, network, GOAL, value, below=False), program, counter or Counter(), room)
    weights = fitter.weights(fitter.shares({}))
    assert weights is not None
    return fitter, weights


def step(
    problem: Problem,
    value: Fraction,
    weights: Weights,
    room: int | None,
    before: StepResult | None = None,
    *,
    whole=False,
) -> StepResult:
    network = Network(problem, timed=True, whole=whole)
    return take_step(network, weights.same(network), GOAL, value, False, Counter(), before, room)


SEEDS = [seed for seed in range(60) if asked(seed) is not None]


def test_the_random_problems_are_many() -> None:
    assert len(SEEDS) > 30


def test_fitted_weights_come_closer_to_the_limits_for_many_problems() -> None:
    closer = examined = whole = 0
    for seed in SEEDS:
        problem, value = asked(seed) or (random_problem(seed), Fraction(0))
        labels, once = Counter(), Counter()
        fitter, weights = fitter_of(problem, value, FINE, labels)
        reached = surrogate(fitter.network, weights, fitter.limits, Counter(), budget=1 << 60)
        if not reached.empty:
            equal = fitter.shares({})
            surrogate(fitter.network, weights, fitter.limits, once, weights.budget(fitter.limits))
            fit = fitter.fit(equal, weights, reached, [])
            closer += fit.gain > 0
            examined += labels.labels
            whole += (len(fit.selections) - 1) * once.labels
            # each of at most six fits changes a share by at most 0.015
            assert all(abs(fit.shares[name] - own) <= 6 * 0.015 + 1e-9 for name, own in equal.items())
    assert closer >= 3
    # the budget is raised slice by slice from where the least is expected, at little more effort than one pass
    assert examined < 1.5 * whole


@pytest.mark.few(16)
@pytest.mark.parametrize("room", [FINE, COARSE])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_choice_in_time_takes_less_than_the_least_of_fitted_weights(seed: int, room: int | None) -> None:
    problem, value = asked(seed) or (random_problem(seed), Fraction(0))
    fitter, weights = fitter_of(problem, value, room)
    limits, names = fitter.limits, fitter.network.row_names
    in_time = [
        {**found.resources, "error": found.error}
        for _, found in selections(problem)
        if found.latency <= limits.deadline and found.bottleneck <= limits.cycles
    ]
    reached = surrogate(fitter.network, weights, limits, Counter(), budget=1 << 60, room=room)
    if reached.empty:
        assert not in_time
        return
    fit = fitter.fit(fitter.shares({}), weights, reached, [])
    assert fit.gain >= 0
    assert sum(fit.shares.values()) == pytest.approx(1)
    for own in (weights, fit.weights):
        least, _ = cheapest(
            fitter.network, surrogate(fitter.network, own, limits, Counter(), budget=1 << 60, room=room)
        )
        for amounts in in_time:
            assert least <= sum(int(weight) * amounts[name] for weight, name in zip(own.rows, names, strict=True))


@pytest.mark.few(16)
@pytest.mark.parametrize("seed", SEEDS)
def test_labels_that_are_held_to_an_earlier_pass_leave_every_choice(seed: int) -> None:
    problem, value = asked(seed) or (random_problem(seed), Fraction(0))
    _, weights = fitter_of(problem, value, COARSE)
    coarse = step(problem, value, weights, COARSE)
    wanted = [own for own, found in selections(problem) if found.feasible and found.latency <= value]
    if coarse.empty:
        assert not wanted
        return
    left = coarse.remaining()
    fine, free = (step(left, value, weights, FINE, before) for before in (coarse, None))
    assert sum(len(layer.labels) for layer in fine.forward.layers) <= sum(
        len(own.labels) for own in free.forward.layers
    )
    if wanted:
        kept = {op.name: op.candidates for op in fine.remaining().ops}
        assert all(candidate in kept[name] for own in wanted for name, candidate in own.items())


def test_labels_are_not_held_to_a_pass_of_other_weights_or_other_times() -> None:
    seed = next(own for own in SEEDS if any(len(inputs) > 1 for inputs in random_problem(own).inputs.values()))
    problem, value = asked(seed) or (random_problem(seed), Fraction(0))
    _, weights = fitter_of(problem, value, COARSE)
    coarse = step(problem, value, weights, COARSE)
    with pytest.raises(ValueError, match="has other weights or other times"):
        step(problem, value, weights, FINE, before=coarse, whole=True)
    other = Weights.plain(coarse.network, weights.rows + 1)
    with pytest.raises(ValueError, match="has other weights or other times"):
        step(problem, value, other, FINE, before=coarse)
