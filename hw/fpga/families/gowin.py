"""Gowin GW2A (Arora)."""

from __future__ import annotations

from hw.fpga.device import Device
from hw.fpga.families.family import BRAM, DSP, FF, FREE, LUT, FpgaFamily, each
from hw.fpga.lut_coefficients import LUT4
from hw.fpga.memory import MemoryPrimitive as Ram

_MEMORIES = ("SP", "SPX9", "SDPB", "SDPX9B", "DPB", "DPX9B", "pROM", "pROMX9")
_EDGES = ("", "E", "S", "SE", "R", "RE", "P", "PE", "C", "CE")
# An ALU is a LUT in carry mode. A 16 x 4 memory takes four LUTs for its bits, and two beside them for its write port.
# Multipliers are counted in those of 9 x 9 bits, of which one of 18 x 18 bits takes two.
_CELLS = {
    **each(LUT, "LUT1", "LUT2", "LUT3", "LUT4", "INV", "ALU"),
    **each(LUT * 6, "RAM16SDP4"),
    **each(FF, *(f"DFF{edge}" for edge in _EDGES), *(f"DFFN{edge}" for edge in _EDGES)),
    **each(BRAM, *_MEMORIES),
    **each(DSP, "MULT9X9"),
    **each(DSP * 2, "MULT18X18"),
    **each(DSP * 8, "MULT36X36"),
    **each(FREE, "MUX2_LUT5", "MUX2_LUT6", "MUX2_LUT7", "MUX2_LUT8", "IBUF", "OBUF", "GSR", "VCC", "GND", "rPLL"),
}

GOWIN = FpgaFamily(
    name="gowin",
    devices=(
        Device(
            name="gw2a-18", family="gowin", title="Gowin GW2A-18 (Tang Primer 20K)", lut=20736, ff=15552, bram=46,
            dsp=96, bram_bits=18 * 1024, bram_width=36, lut_inputs=4, dsp_widths=(18, 18),
            lutram=True, clock_mhz=60.0, synth="synth_gowin -family gw2a -nowidelut",
            source="Gowin DS102, DSP blocks as multipliers of 9 x 9 bits; open flow, bitstream",
        ),
    ),
    lut_inputs=4,
    dsp=(18, 18),
    dsp_slice=18,
    dsp_result=0,
    mux_luts=1.15,
    ram=(Ram(16, (4,), 0, 4, 4, 6),),
    block=(Ram(16384, (1, 2, 4, 9, 18, 36), 9, 128, 0, 1),),
    read_first=False,
    cells=_CELLS,
    coefficients=LUT4,
    dsp_min=4,
    dsp_half=9,
)  # fmt: skip
