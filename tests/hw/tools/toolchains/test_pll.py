"""Limits are part of what they allow, the best loop is the one of the largest key, and none is an error."""

from __future__ import annotations

from fractions import Fraction

import pytest

from hw.tools.toolchains.ecp5 import Ecp5Pll
from hw.tools.toolchains.ice40 import Ice40Pll
from hw.tools.toolchains.pll import PllError, best, within


def test_limits_themselves_are_allowed() -> None:
    allowed = [within(Fraction(value), (10, 400)) for value in ("9.999", "10", "400", "400.001")]
    assert allowed == [False, True, True, False]


def test_of_loops_of_the_same_clock_the_rest_of_the_key_decides() -> None:
    slow, far, near = (Ecp5Pll(Fraction(25), 1, 20, output) for output in (25, 10, 10))
    keys = {id(slow): (0, 9), id(far): (1, 2), id(near): (1, 3)}
    loops = [slow, near, far]
    assert best(loops, 25, 50, lambda pll: tuple(map(Fraction, keys[id(pll)]))) is near


def test_a_clock_out_of_reach_is_refused() -> None:
    with pytest.raises(PllError, match=r"^no phase-locked loop makes a clock of at most 2 MHz out of 25 MHz$"):
        Ecp5Pll.find(25, 2)
    with pytest.raises(PllError, match="at most 15 MHz out of 12 MHz"):
        Ice40Pll.find(12, 15, pad=False)
