# Zynq-7000: the accelerator behind a DMA engine, to a bitstream. Needs ip/, which package.tcl makes.
# vivado -mode batch -source design.tcl
source settings.tcl
source design_begin.tcl
create_bd_cell -type ip -vlnv xilinx.com:ip:processing_system7 ps
apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 \
    -config [list make_external "FIXED_IO, DDR" apply_board_preset [expr {[llength $known] > 0}]] [get_bd_cells ps]
set_property -dict [list \
    CONFIG.PCW_USE_M_AXI_GP0 1 \
    CONFIG.PCW_USE_S_AXI_HP0 1 \
    CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ $clock_mhz \
] [get_bd_cells ps]
set ps_clock ps/FCLK_CLK0
set ps_reset ps/FCLK_RESET0_N
set ps_control ps/M_AXI_GP0
set ps_memory ps/S_AXI_HP0
set ps_clocked {ps/M_AXI_GP0_ACLK ps/S_AXI_HP0_ACLK}
source design_common.tcl
