"""Streams of the cycle simulator: when beats are offered and taken, through queues, forks and lane converters."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Stream:
    """The beats of one stream. ``beats``: of each frame, its ``end`` included (1 for an empty frame).

    Beat n moves in cycle ``moved[n]``: the first in which its producer offers it (``offered[n]``), its consumer takes
    it, and the beat before it is gone.
    """

    name: str
    beats: list[int]
    offered: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        self.total = sum(self.beats)

    def shown(self, n: int) -> int:
        """The cycle from which beat ``n`` stands before the consumer; those before it must have moved."""
        return max(self.offered[n], self.moved[n - 1] + 1) if n else self.offered[0]

    def move(self, ready: int) -> int:
        """Take the next beat, in cycle ``ready`` at the earliest."""
        time = max(self.shown(len(self.moved)), ready)
        self.moved.append(time)
        return time

    def ends(self) -> list[int]:
        """The number of each frame's ``end`` beat."""
        total, ends = -1, []
        for beats in self.beats:
            total += beats
            ends.append(total)
        return ends


Process = Iterator[None]
"""Pauses with a bare yield while a time it needs is unknown."""


def most_held(into: Stream, out: Stream) -> int:
    """The depth at which a queue never holds a beat back: a place is free a cycle after its beat left."""
    return max((n + 1 - bisect_right(out.moved, time - 1) for n, time in enumerate(into.moved)), default=0)


def queue(i: Stream, o: Stream, depth: int) -> Process:
    for n in range(i.total):
        while len(i.offered) <= n or len(o.moved) <= n - depth:
            yield
        o.offered.append(i.move(o.moved[n - depth] + 1 if n >= depth else 0) + 1)


def block_queue(i: Stream, shown: list[int], depth: int) -> Process:
    """The way into a queue of block memory; ``shown``: when each beat went from the memory to the output register."""
    for n in range(i.total):
        while len(i.offered) <= n or len(shown) <= n - depth:
            yield
        i.move(shown[n - depth] + 1 if n >= depth else 0)


def block_queue_output(i: Stream, shown: list[int], o: Stream) -> Process:
    for n in range(i.total):
        while len(i.moved) <= n or len(o.moved) < n:
            yield
        shown.append(max(i.moved[n] + 1, o.moved[n - 1] if n else 0))
        o.offered.append(shown[n] + 1)


def fork(i: Stream, branches: list[Stream]) -> Process:
    for n in range(i.total):
        while len(i.offered) <= n:
            yield
        offered = i.shown(n)
        for branch in branches:
            branch.offered.append(offered)
        while any(len(branch.moved) <= n for branch in branches):
            yield
        i.move(max(branch.moved[n] for branch in branches))


def widen(i: Stream, o: Stream, ways: int) -> Process:
    n = 0
    for beats in i.beats:
        for beat in range(beats):
            sent = len(o.offered)
            while len(i.offered) <= n or len(o.moved) < sent:
                yield
            whole = beat == beats - 1 or beat % ways == ways - 1
            time = i.move(o.moved[-1] if whole and sent else 0)
            if whole:
                o.offered.append(time + 1)
            n += 1


def narrow(i: Stream, o: Stream, ways: int) -> Process:
    n = 0
    for beats in i.beats:
        for beat in range(beats):
            while len(i.offered) <= n or len(o.moved) < len(o.offered):
                yield
            time = i.move(o.moved[-1] if o.moved else 0)
            o.offered += [time + 1] * (1 if beat == beats - 1 else ways)
            n += 1
