"""The search for a front: designs that grow over their limits, and where it looks between two budgets."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import pytest

from dse.front import Front
from netweave.front_search import BUDGET_STEP, _between, within_limits
from tests.dse.test_front import point


def test_designs_whose_queues_take_too_much_are_chosen_again() -> None:
    # by name, the LUTs that a design takes once its queues are sized, each time that it is chosen
    takes = {"fits": [100], "once": [103, 98], "twice": [130, 101, 100], "never": [150]}
    left = {name: iter(luts) for name, luts in takes.items()}

    def design(name: str, luts: int) -> dict[str, Any]:
        limits = {"lut": luts, "dsp": 4, "cycles": 50}
        own = {
            "name": name,
            "family": name,
            "budget_fraction": "1/2",
            "minimised": "latency",
            "solver": {"limits": limits},
        }
        return {**own, "choice": [0], "assignment": {"a": name}, "mapping": {}}

    def ask(what: str, _: str, of: Iterable[dict[str, Any]]) -> list[Any]:
        asked.append((what, list(of)))
        match what:
            case "cycles":
                return [{"resources": {"lut": next(left[own["assignment"]["a"]]), "dsp": 4}} for own in asked[-1][1]]
            case "again":
                lower = [(own["name"], own["limits"]) for own in asked[-1][1]]
                return [
                    {"designs": [], "infeasible": "no room"} if name == "never" else {"designs": [
                        {**design(name, 0), "solver": {"limits": limits}}
                    ]}
                    for name, limits in lower
                ]  # fmt: skip
            case _:
                return [{} for _ in asked[-1][1]]

    asked: list[tuple[str, list[dict[str, Any]]]] = []
    infeasible: dict[str, str] = {}
    found = list(within_limits([design(name, 100) for name in takes], ask, infeasible))
    assert [(own["name"], costs["resources"]["lut"]) for own, costs in found] == [
        ("fits", 100), ("once", 98), ("twice", 100),
    ]  # fmt: skip
    assert infeasible == {"never": "no room"}
    lower = [own["limits"] for what, of in asked if what == "again" for own in of if own["name"] == "twice"]
    assert lower == [{"lut": 70, "dsp": 4, "cycles": 50}, {"lut": 69, "dsp": 4, "cycles": 50}]


def front_of(homes: dict[str, tuple[str, Fraction]]) -> Front:
    """A front with one point of each name, none of which dominates another."""
    return Front("zu3eg", 200.0, tuple(point(name, 100 + n, 500 + n) for n, name in enumerate(homes)))


@pytest.mark.parametrize(
    ("examined", "used", "middle"),
    [
        # the widest of two gaps: 1 to 1/4 is a factor of 4, 1/4 to 1/8 one of 2
        (["1", "1/4", "1/8"], ["1/4"], 0.5),
        # the wider gap has no design of the front at either end
        (["1", "1/4", "1/8", "1/9"], ["1/9"], (1 / 72) ** 0.5),
        (["1/8", "1", "1/4"], ["1", "1/8"], 0.5),
    ],
)
def test_the_next_budget_lies_in_the_middle_of_the_widest_gap(
    examined: list[str], used: list[str], middle: float
) -> None:
    homes = {f"d{n}": ("int4", Fraction(fraction)) for n, fraction in enumerate(used)}
    fractions = {"int4": [*examined], "int8": ["1", "1/2"]}
    # no design of the other family is on the front
    ((family, fraction),) = _between(front_of(homes), homes, fractions)
    assert family == "int4"
    assert float(Fraction(fraction)) == pytest.approx(middle)
    assert fractions == {"int4": [*examined, fraction], "int8": ["1", "1/2"]}


def test_the_search_ends_where_neighbouring_budgets_are_alike() -> None:
    homes = {"d0": ("int4", Fraction(1))}
    fractions = {"int4": ["1", "1/2"]}
    ratios = []
    while nearer := _between(front_of(homes), homes, fractions):
        ((_, fraction),) = nearer
        ratios.append(1 / float(Fraction(fraction)))
    # 2 ** (1 / 2), 2 ** (1 / 4), ... until the ratio is below the step; 2 ** (1 / 64) is 1.0109
    assert ratios == pytest.approx([2 ** (1 / 2**n) for n in range(1, 7)], rel=1e-4)
    assert ratios[-1] < BUDGET_STEP < ratios[-2]
