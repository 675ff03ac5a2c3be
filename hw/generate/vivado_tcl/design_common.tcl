# The block design around the processor, which the script of its family has made: the accelerator, and a DMA engine
# between it and memory. The family's script says what of the processor is which.
#   ps_clock ps_reset      its clock and reset for the fabric
#   ps_control ps_memory   its master and its slave port

create_bd_cell -type ip -vlnv netweave:ip:$top netweave_axi_0
create_bd_cell -type ip -vlnv xilinx.com:ip:axi_dma axi_dma_0
set_property -dict [list \
    CONFIG.c_include_sg 0 \
    CONFIG.c_sg_include_stscntrl_strm 0 \
    CONFIG.c_sg_length_width 26 \
    CONFIG.c_include_mm2s_dre 1 \
    CONFIG.c_include_s2mm_dre 1 \
    CONFIG.c_m_axi_mm2s_data_width $in_memory_bits \
    CONFIG.c_m_axis_mm2s_tdata_width $in_bits \
    CONFIG.c_m_axi_s2mm_data_width $out_memory_bits \
] [get_bd_cells axi_dma_0]
create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect control
set_property -dict [list CONFIG.NUM_SI 1 CONFIG.NUM_MI 2] [get_bd_cells control]
create_bd_cell -type ip -vlnv xilinx.com:ip:smartconnect memory
set_property -dict [list CONFIG.NUM_SI 2 CONFIG.NUM_MI 1] [get_bd_cells memory]
create_bd_cell -type ip -vlnv xilinx.com:ip:proc_sys_reset reset

foreach {from to} [list \
    $ps_control control/S00_AXI \
    control/M00_AXI axi_dma_0/S_AXI_LITE \
    control/M01_AXI netweave_axi_0/s_axi \
    axi_dma_0/M_AXIS_MM2S netweave_axi_0/s_axis \
    netweave_axi_0/m_axis axi_dma_0/S_AXIS_S2MM \
    axi_dma_0/M_AXI_MM2S memory/S00_AXI \
    axi_dma_0/M_AXI_S2MM memory/S01_AXI \
    memory/M00_AXI $ps_memory \
] {
    connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
}
foreach pin [concat $ps_clocked { \
    reset/slowest_sync_clk control/aclk memory/aclk netweave_axi_0/aclk \
    axi_dma_0/s_axi_lite_aclk axi_dma_0/m_axi_mm2s_aclk axi_dma_0/m_axi_s2mm_aclk \
}] {
    connect_bd_net [get_bd_pins $ps_clock] [get_bd_pins $pin]
}
connect_bd_net [get_bd_pins $ps_reset] [get_bd_pins reset/ext_reset_in]
foreach pin {control/aresetn memory/aresetn netweave_axi_0/aresetn axi_dma_0/axi_resetn} {
    connect_bd_net [get_bd_pins reset/peripheral_aresetn] [get_bd_pins $pin]
}
assign_bd_address
validate_bd_design
save_bd_design

make_wrapper -files [get_files system.bd] -top -import
set_property top system_wrapper [current_fileset]
update_compile_order -fileset sources_1
launch_runs impl_1 -to_step write_bitstream -jobs 4
wait_on_run impl_1
if {[get_property PROGRESS [get_runs impl_1]] != "100%"} {
    error "implementation failed; see system/system.runs/impl_1"
}
open_run impl_1
report_utilization -file system_utilization.rpt
report_timing_summary -file system_timing.rpt
# PYNQ wants both under one name
file copy -force system/system.runs/impl_1/system_wrapper.bit netweave.bit
file copy -force [lindex [glob system/system.gen/sources_1/bd/system/hw_handoff/*.hwh] 0] netweave.hwh
write_hw_platform -fixed -include_bit -force netweave.xsa
