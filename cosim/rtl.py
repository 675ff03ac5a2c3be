"""Running frames through the generated Verilog: what came out, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.beats import Beats
from cosim.player import FRAME_LIMIT, Source, Stalls, play
from cosim.simulator import SimulatorKind
from hw.layout import InputLayout, TokenLayout
from models.ir.frame import Frame


@dataclass(frozen=True, eq=False)
class RtlRun:
    """What a simulation gave. Cycle 0 is the first after reset; every figure is of kind ``rtl``."""

    simulator: SimulatorKind
    input: Beats
    output: Beats
    edges: dict[str, Beats]
    cycles: int
    build_seconds: float
    wall_seconds: float

    @property
    def frames(self) -> list[Frame]:
        return self.output.frames

    @property
    def latency(self) -> list[int]:
        """For each frame the cycles from its first beat in to its last token out.

        Frames follow each other at once, so all but the first also wait for those before them.
        """
        return [last - first for first, last in zip(self.input.first_cycles, self.output.last_cycles)]  # noqa: B905

    @property
    def intervals(self) -> list[int]:
        """Cycles between the ``end`` beats of consecutive frames out."""
        return np.diff(self.output.end_cycles).tolist()

    @property
    def cycles_per_second(self) -> float:
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
    """Plays ``frames`` back to back through the module ``netweave`` of ``verilog``.

    ``probes``: layouts of further output streams of the module, by port prefix, to record.
    ``waveform``: a .vcd or .fst file to write. ``build_dir`` keeps builds for the next call.
    ``frame_limit``: cycles without a frame out after which SimulationTimeout says how far the
    design came. ``progress`` is told what happens next. Raises SimulationError when the simulator
    is missing or fails, or the design breaks the rule that a waiting beat stays as it is.
    """
    recording = play(
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
