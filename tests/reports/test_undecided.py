"""Pairs of designs against binomial probabilities worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reports import hover
from reports.designs import Designs
from reports.paired import pack_bits
from reports.undecided import undecided
from tests.reports.example import point


def test_designs_that_chance_may_set_apart_are_named() -> None:
    right = np.zeros(540, bool)
    right[:518] = True
    one, other = point(4), point(3)
    # as many images gained as before, with as many others lost: 8 against 5, and then 8 against none
    lost = right.copy()
    lost[:5], lost[518:526] = False, True
    gained = right.copy()
    gained[518:526] = True
    for after, told_apart in ((lost, False), (gained, True)):
        pair = one.model_copy(update={"right": pack_bits(right)}), other.model_copy(update={"right": pack_bits(after)})
        found = undecided(pair)
        assert [(own.faster, own.slower) for own in found] == ([] if told_apart else [("p4", "p3")])
        if found:
            # of 13, 5 or fewer on either side: 2 (1 + 13 + 78 + 286 + 715 + 1287) / 2^13
            assert found[0].probability == pytest.approx(2 * 2380 / 8192)
            assert "p3 over p4 (p = 0.58)" in hover.page(Designs("zu3eg", 200, pair))
