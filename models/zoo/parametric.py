"""``backbone:w1-d2.1-k3-e2``: a backbone by its numbers, as an architecture search finds them.

A stem to half the resolution, two stages of inverted residuals that halve it again, 1x1 to the head, mean over the
image, linear. At width 1 they have 16, 24, 48 and 64 channels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from fractions import Fraction

from models.zoo.backbone import Backbone

PREFIX, EXAMPLE = "backbone", "backbone:w0.5-d2.1-k3-e2"
STEM, STAGES, HEAD = 16, (24, 48), 64
MULTIPLE = 4
"""Channels are multiples of it, so that they can be folded."""
KERNELS = (3, 5, 7)
_SPEC = re.compile(
    PREFIX + r":w(?P<width>\d{1,9}(\.\d{1,9})?)-d(?P<depths>\d{1,9}(\.\d{1,9})*)-k(?P<kernel>\d{1,9})"
    r"-e(?P<expansion>\d{1,9})(-i(?P<inputs>\d{1,9}))?(-c(?P<classes>\d{1,9}))?"
)


class ArchitectureError(ValueError):
    """An architecture that does not exist; the message names field, value and what would be valid."""


@dataclass(frozen=True)
class Architecture:
    """``width``: what channels are multiplied by. ``depths``: blocks of each stage, the first of which has stride 2.

    ``kernel``: side of the depthwise convolutions. ``expansion``: channels within a block, times those it is given.
    ``inputs`` and ``classes`` are those of the data set.
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
            what, kept = valid[field.name]
            if not kept:
                raise ArchitectureError(f"architecture, {field.name}: {getattr(self, field.name)} must be {what}")

    @classmethod
    def parse(cls, spec: str) -> Architecture:
        """What ``str`` of an architecture gives back; ``-i2`` and ``-c10`` may be left out."""
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
            (self.expansion, self._wide(channels), depth, 2)
            for channels, depth in zip(STAGES, self.depths, strict=True)
        ]
        return Backbone(self.inputs, self._wide(STEM), blocks, self._wide(HEAD), self.classes, self.kernel)

    def _wide(self, channels: int) -> int:
        return max(MULTIPLE, MULTIPLE * round(channels * self.width / MULTIPLE))
