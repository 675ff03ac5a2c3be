"""From accumulators to codes: by multiplication and shift, or by comparison, as the graph says."""

from __future__ import annotations

from hw.arithmetic.requantizer import Requantizer, requantize_latency
from hw.arithmetic.threshold_search import ThresholdSearch, search_latency
from models.ir.dtype import DType
from models.ir.thresholds import Rescaling, Thresholds

Rescaler = Requantizer | ThresholdSearch
"""Lanes that turn sums into codes."""


def rescale_latency(rule: Rescaling, dtype: DType) -> int:
    """Cycles from a sum to its code.

    Parameters
        rule       how sums become numbers
        dtype      format of the codes
    """
    return search_latency(rule) if isinstance(rule, Thresholds) else requantize_latency(dtype)


def rescaler(rule: Rescaling, dtype: DType, lanes: int, bounds: tuple[int, int]) -> Rescaler:
    """Lanes that turn sums into codes.

    Parameters
        rule       how sums become numbers, for all channels
        dtype      format of the codes
        lanes      sums per cycle
        bounds     lowest and highest sum
    """
    made = ThresholdSearch if isinstance(rule, Thresholds) else Requantizer
    return made(rule, dtype, lanes, bounds)  # type: ignore[arg-type]
