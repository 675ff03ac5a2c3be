"""Times that wait for each other, and streams of tokens made of them: the ground that ``token_times`` stands on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from hw.sequencer import Rounds

ROOM_DELAY = 2
"""Cycles from a beat's leaving an op to its place in the output queue being free for another."""
UNKNOWN = -(1 << 40)
"""In place of a time that is not known yet."""
NOTHING = -1
"""In place of the number of a time, or of a beat: there is none to wait for."""


class After(NamedTuple):
    """What others wait for: times, by their number, and how many cycles they come after each."""

    times: np.ndarray
    cycles: np.ndarray

    def later(self, cycles: np.ndarray | int) -> After:
        return After(self.times, self.cycles + cycles)

    def at(self, places: np.ndarray) -> After:
        there = np.maximum(places, 0)
        return After(np.where(places < 0, NOTHING, self.times[there]), self.cycles[there])


class Series:
    """Times of which none is known before the one in front of it."""

    def __init__(self, base: int, count: int) -> None:
        self.count = count
        self.all = After(base + np.arange(count), np.zeros(count, dtype=np.int64))
        self.waits: list[After] = []

    def wait(self, after: After, where: np.ndarray | None = None) -> None:
        """No earlier than these, one for each of its own, or for those at the places ``where``."""
        if where is not None:
            times, cycles = np.full(self.count, NOTHING), np.zeros(self.count, dtype=np.int64)
            times[where], cycles[where] = after
            after = After(times, cycles)
        self.waits.append(after)

    def previous(self) -> After:
        return self.all.at(np.arange(self.count) - 1)


Behind = Callable[[np.ndarray, np.ndarray], "tuple[Stream, np.ndarray, np.ndarray | int]"]
"""For some beats, each of a token and so manieth in it: a stream, the numbers of its beats that must have left before
each can be taken, and how many cycles before."""


class Reader(NamedTuple):
    """Who takes a stream's tokens.

    Parameters
        first    when the first beat of each token is taken
        last     when the last one is
        apart    the fewest cycles from beat to beat
        stalls   the beats of a token that it may not take at once, by number
        behind   of a queue or a converter: what must have left the stream that it offers itself
    """

    first: Series
    last: Series
    apart: int = 1
    stalls: tuple[int, ...] = (0,)
    behind: Behind | None = None


class Room(NamedTuple):
    """What comes so many ``cycles`` after the beats with these numbers have left a stream."""

    series: Series
    beats: np.ndarray
    cycles: np.ndarray | int


class Pace(NamedTuple):
    """Beats of each token that come no faster than this: number n so many ``cycles(n)`` behind ``after``."""

    after: After
    cycles: Callable[[int], np.ndarray]

    def later(self, cycles: int) -> Pace:
        return Pace(self.after.later(cycles), self.cycles)


class Stream:
    """What is offered: the first and the last beat of each token, of ``beats`` each, and of each ``end``, one beat.

    ``ends``: which of them are ends. ``paces``: of those who made its beats.
    """

    def __init__(self, first: After, last: After, ends: np.ndarray, beats: int, paces: Sequence[Pace] = ()) -> None:
        self.first, self.last, self.ends, self.paces = first, last, ends, paces
        self.beats = np.where(ends, 1, beats)
        self.numbers = np.cumsum(self.beats) - self.beats
        self.per_token = beats
        self.readers: list[Reader] = []
        self.rooms: list[Room] = []
        self.later_rounds: tuple[Series, Rounds, int, np.ndarray] | None = None

    def room(self, series: Series, beats: np.ndarray, cycles: np.ndarray | int) -> None:
        self.rooms.append(Room(series, beats, np.broadcast_to(cycles, len(beats))))

    def rounds(self, done: Series, rounds: Rounds, depth: int, steps: np.ndarray) -> None:
        """The rounds of a token that follow the first, of so many ``steps`` each, wait for room in a queue as well."""
        self.later_rounds = done, rounds, depth, steps

    def _later_rounds(self, done: Series, rounds: Rounds, depth: int, steps: np.ndarray) -> None:
        """Of those that wait for beats of one token, the first one that waits for a beat that may not be taken."""
        lacks = self.numbers + rounds.beats - depth - 1
        last = lacks + (rounds.groups - 1) * rounds.beats
        token = np.searchsorted(self.numbers, np.maximum(last, 0), side="right") - 1
        for stall in {stall for reader in self.readers for stall in reader.stalls}:
            number = np.maximum(1, -(-(self.numbers[token] + stall - lacks) // rounds.beats))
            waits = ~self.ends & (last >= 0) & (number < rounds.groups)
            self.room(
                done, np.where(waits, lacks + number * rounds.beats, NOTHING),
                ROOM_DELAY + (rounds.groups - number) * steps,
            )  # fmt: skip

    def close(self) -> None:
        """Lets those wait who need its readers: for room, and at a fork for each other."""
        if self.later_rounds:
            self._later_rounds(*self.later_rounds)
        for series, wanted, cycles in self.rooms:
            token = np.searchsorted(self.numbers, np.maximum(wanted, 0), side="right") - 1
            beat = wanted - self.numbers[token]
            whole = beat == self.beats[token] - 1
            for reader in self.readers:
                times = np.where(whole, reader.last.all.times[token], reader.first.all.times[token])
                later = np.where(whole, 0, beat * reader.apart) + cycles
                series.wait(After(np.where(wanted < 0, NOTHING, times), later))
                if reader.behind:
                    out, left, more = reader.behind(token, beat)
                    out.room(series, np.where(wanted < 0, NOTHING, left), cycles + more)
        for reader in self.readers:
            for other in self.readers:
                if other.first is not reader.first:
                    reader.first.wait(other.last.previous().later(1))
                    several = np.flatnonzero(self.beats > 1)
                    reader.last.wait(other.first.all.later(self.beats - 1).at(several), several)


def join(stream: Stream, reader: Reader) -> Reader:
    """A reader of a stream takes each beat when it is offered and the one before is gone."""
    stream.readers.append(reader)
    reader.first.wait(stream.first)
    reader.first.wait(reader.last.previous().later(1))
    reader.last.wait(stream.last)
    reader.last.wait(reader.first.all.later((stream.beats - 1) * reader.apart))
    return reader


def solved(series: Sequence[Series], size: int) -> np.ndarray:
    """Each time, or UNKNOWN where times wait for each other."""
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
    """Each series in turn, as far as what it waits for is known, until nothing moves any more."""
    place = bounds[:-1].copy()
    moving = True
    while moving:
        moving = False
        for number in range(len(width)):
            while place[number] < bounds[number + 1]:
                at = offsets[number] + (place[number] - bounds[number]) * width[number]
                time, known = 0, True
                for wait in range(at, at + width[number]):
                    other = waits[wait]
                    if other != NOTHING:
                        if times[other] == UNKNOWN:
                            known = False
                            break
                        time = max(time, times[other] + cycles[wait])
                if not known:
                    break
                times[place[number]] = time
                place[number] += 1
                moving = True
