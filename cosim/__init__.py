"""Running the generated Verilog and comparing it with golden; the cycle simulator."""
