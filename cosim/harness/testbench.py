"""The Verilog testbench around ``netweave``, generated for its port widths and probes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

STREAMS = Path(__file__).with_name("streams.v")
"""The modules the testbench is made of."""

TOP = "testbench"
RESULT = "result.json"
"""Where a run leaves its counts, in its folder."""
DRAIN_CYCLES = 16
"""Cycles run after the last expected ``end``, in which surplus beats would come out."""


def record_file(stream: str) -> str:
    """Name of the file in the run's folder to which the beats of a stream go."""
    return f"{stream}.beats"


def testbench(widths: Mapping[str, int]) -> str:
    """Verilog of the testbench; ``widths`` gives the payload width of each stream by its port prefix.

    The streams are ``i``, ``o`` and any outputs that are only to be recorded.

    It waits for ``go``, resets, plays ``i.hex``, records every stream and raises ``done`` when
    ``+ends=`` end beats came out or ``+limit=`` cycles passed without one. Other plusargs:
    ``source_share``, ``source_seed``, ``sink_share``, ``sink_seed``. A waveform goes to the file
    that the macro ``WAVEFORM`` names.
    """
    wires = "\n".join(
        f"    wire [{width - 1}:0] {name}__payload;\n    wire {name}__valid;\n    wire {name}__ready;"
        for name, width in widths.items()
    )
    ports = ",\n".join(f"        .{name}__{part}({name}__{part})" for name in widths for part in _PARTS)
    recorders = "\n".join(
        f'    stream_recorder #(.WIDTH({width}), .FILE("{record_file(name)}")) recorder_{name} (\n'
        f"        .clk(clk), .rst(rst), .stop(timed_out && !done), .cycle(cycle),\n"
        f"        .payload({name}__payload), .valid({name}__valid), .ready({name}__ready)\n    );"
        for name, width in widths.items()
    )
    return _TEMPLATE.format(
        top=TOP, wires=wires, ports=ports, recorders=recorders, in_width=widths["i"], drain=DRAIN_CYCLES
    )


_PARTS = ("payload", "valid", "ready")


_TEMPLATE = """\
module {top};
    reg go /*verilator public_flat_rw*/ = 0;
    reg done /*verilator public_flat_rd*/ = 0;
    reg timed_out /*verilator public_flat_rd*/ = 0;
    reg [63:0] cycle /*verilator public_flat_rd*/ = 0;
    reg [31:0] ends /*verilator public_flat_rd*/ = 0;
    reg clk = 0;
    reg rst = 1;
    reg [2:0] reset_cycles = 0;
    reg [31:0] expected_ends = 0;
    reg [31:0] limit = 0;
    reg [31:0] quiet = 0;
    reg [31:0] drained = 0;
    reg [16:0] source_share = 0;
    reg [16:0] sink_share = 0;
    reg [31:0] source_seed = 1;
    reg [31:0] sink_seed = 1;
    wire source_stalled;
    wire sink_stalled;
{wires}

    initial begin
        if (!$value$plusargs("ends=%d", expected_ends)) $display("no +ends=");
        if (!$value$plusargs("limit=%d", limit)) $display("no +limit=");
        if (!$value$plusargs("source_share=%d", source_share)) $display("no +source_share=");
        if (!$value$plusargs("source_seed=%d", source_seed)) $display("no +source_seed=");
        if (!$value$plusargs("sink_share=%d", sink_share)) $display("no +sink_share=");
        if (!$value$plusargs("sink_seed=%d", sink_seed)) $display("no +sink_seed=");
`ifdef WAVEFORM
        $dumpfile(`WAVEFORM);
        $dumpvars(0, {top});
`endif
    end

    always #5 clk = ~clk;

    always @(posedge clk) begin
        if (rst) begin
            reset_cycles <= reset_cycles + go;
            rst <= reset_cycles != 7;
        end else begin
            cycle <= cycle + 1;
            quiet <= quiet + 1;
            if (o__valid && o__ready && o__payload[0]) begin
                ends <= ends + 1;
                quiet <= 0;
            end
            if (ends >= expected_ends) begin
                drained <= drained + 1;
                done <= drained == {drain};
            end else if (quiet >= limit) begin
                timed_out <= 1;
                done <= timed_out;
            end
        end
    end

    stall_generator source_stalls (
        .clk(clk), .rst(rst), .share(source_share), .seed(source_seed), .stalled(source_stalled)
    );
    stall_generator sink_stalls (
        .clk(clk), .rst(rst), .share(sink_share), .seed(sink_seed), .stalled(sink_stalled)
    );
    stream_source #(.WIDTH({in_width}), .FILE("i.hex")) source (
        .clk(clk), .rst(rst), .stalled(source_stalled),
        .payload(i__payload), .valid(i__valid), .ready(i__ready)
    );
    assign o__ready = !sink_stalled && !rst;

{recorders}

    netweave dut (
        .clk(clk),
        .rst(rst),
{ports}
    );
endmodule
"""
