"""What holds of every family, whatever it is made of: its devices, cells and memories agree."""

from __future__ import annotations

import pytest

from hw.fpga.device import Resources
from hw.fpga.families.family import FpgaFamily, each
from hw.fpga.families.registry import FAMILIES

families = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


@families
def test_devices_have_the_luts_and_multipliers_of_their_family(family: FpgaFamily) -> None:
    for device in family.devices:
        assert (device.family, device.lut_inputs, device.dsp_widths) == (family.name, family.lut_inputs, family.dsp)
        assert device.lutram == bool(family.ram)
        assert family.dsp[0] >= family.dsp[1] >= family.dsp_half


@families
def test_a_block_memory_holds_the_bits_that_its_device_counts(family: FpgaFamily) -> None:
    """Words halve as widths grow; widths that are a multiple of 9 use the parity bits too."""
    for device in family.devices:
        assert max(width for cell in family.block if cell.size == 1 for width in cell.widths) == device.bram_width
        for cell in family.block:
            capacities = {(cell.words >> place) * width for place, width in enumerate(cell.widths)}
            assert max(capacities) <= cell.size * device.bram_bits
            assert capacities <= {cell.size * device.bram_bits, cell.size * device.bram_bits * 8 // 9}


@families
def test_a_lut_memory_holds_no_more_bits_than_its_luts(family: FpgaFamily) -> None:
    for cell in family.ram:
        assert cell.words * max(cell.widths) <= cell.size * 2**family.lut_inputs


@families
def test_every_kind_of_resource_is_in_some_cell(family: FpgaFamily) -> None:
    used = sum(family.cells.values(), Resources())
    assert used.lut
    assert used.ff
    assert used.bram
    assert used.dsp


def test_cells_of_the_same_cost() -> None:
    assert each(Resources(lut=2), "A", "B") == {"A": Resources(lut=2), "B": Resources(lut=2)}
