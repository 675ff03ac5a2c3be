"""What a family of FPGAs is made of, and how Yosys uses it: the figures that resource formulas rest on."""

from __future__ import annotations

from dataclasses import dataclass

from hw.fpga.device import Device
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
        choice        LUTs per bit of a multiplexer for each word after the first
        ram           memory cells made of LUTs, their size in LUTs; empty where LUTs are no memory
        block         block memory cells, their size in the blocks that ``hw.fpga.device`` counts
        read_first    whether a word that is read while it is written is the old one, without extra logic
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
    factors: dict[str, tuple[float, ...]]
