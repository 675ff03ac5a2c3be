"""``backbone:w1-d2.1-k3-e2``: a backbone from the parameters of an architecture search.

It has a stem to half the resolution, two stages of inverted residuals that each halve it again, a 1x1 convolution as
head, the mean over the image, and a linear layer. At width 1, stem, stages and head have 16, 24, 48 and 64 channels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from fractions import Fraction

from models.zoo.backbone import Backbone

PREFIX, EXAMPLE = "backbone", "backbone:w0.5-d2.1-k3-e2"
STEM, STAGES, HEAD = 16, (24, 48), 64
MULTIPLE = 4
"""Channel counts are multiples of this, so that they can be folded."""
KERNELS = (3, 5, 7)
_SPEC = re.compile(
    PREFIX + r":w(?P<width>\d{1,9}(\.\d{1,9})?)-d(?P<depths>\d{1,9}(\.\d{1,9})*)-k(?P<kernel>\d{1,9})"
    r"-e(?P<expansion>\d{1,9})(-i(?P<inputs>\d{1,9}))?(-c(?P<classes>\d{1,9}))?"
)


class ArchitectureError(ValueError):
    """An architecture that does not exist; the message names field, value and what would be valid."""


@dataclass(frozen=True)
class Architecture:
    """The parameters of a backbone.

    Parameters
        width         factor of all channel counts
        depths        number of blocks in each stage; the first block has stride 2
        kernel        side of the depthwise kernels
        expansion     ratio of a block's inner channels to its input channels
        inputs        channels of the images
        classes       classes of the data set
    """

    width: Fraction
    depths: tuple[int, ...]
    kernel: int
    expansion: int
    inputs: int = 2
    classes: int = 10

    def __post_init__(self) -> None:
        valid = {
            "width": ("1/8 to 8", Fraction(1, 8) <= self.width <= 8),
            "depths": (
                f"{len(STAGES)} numbers of 1 to 16 blocks",
                len(self.depths) == len(STAGES) and all(1 <= depth <= 16 for depth in self.depths),
            ),
            "kernel": (f"one of {', '.join(map(str, KERNELS))}", self.kernel in KERNELS),
            "expansion": ("1 to 16", 1 <= self.expansion <= 16),
            "inputs": ("1 to 64", 1 <= self.inputs <= 64),
            "classes": ("2 or more", self.classes >= 2),
        }
        for field in fields(self):
            valid_values, is_valid = valid[field.name]
            if not is_valid:
                value = getattr(self, field.name)
                raise ArchitectureError(f"architecture, {field.name}: {value} must be {valid_values}")

    @classmethod
    def parse(cls, spec: str) -> Architecture:
        """Parse the text that ``str`` makes of an architecture; ``-i2`` and ``-c10`` may be omitted."""
        match = _SPEC.fullmatch(spec)
        if match is None:
            raise ArchitectureError(
                f"{spec!r} is no architecture; one looks like {EXAMPLE!r}, with inputs and classes '{EXAMPLE}-i1-c4'"
            )
        try:
            return cls(
                Fraction(match["width"]),
                tuple(int(depth) for depth in match["depths"].split(".")),
                int(match["kernel"]),
                int(match["expansion"]),
                int(match["inputs"] or 2),
                int(match["classes"] or 10),
            )
        except ArchitectureError as error:
            raise ArchitectureError(f"model {spec!r}: {error}") from None

    def __str__(self) -> str:
        depths = ".".join(map(str, self.depths))
        own = f"{PREFIX}:w{float(self.width):g}-d{depths}-k{self.kernel}-e{self.expansion}"
        inputs = "" if self.inputs == 2 else f"-i{self.inputs}"
        return own + inputs + ("" if self.classes == 10 else f"-c{self.classes}")

    def build(self) -> Backbone:
        blocks = [
            (self.expansion, self._scaled(channels), depth, 2)
            for channels, depth in zip(STAGES, self.depths, strict=True)
        ]
        return Backbone(self.inputs, self._scaled(STEM), blocks, self._scaled(HEAD), self.classes, self.kernel)

    def _scaled(self, channels: int) -> int:
        return max(MULTIPLE, MULTIPLE * round(channels * self.width / MULTIPLE))
