// Stream source, sink and recorder for the generated testbench.

// Stalls a cycle with probability share / 65536, by a 32-bit xorshift generator; seed must not be 0.
module stall_generator (
    input clk,
    input rst,
    input [16:0] share,
    input [31:0] seed,
    output stalled
);
    reg [31:0] state;
    wire [31:0] a = state ^ (state << 13);
    wire [31:0] b = a ^ (a >> 17);

    always @(posedge clk) state <= rst ? seed : b ^ (b << 5);

    assign stalled = {1'b0, state[15:0]} < share;
endmodule

// Plays the payloads of FILE, one hexadecimal word a line; a payload once shown stays until it is taken.
module stream_source #(
    parameter WIDTH = 1,
    parameter FILE = ""
) (
    input clk,
    input rst,
    input stalled,
    output reg [WIDTH-1:0] payload,
    output reg valid,
    input ready
);
    integer file;
    reg [WIDTH-1:0] word;
    reg exhausted;

    initial file = $fopen(FILE, "r");

    always @(posedge clk) begin
        if (rst) begin
            valid <= 0;
            payload <= 0;
            exhausted <= 0;
        end else if (!valid || ready) begin
            valid <= 0;
            if (!stalled && !exhausted) begin
                if ($fscanf(file, "%h", word) == 1) begin
                    payload <= word;
                    valid <= 1;
                end else begin
                    exhausted <= 1;
                end
            end
        end
    end
endmodule

// Takes a beat in every cycle that does not stall. frame_out tells that a frame closes in this cycle,
// complete that the expected number has.
module stream_sink (
    input clk,
    input rst,
    input stalled,
    input [31:0] expected,
    input last,
    input valid,
    output ready,
    output frame_out,
    output complete
);
    reg [31:0] frames;

    always @(posedge clk) frames <= rst ? 0 : frames + {31'b0, frame_out};

    assign ready = !stalled && !rst;
    assign frame_out = valid && ready && last;
    assign complete = frames >= expected;
endmodule

// Writes "cycle payload" to FILE for every beat taken, "! cycle" where valid fell or the payload
// changed while the beat waited, and once stopped "? valid ready".
module stream_recorder #(
    parameter WIDTH = 1,
    parameter FILE = ""
) (
    input clk,
    input rst,
    input stop,
    input [63:0] cycle,
    input [WIDTH-1:0] payload,
    input valid,
    input ready
);
    integer file;
    reg waiting;
    reg [WIDTH-1:0] held;

    initial begin
        file = $fopen(FILE, "w");
        waiting = 0;
        held = 0;
    end

    always @(posedge clk) begin
        waiting <= valid && !ready && !rst;
        if (!rst) begin
            if (waiting && (!valid || payload != held)) $fwrite(file, "! %0d\n", cycle);
            if (valid && ready) $fwrite(file, "%0d %h\n", cycle, payload);
            else held <= payload;
            if (stop) $fwrite(file, "? %b %b\n", valid, ready);
        end
    end
endmodule
