# A project with an empty block design, which knows the accelerator's IP core. The board's own settings of processor and
# memory are taken where its files are installed; without them, memory must be configured by hand.
create_project -force -part $part system system
set known [get_board_parts -quiet $board_parts]
if {[llength $known] > 0} {
    set_property board_part [lindex [lsort -dictionary $known] end] [current_project]
} else {
    puts "WARNING: no board files match $board_parts: the processor's memory is not configured"
}
set_property ip_repo_paths [list ip] [current_project]
update_ip_catalog
create_bd_design system
