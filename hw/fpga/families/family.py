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
        dsp_slice     bits of a too wide operand that each DSP block but the last takes
        dsp_result    bits of the narrowest product that becomes a DSP block
        dsp_min       bits of the narrowest operand of a DSP block
        dsp_half      bits of either operand of half a DSP block, 0 where blocks have no halves; where they have,
                      all figures count halves
        mux_luts      LUTs of one bit of a multiplexer for each input after the first
        ram           memory cells made of LUTs, their size in LUTs; empty where LUTs are no memory
        block         block memory cells, their size in the blocks that ``hw.fpga.device`` counts
        read_first    whether a read of the word that is being written returns the old word without extra logic
        cells         resources of each cell that Yosys can create
        coefficients  LUTs per term, by kind of part
    """

    name: str
    devices: tuple[Device, ...]
    lut_inputs: int
    dsp: tuple[int, int]
    dsp_slice: int
    dsp_result: int
    mux_luts: float
    ram: tuple[MemoryPrimitive, ...]
    block: tuple[MemoryPrimitive, ...]
    read_first: bool
    cells: Mapping[str, Resources]
    coefficients: dict[str, tuple[float, ...]]
    dsp_min: int = 2
    dsp_half: int = 0


def each(cost: Resources, *cells: str) -> dict[str, Resources]:
    """The cost of several cells that all take the same resources.

    Parameters
        cost     resources of one cell
        cells    their names
    """
    return dict.fromkeys(cells, cost)


LUT, FF, BRAM, DSP, FREE = Resources(lut=1), Resources(ff=1), Resources(bram=1), Resources(dsp=1), Resources()
