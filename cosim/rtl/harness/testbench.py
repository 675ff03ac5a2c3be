"""The Verilog testbench around ``netweave``, generated for its port widths and probes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

STREAMS = Path(__file__).with_name("streams.v")
"""File of the modules that the testbench instantiates."""

TOP = "testbench"
RESULT = "result.json"
"""Name of the file, in the run's folder, with the counts of the run."""
DRAIN_CYCLES = 16
"""Cycles to run after the last expected ``end``, so that surplus beats come out and are recorded."""


def source_file(stream: str) -> str:
    """Name of the file, in the run's folder, from which an input stream is played.

    Parameters
        stream    port prefix of the stream
    """
    return f"{stream}.hex"


def record_file(stream: str) -> str:
    """Name of the file, in the run's folder, to which the beats of a stream are written.

    Parameters
        stream    port prefix of the stream
    """
    return f"{stream}.beats"


def testbench(sources: Mapping[str, int], sinks: Mapping[str, int], probes: Mapping[str, int]) -> str:
    """Verilog of the testbench around ``netweave``.

    It waits for ``go``, resets, plays the sources' files and records every stream. It raises ``done`` when ``+ends=``
    frames came out of every sink, or ``timed_out`` as well when ``+limit=`` cycles passed without a frame. Other
    plusargs: ``source_share``, ``source_seed``, ``sink_share``, ``sink_seed``. A waveform goes to the file that the
    macro ``WAVEFORM`` names.

    Parameters
        sources    bits of a payload of each input stream, by port prefix
        sinks      those of each output stream
        probes     those of each output that is only recorded
    """
    widths = {**sources, **sinks, **probes}
    return _TEMPLATE.format(
        top=TOP,
        sinks=len(sinks),
        wires="\n".join(_WIRES.format(name=name, last=width - 1) for name, width in widths.items()),
        streams="\n".join(
            [
                *(_SOURCE.format(name=name, width=width, file=source_file(name)) for name, width in sources.items()),
                *(_SINK.format(name=name, index=index) for index, name in enumerate(sinks)),
                *(_RECORDER.format(name=name, width=width, file=record_file(name)) for name, width in widths.items()),
            ]
        ),
        ports=",\n".join(_PORTS.format(name=name) for name in widths),
        drain=DRAIN_CYCLES,
    )


_WIRES = """\
    wire [{last}:0] {name}__payload;
    wire {name}__valid;
    wire {name}__ready;"""

_SOURCE = """\
    stream_source #(.WIDTH({width}), .FILE("{file}")) source_{name} (
        .clk(clk), .rst(rst), .stalled(source_stalled),
        .payload({name}__payload), .valid({name}__valid), .ready({name}__ready)
    );"""

_SINK = """\
    stream_sink sink_{name} (
        .clk(clk), .rst(rst), .stalled(sink_stalled), .expected(expected_ends),
        .last({name}__payload[0]), .valid({name}__valid), .ready({name}__ready),
        .frame_out(frame_out[{index}]), .complete(complete[{index}])
    );"""

_RECORDER = """\
    stream_recorder #(.WIDTH({width}), .FILE("{file}")) recorder_{name} (
        .clk(clk), .rst(rst), .stop(timed_out && !done), .cycle(cycle),
        .payload({name}__payload), .valid({name}__valid), .ready({name}__ready)
    );"""

_PORTS = """\
        .{name}__payload({name}__payload),
        .{name}__valid({name}__valid),
        .{name}__ready({name}__ready)"""

_TEMPLATE = """\
module {top};
    reg go /*verilator public_flat_rw*/ = 0;
    reg done /*verilator public_flat_rd*/ = 0;
    reg timed_out /*verilator public_flat_rd*/ = 0;
    reg [63:0] cycle /*verilator public_flat_rd*/ = 0;
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
    wire [{sinks}-1:0] frame_out;
    wire [{sinks}-1:0] complete;
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
            quiet <= |frame_out ? 0 : quiet + 1;
            if (&complete) begin
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
{streams}

    netweave dut (
        .clk(clk),
        .rst(rst),
{ports}
    );
endmodule
"""
