"""Max and average pooling over k x k windows: a depthwise schedule without weights.

Cycles a site: ``ceil(active/taps) * c/pe``. The average is the requantized sum over the active sites of a window. The
maximum is taken over codes and keeps the number format of the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from hw.arithmetic.mac import Sums
from hw.fpga.device import Device
from hw.fpga.mapping import Multiplier, OpMapping
from hw.ops.op import Tensor, divisors
from hw.ops.window_op import WindowOp
from models.ir.accumulator import bounds, width
from models.ir.node import Node
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.max_pool import MaxPool
from models.ir.ops.windowed import WindowNode
from models.ir.requant import Requant


class PoolOp(WindowOp):
    """A max or average pooling with its mapping.

    Parameters
        node       the pooling
        inputs     its one input
        mapping    ``pe`` divides the channels, ``simd == pe``; ``taps`` is 1 or ``kernel^2``
    Raises         ValueError: a mapping that does not fit the node
    """

    node: MaxPool | AvgPool

    @classmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        assert isinstance(node, WindowNode)
        for pe in divisors(inputs[0].shape.channels):
            for taps in sorted({1, node.kernel**2}):
                yield OpMapping(pe, pe, taps)

    @property
    def channelwise(self) -> bool:
        return True

    @property
    def requant(self) -> Requant | None:
        return self.node.requant if isinstance(self.node, AvgPool) else None

    @property
    def accumulator(self) -> tuple[int, int]:
        if isinstance(self.node, AvgPool):
            return bounds(self.node, self.inputs[0].dtype, self.inputs[0].shape)
        return self.node.dtype.min, self.node.dtype.max

    @cached_property
    def sums(self) -> Sums:
        return Sums(
            pe=self.mapping.pe,
            simd=self.mapping.pe,
            taps=1 if self.walks_taps else self.node.kernel**2,
            features=self.inputs[0].dtype,
            weights=None,
            multiplier=Multiplier.LUT,
            channelwise=True,
            width=width(*self.accumulator),
            largest=isinstance(self.node, MaxPool),
        )

    def weight_words(self) -> np.ndarray:
        return np.zeros((0, 0), dtype=np.int64)
