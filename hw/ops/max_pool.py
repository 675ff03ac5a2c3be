"""Max pooling: the largest code of a window, in the number format of the input."""

from __future__ import annotations

from typing import ClassVar

from hw.ops.pool import PoolOp
from models.ir.ops.max_pool import MaxPool
from models.ir.thresholds import Rescaling


class MaxPoolOp(PoolOp):
    """Max pooling with its mapping.

    Parameters
        node       the pooling
        inputs     its one input
        mapping    ``pe`` divides the channels, ``simd == pe``; ``taps`` is 1 or ``kernel^2``
    Raises         ValueError: a mapping that does not fit the node
    """

    node: MaxPool
    largest: ClassVar[bool] = True

    @property
    def requant(self) -> Rescaling | None:
        return None

    @property
    def accumulator(self) -> tuple[int, int]:
        return self.node.dtype.min, self.node.dtype.max
