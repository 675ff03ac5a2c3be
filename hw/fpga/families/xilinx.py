"""AMD's UltraScale+ and 7 series."""

from __future__ import annotations

from hw.fpga.device import Device
from hw.fpga.families.family import BRAM, DSP, FF, FREE, LUT, FpgaFamily, each
from hw.fpga.lut_coefficients import LUT6
from hw.fpga.memory import MemoryPrimitive as Ram


def _device(name: str, family: str, title: str, counts: tuple[int, int, int, int], clock: float, source: str) -> Device:
    """A device; ``counts`` are LUTs, flip-flops, 36 Kb block memories and DSP blocks."""
    lut, ff, bram36, dsp = counts
    return Device(
        name=name, family=family, title=title, lut=lut, ff=ff, bram=2 * bram36, dsp=dsp,
        bram_bits=18 * 1024, bram_width=36, lut_inputs=6, dsp_widths=(27, 18) if family == "xcup" else (25, 18),
        lutram=True, clock_mhz=clock, synth=f"synth_xilinx -family {family} -flatten -noiopad", source=source,
    )  # fmt: skip


_NINES = (1, 2, 4, 9, 18)
_BLOCK = (
    Ram(16384, _NINES, 9, 129, 0, 1), Ram(32768, (*_NINES, 36), 9, 257, 0, 2),
    Ram(16384, (*_NINES, 36), 9, 129, 0, 1), Ram(32768, (*_NINES, 36, 72), 9, 257, 0, 2),
)  # fmt: skip

# A LUT memory costs the LUTs that it occupies. Carry chains and wide multiplexers lie beside the LUTs and cost none.
_CELLS = {
    **each(LUT, "LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6", "INV", "SRL16E", "SRLC16E", "SRLC32E"),
    **each(LUT, "RAM32X1S", "RAM64X1S"),
    **each(LUT * 2, "RAM32X1D", "RAM64X1D", "RAM128X1S"),
    **each(LUT * 4, "RAM32M", "RAM64M", "RAM128X1D", "RAM256X1S"),
    **each(LUT * 8, "RAM32M16", "RAM64M8", "RAM256X1D", "RAM512X1S", "RAM32X16DR8", "RAM64X8SW"),
    **each(FF, *(f"FD{kind}{edge}" for kind in ("RE", "SE", "CE", "PE") for edge in ("", "_1"))),
    **each(BRAM, "RAMB18E1", "RAMB18E2"),
    **each(BRAM * 2, "RAMB36E1", "RAMB36E2"),
    **each(DSP, "DSP48E1", "DSP48E2"),
    **each(FREE, "CARRY4", "CARRY8", "MUXF7", "MUXF8", "MUXF9", "BUFG", "BUFGCTRL", "IBUF", "OBUF", "VCC", "GND"),
}

XCUP = FpgaFamily(
    name="xcup",
    devices=(
        _device("zu3eg", "xcup", "Zynq UltraScale+ ZU3EG (Ultra96)", (70560, 141120, 216, 360), 200.0,
                "AMD DS891; used by HAO and CoDeNet"),
        _device("zcu102", "xcup", "Zynq UltraScale+ ZU9EG (ZCU102)", (274080, 548160, 912, 2520), 200.0,
                "AMD DS891; used by ESDA"),
    ),
    lut_inputs=6,
    dsp=(27, 18),
    dsp_slice=17,
    dsp_result=9,
    mux_luts=1 / 3,
    ram=(
        Ram(32, (14,), 0, 16, 16, 8), Ram(64, (7,), 0, 16, 16, 8),
        *(Ram(words, (256 // words,), 0, 16, 16, 8, shared=True) for words in (32, 64, 128, 256)),
    ),
    block=_BLOCK,
    read_first=True,
    cells=_CELLS,
    coefficients=LUT6,
)  # fmt: skip

XC7 = FpgaFamily(
    name="xc7",
    devices=(
        _device("z7020", "xc7", "Zynq-7000 Z-7020 (Pynq-Z2)", (53200, 106400, 140, 220), 100.0,
                "AMD DS190; used by MLPerf Tiny submissions"),
        _device("a7-100t", "xc7", "Artix-7 100T (Arty A7)", (63400, 126800, 135, 240), 100.0,
                "AMD DS180; used by MLPerf Tiny submissions"),
    ),
    lut_inputs=6,
    dsp=(25, 18),
    dsp_slice=17,
    dsp_result=9,
    mux_luts=1 / 3,
    ram=(
        Ram(32, (6,), 0, 8, 7, 4), Ram(64, (3,), 0, 8, 7, 4),
        *(Ram(words, (128 // words,), 0, 8, 8, 4, shared=True) for words in (32, 64, 128)),
    ),
    block=_BLOCK,
    read_first=True,
    cells=_CELLS,
    coefficients=LUT6,
)  # fmt: skip
