"""A toy operation, ``torch.flip`` of the channels, with everything that ``docs/contributing.md`` asks of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from torch import Tensor as TorchTensor

from hw.arithmetic.output import ROOM_DELAY, CreditFifo
from hw.fpga.device import Device
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate
from hw.fpga.mapping import OpMapping
from hw.ops.latency import OpLatency
from hw.ops.op import Op, Tensor
from hw.ops.process import BeatByBeat
from hw.resources import streams
from models.frontend.build import PlanBuilder, SettingError, Value
from models.ir.activity import Activity
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Node, Shape
from models.ir.ops.elementwise import ElementwiseNode
from models.layers.integers import Integers
from models.layers.layer import Layer
from models.sparse.tensor import SparseTensor


@dataclass(frozen=True, eq=False, kw_only=True)
class Flip(ElementwiseNode):
    """The channels in reverse order."""

    op: ClassVar[str] = "flip"
    owns_format: ClassVar[bool] = False

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        if self.dtype != dtypes[0]:
            raise self.error("dtype", str(self.dtype), f"must equal its input's, {dtypes[0]}")

    def compute(self, *inputs: Frame) -> Frame:
        return inputs[0].with_features(inputs[0].features[:, ::-1])


@dataclass(frozen=True, eq=False, kw_only=True)
class FlipLayer(Layer):
    """The channels in reverse order, in the format of the input."""

    kind: ClassVar[str] = "flip"
    keeps_format: ClassVar[bool] = True

    def compute(self, *inputs: TorchTensor) -> TorchTensor:
        return torch.flip(inputs[0], (1,))

    def integer(self, own: Integers, *inputs: TorchTensor) -> TorchTensor:
        return self.compute(*inputs)

    def node(self, own: Integers) -> Flip:
        return Flip(**self.common(own))


def flip(build: PlanBuilder, input: Value, dims: tuple[int, ...]) -> Value:
    """The handler of ``torch.flip``."""
    if tuple(dims) != (1,):
        raise SettingError("dims", dims, "must be (1,), that of the channels")
    return build.append(FlipLayer, input, build.shape(input))


def flip_sparse(x: SparseTensor, dims: tuple[int, ...]) -> SparseTensor:
    """``torch.flip`` of a sparse tensor's channels."""
    return x.map(lambda features: features.flip(1))


class WithoutLatency(Op):
    """The hardware of a ``Flip``, which takes whole tokens, but for its latency."""

    @classmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        channels = inputs[0].shape.channels
        yield OpMapping(channels, channels)

    def check(self) -> None:
        self._one_of("pe", (self.shape.channels,))
        self._one_of("simd", (self.mapping.pe,))

    @property
    def out_lanes(self) -> int:
        return self.mapping.pe

    @property
    def start(self) -> int:
        return 0

    @property
    def pipeline(self) -> int:
        return 1

    @property
    def depth(self) -> int:
        return self.pipeline + ROOM_DELAY

    def cycles(self, activity: Activity) -> int:
        return round(activity.tokens_in) + 1

    @property
    def process(self) -> BeatByBeat:
        return BeatByBeat()

    def parts(self, f: FpgaFamily) -> list[ResourceEstimate]:
        return list(streams.output(f, self.out_layout, self.depth))

    def component(self) -> wiring.Component:
        return FlipComponent(self)


class FlipOp(WithoutLatency):
    """The hardware of a ``Flip``."""

    def latency(self, activity: Activity) -> OpLatency:
        return OpLatency(1, 1, max(0, round(activity.tokens_in) - 1), 1, 0)


class FlipComponent(wiring.Component):
    """A beat in is a beat out, its lanes in reverse order."""

    i: Any
    o: Any

    def __init__(self, op: WithoutLatency) -> None:
        self.op = op
        super().__init__({"i": In(op.in_layout.signature), "o": Out(op.out_layout.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.output = output = CreditFifo(self.op.out_layout, self.op.depth)
        wiring.connect(m, output.o, wiring.flipped(self.o))
        taken = Signal()
        beat = self.i.payload
        lanes = [beat.features[lane] for lane in reversed(range(self.op.in_lanes))]
        m.d.comb += [
            self.i.ready.eq(output.open),
            taken.eq(self.i.valid & output.open),
            output.reserve.eq(taken),
            output.push.eq(taken),
            output.payload.end.eq(beat.end),
            output.payload.y.eq(beat.y),
            output.payload.x.eq(beat.x),
            output.payload.features.as_value().eq(Mux(beat.end, 0, Cat(*lanes))),
        ]
        return m
