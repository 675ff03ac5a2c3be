"""Phase-locked loops: from a board's oscillator to the accelerator's clock.

``find`` of each family returns the dividers of the fastest clock that is not above the wanted one and keeps within the
data sheet's limits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from amaranth.hdl import Const, Instance, Module, Signal


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


ECP5 = PllLimits(phase=(10, 400), vco=(400, 800), out=(3.125, 400))
"""Lattice FPGA-DS-02012, sysCLOCK PLL timing."""
ICE40 = PllLimits(phase=(10, 133), vco=(533, 1066), out=(16, 275))
"""Lattice FPGA-DS-02008, sysCLOCK PLL timing."""

ICE40_PLL_PADS = ("35",)
"""The pin of the UP5K's SG48 package that is wired to the loop; beside a loop it cannot be an input."""


def _within(value: Fraction, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


@dataclass(frozen=True)
class Ecp5Pll:
    """An ECP5's EHXPLLL with its primary output fed back.

    VCO = in * ``multiply`` / ``divide``; out = VCO / ``output``.

    Parameters
        clock_in    clock into the loop, in MHz
        divide      divider of the input, 1 to 128
        multiply    divider of the feedback, 1 to 128
        output      divider of the output, 1 to 128
    """

    clock_in: Fraction
    divide: int
    multiply: int
    output: int

    @property
    def phase(self) -> Fraction:
        """Frequency of the phase detector, in MHz."""
        return self.clock_in / self.divide

    @property
    def vco(self) -> Fraction:
        """Frequency of the oscillator in the loop, in MHz."""
        return self.phase * self.multiply

    @property
    def clock(self) -> Fraction:
        """Frequency of the output, in MHz."""
        return self.vco / self.output

    @classmethod
    def find(cls, clock_in: float, wanted: float) -> Ecp5Pll:
        """The fastest clock of at most ``wanted`` MHz; PllError where there is none."""
        sources = (
            cls(Fraction(clock_in), divide, multiply, 1) for divide in range(1, 129) for multiply in range(1, 129)
        )
        found = [
            replace(pll, output=output)
            for pll in sources
            if _within(pll.phase, ECP5.phase) and _within(pll.vco, ECP5.vco)
            for output in range(1, 129)
            if pll.vco / output <= wanted and _within(pll.vco / output, ECP5.out)
        ]
        middle = Fraction(sum(ECP5.vco)) / 2
        return _best(found, clock_in, wanted, lambda pll: (pll.clock, -abs(pll.vco - middle), Fraction(-pll.divide)))

    def drive(self, m: Module, pin: Signal, clock: Signal, locked: Signal) -> None:
        """Instantiate the loop between ``pin`` and ``clock``."""
        fed_back = Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            # the loop filter, as Lattice's own tools set it
            a_ICP_CURRENT="12", a_LPF_RESISTOR="8", a_MFG_ENABLE_FILTEROPAMP="1", a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=self.divide, p_CLKFB_DIV=1, p_FEEDBK_PATH="CLKOP",
            p_CLKOP_ENABLE="ENABLED", p_CLKOP_DIV=self.multiply, p_CLKOP_CPHASE=self.multiply - 1, p_CLKOP_FPHASE=0,
            p_CLKOS_ENABLE="ENABLED", p_CLKOS_DIV=self.output, p_CLKOS_CPHASE=self.output - 1, p_CLKOS_FPHASE=0,
            p_PLLRST_ENA="DISABLED", p_INTFB_WAKE="DISABLED", p_STDBY_ENABLE="DISABLED", p_DPHASE_SOURCE="DISABLED",
            p_OUTDIVIDER_MUXA="DIVA", p_OUTDIVIDER_MUXB="DIVB",
            i_CLKI=pin, i_CLKFB=fed_back, i_RST=Const(0), i_STDBY=Const(0), i_PLLWAKESYNC=Const(0), i_ENCLKOP=Const(0),
            i_PHASESEL0=Const(0), i_PHASESEL1=Const(0), i_PHASEDIR=Const(1), i_PHASESTEP=Const(1),
            i_PHASELOADREG=Const(1), o_CLKOP=fed_back, o_CLKOS=clock, o_LOCK=locked,
        )  # fmt: skip


@dataclass(frozen=True)
class Ice40Pll:
    """An iCE40's SB_PLL40 in simple feedback.

    VCO = in * (``divf`` + 1) / (``divr`` + 1); out = VCO / 2 ** ``divq``.

    Parameters
        clock_in    clock into the loop, in MHz
        divr        divider of the input less 1, 0 to 15
        divf        divider of the feedback less 1, 0 to 127
        divq        binary logarithm of the divider of the output, 1 to 6
        pad         True where the oscillator's pin leads straight to the loop
    """

    clock_in: Fraction
    divr: int
    divf: int
    divq: int
    pad: bool

    @property
    def phase(self) -> Fraction:
        """Frequency of the phase detector, in MHz."""
        return self.clock_in / (self.divr + 1)

    @property
    def vco(self) -> Fraction:
        """Frequency of the oscillator in the loop, in MHz."""
        return self.phase * (self.divf + 1)

    @property
    def clock(self) -> Fraction:
        """Frequency of the output, in MHz."""
        return self.vco / 2**self.divq

    @property
    def filter_range(self) -> int:
        """Setting of the loop filter, which depends on the frequency of the phase detector."""
        return next((n for n, below in enumerate((17, 26, 44, 66, 101), start=1) if self.phase < below), 6)

    @classmethod
    def find(cls, clock_in: float, wanted: float, pad: bool) -> Ice40Pll:
        """The fastest clock of at most ``wanted`` MHz; PllError where there is none."""
        every = (
            cls(Fraction(clock_in), divr, divf, divq, pad)
            for divr in range(16)
            for divf in range(128)
            for divq in range(1, 7)
        )
        found = [
            pll
            for pll in every
            if pll.clock <= wanted
            and _within(pll.phase, ICE40.phase)
            and _within(pll.vco, ICE40.vco)
            and _within(pll.clock, ICE40.out)
        ]
        return _best(found, clock_in, wanted, lambda pll: (pll.clock, Fraction(-pll.divr), Fraction(-pll.divf)))

    def drive(self, m: Module, pin: Signal, clock: Signal, locked: Signal) -> None:
        """Instantiate the loop between ``pin`` and ``clock``."""
        kind, entry = ("PAD", {"i_PACKAGEPIN": pin}) if self.pad else ("CORE", {"i_REFERENCECLK": pin})
        m.submodules.pll = Instance(
            f"SB_PLL40_{kind}",
            p_FEEDBACK_PATH="SIMPLE", p_DIVR=Const(self.divr, 4), p_DIVF=Const(self.divf, 7),
            p_DIVQ=Const(self.divq, 3), p_FILTER_RANGE=Const(self.filter_range, 3),
            i_RESETB=Const(1), i_BYPASS=Const(0), o_PLLOUTGLOBAL=clock, o_LOCK=locked, **entry,
        )  # fmt: skip


Pll = Ecp5Pll | Ice40Pll


P = TypeVar("P", Ecp5Pll, Ice40Pll)


def _best(found: list[P], clock_in: float, wanted: float, key: Callable[[P], tuple[Fraction, ...]]) -> P:
    if not found:
        raise PllError(f"no phase-locked loop makes a clock of at most {wanted:g} MHz out of {clock_in:g} MHz")
    return max(found, key=key)
