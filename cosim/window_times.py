"""Window ops of the cycle simulator: rows come in, windows leave, and rows are freed for others.

A dense source knows which row comes next and counts its sites; a sparse one keeps the rows that have tokens and
finds its sites, through three registers (``hw.sparse_source``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cosim.active_sites import WindowSites
from cosim.op_times import end_of_frame, rounds_of_site
from cosim.stream_times import Process, Stream
from hw.source import FRAMES_AHEAD, RELEASE_DELAY, WindowGeometry
from hw.window_op import WindowOp


class RowStore:
    """``WindowSource``: when each row was freed, and when the close of each frame was offered."""

    def __init__(self, op: WindowOp) -> None:
        self.geometry = op.geometry
        self.freed: list[int] = []
        self.closed: list[int] = []

    def fill(self, i: Stream) -> Process:
        g = self.geometry
        n, row = 0, 0
        for frame, beats in enumerate(i.beats):
            for beat in range(beats):
                starts_row = beat < beats - 1 and beat % (g.width * g.words) == 0
                while (
                    len(i.offered) <= n
                    or (beat == 0 and len(self.closed) <= frame - FRAMES_AHEAD)
                    or (starts_row and len(self.freed) <= row - g.rows)
                ):
                    yield
                ready = 0
                if beat == 0 and frame >= FRAMES_AHEAD:
                    ready = self.closed[frame - FRAMES_AHEAD] + 1
                if starts_row:
                    if row >= g.rows:
                        ready = max(ready, self.freed[row - g.rows] + RELEASE_DELAY)
                    row += 1
                i.move(ready)
                n += 1


def windows(op: WindowOp, store: RowStore, i: Stream, o: Stream) -> Process:
    g, rounds = op.geometry, op.rounds
    reach = g.kernel - 1 - g.padding
    inside_y, inside_x = _taps_inside(g.height, g.out_height, g), _taps_inside(g.width, g.out_width, g)
    done, last, start = -1, -rounds.beats, 0
    for beats in i.beats:
        freed = 0
        if beats > 1:
            for y in range(g.out_height):
                need_y = min(y * g.stride + reach, g.height - 1)
                for x in range(g.out_width):
                    need_x = min(x * g.stride + reach, g.width - 1)
                    needed = start + (need_y * g.width + need_x + 1) * g.words - 1
                    while len(i.moved) <= needed:
                        yield
                    free = max(i.moved[needed] + 1, done) + 1
                    steps = rounds.steps(inside_y[y] * inside_x[x])
                    done = last = yield from rounds_of_site(op, o, free, steps, last)
                rows = need_y + 1 if y == g.out_height - 1 else min((y + 1) * g.stride - g.padding, need_y + 1)
                store.freed += [done] * max(0, rows - freed)
                freed = max(freed, rows)
        # the close of the frame: after its last row, or at once when it is empty
        needed = start + max(0, beats - 2)
        while len(i.moved) <= needed:
            yield
        offered = max(i.moved[needed] + 1, done)
        store.closed.append(offered)
        done = yield from end_of_frame(op, o, offered + 1, last)
        if beats > 1:
            store.freed += [done] * (g.height - freed)
        start += beats


def _taps_inside(side: int, out: int, g: WindowGeometry) -> list[int]:
    """For each output index how many of the window's taps lie inside."""
    starts = [g.stride * n - g.padding for n in range(out)]
    return [sum(0 <= start + k < side for k in range(g.kernel)) for start in starts]


class SparseRowStore:
    """``SparseWindowSource``: when the rows that each site frees were free, and when the end of each frame was found.

    Nothing waits for ever, whatever the frames. Let a row wait for storage, and all sites be done but those that need
    more input; let a be the cell row of the last one that was done, b that of the first that was not. The rows kept
    have tokens, so each lies in a cell of a site or a blank: in the window or the cell of a, or in cell row b or below,
    and above the last row that b needs. These are at most ``stride + padding + reach`` rows, where reach is
    ``kernel - 1 - padding``, or ``stride - 1`` for kernel 1: fewer than the storage has, ``kernel + stride`` and one
    more for each row that a stride passes over. Rows above or below all cells come with no a or no b, and are fewer.
    """

    def __init__(self, op: WindowOp, frames: Sequence[WindowSites]) -> None:
        self.op, self.frames = op, frames
        self.freed: list[int] = []
        self.found: list[int] = []
        self.awaited = -1
        # the site that frees the storage of each row that needs storage again
        rows = np.cumsum([0, *(frame.rows[-1] for frame in frames)])
        by_site = np.concatenate([frame.rows + before for frame, before in zip(frames, rows, strict=False)])
        again = np.arange(1, rows[-1] - op.geometry.rows + 1)
        self._freeing: list[int] = np.searchsorted(by_site, again).tolist()

    def fill(self, i: Stream) -> Process:
        rows, words = self.op.geometry.rows, self.op.in_layout.beats_per_token
        n, row = 0, 0
        for number, frame in enumerate(self.frames):
            for starts_row in frame.starts_row.tolist():
                ready = 0
                if starts_row:
                    if row >= rows:
                        self.awaited = self._freeing[row - rows]
                        while len(self.freed) <= self.awaited:
                            yield
                        ready = self.freed[self.awaited] + RELEASE_DELAY
                    row += 1
                for _ in range(words):
                    while len(i.offered) <= n:
                        yield
                    i.move(ready)
                    n += 1
            while len(i.offered) <= n or len(self.found) <= number - FRAMES_AHEAD:
                yield
            i.move(self.found[number - FRAMES_AHEAD] + 1 if number >= FRAMES_AHEAD else 0)
            n += 1


def sparse_windows(op: WindowOp, store: SparseRowStore, i: Stream, o: Stream) -> Process:
    """A site is found when it is complete, looked up, and offered, each a cycle later or when its register is free.

    A blank frees rows as a site in its place would, but holds nothing up: where it is, the next site may be found. One
    that is overwritten before it was looked up frees nothing; the next site does.
    """
    rounds, words = op.rounds, op.in_layout.beats_per_token
    steps_of = [rounds.steps(taps) for taps in range(op.geometry.taps + 1)]
    place = looked = offered = freed = done = -1
    last, start, undecided, overwritten = -rounds.beats, 0, False, 0
    moved, shows = i.moved, i.offered
    for beats, frame in zip(i.beats, store.frames, strict=True):
        needed = start + frame.tokens * words - frame.whole
        start += beats
        sites = zip(
            [*needed.tolist(), start - 1],
            [*frame.whole.tolist(), True],
            [*frame.taps.tolist(), END],
            [*frame.blank.tolist(), False],
            strict=True,
        )
        for beat, whole, taps, blank in sites:
            # what follows the last token of a site must only show, whether it is taken or not
            taken = beat + whole
            while len(moved) < taken or len(shows) <= beat:
                if undecided and len(store.freed) <= store.awaited and len(moved) < taken:
                    # the input that completes this site waits for rows of the blank, which was looked up long before
                    store.freed += [freed] * (1 + overwritten)
                    undecided, overwritten = False, 0
                yield
            found = max((moved[beat] if whole else i.shown(beat)) + 1, place)
            if undecided:
                if found < looked:
                    overwritten += 1
                else:
                    store.freed += [freed] * (1 + overwritten)
                    overwritten = 0
            looked = max(found + 1, offered)
            freed = max(looked + 1, done)
            undecided = blank
            if blank:
                place = found + 1
                continue
            place, offered = looked, freed
            store.freed += [freed] * (1 + overwritten)
            overwritten = 0
            if taps == END:
                store.found.append(found)
                done = yield from end_of_frame(op, o, offered + 1, last)
            else:
                done = last = yield from rounds_of_site(op, o, offered + 1, steps_of[taps], last)


END = -1
"""In place of a site's active taps: the frame's end."""
