"""How ops move tokens: the ways that the simulators know, each with what they ask of the op beside its latencies."""

from __future__ import annotations

from dataclasses import dataclass

from hw.line_buffer.sequencer import Folds
from hw.line_buffer.token_buffer import WindowGeometry


@dataclass(frozen=True)
class BeatByBeat:
    """The op takes a beat of every input in one cycle, and gives one."""


@dataclass(frozen=True)
class InTurn:
    """The op takes a token's beats from its first input, then those from its second, and gives one for each.

    It takes one beat a cycle, but the two ends of a frame in the same one.
    """


@dataclass(frozen=True)
class FrameEnd:
    """The op takes a beat per cycle and gives all beats of a frame when its ``end`` comes.

    Parameters
        end_beats      beats that a frame gives, with its ``end``; as many cycles lie between two ends
    """

    end_beats: int


@dataclass(frozen=True)
class TokenByToken:
    """The op stores whole tokens and works on them one after the other.

    Parameters
        folds    how the work on a token is split into steps
        slots    tokens that it stores
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
