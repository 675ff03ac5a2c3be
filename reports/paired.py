"""Whether two networks that were run on the same images differ in accuracy by more than chance."""

from __future__ import annotations

import numpy as np
from scipy.stats import binomtest

SIGNIFICANCE_LEVEL = 0.05
"""Below this probability two networks are called different."""


def mcnemar(one: np.ndarray, other: np.ndarray) -> float:
    """McNemar's exact test, two-sided.

    The probability that images which one network alone gets right are shared out between the two at least as unevenly
    as they are, if both are equally good.

    Parameters
        one    bool [n], the images that a network gets right
        other  the same of the other network
    """
    if one.shape != other.shape:
        raise ValueError(f"paired test: networks were run on {len(one)} and on {len(other)} images")
    alone = int((one & ~other).sum()), int((other & ~one).sum())
    return float(binomtest(alone[0], sum(alone)).pvalue) if any(alone) else 1.0


def pack_bits(right: np.ndarray) -> str:
    """bool [n] as hexadecimal digits, as files hold it."""
    return np.packbits(right).tobytes().hex()


def unpack_bits(text: str, count: int) -> np.ndarray:
    """The first ``count`` of what was ``packed``."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8), count=count).astype(bool)
