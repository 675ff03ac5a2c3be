"""What the parts of ops, and streams, take of a device, estimated from their parameters.

An op lists the parts of its component, and its resources are their sum: source, sequencer, weight memory, MAC array,
output serializer, output queue. Registers, memories, products and DSP blocks are counted as the component has them. The
LUTs of control logic are proportional to a few counts (``hw.fpga.formulas``). A figure that is not known raises.
"""
