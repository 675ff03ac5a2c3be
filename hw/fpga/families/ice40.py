"""Lattice iCE40 UltraPlus."""

from __future__ import annotations

from hw.fpga.device import Device
from hw.fpga.families.family import BRAM, DSP, FF, FREE, LUT, FpgaFamily, each
from hw.fpga.lut_coefficients import LUT4
from hw.fpga.memory import MemoryPrimitive as Ram

_KINDS = ("", "E", "R", "S", "SR", "SS", "ER", "ES", "ESR", "ESS")
_CELLS = {
    **each(LUT, "SB_LUT4"),
    **each(FF, *(f"SB_DFF{edge}{kind}" for edge in ("", "N") for kind in _KINDS)),
    **each(BRAM, *(f"SB_RAM40_4K{edge}" for edge in ("", "NR", "NW", "NRNW"))),
    **each(DSP, "SB_MAC16"),
    **each(FREE, "SB_CARRY", "SB_GB", "SB_IO"),
}

ICE40 = FpgaFamily(
    name="ice40",
    devices=(
        Device(
            name="ice40up5k", family="ice40", title="Lattice iCE40 UltraPlus 5K", lut=5280, ff=5280, bram=30, dsp=8,
            bram_bits=4 * 1024, bram_width=16, lut_inputs=4, dsp_widths=(16, 16),
            lutram=False, clock_mhz=24.0, synth="synth_ice40 -device u -dsp",
            source="Lattice FPGA-DS-02008; open flow, bitstream",
        ),
    ),
    lut_inputs=4,
    dsp=(16, 16),
    dsp_slice=16,
    dsp_result=11,
    mux_luts=0.8,
    ram=(),
    block=(Ram(2048, (2, 4, 8), 0, 64, 0, 1), Ram(2048, (2, 4, 8, 16), 1, 64, 0, 1)),
    read_first=False,
    cells=_CELLS,
    coefficients=LUT4,
)  # fmt: skip
