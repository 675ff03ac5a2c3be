"""The Verilog testbench around ``netweave_axi``: raw beats in, beats out, and its registers at the end."""

from __future__ import annotations

from cosim.rtl.harness.testbench import TOP, record_file, source_file

INPUT, OUTPUT = "s_axis", "m_axis"
REGISTERS_FILE = "registers.hex"
"""Name of the file, in the run's folder, with each register's word after the run, in the order of the offsets."""


def axi_testbench(source_bytes: int, result_bytes: int, status: int, words: int) -> str:
    """Verilog of the testbench around ``netweave_axi``.

    It waits for ``go``, resets, plays the input's file and records both streams. A word of that file holds ``tlast``,
    ``tkeep`` and ``tdata``, highest first. When all beats are played it reads register ``status`` until it is 0, then
    reads the first ``words`` registers and raises ``done``. Where no beat moved for ``+limit=`` cycles it raises
    ``timed_out`` as well. The other plusargs are those of ``testbench``.

    Parameters
        source_bytes    bytes of an input beat
        result_bytes    bytes of an output beat
        status          offset of the register that is 0 when the design is idle
        words           32-bit words of the register file to read at the end
    """
    return _TEMPLATE.format(
        top=TOP,
        source=source_bytes,
        result=result_bytes,
        source_file=source_file(INPUT),
        source_record=record_file(INPUT),
        result_record=record_file(OUTPUT),
        status=status,
        end=4 * words,
        registers=REGISTERS_FILE,
    )


_TEMPLATE = """\
module {top};
    reg go /*verilator public_flat_rw*/ = 0;
    reg done /*verilator public_flat_rd*/ = 0;
    reg timed_out /*verilator public_flat_rd*/ = 0;
    reg [63:0] cycle /*verilator public_flat_rd*/ = 0;
    reg clk = 0;
    reg rst = 1;
    reg [2:0] reset_cycles = 0;
    reg [31:0] limit = 0;
    reg [31:0] quiet = 0;
    reg [16:0] source_share = 0;
    reg [16:0] sink_share = 0;
    reg [31:0] source_seed = 1;
    reg [31:0] sink_seed = 1;
    wire source_stalled;
    wire sink_stalled;
    wire [9*{source}:0] source;
    wire [9*{result}:0] result;
    wire source_valid, source_ready, result_valid;
    wire result_ready = !sink_stalled && !rst;
    reg [11:0] address = {status};
    reg asking = 0;
    reg resting = 0;
    reg rested = 0;
    wire address_ready, word_valid;
    wire [31:0] word;
    integer registers;

    initial begin
        if (!$value$plusargs("limit=%d", limit)) $display("no +limit=");
        if (!$value$plusargs("source_share=%d", source_share)) $display("no +source_share=");
        if (!$value$plusargs("source_seed=%d", source_seed)) $display("no +source_seed=");
        if (!$value$plusargs("sink_share=%d", sink_share)) $display("no +sink_share=");
        if (!$value$plusargs("sink_seed=%d", sink_seed)) $display("no +sink_seed=");
        registers = $fopen("{registers}", "w");
    end

    always #5 clk = ~clk;

    always @(posedge clk) begin
        if (rst) begin
            reset_cycles <= reset_cycles + go;
            rst <= reset_cycles != 7;
        end else if (!done) begin
            cycle <= cycle + 1;
            quiet <= (source_valid && source_ready) || (result_valid && result_ready) ? 0 : quiet + 1;
            if (!rested && quiet >= limit) begin
                timed_out <= 1;
                done <= timed_out;
            end
            // all is played: the status until it is 0, then register after register
            if (!asking && player.exhausted && !source_valid) asking <= 1;
            if (asking && address_ready) asking <= 0;
            if (word_valid && !rested) begin
                rested <= word == 0;
                if (word == 0) address <= 0;
            end else if (word_valid) begin
                $fwrite(registers, "%h\\n", word);
                address <= address + 4;
                if (address + 4 == {end}) begin
                    $fflush(registers);
                    done <= 1;
                end
            end
        end
    end

    stall_generator source_stalls (
        .clk(clk), .rst(rst), .share(source_share), .seed(source_seed), .stalled(source_stalled)
    );
    stall_generator sink_stalls (
        .clk(clk), .rst(rst), .share(sink_share), .seed(sink_seed), .stalled(sink_stalled)
    );
    stream_source #(.WIDTH(9*{source}+1), .FILE("{source_file}")) player (
        .clk(clk), .rst(rst), .stalled(source_stalled),
        .payload(source), .valid(source_valid), .ready(source_ready)
    );
    stream_recorder #(.WIDTH(9*{source}+1), .FILE("{source_record}")) source_recorder (
        .clk(clk), .rst(rst), .stop(timed_out && !done), .cycle(cycle),
        .payload(source), .valid(source_valid), .ready(source_ready)
    );
    stream_recorder #(.WIDTH(9*{result}+1), .FILE("{result_record}")) result_recorder (
        .clk(clk), .rst(rst), .stop(timed_out && !done), .cycle(cycle),
        .payload(result), .valid(result_valid), .ready(result_ready)
    );

    netweave_axi dut (
        .aclk(clk), .aresetn(!rst),
        .s_axis_tdata(source[8*{source}-1:0]), .s_axis_tkeep(source[9*{source}-1:8*{source}]),
        .s_axis_tlast(source[9*{source}]), .s_axis_tvalid(source_valid), .s_axis_tready(source_ready),
        .m_axis_tdata(result[8*{result}-1:0]), .m_axis_tkeep(result[9*{result}-1:8*{result}]),
        .m_axis_tlast(result[9*{result}]), .m_axis_tvalid(result_valid), .m_axis_tready(result_ready),
        .s_axi_awaddr(12'd0), .s_axi_awprot(3'd0), .s_axi_awvalid(1'b0), .s_axi_awready(),
        .s_axi_wdata(32'd0), .s_axi_wstrb(4'd0), .s_axi_wvalid(1'b0), .s_axi_wready(),
        .s_axi_bresp(), .s_axi_bvalid(), .s_axi_bready(1'b1),
        .s_axi_araddr(address), .s_axi_arprot(3'd0), .s_axi_arvalid(asking), .s_axi_arready(address_ready),
        .s_axi_rdata(word), .s_axi_rresp(), .s_axi_rvalid(word_valid), .s_axi_rready(1'b1)
    );
endmodule
"""
