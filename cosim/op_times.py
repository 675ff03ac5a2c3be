"""Ops of the cycle simulator that work on one site at a time or on whole frames."""

from __future__ import annotations

from collections.abc import Generator

from cosim.stream_times import Process, Stream
from hw.ops.elementwise import ElementwiseOp
from hw.ops.global_pool import GlobalPoolOp
from hw.ops.linear import LinearOp
from hw.source import RELEASE_DELAY, token_slots
from hw.window_op import WindowOp


def elementwise(op: ElementwiseOp, ins: list[Stream], o: Stream) -> Process:
    depth, pipeline = op.depth, op.pipeline
    for n in range(o.total):
        while any(len(i.offered) <= n for i in ins) or len(o.moved) <= n - depth:
            yield
        room = o.moved[n - depth] + 1 if n >= depth else 0
        time = max(room, *(i.shown(n) for i in ins))
        for i in ins:
            i.move(time)
        o.offered.append(time + pipeline)


def global_pool(op: GlobalPoolOp, i: Stream, o: Stream) -> Process:
    n, free = 0, 0
    for beats in i.beats:
        for _ in range(beats - 1):
            while len(i.offered) <= n:
                yield
            i.move(0)
            n += 1
        taken = len(o.offered) + op.end_beats - op.depth
        while len(i.offered) <= n or len(o.moved) < taken:
            yield
        end = i.move(max(free, o.moved[taken - 1] + 1 if taken > 0 else 0))
        free = end + op.end_beats
        o.offered += range(end + op.pipeline, end + op.pipeline + op.end_beats)
        n += 1


def rounds_of_site(op: WindowOp, o: Stream, free: int, steps: int, last: int) -> Generator[None, None, int]:
    """The rounds of a site of ``steps`` each, from cycle ``free`` on: (the last step of the last of them).

    ``last``: that of the round before. A round begins when its beats have room, and ends when those before are out.
    """
    beats, depth, pipeline = op.rounds.beats, op.depth, op.pipeline
    for _ in range(op.rounds.groups):
        taken = len(o.offered) + beats - depth
        while len(o.moved) < taken:
            yield
        first = max(free, o.moved[taken - 1] + 1 if taken > 0 else 0)
        last = max(first + steps - 1, last + beats)
        free = last + 1
        o.offered += range(last + pipeline, last + pipeline + beats)
    return last


def end_of_frame(op: WindowOp, o: Stream, free: int, last: int) -> Generator[None, None, int]:
    """The step of the frame's ``end``, from cycle ``free`` on; ``last``: the last step of the round before."""
    taken = len(o.offered) + 1 - op.depth
    while len(o.moved) < taken:
        yield
    done = max(free, last + op.rounds.beats, o.moved[taken - 1] + 1 if taken > 0 else 0)
    o.offered.append(done + op.pipeline)
    return done


class TokenStore:
    """``TokenSource``: ``ready``, when each site (a token, or ``end``) can be offered; ``done``, when its last step
    was.
    """

    def __init__(self, op: LinearOp | WindowOp) -> None:
        self.words = op.in_layout.beats_per_token
        self.slots = token_slots(self.words, op.rounds.cycles(1))
        self.ready: list[int] = []
        self.done: list[int] = []

    def fill(self, i: Stream) -> Process:
        n = 0
        for beats in i.beats:
            while beats:
                oldest = len(self.ready) - self.slots
                while len(i.offered) <= n or len(self.done) <= oldest:
                    yield
                time = i.move(self.done[oldest] + RELEASE_DELAY if oldest >= 0 else 0)
                words = 1 if beats == 1 else self.words
                for word in range(n + 1, n + words):
                    while len(i.offered) <= word:
                        yield
                    time = i.move(0)
                self.ready.append(time + 1)
                n += words
                beats -= words


def tokens(op: WindowOp, store: TokenStore, i: Stream, o: Stream) -> Process:
    rounds = op.rounds
    done = last = -rounds.beats
    for beats in i.beats:
        for site in range((beats - 1) // store.words + 1):
            number = len(store.done)
            while len(store.ready) <= number:
                yield
            free = max(store.ready[number], done) + 1
            if site == (beats - 1) // store.words:
                done = yield from end_of_frame(op, o, free, last)
            else:
                done = last = yield from rounds_of_site(op, o, free, rounds.words, last)
            store.done.append(done)


def whole_frames(op: LinearOp, store: TokenStore, i: Stream, o: Stream) -> Process:
    rounds, depth, pipeline = op.rounds, op.depth, op.pipeline
    done, end = -1, -rounds.end_apart
    for beats in i.beats:
        for site in range((beats - 1) // store.words + 1):
            number = len(store.done)
            while len(store.ready) <= number:
                yield
            free = max(store.ready[number], done) + 1
            if site == (beats - 1) // store.words:
                taken = len(o.offered) + rounds.end_beats - depth
                while len(o.moved) < taken:
                    yield
                done = end = max(free, end + rounds.end_apart, o.moved[taken - 1] + 1 if taken > 0 else 0)
                o.offered += range(end + pipeline, end + pipeline + rounds.end_beats)
            else:
                done = free + rounds.groups * rounds.words - 1
            store.done.append(done)
