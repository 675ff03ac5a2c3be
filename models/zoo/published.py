"""Networks for event cameras as they were published, by name.

From ESDA (arXiv 2401.05626; its five customized networks and MobileNetV2 at half width, layer shapes as in the
configurations of its hardware) and SEE (arXiv 2404.14279). A design's last layer is at times padded to the width of
its multipliers; here it has one output a class. SEE's four end in the features that its recurrent layer takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from models.ir.node import Shape
from models.zoo.backbone import Backbone, Block


@dataclass(frozen=True)
class Published:
    """A backbone and the images it was made for; without ``classes`` it ends in ``head`` features."""

    shape: Shape
    stem: int
    blocks: tuple[Block, ...]
    head: int
    classes: int | None

    @property
    def about(self) -> str:
        ends = f"{self.head} features" if self.classes is None else f"{self.classes} classes"
        return f"a published sparse network: {self.shape} to {ends}"

    def build(self) -> nn.Module:
        return Backbone(self.shape.channels, self.stem, self.blocks, self.head, self.classes)


EYE = Shape(60, 80, 3)
ATIS = Shape(180, 240, 2)
DVS128 = Shape(128, 128, 2)
HALF: tuple[Block, ...] = (
    (1, 8, 1, 1),
    (6, 12, 2, 2),
    (6, 16, 3, 2),
    (6, 32, 4, 2),
    (6, 48, 3, 1),
    (6, 80, 3, 2),
    (6, 160, 1, 1),
)
"""MobileNetV2 with half its channels."""

PUBLISHED: dict[str, Published] = {
    "see_a": Published(EYE, 64, ((1, 16, 1, 2), (8, 24, 2, 2), (1, 72, 1, 1), (2, 200, 3, 2)), 128, None),
    "see_b": Published(
        EYE,
        32,
        ((4, 16, 4, 2), (6, 32, 2, 1), (4, 48, 3, 2), (4, 72, 2, 2), (4, 128, 1, 1), (1, 144, 2, 1)),
        160,
        None,
    ),
    "see_c": Published(EYE, 64, ((2, 48, 1, 2), (2, 64, 1, 2), (1, 72, 4, 2), (4, 160, 1, 1)), 64, None),
    "see_d": Published(EYE, 24, ((8, 32, 1, 2), (6, 48, 2, 2), (1, 64, 2, 1), (1, 72, 3, 2), (1, 256, 1, 1)), 64, None),
    "esda_n_caltech101": Published(
        ATIS, 32, ((2, 24, 1, 2), (6, 32, 1, 2), (2, 64, 3, 2), (6, 72, 1, 2), (4, 160, 1, 1)), 640, 101
    ),
    "esda_dvs_gesture": Published(
        DVS128,
        32,
        ((1, 16, 3, 2), (4, 32, 1, 2), (2, 48, 2, 2), (1, 72, 3, 2), (2, 96, 2, 1)),
        1280,
        10,
    ),
    "esda_asl_dvs": Published(
        ATIS,
        48,
        ((2, 16, 1, 2), (8, 48, 1, 2), (1, 64, 1, 2), (8, 96, 1, 2), (2, 128, 2, 1), (2, 144, 1, 1)),
        1536,
        24,
    ),
    "esda_n_mnist": Published(
        Shape(34, 34, 2), 32, ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 4, 1), (6, 64, 3, 2), (6, 96, 1, 1)), 128, 10
    ),
    "esda_roshambo17": Published(
        Shape(64, 64, 1), 24, ((1, 16, 1, 1), (4, 24, 1, 2), (4, 32, 2, 2), (4, 64, 2, 1), (4, 72, 1, 2)), 96, 4
    ),
    "mobilenetv2_0p5_n_caltech101": Published(ATIS, 16, HALF, 640, 101),
    "mobilenetv2_0p5_dvs_gesture": Published(DVS128, 16, HALF, 640, 10),
    "mobilenetv2_0p5_asl_dvs": Published(ATIS, 16, HALF, 640, 24),
}
