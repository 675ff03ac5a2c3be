"""What max and average pooling share: a depthwise schedule without weights over windows.

Cycles a site: ``ceil(active/taps) * c/pe``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

import numpy as np

from hw.arithmetic.mac import MacArraySpec
from hw.fpga.device import Device
from hw.fpga.mapping import Multiplier, OpMapping
from hw.ops.op import Tensor, divisors
from hw.ops.window_op import WindowOp
from models.ir.accumulator import width
from models.ir.node import Node
from models.ir.ops.windowed import WindowNode


class PoolOp(WindowOp):
    """A pooling with its mapping.

    Parameters
        node       the pooling
        inputs     its one input
        mapping    ``pe`` divides the channels, ``simd == pe``; ``taps`` is 1 or the kernel's
    Raises         ValueError: a mapping that does not fit the node
    """

    largest: ClassVar[bool]
    """Whether a window gives its largest value, not its sum."""

    @classmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        assert isinstance(node, WindowNode)
        for pe in divisors(inputs[0].shape.channels):
            for taps in sorted({1, node.window.taps}):
                yield OpMapping(pe, pe, taps)

    @property
    def channelwise(self) -> bool:
        return True

    @cached_property
    def mac_array(self) -> MacArraySpec:
        return MacArraySpec(
            pe=self.mapping.pe,
            simd=self.mapping.pe,
            taps=1 if self.serial_kernel else self.window.taps,
            features=self.inputs[0].dtype,
            weights=None,
            multiplier=Multiplier.LUT,
            channelwise=True,
            width=width(*self.accumulator),
            largest=self.largest,
        )

    def weight_words(self) -> np.ndarray:
        return np.zeros((0, 0), dtype=np.int64)
