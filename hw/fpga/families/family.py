"""What a family of FPGAs is made of, and how Yosys uses it: the figures that resource formulas rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hw.fpga.device import Device, Resources
from hw.fpga.memory import MemoryPrimitive


@dataclass(frozen=True, eq=False)
class FpgaFamily:
    """What a family of FPGAs is made of, and how Yosys uses it.

    Parameters
        name          what ``Device.family`` calls it
        devices       devices of the family
        lut_inputs    inputs of a LUT, 4 or 6
        dsp           bits of the two signed operands of a DSP block, the wider first
        dsp_slice     where an operand is too wide for one DSP block, bits of it that each block but the last takes
        dsp_result    bits of the narrowest product that becomes a DSP block
        dsp_least     bits that either operand has at least in a DSP block
        dsp_half      bits of either operand of half a DSP block; 0 where blocks are whole. Where they have halves,
                      halves are what devices and figures count
        choice        LUTs per bit of a multiplexer for each word after the first
        ram           memory cells made of LUTs, their size in LUTs; empty where LUTs are no memory
        block         block memory cells, their size in the blocks that ``hw.fpga.device`` counts
        read_first    whether a word that is read while it is written is the old one, without extra logic
        cells         what each cell that Yosys makes takes
        factors       LUTs per term, by kind of part
    """

    name: str
    devices: tuple[Device, ...]
    lut_inputs: int
    dsp: tuple[int, int]
    dsp_slice: int
    dsp_result: int
    choice: float
    ram: tuple[MemoryPrimitive, ...]
    block: tuple[MemoryPrimitive, ...]
    read_first: bool
    cells: Mapping[str, Resources]
    factors: dict[str, tuple[float, ...]]
    dsp_least: int = 2
    dsp_half: int = 0


def each(cost: Resources, *cells: str) -> dict[str, Resources]:
    """Cells that all take the same.

    Parameters
        cost     what one takes
        cells    their names
    """
    return dict.fromkeys(cells, cost)


LUT, FF, BRAM, DSP, FREE = Resources(lut=1), Resources(ff=1), Resources(bram=1), Resources(dsp=1), Resources()
