"""Convolution: full, pointwise, depthwise and in groups of channels.

A round computes ``pe`` output channels of a site. A step of a full or pointwise convolution takes ``simd`` input
channels; one of a depthwise convolution takes ``pe`` channels, each for the output channel of the same number.

Cycles a site:

- full: ``ceil(active/taps) * c_in/simd * c_out/pe``
- depthwise: ``ceil(active/taps) * c/pe``
- in groups: ``ceil(active/taps) * c_in/groups/simd * c_out/pe``; a round lies in one group

Source: the window schedule of ESDA (arXiv 2401.05626), generalised.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from amaranth.hdl import Array, Const, Value, ValueLike

from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.multipliers import multipliers
from hw.fpga.device import Device
from hw.fpga.mapping import Memory, OpMapping
from hw.ops.op import Tensor, divisors
from hw.ops.window_op import WindowOp
from models.ir.accumulator import bounds, width
from models.ir.node import Node
from models.ir.ops.conv import Conv
from models.ir.thresholds import Rescaling


class ConvOp(WindowOp):
    """A convolution with its mapping.

    Parameters
        node       the convolution
        inputs     its one input
        mapping    ``pe`` divides the output channels of a group, ``simd`` its input channels (where depthwise, ``pe``
                   divides the channels, and ``simd == pe``); ``taps`` is 1 or the kernel's
    Raises         ValueError: a mapping that does not fit the convolution
    """

    node: Conv

    @classmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        assert isinstance(node, Conv)
        features, weights = inputs[0].dtype, node.weight_dtype
        c_out, c_in = node.weight.shape[:2]
        for pe in divisors(c_out if node.depthwise else c_out // node.groups):
            for simd in (pe,) if node.depthwise else divisors(c_in):
                for taps in sorted({1, node.window.taps}):
                    for memory in Memory.on(device):
                        # a depthwise lane has its features to itself
                        for kind, operand in multipliers(device, features, weights, 1 if node.depthwise else pe):
                            yield OpMapping(pe, simd, taps, memory, kind, operand)

    def check(self) -> None:
        super().check()
        if self.word_groups > 1:
            c_out, c_in = self.node.weight.shape[:2]
            self._divides("pe", c_out // self.word_groups, "output channels of a group")
            self._divides("simd", c_in, "input channels of a group")
        self.mac_array.check(self.node.name)

    @property
    def channelwise(self) -> bool:
        return self.node.depthwise

    @property
    def word_groups(self) -> int:
        return 1 if self.channelwise else self.node.groups

    def first_word(self, fold: Value) -> ValueLike:
        if self.word_groups == 1:
            return 0
        folds, words = self.folds.neuron_folds // self.word_groups, self.folds.synapse_folds
        return Array(Const(number // folds * words) for number in range(self.folds.neuron_folds))[fold]

    @property
    def requant(self) -> Rescaling:
        return self.node.requant

    @cached_property
    def accumulator(self) -> tuple[int, int]:
        return bounds(self.node, self.inputs[0].dtype, self.inputs[0].shape)

    @cached_property
    def mac_array(self) -> MacArraySpec:
        return MacArraySpec(
            pe=self.mapping.pe,
            simd=self.mapping.simd,
            taps=1 if self.serial_kernel else self.window.taps,
            features=self.inputs[0].dtype,
            weights=self.node.weight_dtype,
            multiplier=self.mapping.multiplier,
            channelwise=self.channelwise,
            width=width(*self.accumulator),
            operand=self.mapping.operand,
        )

    def weight_words(self) -> np.ndarray:
        """Weights ``[words, lanes]``, one memory word a step.

        Words are in the order of the output-channel fold, the kernel position (in a serial kernel loop), the input
        word; the lanes of a word in the order of the output channel, the kernel position, the input channel.
        """
        pe, taps = self.mapping.pe, self.window.taps
        c_out, c_in = self.node.weight.shape[:2]
        simd = 1 if self.channelwise else self.mapping.simd
        split = self.node.weight.reshape(c_out // pe, pe, c_in // simd, simd, taps)
        words = split.transpose((0, 4, 2, 1, 3) if self.serial_kernel else (0, 2, 1, 4, 3))
        return words.reshape(-1, pe * simd * (1 if self.serial_kernel else taps))
