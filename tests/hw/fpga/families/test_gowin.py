"""The GW2A's cells and memories against the files by which Yosys makes them, and its device against the data sheet."""

from __future__ import annotations

from hw.fpga.families.gowin import GOWIN
from tests.hw.fpga.families.yosys_files import geometries, geometry, memory_cell, modules, number


def test_every_cell_is_one_that_yosys_declares() -> None:
    assert set(GOWIN.cells) <= modules("gowin/cells_sim.v", "gowin/cells_xtra_gw2a.v")


def test_a_block_memory_is_the_simple_dual_port_one_of_yosys() -> None:
    description = memory_cell("gowin/brams.txt", "$__GOWIN_SDP_")
    (cell,) = GOWIN.block
    assert [geometry(cell)] == geometries(description)
    assert (cell.cost, cell.byte) == (number(description, "cost"), number(description, "byte"))


def test_a_lut_memory_is_the_one_of_yosys() -> None:
    description = memory_cell("gowin/lutrams.txt", "$__GOWIN_LUTRAM_")
    (cell,) = GOWIN.ram
    assert [geometry(cell)] == geometries(description)
    # Yosys scales the whole cost by the width that is used
    assert "widthscale" in description
    assert cell.cost == cell.by_width == number(description, "cost")
    assert cell.size == GOWIN.cells["RAM16SDP4"].lut


def test_multipliers_count_in_those_of_9_bits() -> None:
    """A multiplier of 2n x 2n bits is four of n x n bits; a GW2A's block of 18 x 18 bits is made of two of 9 x 9."""
    blocks = {name: used.dsp for name, used in GOWIN.cells.items() if used.dsp}
    assert blocks == {"MULT9X9": 1, "MULT18X18": 2, "MULT36X36": 4 * 2}


def test_the_device_holds_what_the_data_sheet_says() -> None:
    """Gowin DS102, GW2A-18: 20736 LUT4, 15552 registers, 46 BSRAM of 18 Kb in all 828 Kb, 48 multipliers 18 x 18."""
    (device,) = GOWIN.devices
    assert (device.lut, device.ff, device.bram * device.bram_bits) == (20736, 15552, 828 * 1024)
    assert device.dsp == 2 * 48
