"""Boards: pins and clocks of each, and what stands around an accelerator there."""
