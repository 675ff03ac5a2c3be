"""Average pooling: the requantized sum over the active sites of a window."""

from __future__ import annotations

from typing import ClassVar

from hw.ops.pool import PoolOp
from models.ir.accumulator import bounds
from models.ir.ops.avg_pool import AvgPool
from models.ir.thresholds import Rescaling


class AvgPoolOp(PoolOp):
    """Average pooling with its mapping.

    Parameters
        node       the pooling
        inputs     its one input
        mapping    ``pe`` divides the channels, ``simd == pe``; ``taps`` is 1 or ``kernel^2``
    Raises         ValueError: a mapping that does not fit the node
    """

    node: AvgPool
    largest: ClassVar[bool] = False

    @property
    def requant(self) -> Rescaling:
        return self.node.requant

    @property
    def accumulator(self) -> tuple[int, int]:
        return bounds(self.node, self.inputs[0].dtype, self.inputs[0].shape)
