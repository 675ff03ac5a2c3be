"""Counts of a small design whose blocks are known, and of unsound Verilog."""

from __future__ import annotations

from pathlib import Path

import pytest
from amaranth.back import verilog
from amaranth.hdl import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.tools.yosys import SynthesisError, count, sort_messages, synthesize


class Blocks(wiring.Component):
    """One 18 Kb block memory, one multiplier with a register of 16 bits after it."""

    def __init__(self) -> None:
        ports = {"a": In(8), "b": In(8), "write": In(10), "read": In(10), "data": In(18)}
        super().__init__({**ports, "product": Out(16), "stored": Out(18)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = store = memory.Memory(shape=18, depth=1024, init=[i * 257 % 251 for i in range(1024)])
        read, write = store.read_port(), store.write_port()
        m.d.comb += [read.addr.eq(self.read), read.en.eq(1), self.stored.eq(read.data)]
        m.d.comb += [write.addr.eq(self.write), write.data.eq(self.data), write.en.eq(1)]
        m.d.sync += self.product.eq(self.a.as_signed() * self.b.as_signed())
        return m


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blocks") / "blocks.v"
    path.write_text(verilog.convert(Blocks(), name="netweave", emit_src=False))
    return path


@pytest.mark.few(1)
@pytest.mark.parametrize("device", ["zu3eg", "ecp5-25k"])
def test_a_block_memory_and_a_multiplier_are_counted(blocks: Path, tmp_path: Path, device: str) -> None:
    log = tmp_path / "logs" / "yosys.log"
    result = synthesize(blocks, DEVICES[device].synth, log=log)
    assert (result.resources.bram, result.resources.dsp) == (1, 1)
    assert result.resources == count(result.cells)
    assert result.resources <= DEVICES[device].resources
    assert "End of script" in log.read_text()
    assert [path.name for path in blocks.parent.iterdir()] == ["blocks.v"]


def test_latches_and_undriven_signals_are_problems(tmp_path: Path) -> None:
    path = tmp_path / "bad.v"
    path.write_text(
        "module netweave(input a, input b, output reg q, output r);\n"
        "  wire nothing;\n"
        "  assign r = a & nothing;\n"
        "  always @* if (a) q = b;\n"
        "endmodule\n"
    )
    with pytest.raises(SynthesisError, match=r"bad\.v is unsound: .*see .*log") as error:
        synthesize(path, "synth_ecp5", log=tmp_path / "log")
    assert "Latch inferred for signal `\\netweave.\\q'" in str(error.value)
    assert "Wire netweave.\\nothing is used but has no driver" in str(error.value)


def test_verilog_that_yosys_refuses_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "broken.v"
    path.write_text("module other(); endmodule\n")
    with pytest.raises(SynthesisError, match=r"broken\.v: synth_ecp5 failed: .*netweave.*see .*log"):
        synthesize(path, "synth_ecp5", log=tmp_path / "log")


def test_each_cell_has_its_cost() -> None:
    cells = {"LUT6": 3, "LUT1": 1, "RAM32M": 2, "FDRE": 5, "RAMB18E2": 1, "RAMB36E2": 2, "DSP48E2": 4, "CARRY8": 9}
    assert count(cells) == Resources(lut=12, ff=5, bram=5, dsp=4)
    assert count({"LUT4": 1, "CCU2C": 1, "TRELLIS_DPR16X4": 1, "PFUMX": 4}) == Resources(lut=9)
    assert count({"SB_LUT4": 2, "SB_DFFESR": 3, "SB_RAM40_4K": 4, "SB_MAC16": 5}) == Resources(2, 3, 4, 5)


def test_cells_of_unknown_cost_are_refused() -> None:
    with pytest.raises(SynthesisError, match=r"unknown cost: 1 \$dlatch, 2 LDCE"):
        count({"LDCE": 2, "$dlatch": 1, "LUT2": 1})


def test_messages_are_sorted_into_problems_and_warnings() -> None:
    log = (
        "Warning: Resizing cell port netweave.a from 3 bits to 2 bits.\n"
        "design.v:7: Warning: Replacing memory \\m with list of registers.\n"
        "Warning: Wire netweave.\\x is used but has no driver.\n"
        "Warning: Wire netweave.\\x is used but has no driver.\n"
        "No latch inferred for signal `\\netweave.\\y' from process `$proc'.\n"
        "Latch inferred for signal `\\netweave.\\q' from process `$proc': $dlatch\n"
    )
    problems, warnings = sort_messages(log)
    assert problems == [
        "Wire netweave.\\x is used but has no driver.",
        "Latch inferred for signal `\\netweave.\\q' from process `$proc': $dlatch",
    ]
    assert len(warnings) == 2
