"""The bits of a component's registers, counted in its RTLIL: what synthesis begins with."""

from __future__ import annotations

import re

from amaranth.back import rtlil
from amaranth.lib import wiring

CELL = re.compile(r"^  cell \$\w*dff\w* .*?^  end$", re.M | re.S)
WIDTH = re.compile(r"^ +parameter \\WIDTH (\d+)$", re.M)


def register_bits(component: wiring.Component) -> int:
    """Bits of all flip-flops; memories, which have cells of their own, do not count."""
    widths = (WIDTH.search(cell) for cell in CELL.findall(rtlil.convert(component, emit_src=False)))
    return sum(int(width[1]) for width in widths if width)
