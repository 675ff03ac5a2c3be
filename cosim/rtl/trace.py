"""Beats as a simulation recorded them, and a report of them for a design that hangs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.rtl.simulator import SimulationError
from hw.streams.layout import InputLayout
from models.ir.frame import Frame


@dataclass(frozen=True, eq=False)
class StreamTrace:
    """What moved on one stream.

    Parameters
        layout      layout of the stream
        cycles      int64 ``[n]``, the cycle in which each beat was taken
        payloads    the payload of each beat
    """

    layout: InputLayout
    cycles: np.ndarray
    payloads: list[int]

    def split(self) -> list[slice]:
        """The beats of each whole frame; beats of an incomplete last frame are left out."""
        return self.layout.split(self.payloads)

    @property
    def frames(self) -> list[Frame]:
        """The frames that the beats carry; ValueError where they break the rules of the stream."""
        return list(self.layout.frames(self.payloads))

    @property
    def first_cycles(self) -> list[int]:
        """The cycle of each frame's first beat."""
        return [int(self.cycles[part.start]) for part in self.split()]

    @property
    def last_cycles(self) -> list[int]:
        """In a stream of tokens, the cycle of each frame's last token beat; of ``end`` for an empty frame."""
        return [int(self.cycles[max(part.start, part.stop - 2)]) for part in self.split()]

    @property
    def end_cycles(self) -> list[int]:
        """The cycle of each frame's last beat, which in a stream of tokens is its ``end``."""
        return [int(self.cycles[part.stop - 1]) for part in self.split()]


@dataclass(frozen=True)
class TraceFile:
    """The record file of one stream.

    Parameters
        beats    the beats that moved
        valid    ``valid`` at a timeout: 0, 1 or x; empty without a timeout
        ready    ``ready`` at a timeout, likewise
    """

    beats: StreamTrace
    valid: str
    ready: str

    @classmethod
    def read(cls, name: str, layout: InputLayout, path: Path) -> TraceFile:
        """Read a record file; SimulationError where the stream broke its rules or a payload has undefined bits."""
        cycles: list[int] = []
        payloads: list[int] = []
        valid = ready = ""
        for line in path.read_text().splitlines():
            at, _, rest = line.partition(" ")
            if at == "!":
                raise SimulationError(f"stream {name}: valid fell or the payload changed in cycle {rest}, before ready")
            if at == "?":
                valid, ready = rest.split()
                continue
            try:
                payloads.append(int(rest, 16))
            except ValueError:
                raise SimulationError(f"stream {name}: undefined bits in payload {rest!r} of cycle {at}") from None
            cycles.append(int(at))
        return cls(StreamTrace(layout, np.array(cycles, dtype=np.int64), payloads), valid, ready)


def what_hung(
    read: Mapping[str, TraceFile], sources: Iterable[str], sinks: Iterable[str], frames: int, cycles: int, limit: int
) -> str:
    """How far each stream came in a design that hangs, as text.

    Parameters
        read       the record of each stream, by port prefix
        sources    port prefixes of the input streams
        sinks      port prefixes of the output streams
        frames     frames to play
        cycles     cycles of the run
        limit      the cycles without a frame after which it was stopped
    """
    closed = {name: len(record.beats.split()) for name, record in read.items()}
    entered, emitted = (min(closed[name] for name in group) for group in (sources, sinks))
    lines = [
        f"no frame came out for {limit} cycles, after {cycles} in all: of {frames} frames {entered} went in whole "
        f"and {emitted} came out"
    ]
    for name, record in read.items():
        parts = record.beats.split()
        after = len(record.beats.payloads) - (parts[-1].stop if parts else 0)
        last = f"last beat in cycle {record.beats.cycles[-1]}" if record.beats.payloads else "no beat yet"
        state = f"valid {record.valid}, ready {record.ready}"
        lines.append(f"  {name}: {closed[name]} frames and {after} beats; {last}; {state}")
    return "\n".join(lines)
