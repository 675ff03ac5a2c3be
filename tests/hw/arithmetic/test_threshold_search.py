# amaranth: UnusedElaboratable=no
"""The search among levels against golden: every sum about every level, formats, lanes, levels that no sum reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw.arithmetic.threshold_search import ThresholdSearch, search_latency, search_tree, stages
from models.ir.dtype import DType
from models.ir.formats.registry import parse_dtype
from models.ir.thresholds import Thresholds
from tests.support.clocked import clocked


def play(component: ThresholdSearch, values: np.ndarray) -> np.ndarray:
    """int64 ``[tokens, channels]`` through the lanes, a beat a cycle; the codes that come out."""
    beats = values.reshape(-1, component.lanes).tolist()

    def put(ctx: Any, beat: int) -> None:
        ctx.set(component.index, beat % component.beats)
        for lane, value in enumerate(beats[beat]):
            ctx.set(getattr(component, f"value{lane}"), value)

    def take(ctx: Any) -> list[int]:
        word, width = ctx.get(component.codes), component.dtype.width
        return [word >> n * width & (1 << width) - 1 for n in range(component.lanes)]

    latency = search_latency(component.thresholds)
    return np.array(clocked(component, len(beats), latency, put, take)).reshape(values.shape)


def check(rule: Thresholds, dtype: DType, lanes: int, values: np.ndarray, bounds: tuple[int, int]) -> None:
    found = play(ThresholdSearch(rule, dtype, lanes, bounds), values)
    assert np.array_equal(dtype.decode(found), rule.to_dtype(values, dtype))


@pytest.mark.parametrize("name", ["uint4", "int4", "int2", "udybit4", "dybit3", "fp4", "uint6"])
@pytest.mark.parametrize("rows", [1, 6])
def test_every_sum_about_every_level(name: str, rows: int) -> None:
    dtype, rng = parse_dtype(name), np.random.default_rng(rows)
    count = len(dtype.values()) - 1
    rule = Thresholds(np.sort(rng.integers(-300, 300, (rows, count)), axis=1))
    sums = np.concatenate([(rule.levels.ravel()[:, None] + np.arange(-1, 2)).ravel(), [-512, 511]])
    values = np.repeat(np.clip(sums, -512, 511)[:, None], 6, axis=1)
    check(rule, dtype, int(rng.choice([1, 2, 3, 6])), values, (-512, 511))


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_any_levels_equal_golden(data: st.DataObject) -> None:
    """Fewer levels than the format has values, equal ones, and ones that no sum reaches or every sum does."""
    dtype = parse_dtype(data.draw(st.sampled_from(["uint4", "int4", "udybit4", "dybit4", "uint2"])))
    values = len(dtype.values())
    count = data.draw(st.integers(1, values - 1))
    first = data.draw(st.integers(0, values - 1 - count))
    number = st.integers(-80, 80)
    rows = data.draw(st.sampled_from([1, 4]))
    levels = [sorted(data.draw(st.lists(number, min_size=count, max_size=count))) for _ in range(rows)]
    sums = data.draw(st.lists(st.lists(st.integers(-60, 59), min_size=4, max_size=4), min_size=1, max_size=6))
    lanes = data.draw(st.sampled_from([1, 2, 4]))
    check(Thresholds(np.array(levels), first), dtype, lanes, np.array(sums), (-60, 59))


def test_a_comparison_needs_the_levels_that_those_before_leave_open() -> None:
    rule = Thresholds(np.array([[10, 20, 30, 40, 50]]))
    assert stages(rule) == 3
    assert [levels.tolist() for levels in search_tree(rule, (-100, 99))] == [[[40]], [[20, 100]], [[10, 30, 50, 100]]]
    # read and compare, three times, and the register of the code
    assert search_latency(rule) == 7
