"""The hardware: Amaranth components with their parameters and costs, the composed accelerator, Verilog."""
