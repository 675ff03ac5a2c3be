"""The generated testbench of the AXI top: legal Verilog around AXI4-Stream and AXI4-Lite ports of each width."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cosim.rtl.harness.axi_testbench import REGISTERS_FILE, axi_testbench
from tests.cosim.rtl.harness.lint import lint


def top(source: int, result: int) -> str:
    """A module ``netweave_axi`` with the ports of AXI4-Stream (bytes a beat as stated) and AXI4-Lite (32 bits)."""
    ports = ["input aclk", "input aresetn"]
    for name, size, ours, theirs in (("s_axis", source, "input", "output"), ("m_axis", result, "output", "input")):
        ports += [f"{ours} [{8 * size - 1}:0] {name}_tdata", f"{ours} [{size - 1}:0] {name}_tkeep"]
        ports += [f"{ours} {name}_tlast", f"{ours} {name}_tvalid", f"{theirs} {name}_tready"]
    outputs = {f"m_axis_{name}": "0" for name in ("tdata", "tkeep", "tlast", "tvalid")} | {"s_axis_tready": "1"}
    for channel, bits in (("aw", 12), ("ar", 12), ("w", 32), ("b", 0), ("r", 32)):
        master, slave = ("output", "input") if channel in "br" else ("input", "output")
        prefix = f"s_axi_{channel}"
        ports += [f"{master} {prefix}valid", f"{slave} {prefix}ready"]
        fields = {"aw": {"addr": bits, "prot": 3}, "ar": {"addr": bits, "prot": 3}, "w": {"data": bits, "strb": 4}}
        fields |= {"b": {"resp": 2}, "r": {"data": bits, "resp": 2}}
        ports += [f"{master} [{width - 1}:0] {prefix}{field}" for field, width in fields[channel].items()]
        driven = [f"{prefix}valid", *(f"{prefix}{field}" for field in fields[channel])]
        outputs |= dict.fromkeys(driven if master == "output" else [f"{prefix}ready"], "0")
    assigns = "\n".join(f"assign {name} = '{value};" for name, value in outputs.items())
    return f"module netweave_axi({', '.join(ports)});\n{assigns}\nendmodule\n"


@pytest.mark.parametrize(("source", "result"), [(1, 16), (8, 2)])
def test_it_fits_a_top_of_these_widths(tmp_path: Path, source: int, result: int) -> None:
    assert lint(tmp_path, axi_testbench(source, result, 16, 12), top(source, result)) == ""


@pytest.mark.parametrize(("source", "result", "port"), [(8, 4, "s_axis_tdata"), (4, 2, "m_axis_tkeep")])
def test_another_width_does_not_fit(tmp_path: Path, source: int, result: int, port: str) -> None:
    said = lint(tmp_path, axi_testbench(4, 4, 16, 12), top(source, result))
    assert re.search(rf"%Warning-WIDTH\w+: .*'{port}'", said)


def test_it_waits_for_the_status_and_reads_every_word_of_the_register_file() -> None:
    text = axi_testbench(4, 8, status=20, words=7)
    assert "reg [11:0] address = 20;" in text
    # seven words of four bytes
    assert "if (address + 4 == 28)" in text
    assert f'$fopen("{REGISTERS_FILE}", "w")' in text
    assert re.findall(r'\.FILE\("([^"]+)"\)', text) == ["s_axis.hex", "s_axis.beats", "m_axis.beats"]
    assert re.findall(r"#\(\.WIDTH\((\S+)\), ", text) == ["9*4+1", "9*4+1", "9*8+1"]
