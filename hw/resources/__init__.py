"""What the parts of ops, and streams, take of a device, estimated from their parameters.

An op is a sum of parts, those of its component, which it lists itself: source, sequencer, weight memory, sums, drain,
output queue. Registers, memories, products and DSP blocks are counted as the component has them; the LUTs of control
logic are proportional to a few counts (``hw.fpga.formulas``). A figure that is not known raises.
"""
