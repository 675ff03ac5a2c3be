"""The list of number formats, and what their names stand for."""

from __future__ import annotations

import re

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType

FORMATS: dict[str, type[DType]] = {kind.kind: kind for kind in (IntType, DyBitType)}

_NAME = re.compile(rf"(u?)({'|'.join(FORMATS)})(\d{{1,9}})")


def parse_dtype(name: str) -> DType:
    """The format called ``name``: ``int8``, ``uint4``, ``dybit4``, ``udybit8``."""
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise ValueError(f"unknown number format {name!r}; valid are int2 to int8, dybit2 to dybit8, and uint/udybit")
    unsigned, kind, width = match.groups()
    return FORMATS[kind](int(width), not unsigned)
