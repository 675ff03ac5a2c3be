"""The GW2A's dividers, pins and reports: against the data sheet, gowin_pll and files written out by hand."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction

import pytest

from hw.fpga.device import Resources
from hw.tools.programs import program
from hw.tools.toolchains.gowin import OUTPUT_DIVIDERS, Gowin, GowinPll
from hw.tools.toolchains.toolchain import Package, Step

GOWIN_CASES = [(27, 54), (27, 60), (27, 33), (50, 120), (12, 48)]


@pytest.mark.parametrize("clock_in, max_mhz", GOWIN_CASES)
def test_gowin_within_its_limits_and_none_is_nearer(clock_in: float, max_mhz: float) -> None:
    pll = GowinPll.find(clock_in, max_mhz)
    assert 3 <= pll.phase <= 500
    assert 500 <= pll.vco <= 1250
    assert pll.clock <= max_mhz
    assert pll.clock == Fraction(clock_in) * pll.multiply / pll.divide
    for divide in range(1, min(64, int(clock_in / 3)) + 1):
        for multiply in range(1, 65):
            clock = Fraction(clock_in) * multiply / divide
            if any(500 <= clock * output <= 1250 for output in OUTPUT_DIVIDERS):
                assert not pll.clock < clock <= max_mhz


@pytest.mark.parametrize("clock_in, max_mhz", GOWIN_CASES)
def test_gowin_is_no_further_than_what_gowin_pll_finds(clock_in: float, max_mhz: float) -> None:
    called = [*program("gowin_pack")[:-1], "apycula.gowin_pll"]
    reported = subprocess.run(
        [*called, "-i", str(clock_in), "-o", str(max_mhz), "-d", "GW2A-18 C8/I7"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    divide, multiply = (int(re.findall(rf"{name}\D*(\d+)", reported)[0]) + 1 for name in ("IDIV_SEL", "FBDIV_SEL"))
    reference_clock = Fraction(clock_in) * multiply / divide
    assert reference_clock > max_mhz or GowinPll.find(clock_in, max_mhz).clock >= reference_clock


def test_place_and_route_of_a_package_is_packed() -> None:
    options, routed = Gowin().place(Package("gw2a-18", "GW2A-LV18QN88C8/I7", 6))
    expected = "--device GW2A-LV18QN88C8/I7 --vopt family=GW2A-18 --vopt cst=board.cst --write board.json"
    assert (" ".join(options), routed) == (expected, "board.json")
    arguments = ("-d", "GW2A-18", "-o", "board.fs", "board.json")
    assert Gowin().pack(routed) == Step("bitstream", "gowin_pack", arguments, ("board.json",), "board.fs")


def test_constraints_are_those_of_a_cst_file() -> None:
    assert Gowin().pins({"clk": "H11", "rx": "T13"}, "rx", "clk", 27, "LVCMOS33").splitlines() == [
        'IO_LOC "clk" H11;',
        'IO_LOC "rx" T13;',
        'IO_PORT "clk" IO_TYPE=LVCMOS33 PULL_MODE=NONE;',
        'IO_PORT "rx" IO_TYPE=LVCMOS33 PULL_MODE=UP;',
    ]


def test_resources_of_a_routed_design() -> None:
    """A LUT memory takes six LUTs, and multipliers count in those of 9 x 9 bits."""
    used = {"LUT4": 100, "ALU": 20, "RAM16SDP4": 3, "DFF": 50, "BSRAM": 7, "MULT9X9": 1, "MULT18X18": 2, "MULT36X36": 1}
    report = {"utilization": {cell: {"used": count, "available": 1000} for cell, count in used.items()}}
    assert Gowin().resources(report, "") == Resources(lut=100 + 20 + 18, ff=50, bram=7, dsp=1 + 4 + 8)
