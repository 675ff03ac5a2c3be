"""How far latencies are from simulated ones, and the bound that follows, by hand."""

from __future__ import annotations

import pytest

from reports.model_error import model_error
from reports.schema import Label, Point
from tests.reports.example import point


def design(program: float | None, estimated: float, simulated: float | None, bound: float | None = 900.0) -> Point:
    latency = {Label.ESTIMATED: estimated} | ({} if simulated is None else {Label.SIMULATED: simulated})
    solver = point(0).solver.model_copy(update={"bound": bound})
    return point(0).model_copy(update={"latency": latency, "program": program, "solver": solver})


def test_the_largest_distances_are_those_of_all_designs() -> None:
    low, high = design(1000, 995, 1040), design(1000, 970, 950)
    error = model_error([low, high, design(None, 1, 1000), design(1, 1, None)])
    assert error is not None
    assert error.designs == 2
    assert error.program == pytest.approx(50 / 950)
    assert error.estimate == pytest.approx(45 / 1040)
    assert error.below == pytest.approx(0.05)
    assert error.bound(low) == pytest.approx(0.95 * 900)


def test_simulated_latencies_above_the_program_s_take_nothing_off_a_bound() -> None:
    above = design(1000, 1000, 1200)
    error = model_error([above])
    assert error is not None
    assert error.below == 0
    assert error.bound(above) == 900
    assert error.bound(design(1000, 1000, 1200, bound=None)) is None
    other = above.solver.model_copy(update={"minimised": "error"})
    assert error.bound(above.model_copy(update={"solver": other})) is None


def test_without_a_simulated_design_nothing_is_said() -> None:
    assert model_error([design(1000, 1000, None)]) is None
