"""Phase-locked loops: from a board's oscillator to the accelerator's clock."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from amaranth.hdl import Module, Signal


class PllError(ValueError):
    """No dividers give such a clock; the message names both clocks."""


@dataclass(frozen=True)
class PllLimits:
    """Frequency limits of a phase-locked loop: (lowest, highest) in MHz.

    Parameters
        phase    of the phase detector
        vco      of the oscillator in the loop
        out      of the output
    """

    phase: tuple[float, float]
    vco: tuple[float, float]
    out: tuple[float, float]


class Pll(ABC):
    """A phase-locked loop with its dividers."""

    @property
    @abstractmethod
    def clock(self) -> Fraction:
        """Frequency of the output, in MHz."""

    @abstractmethod
    def drive(self, m: Module, pin: Signal, clock: Signal, locked: Signal) -> None:
        """Instantiate the loop between ``pin`` and ``clock``."""


def within(value: Fraction, limits: tuple[float, float]) -> bool:
    """Whether a frequency keeps to limits.

    Parameters
        value      the frequency in MHz
        limits     the lowest and the highest
    """
    return limits[0] <= value <= limits[1]


P = TypeVar("P", bound=Pll)


def best(candidates: list[P], clock_in: float, max_mhz: float, key: Callable[[P], tuple[Fraction, ...]]) -> P:
    """The loop with the largest key.

    Parameters
        candidates    loops whose clock is not above ``max_mhz``
        clock_in      frequency of the oscillator in MHz
        max_mhz       highest clock allowed, in MHz
        key           what to compare, the clock first
    Raises            PllError: there is none
    """
    if not candidates:
        raise PllError(f"no phase-locked loop makes a clock of at most {max_mhz:g} MHz out of {clock_in:g} MHz")
    return max(candidates, key=key)
