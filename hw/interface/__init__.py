"""The accelerator behind AXI: streams whose frames are checked, registers, and the driver of a board."""
