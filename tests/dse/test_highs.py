"""A crash of HiGHS in a search for whole picks costs that search alone."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from dse import highs
from dse.highs import Crashed, Model, search

MODEL = Model(np.array([-5.0, -4.0, -3.0]), 3, [-np.inf], [4.0], [0, 3], [0, 1, 2], [2.0, 2.0, 1.5])
"""Of three picks that weigh 2, 2 and 1.5 those that gain most and weigh at most 4: the first two."""


def test_whole_picks_are_found() -> None:
    assert search(MODEL, {}).values == [1.0, 1.0, 0.0]


def test_what_highs_prints_is_no_part_of_the_answer() -> None:
    assert search(MODEL, {"output_flag": True}).values == [1.0, 1.0, 0.0]


def test_nothing_is_found_where_nothing_is_feasible() -> None:
    assert search(Model(MODEL.costs, 3, [7.0], [8.0], [0, 3], [0, 1, 2], [2.0, 2.0, 1.5]), {}).values is None


def test_a_crash_is_named_and_the_next_search_finds() -> None:
    search(MODEL, {})
    assert highs._OWN.process is not None
    os.kill(highs._OWN.process._process.pid, signal.SIGSEGV)
    with pytest.raises(Crashed, match="HiGHS crashed"):
        search(MODEL, {})
    assert search(MODEL, {}).values == [1.0, 1.0, 0.0]


def test_a_search_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A market split problem, in which HiGHS searches for hours."""
    monkeypatch.setattr(highs, "HANG_SECONDS", 1)
    factors = np.random.default_rng(1).integers(0, 100, (6, 50)).astype(float)
    sums = list(factors.sum(1) // 2)
    starts, places = list(range(0, 301, 50)), list(range(50)) * 6
    with pytest.raises(Crashed, match="did not end"):
        search(Model(np.zeros(50), 50, sums, sums, starts, places, list(factors.ravel())), {})
    assert search(MODEL, {}).values == [1.0, 1.0, 0.0]


def test_a_fork_has_a_process_of_its_own() -> None:
    search(MODEL, {})
    child = os.fork()
    if child == 0:
        os._exit(0 if search(MODEL, {}).values == [1.0, 1.0, 0.0] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert search(MODEL, {}).values == [1.0, 1.0, 0.0]


def test_its_seconds_are_counted() -> None:
    before = highs.cpu_seconds()
    search(MODEL, {})
    assert highs.cpu_seconds() > before
