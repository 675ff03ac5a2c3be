"""What all ops share: divisors, lanes that suffice, and the depths of output queues, against brute force."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.fpga.formulas import total
from hw.fpga.mapping import OpMapping
from hw.ops.op import divisors, fewest_lanes, frame_queue_depth, queue_depth
from tests.hw.ops.cases import FOLDED
from tests.support.ops import build_op
from tests.support.toy_op import Flip, WithoutLatency


def test_divisors() -> None:
    assert [divisors(n) for n in (1, 7, 12, 36)] == [
        [1], [1, 7], [1, 2, 3, 4, 6, 12], [1, 2, 3, 4, 6, 9, 12, 18, 36],
    ]  # fmt: skip


@pytest.mark.parametrize("pe", [1, 2, 5, 12, 30])
def test_results_leave_in_time_through_the_fewest_lanes(pe: int) -> None:
    for steps in range(1, 40):
        lanes = fewest_lanes(pe, steps)
        in_time = [n for n in range(1, pe + 1) if pe % n == 0 and pe / n <= steps]
        assert lanes == in_time[0]


def at_once(length: int, period: int) -> int:
    """How many spans of ``length`` cycles, of which one begins every ``period`` cycles, hold the start of the last."""
    spans = [range(start, start + length) for start in range(0, 100 * period, period)]
    return sum(spans[-1].start in span for span in spans)


@settings(max_examples=30)
@given(fold_cycles=st.integers(1, 12), data=st.data(), pipeline=st.integers(1, 30))
def test_rounds_reserve_no_more_than_the_queue_has(fold_cycles: int, data: st.DataObject, pipeline: int) -> None:
    """A round has its places from its first step until two cycles after its last beat has left; likewise an ``end``."""
    beats = data.draw(st.integers(1, fold_cycles))
    frame = data.draw(st.integers(1, 60))
    # the first beat leaves ``pipeline`` cycles after the last step, the others follow in a cycle each
    length = fold_cycles - 1 + pipeline + beats - 1 + 1 + 2
    places = at_once(length, fold_cycles) * beats + at_once(length, frame)
    assert queue_depth(fold_cycles, beats, pipeline, frame) == places


@settings(max_examples=30)
@given(end_beats=st.integers(1, 12), pipeline=st.integers(1, 30), extra=st.integers(0, 50))
def test_frames_reserve_no_more_than_the_queue_has(end_beats: int, pipeline: int, extra: int) -> None:
    period = end_beats + extra
    assert frame_queue_depth(end_beats, pipeline, period) == at_once(pipeline + end_beats + 2, period) * end_beats


def test_resources_are_the_sum_of_the_parts() -> None:
    op = build_op(FOLDED["full"].graph(), OpMapping(2, 2))
    used = op.resources(DEVICES["zu3eg"])
    assert used == total(FAMILIES["xcup"], op.parts(FAMILIES["xcup"]))
    assert used.ff == round(sum(part.ff for part in op.parts(FAMILIES["xcup"])))


def test_an_op_that_lacks_a_figure_cannot_be_built() -> None:
    """No op is free by default: what is abstract and missing raises."""
    graph = FOLDED["requantize"].graph()
    flip = Flip(name="op", inputs=("input",), dtype=graph.input.dtype)
    with pytest.raises(TypeError, match=r"abstract class WithoutLatency .*'?latency'?$"):
        WithoutLatency(flip, (), OpMapping())  # pyright: ignore[reportAbstractUsage]
