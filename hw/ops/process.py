"""How an op moves tokens: a class for each way, with what a simulator needs to know besides the op's latencies."""

from __future__ import annotations

from dataclasses import dataclass

from hw.line_buffer.sequencer import Folds
from hw.line_buffer.token_buffer import WindowGeometry


@dataclass(frozen=True)
class BeatByBeat:
    """The op takes one beat of every input in the same cycle and returns one beat."""


@dataclass(frozen=True)
class InTurn:
    """The op takes a token's beats from its first input, then those from its second, and returns one beat for each.

    It takes one beat per cycle; the two ``end`` beats of a frame go in together, in one cycle.
    """


@dataclass(frozen=True)
class FrameEnd:
    """The op takes a beat per cycle and returns all output beats of a frame after its ``end``.

    Parameters
        end_beats    output beats of a frame, with its ``end``; two ends are at least as many cycles apart
    """

    end_beats: int


@dataclass(frozen=True)
class TokenByToken:
    """The op stores whole tokens and works on them one after the other.

    Parameters
        folds    how the work on a token is split into steps
        slots    tokens that it can store
    """

    folds: Folds
    slots: int


@dataclass(frozen=True)
class WindowByWindow:
    """The op stores rows of tokens and works on the windows over them one after the other.

    Parameters
        folds       how the work on a window is split into steps
        geometry    the window over the input, with the rows that are stored
        sparse      whether the op finds which of its windows are active
    """

    folds: Folds
    geometry: WindowGeometry
    sparse: bool


Process = BeatByBeat | InTurn | FrameEnd | TokenByToken | WindowByWindow
