"""Lattice ECP5."""

from __future__ import annotations

from hw.fpga.device import Device
from hw.fpga.families.family import BRAM, DSP, FF, FREE, LUT, FpgaFamily, each
from hw.fpga.lut_coefficients import LUT4
from hw.fpga.memory import MemoryPrimitive as Ram


def _device(name: str, title: str, counts: tuple[int, int, int, int]) -> Device:
    """A device; ``counts`` are LUT4, flip-flops, EBR and MULT18X18."""
    lut, ff, bram, dsp = counts
    return Device(
        name=name, family="ecp5", title=title, lut=lut, ff=ff, bram=bram, dsp=dsp,
        bram_bits=18 * 1024, bram_width=36, lut_inputs=4, dsp_widths=(18, 18),
        lutram=True, clock_mhz=80.0, synth="synth_ecp5 -noiopad -nowidelut",
        source="Lattice FPGA-DS-02012; open flow, bitstream",
    )  # fmt: skip


_NINES = (1, 2, 4, 9, 18)

# CCU2C is two LUTs in carry mode. A 16 x 4 memory takes three slices of two LUTs: two slices hold the bits, the third
# is the write port.
_CELLS = {
    **each(LUT, "LUT4", "INV"),
    **each(LUT * 2, "CCU2C"),
    **each(LUT * 6, "TRELLIS_DPR16X4"),
    **each(FF, "TRELLIS_FF"),
    **each(BRAM, "DP16KD", "PDPW16KD"),
    **each(DSP, "MULT18X18D"),
    **each(FREE, "PFUMX", "L6MUX21", "VHI", "VLO"),
}

ECP5 = FpgaFamily(
    name="ecp5",
    devices=(
        _device("ecp5-85k", "Lattice ECP5 LFE5U-85F", (83640, 83640, 208, 156)),
        _device("ecp5-25k", "Lattice ECP5 LFE5U-25F", (24288, 24288, 56, 28)),
    ),
    lut_inputs=4,
    dsp=(18, 18),
    dsp_slice=18,
    dsp_result=0,
    mux_luts=1.15,
    ram=(Ram(16, (4,), 0, 4, 0, 6),),
    block=(Ram(16384, _NINES, 9, 128, 0, 1), Ram(16384, (*_NINES, 36), 9, 128, 0, 1, widest_write=True)),
    read_first=False,
    cells=_CELLS,
    coefficients=LUT4,
)
