# amaranth: UnusedElaboratable=no
"""Either rule from sums to codes has its lanes, of its own latency."""

from __future__ import annotations

import numpy as np

from hw.arithmetic.requantizer import Requantizer, requantize_latency
from hw.arithmetic.rescaler import rescale_latency, rescaler
from hw.arithmetic.threshold_search import ThresholdSearch, search_latency
from models.ir.formats.dybit import DyBitType
from models.ir.requant import Requant
from models.ir.thresholds import Thresholds


def test_a_rule_has_its_lanes() -> None:
    dtype, bounds = DyBitType(4), (-100, 100)
    by_product, by_levels = Requant.identity(4, -16, 16), Thresholds(np.arange(14)[None])
    assert isinstance(rescaler(by_product, dtype, 2, bounds), Requantizer)
    assert isinstance(rescaler(by_levels, dtype, 2, bounds), ThresholdSearch)
    assert rescale_latency(by_product, dtype) == requantize_latency(dtype)
    assert rescale_latency(by_levels, dtype) == search_latency(by_levels) == 2 * 4 + 1
