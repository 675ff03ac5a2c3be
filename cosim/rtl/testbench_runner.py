"""Plays frames into every input stream of a Verilog module and records all its streams."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cosim.rtl.harness.testbench import STREAMS, record_file, source_file, testbench
from cosim.rtl.simulator import SimulationError, SimulatorKind, build, run
from cosim.rtl.trace import StreamTrace, TraceFile, what_hung
from hw.streams.layout import InputLayout, TokenLayout
from models.ir.frame import Frame

FRAME_LIMIT = 1_000_000
"""Cycles without a frame out after which a design counts as hung."""


class SimulationTimeout(SimulationError):
    """No frame came out of the design, or no beat moved, for too long."""


@dataclass(frozen=True)
class Stalls:
    """How often source and sink wait.

    Parameters
        source    share of cycles in which the source offers no new beat, at least 0 and below 1
        sink      share of cycles in which the sink takes no beat, likewise
        seed      seed of the cycles in which they wait
    Raises        ValueError: a share out of range
    """

    source: float = 0.0
    sink: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, share in (("source", self.source), ("sink", self.sink)):
            if not 0.0 <= share < 1.0:
                raise ValueError(f"stalls {name}: {share!r} must be at least 0 and below 1")

    @property
    def plusargs(self) -> dict[str, int]:
        """The arguments that pass them to the testbench."""
        mixed = (self.seed * 0x9E3779B1) & 0xFFFFFFFF
        return {
            "source_share": round(self.source * 65536),
            "source_seed": mixed or 1,
            "sink_share": round(self.sink * 65536),
            "sink_seed": (mixed ^ 0x55555555) or 1,
        }


@dataclass(frozen=True, eq=False)
class Source:
    """An input stream.

    Parameters
        layout    layout of the stream
        frames    the frames to play
    """

    layout: InputLayout
    frames: Sequence[Frame]


@dataclass(frozen=True, eq=False)
class Trace:
    """What a run recorded. Cycle 0 is the first after reset.

    Parameters
        simulator        the simulator
        beats            the beats of every stream, by port prefix
        cycles           cycles of the run
        build_seconds    time to build the simulation
        wall_seconds     time of the simulation
    """

    simulator: SimulatorKind
    beats: dict[str, StreamTrace]
    cycles: int
    build_seconds: float
    wall_seconds: float


def run_testbench(
    verilog: Path,
    sources: Mapping[str, Source],
    sinks: Mapping[str, TokenLayout],
    probes: Mapping[str, TokenLayout],
    *,
    simulator: str,
    stalls: Stalls,
    waveform: Path | None,
    build_dir: Path,
    frame_limit: int,
    progress: Callable[[str], None],
) -> Trace:
    """Play the sources until as many frames came out of every sink.

    Parameters
        verilog        file with the module ``netweave``
        sources        the input streams by port prefix, all with equally many frames
        sinks          layouts of the output streams, by port prefix
        probes         layouts of outputs that are only recorded, by port prefix
        simulator      ``verilator`` or ``icarus``
        stalls         stalls of sources and sinks
        waveform       .vcd or .fst file to write; None: none
        build_dir      folder for simulator builds, which later calls use again
        frame_limit    cycles without a frame out after which the design counts as hung
        progress       called with what happens next
    Raises             ValueError: an unknown simulator or kind of waveform; SimulationError: a simulator that is
                       missing or fails, or a stream that breaks its rules; SimulationTimeout: a design that hangs
    """
    kind = _kind(simulator)
    if waveform is not None and waveform.suffix not in (".vcd", ".fst"):
        raise ValueError(f"waveform: {waveform} must end in .vcd or .fst")
    (ends,) = {len(source.frames) for source in sources.values()}
    words = {name: _words(source) for name, source in sources.items()}
    layouts: dict[str, InputLayout] = {**{name: source.layout for name, source in sources.items()}, **sinks, **probes}
    widths = {name: layout.width for name, layout in layouts.items()}
    groups = ({name: widths[name] for name in group} for group in (sources, sinks, probes))
    texts = [
        (verilog.name, verilog.read_text()),
        (STREAMS.name, STREAMS.read_text()),
        ("testbench.v", testbench(*groups)),
    ]
    progress(f"building the {kind} simulation of {verilog.name}")
    started = time.perf_counter()
    built = build(kind, texts, build_dir, waveform=f"waveform{waveform.suffix}" if waveform else None)
    build_seconds = time.perf_counter() - started
    progress(f"running {ends} frames through {kind}")
    with TemporaryDirectory(dir=build_dir, prefix="run-") as scratch:
        folder = Path(scratch).resolve()
        for name, text in words.items():
            (folder / source_file(name)).write_text(text)
        result = run(built, folder, {**stalls.plusargs, "ends": ends, "limit": frame_limit})
        if waveform is not None:
            waveform.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(folder / f"waveform{waveform.suffix}", waveform)
        read = {name: TraceFile.read(name, layout, folder / record_file(name)) for name, layout in layouts.items()}
    cycles = int(result["cycles"])
    if result["timed_out"]:
        raise SimulationTimeout(what_hung(read, sources, sinks, ends, cycles, frame_limit))
    beats = {name: record.beats for name, record in read.items()}
    return Trace(kind, beats, cycles, build_seconds, result["wall_seconds"])


def _words(source: Source) -> str:
    return "".join(f"{payload:x}\n" for frame in source.frames for payload in source.layout.beats(frame))


def _kind(simulator: str) -> SimulatorKind:
    try:
        return SimulatorKind(simulator)
    except ValueError:
        raise ValueError(f"simulator: {simulator!r} must be one of {', '.join(SimulatorKind)}") from None
