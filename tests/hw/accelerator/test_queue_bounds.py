"""Depths worked out by hand; that they are enough, but little less not, shows ``tests/cosim/cycle/test_queues.py``."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.inputs.nets import Builder
from hw.accelerator.queue_bounds import min_deadlock_free_depth
from models.ir.formats.integer import IntType
from models.ir.graph import Graph


def net(height: int = 8, width: int = 10) -> tuple[Builder, str]:
    made = Builder(np.random.default_rng(0), (height, width, 2), IntType(8), sparse=True)
    return made, made.conv(2, 1, "int4")


def depths(made: Builder, main: str, straight: str, words: int = 1) -> tuple[int, int]:
    """(of the edge that runs straight, of the one through the windows)."""
    add = made.add(main, straight, "int4")
    graph = Graph("net", tuple(made.nodes), add)
    return min_deadlock_free_depth(graph, straight, add, words), min_deadlock_free_depth(graph, main, add, words)


@pytest.mark.parametrize(
    "kernels, sites", [((3,), 11), ((3, 3), 22), ((5,), 22), ((1,), 0), ((1, 3, 1), 11), ((7,), 33)]
)
def test_windows_in_a_row(kernels: tuple[int, ...], sites: int) -> None:
    """A kernel of 3 waits for a row of 10 and a site more."""
    made, start = net()
    for kernel in kernels:
        made.conv(2, kernel, "int4")
    assert depths(made, made.last, start, words=2) == (2 * (sites + 1), 2)


def test_a_stride_waits_for_its_own_cell_only() -> None:
    made, start = net()
    made.conv(2, 3, "int4", stride=2)
    main = made.conv(2, 3, "int4")
    straight = made.conv(2, 1, "int4", stride=2, after=start)
    assert depths(made, main, straight) == (5 + 1 + 1, 2)


def test_before_a_stride_rows_count_by_the_cells_they_end() -> None:
    made, start = net()
    made.conv(2, 5, "int4")
    main = made.conv(2, 3, "int4", stride=2)
    straight = made.conv(2, 1, "int4", stride=2, after=start)
    assert depths(made, main, straight) == (5 + 1 + 1, 2)


def test_no_more_than_a_frame_and_its_end() -> None:
    made, start = net(2, 3)
    made.conv(2, 7, "int4")
    assert depths(made, made.last, start, words=2) == (2 * 6 + 1, 2)


def test_a_block_within_a_block_is_its_longer_way() -> None:
    made, start = net()
    inner = made.conv(2, 3, "int4")
    made.conv(2, 3, "int4")
    made.add(made.last, inner, "int4")
    assert depths(made, made.last, start) == (23, 2)


def test_only_what_lies_between_parting_and_add_counts() -> None:
    made, _ = net()
    start = made.conv(2, 7, "int4")
    made.conv(2, 3, "int4")
    assert depths(made, made.last, start) == (12, 2)


def test_what_sums_frames_waits_for_all_of_one() -> None:
    made, start = net(1, 1)
    made.global_pool("int4")
    assert depths(made, made.last, start, words=2) == (3, 2)
