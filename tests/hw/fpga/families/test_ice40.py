"""The iCE40's cells and memories against the files by which Yosys makes them, and its device against the data sheet."""

from __future__ import annotations

from hw.fpga.families.ice40 import ICE40
from tests.hw.fpga.families.yosys_files import geometries, memory_cell, modules, number


def test_every_cell_is_one_that_yosys_declares() -> None:
    assert set(ICE40.cells) <= modules("ice40/cells_sim.v")


def test_every_register_of_yosys_is_one_flip_flop() -> None:
    registers = {name for name in modules("ice40/cells_sim.v") if name.startswith("SB_DFF")}
    assert len(registers) == 20
    assert {name for name, used in ICE40.cells.items() if used.ff} == registers


def test_a_block_memory_is_the_one_of_yosys_with_and_without_write_enables() -> None:
    description = memory_cell("ice40/brams.txt", "$__ICE40_RAM4K_")
    whole, by_bit = ICE40.block
    # words of 16 bits are written with an enable for each bit, narrower ones without
    assert (by_bit.words, by_bit.widths) == geometries(description)[0]
    assert (whole.words, whole.widths) == (by_bit.words, by_bit.widths[:-1])
    assert "width 2 4 8;" in description
    assert (whole.byte, by_bit.byte) == (0, number(description, "byte"))
    assert whole.cost == by_bit.cost == number(description, "cost")
    assert (by_bit.words >> 3) * 16 == ICE40.devices[0].bram_bits


def test_luts_are_no_memory() -> None:
    assert ICE40.ram == ()
    assert [own.lutram for own in ICE40.devices] == [False]


def test_the_device_holds_what_the_data_sheet_says() -> None:
    """Lattice FPGA-DS-02008, table 1.1: 5280 logic cells, 120 Kb of EBR, 8 multipliers."""
    (device,) = ICE40.devices
    assert (device.lut, device.ff, device.bram * device.bram_bits, device.dsp) == (5280, 5280, 120 * 1024, 8)
