"""Plays frames through the generated Verilog: what came out, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.rtl.simulator import SimulatorKind
from cosim.rtl.testbench_runner import FRAME_LIMIT, Source, Stalls, run_testbench
from cosim.rtl.trace import StreamTrace
from hw.streams.layout import InputLayout, TokenLayout
from models.ir.frame import Frame


@dataclass(frozen=True, eq=False)
class RtlRun:
    """The result of a simulation. Cycle 0 is the first after reset; every figure is of kind ``rtl``.

    Parameters
        simulator        the simulator
        input            beats of the input stream
        output           beats of the output stream
        edges            beats of each probed edge, by port prefix
        cycles           cycles of the run
        build_seconds    time to build the simulation
        wall_seconds     time of the simulation
    """

    simulator: SimulatorKind
    input: StreamTrace
    output: StreamTrace
    edges: dict[str, StreamTrace]
    cycles: int
    build_seconds: float
    wall_seconds: float

    @property
    def frames(self) -> list[Frame]:
        """The frames that came out."""
        return self.output.frames

    @property
    def latency(self) -> list[int]:
        """Cycles of each frame from its first beat in to its last token out.

        Frames follow each other at once, so the latency of all but the first includes the wait for earlier frames.
        """
        return [last - first for first, last in zip(self.input.first_cycles, self.output.last_cycles)]  # noqa: B905

    @property
    def intervals(self) -> list[int]:
        """Cycles between the ``end`` beats of consecutive frames out."""
        return np.diff(self.output.end_cycles).tolist()

    @property
    def cycles_per_second(self) -> float:
        """Speed of the simulation."""
        return self.cycles / self.wall_seconds


def simulate(
    verilog: Path,
    in_layout: InputLayout,
    out_layout: TokenLayout,
    frames: Sequence[Frame],
    *,
    simulator: str = "verilator",
    stalls: Stalls | None = None,
    probes: Mapping[str, TokenLayout] | None = None,
    waveform: Path | None = None,
    build_dir: Path,
    frame_limit: int = FRAME_LIMIT,
    progress: Callable[[str], None] = lambda _: None,
) -> RtlRun:
    """Play frames back to back through the module ``netweave`` of a Verilog file.

    Parameters
        verilog        the file
        in_layout      layout of the input stream ``i``
        out_layout     layout of the output stream ``o``
        frames         the frames
        simulator      ``verilator`` or ``icarus``
        stalls         stalls of source and sink; None: neither ever waits
        probes         layouts of further output streams to record, by port prefix
        waveform       .vcd or .fst file to write; None: none
        build_dir      folder for simulator builds, which later calls use again
        frame_limit    cycles without a frame out after which the design counts as hung
        progress       called with what happens next
    Raises             SimulationError: a simulator that is missing or fails, or a stream that breaks its rules;
                       SimulationTimeout: a design that hangs, with how far it came
    """
    recording = run_testbench(
        verilog,
        {"i": Source(in_layout, frames)},
        {"o": out_layout},
        probes or {},
        simulator=simulator,
        stalls=stalls or Stalls(),
        waveform=waveform,
        build_dir=build_dir,
        frame_limit=frame_limit,
        progress=progress,
    )
    streams = dict(recording.beats)
    return RtlRun(
        simulator=recording.simulator,
        input=streams.pop("i"),
        output=streams.pop("o"),
        edges=streams,
        cycles=recording.cycles,
        build_seconds=recording.build_seconds,
        wall_seconds=recording.wall_seconds,
    )
