"""Networks: the least time that is left after an op, and bounds of amounts and times, beside every selection."""

from __future__ import annotations

import pytest

from benchmarks.inputs.problems import random_problem, with_knees
from dse.exhaustive import selections
from dse.labels.network import Network, power_of_two
from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Problem

ONE = Interface(1, "int8")


def test_the_rest_of_an_op_is_the_least_that_later_ones_take_after_its_end() -> None:
    """Of the tails: two ways from ``a`` to ``d``, of which one is longer; what ``e`` reads does not matter."""

    def op(name: str, tails: tuple[int, ...], reads: int) -> MilpOp:
        return MilpOp(
            name, tuple(Candidate(at, 1, (), ONE, (ONE,) * reads, drain=drain) for at, drain in enumerate(tails))
        )

    ops = op("a", (9,), 0), op("b", (3, 5), 1), op("c", (20, 7), 1), op("d", (2, 1), 2), op("e", (50,), 1)
    ways = ("a", "b", 0), ("a", "c", 0), ("b", "d", 0), ("c", "d", 1), ("a", "e", 0)
    edges = tuple(MilpEdge(one, other, at, {(ONE, ONE): Link(())}) for one, other, at in ways)
    network = Network(Problem("device", ops, edges, "d", {}), timed=True, whole=True)
    rest = dict(zip([own.name for own in network.ops], network.rest, strict=True))
    assert {name: rest[name] for name in "abcd"} == {"a": 7 + 1, "b": 1, "c": 1, "d": 0}
    assert rest["e"] < -1000


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_states_say_whether_edges_can_be_joined_and_amounts_are_bounded(seed: int) -> None:
    problem = with_knees(random_problem(seed), seed)
    network = Network(problem, timed=True, whole=True)
    costs = [cost for _, cost in selections(problem)]
    assert network.connectable == bool(costs)
    for cost in costs:
        amounts = {**cost.resources, "error": cost.error}
        assert all(amounts[name] <= most for name, most in zip(network.row_names, network.most, strict=True))
        assert cost.latency <= network.latest


def test_branches_come_before_the_longest_path() -> None:
    """``a`` is read by ``b``, of three ops to the output, and by the shortcut ``s``."""
    names = ("a", 0), ("b", 1), ("c", 1), ("s", 1), ("d", 2)
    ops = tuple(MilpOp(name, (Candidate(0, 1, (), ONE, (ONE,) * reads),)) for name, reads in names)
    ways = ("a", "b", 0), ("b", "c", 0), ("a", "s", 0), ("c", "d", 0), ("s", "d", 1)
    edges = tuple(MilpEdge(one, other, at, {(ONE, ONE): Link(())}) for one, other, at in ways)
    network = Network(Problem("device", ops, edges, "d", {}), timed=True, whole=False)
    assert [op.name for op in network.ops] == ["a", "s", "b", "c", "d"]
    assert [network.ops[place].name for place in network.spine] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("cycles", "power"), [(0, 1), (1, 1), (1.4, 1), (1.5, 2), (11, 8), (12, 16), (1 << 40, 1 << 40)]
)
def test_the_nearest_power_of_two(cycles: float, power: int) -> None:
    """On a logarithmic scale, the middle between 8 and 16 is 11.3."""
    assert power_of_two(cycles) == power
