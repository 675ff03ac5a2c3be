"""Running frames through the generated Verilog: what came out, and when."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cosim.harness.testbench import STREAMS, record_file, testbench
from cosim.simulator import SimulationError, SimulatorKind, build, run
from hw.layout import TokenLayout
from models.ir.frame import Frame

FRAME_LIMIT = 1_000_000
"""Cycles without a frame out after which a run counts as hung."""


class SimulationTimeout(SimulationError):
    """The design stopped giving frames."""


@dataclass(frozen=True)
class Stalls:
    """Shares (at least 0, below 1) of cycles in which the source offers nothing new and the sink takes nothing."""

    source: float = 0.0
    sink: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, share in (("source", self.source), ("sink", self.sink)):
            if not 0.0 <= share < 1.0:
                raise ValueError(f"stalls {name}: {share!r} must be at least 0 and below 1")


@dataclass(frozen=True, eq=False)
class Beats:
    """What moved on one stream: the payload of every beat taken and its cycle (int64 ``[n]``)."""

    layout: TokenLayout
    cycles: np.ndarray
    payloads: list[int]

    def split(self) -> list[slice]:
        """The beats of each frame that closed, its ``end`` included; a last one without ``end`` is left out."""
        ends = [index + 1 for index, payload in enumerate(self.payloads) if payload & 1]
        return [slice(start, stop) for start, stop in zip([0, *ends], ends, strict=False)]

    @property
    def frames(self) -> list[Frame]:
        """The frames the beats carry; ValueError where they break the stream contract."""
        return list(self.layout.frames(self.payloads))

    @property
    def first_cycles(self) -> list[int]:
        """The cycle of each frame's first beat."""
        return [int(self.cycles[part.start]) for part in self.split()]

    @property
    def last_cycles(self) -> list[int]:
        """The cycle of each frame's last beat that is not ``end``; of ``end`` in an empty frame."""
        return [int(self.cycles[max(part.start, part.stop - 2)]) for part in self.split()]

    @property
    def end_cycles(self) -> list[int]:
        """The cycle of each frame's ``end`` beat."""
        return [int(self.cycles[part.stop - 1]) for part in self.split()]


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
    in_layout: TokenLayout,
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
    kind = _kind(simulator)
    if waveform is not None and waveform.suffix not in (".vcd", ".fst"):
        raise ValueError(f"waveform: {waveform} must end in .vcd or .fst")
    stalls, layouts = stalls or Stalls(), {"i": in_layout, "o": out_layout, **(probes or {})}
    payloads = [payload for frame in frames for payload in in_layout.beats(frame)]
    sources = [
        (verilog.name, verilog.read_text()),
        (STREAMS.name, STREAMS.read_text()),
        ("testbench.v", testbench({name: layout.width for name, layout in layouts.items()})),
    ]
    progress(f"building the {kind} simulation of {verilog.name}")
    started = time.perf_counter()
    built = build(kind, sources, build_dir, waveform=f"waveform{waveform.suffix}" if waveform else None)
    build_seconds = time.perf_counter() - started
    progress(f"running {len(frames)} frames ({len(payloads)} beats) through {kind}")
    with TemporaryDirectory(dir=build_dir, prefix="run-") as scratch:
        folder = Path(scratch).resolve()
        (folder / "i.hex").write_text("".join(f"{payload:x}\n" for payload in payloads))
        result = run(built, folder, _plusargs(stalls, len(frames), frame_limit))
        if waveform is not None:
            waveform.parent.mkdir(parents=True, exist_ok=True)
            (folder / f"waveform{waveform.suffix}").replace(waveform)
        read = {name: _Record.read(name, layout, folder / record_file(name)) for name, layout in layouts.items()}
    if result["timed_out"]:
        raise SimulationTimeout(_what_hung(read, len(frames), len(payloads), int(result["cycles"]), frame_limit))
    streams = {name: record.beats for name, record in read.items()}
    return RtlRun(
        simulator=kind,
        input=streams.pop("i"),
        output=streams.pop("o"),
        edges=streams,
        cycles=int(result["cycles"]),
        build_seconds=build_seconds,
        wall_seconds=result["wall_seconds"],
    )


def _kind(simulator: str) -> SimulatorKind:
    try:
        return SimulatorKind(simulator)
    except ValueError:
        raise ValueError(f"simulator: {simulator!r} must be one of {', '.join(SimulatorKind)}") from None


def _plusargs(stalls: Stalls, ends: int, frame_limit: int) -> dict[str, int]:
    mixed = (stalls.seed * 0x9E3779B1) & 0xFFFFFFFF
    return {
        "ends": ends,
        "limit": frame_limit,
        "source_share": round(stalls.source * 65536),
        "source_seed": mixed or 1,
        "sink_share": round(stalls.sink * 65536),
        "sink_seed": (mixed ^ 0x55555555) or 1,
    }


@dataclass(frozen=True)
class _Record:
    """One stream's record file; ``waiting`` tells, after a timeout, whether a beat waits to be taken."""

    beats: Beats
    waiting: bool

    @classmethod
    def read(cls, name: str, layout: TokenLayout, path: Path) -> _Record:
        cycles: list[int] = []
        payloads: list[int] = []
        waiting = False
        for line in path.read_text().splitlines():
            at, _, rest = line.partition(" ")
            if at == "!":
                raise SimulationError(f"stream {name}: valid fell or the payload changed in cycle {rest}, before ready")
            if at == "?":
                waiting = rest == "1 0"
                continue
            try:
                payloads.append(int(rest, 16))
            except ValueError:
                raise SimulationError(f"stream {name}: undefined bits in payload {rest!r} of cycle {at}") from None
            cycles.append(int(at))
        return cls(Beats(layout, np.array(cycles, dtype=np.int64), payloads), waiting)


def _what_hung(read: Mapping[str, _Record], frames: int, beats: int, cycles: int, limit: int) -> str:
    closed = {name: len(record.beats.split()) for name, record in read.items()}
    taken = len(read["i"].beats.payloads)
    lines = [
        f"no frame came out for {limit} cycles, after {cycles} in all: {closed['o']} of {frames} frames are out, "
        f"{closed['i'] - closed['o']} in flight, {taken} of {beats} input beats taken"
    ]
    for name, record in read.items():
        parts = record.beats.split()
        after = len(record.beats.payloads) - (parts[-1].stop if parts else 0)
        last = f"last beat in cycle {record.beats.cycles[-1]}" if record.beats.payloads else "no beat"
        state = "a beat waits for ready" if record.waiting else "no beat waits"
        lines.append(f"  {name}: {closed[name]} frames and {after} beats, {last}, {state}")
    return "\n".join(lines)
