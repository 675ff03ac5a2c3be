"""Times that depend on each other, and token streams built from them; ``token_times`` is built on this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from hw.line_buffer.sequencer import Folds

ROOM_DELAY = 2
"""Cycles from a beat leaving an op until its place in the output FIFO is free again."""
UNKNOWN = -(1 << 40)
"""Stands for a time that is not known yet."""
NOTHING = -1
"""Stands for the number of a time or of a beat where there is nothing to wait for."""


class After(NamedTuple):
    """Lower bounds for other times: a number of cycles after times that are given by number.

    Parameters
        times   int64 [n], numbers of the times; ``NOTHING`` for no bound
        cycles  int64 [n], delay after each time
    """

    times: np.ndarray
    cycles: np.ndarray

    def later(self, cycles: np.ndarray | int) -> After:
        """The same bounds, later by ``cycles``."""
        return After(self.times, self.cycles + cycles)

    def at(self, places: np.ndarray) -> After:
        """The bounds at these indices; none where an index is negative."""
        there = np.maximum(places, 0)
        return After(np.where(places < 0, NOTHING, self.times[there]), self.cycles[there])


class Series:
    """Times in order, each of which becomes known only after the one before it.

    Parameters
        base   number of the first time
        count  how many times
    """

    def __init__(self, base: int, count: int) -> None:
        self.count = count
        self.all = After(base + np.arange(count), np.zeros(count, dtype=np.int64))
        self.waits: list[After] = []

    def wait(self, after: After, where: np.ndarray | None = None) -> None:
        """Add lower bounds: one for each time of the series, or one for each index in ``where``."""
        if where is not None:
            times, cycles = np.full(self.count, NOTHING), np.zeros(self.count, dtype=np.int64)
            times[where], cycles[where] = after
            after = After(times, cycles)
        self.waits.append(after)

    def previous(self) -> After:
        """The time before each one of the series; nothing for the first."""
        return self.all.at(np.arange(self.count) - 1)


Behind = Callable[[np.ndarray, np.ndarray], "tuple[TokenStream, np.ndarray, np.ndarray | int]"]
"""Function for a converter or a FIFO, called with token numbers and the beat's number within each token. It returns
the stream that the component offers, the numbers of that stream's beats that must have left before each of the
given beats can be taken, and by how many cycles before."""


class Consumer(NamedTuple):
    """The consumer of a stream's tokens.

    Parameters
        first   when the first beat of each token is taken
        last    when the last beat of each token is taken
        apart   fewest cycles between beats
        stalls  numbers of the beats of a token that may have to wait
        behind  for a FIFO or a converter: which beats of its own output must have left
    """

    first: Series
    last: Series
    apart: int = 1
    stalls: tuple[int, ...] = (0,)
    behind: Behind | None = None


class SpaceWait(NamedTuple):
    """Times that wait until beats have left a stream.

    Parameters
        series  the times that wait
        beats   number of the beat that each time waits for; ``NOTHING`` for none
        cycles  delay after that beat has left
    """

    series: Series
    beats: np.ndarray
    cycles: np.ndarray | int


class Pace(NamedTuple):
    """A lower bound on the beats inside each token.

    Parameters
        after   a time for each token
        cycles  function from the number n of a beat to the least delay of that beat after the time, for each token
    """

    after: After
    cycles: Callable[[int], np.ndarray]

    def later(self, cycles: int) -> Pace:
        """The same pace, later by ``cycles``."""
        return Pace(self.after.later(cycles), self.cycles)


class TokenStream:
    """A stream of tokens as a component offers it; the ``end`` of a frame is a token of one beat.

    Parameters
        first  when the first beat of each token is offered
        last   when the last beat of each token is offered
        ends   bool [tokens], which tokens are ``end``
        beats  beats per token
        paces  lower bounds on the beats in between
    """

    def __init__(self, first: After, last: After, ends: np.ndarray, beats: int, paces: Sequence[Pace] = ()) -> None:
        self.first, self.last, self.ends, self.paces = first, last, ends, paces
        self.beats = np.where(ends, 1, beats)
        self.numbers = np.cumsum(self.beats) - self.beats
        self.per_token = beats
        self.consumers: list[Consumer] = []
        self.space_waits: list[SpaceWait] = []
        self.later_folds: tuple[Series, Folds, int, np.ndarray] | None = None

    def wait_for_space(self, series: Series, beats: np.ndarray, cycles: np.ndarray | int) -> None:
        """Let each time of a series wait until ``cycles`` after one of ``beats`` has left this stream."""
        self.space_waits.append(SpaceWait(series, beats, np.broadcast_to(cycles, len(beats))))

    def folds(self, done: Series, folds: Folds, depth: int, steps: np.ndarray) -> None:
        """Let the later rounds of a token wait for space in an output FIFO of ``depth`` beats.

        Parameters
            done     when each token's last round is done
            folds    how a token is divided into rounds
            depth    depth of the output FIFO in beats
            steps    cycles of a round, for each token
        """
        self.later_folds = done, folds, depth, steps

    def _later_folds(self, done: Series, folds: Folds, depth: int, steps: np.ndarray) -> None:
        """Bounds for the rounds after the first.

        Of the rounds that wait for beats of one token, only the first that waits for a beat that may stall gets a
        bound.
        """
        shortfall = self.numbers + folds.beats - depth - 1
        last = shortfall + (folds.neuron_folds - 1) * folds.beats
        token = np.searchsorted(self.numbers, np.maximum(last, 0), side="right") - 1
        for stall in {stall for consumer in self.consumers for stall in consumer.stalls}:
            number = np.maximum(1, -(-(self.numbers[token] + stall - shortfall) // folds.beats))
            waits = ~self.ends & (last >= 0) & (number < folds.neuron_folds)
            self.wait_for_space(
                done, np.where(waits, shortfall + number * folds.beats, NOTHING),
                ROOM_DELAY + (folds.neuron_folds - number) * steps,
            )  # fmt: skip

    def close(self) -> None:
        """Add the bounds that depend on the consumers: space in FIFOs, and at a fork their wait for each other."""
        if self.later_folds:
            self._later_folds(*self.later_folds)
        for series, targets, cycles in self.space_waits:
            token = np.searchsorted(self.numbers, np.maximum(targets, 0), side="right") - 1
            beat = targets - self.numbers[token]
            whole = beat == self.beats[token] - 1
            for consumer in self.consumers:
                times = np.where(whole, consumer.last.all.times[token], consumer.first.all.times[token])
                later = np.where(whole, 0, beat * consumer.apart) + cycles
                series.wait(After(np.where(targets < 0, NOTHING, times), later))
                if consumer.behind:
                    out, numbers, more = consumer.behind(token, beat)
                    out.wait_for_space(series, np.where(targets < 0, NOTHING, numbers), cycles + more)
        for consumer in self.consumers:
            for other in self.consumers:
                if other.first is not consumer.first:
                    consumer.first.wait(other.last.previous().later(1))
                    several = np.flatnonzero(self.beats > 1)
                    consumer.last.wait(other.first.all.later(self.beats - 1).at(several), several)


def join(stream: TokenStream, consumer: Consumer) -> Consumer:
    """Connect a consumer to a stream: it takes each beat once it is offered and the beat before it is taken.

    Parameters
        stream    the stream
        consumer  the consumer
    Returns       the consumer
    """
    stream.consumers.append(consumer)
    consumer.first.wait(stream.first)
    consumer.first.wait(consumer.last.previous().later(1))
    consumer.last.wait(stream.last)
    consumer.last.wait(consumer.first.all.later((stream.beats - 1) * consumer.apart))
    return consumer


def solve_times(series: Sequence[Series], size: int) -> np.ndarray:
    """Compute all times.

    Parameters
        series  every series
        size    number of times of all series together
    Returns     int64 [size], cycles; ``UNKNOWN`` where times wait for each other in a circle
    """
    waits, cycles = (
        np.concatenate(
            [np.stack([after[part] for after in own.waits], axis=1, dtype=np.int32).ravel() for own in series]
        )
        for part in (0, 1)
    )
    width, counts = np.array([(len(own.waits), own.count) for own in series]).T
    times = np.full(size, UNKNOWN, dtype=np.int64)
    _solve(times, np.append(0, np.cumsum(counts)), width, np.append(0, np.cumsum(counts * width)), waits, cycles)
    return times


@njit(cache=True)
def _solve(times, bounds, width, offsets, waits, cycles):
    """Advance each series as far as its bounds are known, in turn, until none advances any more."""
    place = bounds[:-1].copy()
    moving = True
    while moving:
        moving = False
        for number in range(len(width)):
            while place[number] < bounds[number + 1]:
                at = offsets[number] + (place[number] - bounds[number]) * width[number]
                time, ready = 0, True
                for wait in range(at, at + width[number]):
                    other = waits[wait]
                    if other != NOTHING:
                        if times[other] == UNKNOWN:
                            ready = False
                            break
                        time = max(time, times[other] + cycles[wait])
                if not ready:
                    break
                times[place[number]] = time
                place[number] += 1
                moving = True
