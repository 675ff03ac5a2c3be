# Out of context: what the accelerator takes of the part, and how fast it runs there.
# vivado -mode batch -source synth.tcl
source settings.tcl
read_verilog $sources
synth_design -mode out_of_context -top $top -part $part -flatten_hierarchy rebuilt
create_clock -name aclk -period $period_ns [get_ports aclk]
opt_design
place_design
phys_opt_design
route_design
report_utilization -hierarchical -file utilization.rpt
report_timing_summary -file timing.rpt
write_checkpoint -force netweave.dcp
