"""Names of what a layer computes in: one number format, or one for its weights and another for its output.

``dybit4`` stands for both; ``dybit4xint8`` has weights in DyBit of 4 bits and an output in integers of 8. Names are
file names, too.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from models.ir.formats.registry import FORMAT_NAMES, parse_dtype
from models.ir.formats.registry import VALID as WIDTHS

VALID = f"{WIDTHS}, or two of them, weights' and output's, such as dybit4xint8"

_NUMBER = "|".join(FORMAT_NAMES)
_NAME = re.compile(rf"({_NUMBER})(?:x({_NUMBER}))?")


class LayerFormat(NamedTuple):
    """Formats of a layer's weights and of its output, by name and without their signs.

    Parameters
        weights    format of the weights
        output     format of the output
    """

    weights: str
    output: str

    @classmethod
    def parse(cls, name: object) -> LayerFormat:
        match = _NAME.fullmatch(name) if isinstance(name, str) else None
        if match is None:
            raise ValueError(f"unknown format {name!r}; valid are {VALID}")
        return cls(match[1], match[2] or match[1])

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits of a weight and of an output, each as a code and decoded.

        A format that is no wider in any of the four never costs more hardware.
        """
        dtypes = [parse_dtype(name) for name in self]
        return tuple(bits for dtype in dtypes for bits in (dtype.width, dtype.decoded_width))

    def __str__(self) -> str:
        return self.weights if self.weights == self.output else f"{self.weights}x{self.output}"
