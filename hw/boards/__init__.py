"""Boards: the pins and clocks of each, and the hardware around an accelerator on them."""
