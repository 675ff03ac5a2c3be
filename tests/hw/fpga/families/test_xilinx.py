"""The cells and memories of AMD's families against the files by which Yosys makes them, and devices' data sheets."""

from __future__ import annotations

import pytest

from hw.fpga.families.family import FpgaFamily
from hw.fpga.families.xilinx import XC7, XCUP
from tests.hw.fpga.families.yosys_files import geometries, geometry, memory_cell, modules, number

BLOCKS = "xilinx/brams_xc4v.txt"
LUT_MEMORIES = [(XCUP, "xilinx/lutrams_xcu.txt", 0, 8), (XC7, "xilinx/lutrams_xc5v.txt", 7, 4)]


@pytest.mark.parametrize("family", [XCUP, XC7], ids=["xcup", "xc7"])
def test_every_cell_is_one_that_yosys_declares(family: FpgaFamily) -> None:
    assert set(family.cells) <= modules("xilinx/cells_sim.v", "xilinx/cells_xtra.v")


@pytest.mark.parametrize("family", [XCUP, XC7], ids=["xcup", "xc7"])
def test_block_memories_are_those_that_yosys_chooses_from(family: FpgaFamily) -> None:
    """Those with two ports for all, and those with a port to write and one to read; the third mode is a cascade."""
    dual, simple = (memory_cell(BLOCKS, f"$__XILINX_BLOCKRAM_{kind}_") for kind in ("TDP", "SDP"))
    assert [geometry(cell) for cell in family.block] == [*geometries(dual)[:2], *geometries(simple)]
    assert [cell.cost for cell in family.block] == [129, 257, 129, 257]
    assert all(f"cost {cell.cost};" in dual and f"cost {cell.cost};" in simple for cell in family.block)
    assert {cell.byte for cell in family.block} == {number(dual, "byte"), number(simple, "byte")}
    # a memory of 36 Kb counts as two of 18 Kb
    assert [cell.size for cell in family.block] == [1, 2, 1, 2]
    assert (family.cells["RAMB36E2"].bram, family.cells["RAMB18E2"].bram) == (2, 1)


@pytest.mark.parametrize(("family", "file", "scale", "luts"), LUT_MEMORIES, ids=["xcup", "xc7"])
def test_lut_memories_are_those_that_yosys_chooses_from(family: FpgaFamily, file: str, scale: int, luts: int) -> None:
    """A port to write and one to read, and those whose write port reads too; eight LUTs a slice, four on 7 series."""
    simple, dual = (memory_cell(file, f"$__XILINX_LUTRAM_{kind}_") for kind in ("SDP", "DP"))
    assert [geometry(cell) for cell in family.ram if not cell.shared] == geometries(simple)
    assert [geometry(cell) for cell in family.ram if cell.shared] == geometries(dual)
    for cell in family.ram:
        description = dual if cell.shared else simple
        # without a number Yosys scales the whole cost by the width that is used
        partly = scale and not cell.shared
        assert cell.cost == number(description, "cost")
        assert cell.by_width == (number(description, "widthscale") if partly else cell.cost)
        assert cell.size == luts


def test_devices_hold_what_the_data_sheets_say() -> None:
    """AMD DS891, DS190 and DS180: block memory in Mb of 1024 Kb, to two digits, and DSP slices."""
    memory = {own.name: round(own.bram * own.bram_bits / 2**20, 1) for own in (*XCUP.devices, *XC7.devices)}
    assert memory == {"zu3eg": 7.6, "zcu102": 32.1, "z7020": 4.9, "a7-100t": 4.7}
    for device in (*XCUP.devices, *XC7.devices):
        assert device.ff == 2 * device.lut, "two registers a LUT"
