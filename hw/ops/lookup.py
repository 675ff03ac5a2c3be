"""Any function of single numbers, from a memory of its results.

The op takes ``pe`` channels a cycle (``simd == pe``), each from a memory of its own. Cycles a frame:
``tokens * c/pe + 1``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.output import ROOM_DELAY, CreditFifo
from hw.arithmetic.weights import rom
from hw.fpga.device import Device
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, index
from hw.fpga.mapping import Memory, OpMapping
from hw.ops.latency import OpLatency
from hw.ops.op import Op, Tensor, divisors
from hw.ops.process import BeatByBeat
from hw.resources import streams
from hw.resources.sequencing import lookup_table
from hw.streams.layout import index_bits
from hw.streams.stream import delay_line
from models.ir.activity import Activity
from models.ir.node import Node
from models.ir.ops.lookup import Lookup

READ_LATENCY = 2
"""Cycles from a beat in to its results: the address's register, and the memory."""


class LookupOp(Op):
    """A function of single numbers, with its mapping.

    Parameters
        node       the lookup node
        inputs     its one input
        mapping    ``pe`` divides the channels, ``simd == pe``, ``taps`` is 1; ``memory`` holds the results
    Raises         ValueError: a mapping that does not fit the node
    """

    node: Lookup

    @classmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        for pe in divisors(inputs[0].shape.channels):
            for memory in Memory.on(device):
                yield OpMapping(pe, pe, memory=memory)

    def check(self) -> None:
        self._divides("pe", self.shape.channels, "channels")
        self._one_of("simd", (self.mapping.pe,))
        self._one_of("taps", (1,))

    @property
    def out_lanes(self) -> int:
        return self.mapping.pe

    @property
    def start(self) -> int:
        return 0

    @property
    def pipeline(self) -> int:
        """Cycles from a beat in to its beat at ``o``, the queue included."""
        return READ_LATENCY + 1

    @property
    def depth(self) -> int:
        """Places of the output queue: one for each beat on its way, and those that are free too late."""
        return self.pipeline + ROOM_DELAY

    @property
    def turns(self) -> int:
        """How many rows of the table a lane takes in turn: the beats of a token, or 1 where channels do not differ."""
        return self.out_layout.beats_per_token if len(self.node.table) > 1 else 1

    def lane_codes(self, lane: int) -> np.ndarray:
        """What the memory of a lane holds, ``[turns * codes of the input]``.

        Parameters
            lane       number of the lane
        """
        codes = self.node.codes()
        return codes[lane :: self.mapping.pe].reshape(-1) if self.turns > 1 else codes[lane % len(codes)]

    def cycles(self, activity: Activity) -> int:
        return round(activity.tokens_in * self.in_layout.beats_per_token) + 1

    def latency(self, activity: Activity) -> OpLatency:
        arriving = round(activity.tokens_in * self.in_layout.beats_per_token)
        return OpLatency(self.pipeline, self.pipeline, max(0, arriving - 1), self.pipeline, 0)

    @property
    def process(self) -> BeatByBeat:
        return BeatByBeat()

    def parts(self, f: FpgaFamily) -> list[ResourceEstimate]:
        pe, layout, turns = self.mapping.pe, self.out_layout, self.turns
        words, counter = turns << self.inputs[0].dtype.width, index(turns)
        ff = READ_LATENCY * (2 + streams.place_bits(layout)) + pe * self.inputs[0].dtype.width + 2 * counter
        tables = [
            lookup_table(f, self.lane_codes(lane), words, layout.dtype.width, self.mapping.memory) for lane in range(pe)
        ]
        return [
            ResourceEstimate("elementwise", (1.0, counter, 0, 0), ff=ff),
            *tables,
            *streams.output(f, layout, self.depth),
        ]

    def component(self) -> wiring.Component:
        return LookupComponent(self)


class LookupComponent(wiring.Component):
    """The hardware of a ``LookupOp``.

    Parameters
        op         the op
    Ports
        i          in, tokens of ``op.in_layout``
        o          out, tokens of ``op.out_layout``
    Timing
        II         1 beat per cycle
        latency    ``op.pipeline`` cycles
    Reset          drops everything
    """

    def __init__(self, op: LookupOp) -> None:
        self.op = op
        super().__init__({"i": In(op.in_layout.signature), "o": Out(op.out_layout.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op = self.op
        m.submodules.output = output = CreditFifo(op.out_layout, op.depth)
        wiring.connect(m, output.o, wiring.flipped(self.o))
        taken, here = Signal(), self.i.payload
        m.d.comb += [
            self.i.ready.eq(output.open),
            taken.eq(self.i.valid & output.open),
            output.reserve.eq(taken),
        ]
        turn = Signal(index_bits(op.turns))
        if op.turns > 1:
            with m.If(taken & ~here.end):
                m.d.sync += turn.eq(Mux(turn == op.turns - 1, 0, turn + 1))
        results = []
        for lane in range(op.mapping.pe):
            code = here.features[lane]
            address = Cat(code, turn) if op.turns > 1 else code
            words = op.lane_codes(lane).tolist()
            results.append(rom(m, words, op.node.dtype.width, op.mapping.memory, address, f"table{lane}"))
        end = delay_line(m, here.end, READ_LATENCY, "end")
        m.d.comb += [
            output.push.eq(delay_line(m, taken, READ_LATENCY, "push")),
            output.payload.end.eq(end),
            output.payload.y.eq(delay_line(m, here.y, READ_LATENCY, "y")),
            output.payload.x.eq(delay_line(m, here.x, READ_LATENCY, "x")),
            output.payload.features.as_value().eq(Mux(end, 0, Cat(*results))),
        ]
        return m
