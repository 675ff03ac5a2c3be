"""The generated testbench: legal Verilog whose wires are as wide as the design's ports, and files of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cosim.rtl.harness import testbench as harness
from tests.cosim.rtl.harness.lint import lint

SOURCES, SINKS, PROBES = {"i": 9, "k": 1}, {"o": 5, "p": 33}, {"edge_a__b_0": 3}


def design(widths: dict[str, int], inputs: tuple[str, ...] = ("i", "k")) -> str:
    """A module ``netweave`` with these streams; its outputs are constant."""
    ports, values = ["input clk", "input rst"], []
    for name, width in widths.items():
        driven, read = ("input", "output") if name in inputs else ("output", "input")
        recorded = "output" if name not in (*SOURCES, *SINKS) else read
        ports += [
            f"{driven} [{width - 1}:0] {name}__payload",
            f"{driven} {name}__valid",
            f"{recorded} {name}__ready",
        ]
        values += [f"assign {name}__ready = 1'b1;"] if recorded == "output" else []
        values += [f"assign {name}__payload = {width}'d1; assign {name}__valid = 1'b1;"] * (name not in inputs)
    return f"module netweave({', '.join(ports)});\n" + "\n".join(values) + "\nendmodule\n"


def test_it_fits_a_design_of_these_widths(tmp_path: Path) -> None:
    assert lint(tmp_path, harness.testbench(SOURCES, SINKS, PROBES), design({**SOURCES, **SINKS, **PROBES})) == ""


@pytest.mark.parametrize("stream", ["k", "p", "edge_a__b_0"])
def test_another_width_does_not_fit(tmp_path: Path, stream: str) -> None:
    widths = {**SOURCES, **SINKS, **PROBES}
    widths[stream] += 1
    said = lint(tmp_path, harness.testbench(SOURCES, SINKS, PROBES), design(widths))
    assert re.search(rf"%Warning-WIDTH\w+: .*'{stream}__payload'", said)


def test_each_stream_has_a_record_and_each_source_a_file() -> None:
    text = harness.testbench(SOURCES, SINKS, PROBES)
    modules = re.findall(r'(\w+) #\(\.WIDTH\((\d+)\), \.FILE\("([^"]+)"\)\)', text)
    assert modules == [
        ("stream_source", "9", "i.hex"),
        ("stream_source", "1", "k.hex"),
        ("stream_recorder", "9", "i.beats"),
        ("stream_recorder", "1", "k.beats"),
        ("stream_recorder", "5", "o.beats"),
        ("stream_recorder", "33", "p.beats"),
        ("stream_recorder", "3", "edge_a__b_0.beats"),
    ]
    assert (harness.source_file("i"), harness.record_file("i")) == ("i.hex", "i.beats")


def test_a_probe_is_read_by_no_sink() -> None:
    text = harness.testbench(SOURCES, SINKS, PROBES)
    assert re.findall(r"stream_sink sink_(\w+) ", text) == ["o", "p"]
    # the run is over when as many sinks are complete as there are
    assert re.findall(r"complete\[(\d)\]", text) == ["0", "1"]
    assert "wire [2-1:0] complete;" in text
