"""The list of number formats, and what their names stand for."""

from __future__ import annotations

import re

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.minifloat import FloatType
from models.ir.formats.power_of_two import PowerType

FORMATS: dict[str, type[DType]] = {kind.kind: kind for kind in (IntType, DyBitType, FloatType, PowerType)}
FORMAT_NAMES = tuple(f"{kind}{width}" for kind, own in FORMATS.items() for width in own.widths)
"""Names of the formats that a layer may take, without their signs, which follow from the values."""
VALID = ", ".join(f"{kind}{own.widths[0]} to {kind}{own.widths[-1]}" for kind, own in FORMATS.items())
"""The same in words."""

_NAME = re.compile(rf"(u?)({'|'.join(FORMATS)})(\d{{1,9}})")


def parse_dtype(name: str) -> DType:
    """The format with a name.

    Parameters
        name       such as ``int8``, ``uint4``, ``dybit4``, ``udybit8`` or ``fp4``
    Raises         ValueError: no format has the name; the message lists valid ones
    """
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise ValueError(f"unknown number format {name!r}; valid are {VALID}, and with u in front unsigned ones")
    unsigned, kind, width = match.groups()
    return FORMATS[kind](int(width), not unsigned)
