"""A small design on an ECP5 and on an iCE40, and what is read out of nextpnr's report and log."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.tools.nextpnr import CriticalPath, RoutingError, failure, fmax_of, parse, ports, register_wrapper, route
from hw.tools.toolchains.registry import TOOLCHAINS

VERILOG = """\
module product(clk, a, p);
  input clk;
  input [7:0] a;
  output [15:0] p;
  reg [15:0] p;
  always @(posedge clk) p <= a * a;
endmodule

module netweave(a, clk, b, q);
  input [7:0] a;
  wire [7:0] a;
  input clk;
  wire clk;
  input b;
  output [15:0] q;
  wire [15:0] p;
  product square(.clk(clk), .a(a), .p(p));
  assign q = b ? p : 16'd0;
endmodule
"""


def step(kind: str, delay: float, start: str, end: str, net: str = "", port: str = "A") -> dict[str, Any]:
    there = {"from": {"cell": start, "loc": [1, 2], "port": "F"}, "to": {"cell": end, "loc": [3, 4], "port": port}}
    return {"type": kind, "delay": delay, **there, **({"net": net} if net else {})}


REPORT: dict[str, Any] = {
    "fmax": {"clk": {"achieved": 125.0, "constraint": 100.0}},
    "critical_paths": [
        {"from": "<async>", "to": "posedge clk", "path": [step("source", 0, "pin", "pin")]},
        {
            "from": "posedge clk",
            "to": "posedge clk",
            "path": [
                step("clk-to-q", 0.5, "count", "count"),
                step("routing", 2.0, "count", "sum_0", "level"),
                step("logic", 0.25, "sum_0", "sum_0"),
                step("routing", 0.0, "sum_0", "sum_1", "sum$CCU2_FCI_INT", "FCI"),
                step("logic", 0.75, "sum_1", "sum_1"),
                step("routing", 4.5, "sum_1", "full", "full_DI"),
                step("setup", 0.0, "full", "full"),
            ],
        },
        {"from": "posedge clk", "to": "<async>", "path": [step("clk-to-q", 9, "q", "q")]},
    ],
    "utilization": {
        name: {"available": 100, "used": used}
        for name, used in {
            "TRELLIS_COMB": 30, "TRELLIS_RAMW": 2, "TRELLIS_FF": 20, "DP16KD": 3, "MULT18X18D": 4, "TRELLIS_IO": 5,
        }.items()
    },
}  # fmt: skip


def test_a_report_holds_clock_resources_and_the_slowest_path_between_registers() -> None:
    fmax, resources, critical = parse(REPORT, TOOLCHAINS["ecp5"], "")
    assert fmax == 125.0
    assert resources == Resources(lut=34, ff=20, bram=3, dsp=4)
    assert critical == CriticalPath("count", "full", ("level", "full_DI"), 2, 1.5, 6.5)


def test_a_report_without_a_path_between_registers_is_refused() -> None:
    report = copy.deepcopy(REPORT)
    del report["critical_paths"][1]
    with pytest.raises(RoutingError, match="no path between registers of 'clk'"):
        parse(report, TOOLCHAINS["ecp5"], "")


def test_a_report_of_more_than_one_clock_is_refused() -> None:
    assert fmax_of({"fmax": {"$glbnet$clk": {"achieved": 61.5}}}) == 61.5
    report = {**REPORT, "fmax": {**REPORT["fmax"], "other": {"achieved": 2}}}
    with pytest.raises(RoutingError, match="has clocks clk, other, where"):
        parse(report, TOOLCHAINS["ecp5"], "")
    with pytest.raises(RoutingError, match="has clocks none, where"):
        fmax_of({"fmax": {}})


def test_a_failure_names_what_is_short() -> None:
    log = (
        "Info: Device utilisation:\n"
        "Info: \t              DP16KD:      18/     56    32%\n"
        "Info: \t          MULT18X18D:      90/     28   321%\n"
        "Info: \t        TRELLIS_COMB:   24288/  24288   100%\n"
        "ERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'MULT18X18D'\n"
    )
    assert failure(log) == "does not fit: it needs 90 MULT18X18D of 28"


def test_a_failure_for_another_reason_is_nextpnr_s_own_word() -> None:
    assert (
        failure("Info: so far\nERROR: Failed to route net 'a'\nERROR: 2\n") == "nextpnr failed: Failed to route net 'a'"
    )
    assert failure("Traceback\nno wasm\n") == "nextpnr failed: no wasm"
    assert failure("") == "nextpnr failed: without a word"


def test_the_ports_are_those_of_the_top_module() -> None:
    assert ports(VERILOG, "netweave") == {
        "a": ("input", 8),
        "clk": ("input", 1),
        "b": ("input", 1),
        "q": ("output", 16),
    }
    with pytest.raises(RoutingError, match="no module 'other'"):
        ports(VERILOG, "other")


def test_every_port_but_the_clock_goes_through_a_register() -> None:
    text = register_wrapper(ports(VERILOG, "netweave"), "netweave")
    assert "netweave design(.clk(clk), .a(given[7:0]), .b(given[8:8]), .q(made[15:0]));" in text
    assert [line.strip() for line in text.splitlines() if "<=" in line] == [
        "given <= {given, in};",
        "folded <= {folded, folded[15]} ^ made;",
    ]


def test_a_device_without_an_open_router_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RoutingError, match=r"'zu3eg' cannot be routed .*valid are ecp5-25k, ecp5-85k, ice40up5k"):
        route(tmp_path, DEVICES["zu3eg"], tmp_path / "log")


@pytest.mark.slow
@pytest.mark.parametrize("device", ["ecp5-25k", "ice40up5k", "gw2a-18"])
def test_a_small_design_is_routed(device: str, tmp_path: Path) -> None:
    (tmp_path / "netweave.v").write_text(VERILOG)
    log, lines = tmp_path / "logs" / "route.log", []
    routed = route(tmp_path, DEVICES[device], log, lines.append, target_mhz=50)
    # a register for each port bit; the product's own is part of the multiplier or of the fabric
    assert (routed.resources.dsp, routed.resources.bram) == (1, 0)
    assert 25 <= routed.resources.ff <= 41
    assert (routed.log, routed.by_seed) == (log, {1: routed.fmax_mhz})
    assert lines == log.read_text().splitlines()
    assert any("Max frequency for clock" in line and f"{routed.fmax_mhz:.2f}" in line for line in lines)
    # nextpnr reckons in whole picoseconds
    path = routed.critical
    assert round(1000 * (path.logic_ns + path.routing_ns)) == round(1e6 / routed.fmax_mhz)
    assert (tmp_path / "logs" / "route.yosys.log").exists()


@pytest.mark.slow
def test_the_fastest_of_several_placements_counts(tmp_path: Path) -> None:
    (tmp_path / "netweave.v").write_text(VERILOG)
    routed = route(tmp_path, DEVICES["ecp5-25k"], tmp_path / "route.log", seeds=(1, 2, 3))
    assert len(set(routed.by_seed.values())) > 1
    best = max(routed.by_seed, key=lambda seed: routed.by_seed[seed])
    assert routed.fmax_mhz == routed.by_seed[best]
    assert routed.log.name == ("route.log" if best == 1 else f"route.{best}.log")


@pytest.mark.slow
def test_a_design_that_is_too_large_says_of_what(tmp_path: Path) -> None:
    squares = "\n".join(
        f"  product p{n}(.clk(clk), .a(a[{8 * n + 7}:{8 * n}]), .p(q[{16 * n + 15}:{16 * n}]));" for n in range(30)
    )
    top = f"module netweave(clk, a, q);\n  input clk;\n  input [239:0] a;\n  output [479:0] q;\n{squares}\nendmodule\n"
    (tmp_path / "netweave.v").write_text(VERILOG.split("\nmodule netweave")[0] + "\n" + top)
    with pytest.raises(
        RoutingError, match=r"netweave\.v on ecp5-25k: does not fit: it needs 30 MULT18X18D of 28; see .*log"
    ):
        route(tmp_path, DEVICES["ecp5-25k"], tmp_path / "route.log")


def test_verilog_that_yosys_refuses_names_the_design(tmp_path: Path) -> None:
    (tmp_path / "netweave.v").write_text(VERILOG.replace("product square", "missing square"))
    with pytest.raises(RoutingError, match=r"netweave\.v: .*synth_ecp5.*failed.*missing.*see .*log"):
        route(tmp_path, DEVICES["ecp5-25k"], tmp_path / "route.log")


@pytest.mark.slow
def test_a_listener_that_stops_the_run_stops_it(tmp_path: Path) -> None:
    (tmp_path / "netweave.v").write_text(VERILOG)
    lines: list[str] = []

    def stop(line: str) -> None:
        lines.append(line)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        route(tmp_path, DEVICES["ecp5-25k"], tmp_path / "route.log", stop)
    assert len(lines) == 1
    assert len((tmp_path / "route.log").read_text().splitlines()) == 1
