"""A small accelerator for the tests: adds one to every feature, with a fault on request."""
# amaranth: UnusedElaboratable=no

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from amaranth.back import verilog
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cosim.rtl.run import RtlRun, simulate
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import Shape
from models.ir.ops.input import Input
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant

SHAPE = Shape(4, 5, 6)
DTYPE = IntType(8)
LAYOUT = TokenLayout(SHAPE, DTYPE, 3)
PROBE = "edge_input__plus_one_0"
FAULTY_BEAT = 21
_PROBE_SIGNATURE = wiring.Signature({"payload": Out(LAYOUT.width), "valid": Out(1), "ready": Out(1)})


class PlusOne(wiring.Component):
    """One register of ``LAYOUT`` with a probe on its input edge.

    ``fault``: "hangs" takes nothing from beat FAULTY_BEAT on, "wrong" adds 3 to lane 2 of it,
    "drops" swallows it, "withdraws" lowers ``valid`` after one cycle without ``ready``.
    """

    i: Any
    o: Any

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        stream = LAYOUT.signature
        super().__init__({"i": In(stream), "o": Out(stream), PROBE: Out(_PROBE_SIGNATURE)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat = Signal(16)
        full = Signal()
        waited = Signal()
        faulty = beat == FAULTY_BEAT
        probe = getattr(self, PROBE)
        m.d.comb += [
            self.i.ready.eq(~full | (self.o.valid & self.o.ready)),
            self.o.valid.eq(full),
            probe.payload.eq(self.i.payload.as_value()),
            probe.valid.eq(self.i.valid),
            probe.ready.eq(self.i.ready),
        ]
        m.d.sync += waited.eq(full & ~self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += [full.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
            with m.If(~self.i.payload.end):
                for lane in range(LAYOUT.lanes):
                    m.d.sync += self.o.payload.features[lane].eq(self.i.payload.features[lane] + 1)
                if self.fault == "wrong":
                    with m.If(faulty):
                        m.d.sync += self.o.payload.features[2].eq(self.i.payload.features[2] + 3)
            with m.If(self.i.valid):
                m.d.sync += beat.eq(beat + 1)
        if self.fault == "hangs":
            with m.If(faulty):
                m.d.comb += self.i.ready.eq(0)
                with m.If(self.o.ready):
                    m.d.sync += full.eq(0)
        elif self.fault == "drops":
            with m.If(faulty & self.i.ready):
                m.d.sync += full.eq(0)
        elif self.fault == "withdraws":
            m.d.comb += self.o.valid.eq(full & ~waited)
        return m


def write_verilog(folder: Path, fault: str = "") -> Path:
    path = folder / "netweave.v"
    path.write_text(verilog.convert(PlusOne(fault), name="netweave", emit_src=False))
    return path


def plus_one_graph() -> Graph:
    channels = SHAPE.channels
    requant = Requant(np.ones(channels, np.int64), np.ones(channels, np.int64), 0, DTYPE.min, DTYPE.max)
    return Graph(
        "plus_one",
        (
            Input(name="input", dtype=DTYPE, scale=1.0, shape=SHAPE, sparse=True),
            Requantize(name="plus_one", inputs=("input",), dtype=DTYPE, scale=1.0, requant=requant),
        ),
        "plus_one",
    )


def random_frames(count: int, seed: int = 0) -> list[Frame]:
    """Frames of random sites, the second one empty."""
    rng = np.random.default_rng(seed)
    frames = []
    for number in range(count):
        mask = rng.random(SHAPE[:2]) < (0.0 if number == 1 else 0.7)
        frames.append(Frame.from_dense(rng.integers(-100, 100, SHAPE), mask))
    return frames


FRAMES = random_frames(6)
"""The frames that ``run_plus_one`` takes."""


def run_plus_one(folder: Path, build_dir: Path, simulator: str, fault: str = "", **options: Any) -> RtlRun:
    """Run ``PlusOne`` on ``FRAMES``; its Verilog is written to the folder."""
    verilog = write_verilog(folder, fault)
    return simulate(verilog, LAYOUT, LAYOUT, FRAMES, simulator=simulator, build_dir=build_dir, **options)
