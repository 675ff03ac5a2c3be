"""What runs inside the simulator: streams played and recorded in Verilog, and the cocotb test that starts it."""
