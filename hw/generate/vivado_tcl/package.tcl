# The accelerator as an IP core in ip/, with AXI4-Stream in and out and AXI4-Lite registers.
# vivado -mode batch -source package.tcl
source settings.tcl
create_project -force -part $part package package
add_files -norecurse $sources
set_property top $top [current_fileset]
update_compile_order -fileset sources_1
ipx::package_project -root_dir ip -vendor netweave -library ip -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property -dict [list name $top version 1.0 display_name "netweave accelerator: $network"] $core
set_property supported_families [list $family Production] $core
ipx::infer_bus_interface aclk xilinx.com:signal:clock_rtl:1.0 $core
ipx::infer_bus_interface aresetn xilinx.com:signal:reset_rtl:1.0 $core
foreach bus {s_axis m_axis s_axi} {
    ipx::associate_bus_interfaces -busif $bus -clock aclk $core
}
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity $core
ipx::save_core $core
close_project
