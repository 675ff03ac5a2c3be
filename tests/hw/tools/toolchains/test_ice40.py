"""The iCE40's dividers, pins and reports: against the data sheet, icepll and files written out by hand."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction

import pytest

from hw.fpga.device import Resources
from hw.tools.programs import program
from hw.tools.toolchains.ice40 import Ice40, Ice40Pll
from hw.tools.toolchains.toolchain import Package, Step

ICE40_CASES = [(12, 24), (12, 30), (12, 48), (25, 20), (27, 33), (100, 61.3)]


@pytest.mark.parametrize("clock_in, max_mhz", ICE40_CASES)
def test_ice40_within_its_limits_and_none_is_nearer(clock_in: float, max_mhz: float) -> None:
    pll = Ice40Pll.find(clock_in, max_mhz, pad=True)
    assert 10 <= pll.phase <= 133
    assert 533 <= pll.vco <= 1066
    assert 16 <= pll.clock <= max_mhz
    assert pll.clock == Fraction(clock_in) * (pll.divf + 1) / (pll.divr + 1) / 2**pll.divq
    for divr in range(16):
        for divf in range(128):
            for divq in range(1, 7):
                vco = Fraction(clock_in) * (divf + 1) / (divr + 1)
                if 10 <= Fraction(clock_in) / (divr + 1) <= 133 and 533 <= vco <= 1066:
                    assert not pll.clock < vco / 2**divq <= max_mhz


@pytest.mark.parametrize("clock_in, max_mhz", ICE40_CASES)
def test_ice40_is_what_icepll_finds(clock_in: float, max_mhz: float) -> None:
    ours = Ice40Pll.find(clock_in, max_mhz, pad=True)
    reported = subprocess.run(
        [*program("icepll"), "-i", str(clock_in), "-o", str(float(ours.clock))],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    values = {name: int(value) for name, value in re.findall(r"^(DIV[RFQ]|FILTER_RANGE):\s*(\d+)", reported, re.M)}
    assert Fraction(clock_in) * (values["DIVF"] + 1) / (values["DIVR"] + 1) / 2 ** values["DIVQ"] == ours.clock
    if values["DIVR"] == ours.divr:
        assert values["FILTER_RANGE"] == ours.filter_range


def test_an_oscillator_at_the_pin_of_the_loop_enters_it_there() -> None:
    """Pin 35 is IOB_46b_G0 of the package SG48; beside a loop it cannot be an input of the fabric."""
    loops = [Ice40().pll(12, 24, pin) for pin in ("35", "20")]
    assert [isinstance(own, Ice40Pll) and own.pad for own in loops] == [True, False]


def test_place_and_route_of_a_package_is_packed() -> None:
    options, routed = Ice40().place(Package("ice40up5k", "uwg30", 6))
    assert (" ".join(options), routed) == ("--up5k --package uwg30 --pcf board.pcf --asc board.asc", "board.asc")
    assert Ice40().pack(routed) == Step("bitstream", "icepack", ("board.asc", "board.bin"), ("board.asc",), "board.bin")


def test_constraints_are_those_of_a_pcf_file() -> None:
    assert Ice40().pins({"clk": "35", "rx": "6"}, "rx", "clk", 12, "") == (
        "set_io clk 35\nset_io -pullup yes rx 6\nset_frequency clk 12\n"
    )


def test_luts_and_registers_of_an_ice40() -> None:
    log = (
        "Info:      144 LCs used as LUT4 only\nInfo:      112 LCs used as LUT4 and DFF\n"
        "Info:       81 LCs used as DFF only\nInfo:        3 LCs used as CARRY only\n"
    )
    used = {"ICESTORM_LC": 355, "ICESTORM_RAM": 2, "ICESTORM_DSP": 1}
    report = {"utilization": {cell: {"used": count, "available": 1000} for cell, count in used.items()}}
    assert Ice40().resources(report, log) == Resources(lut=274, ff=193, bram=2, dsp=1)
