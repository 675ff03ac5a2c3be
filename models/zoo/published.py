"""Published networks for event cameras, by name.

They come from ESDA (arXiv 2401.05626: its five customized networks and MobileNetV2 at half width, with the layer shapes
of its hardware configurations) and SEE (arXiv 2404.14279). Some designs pad the last layer to the width of their
multipliers; here it has one output per class. SEE's four networks end in features for its recurrent layer.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from models.ir.node import Shape
from models.zoo.backbone import Backbone, Block


@dataclass(frozen=True)
class PublishedNetwork:
    """A published backbone.

    Parameters
        shape       shape of its images
        stem        channels of the stem
        blocks      inverted residuals
        head        channels of the last convolution
        classes     outputs; None for a network that ends in the features of the head
    """

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
"""The blocks of MobileNetV2 at half width."""

PUBLISHED: dict[str, PublishedNetwork] = {
    "see_a": PublishedNetwork(EYE, 64, ((1, 16, 1, 2), (8, 24, 2, 2), (1, 72, 1, 1), (2, 200, 3, 2)), 128, None),
    "see_b": PublishedNetwork(
        EYE,
        32,
        ((4, 16, 4, 2), (6, 32, 2, 1), (4, 48, 3, 2), (4, 72, 2, 2), (4, 128, 1, 1), (1, 144, 2, 1)),
        160,
        None,
    ),
    "see_c": PublishedNetwork(EYE, 64, ((2, 48, 1, 2), (2, 64, 1, 2), (1, 72, 4, 2), (4, 160, 1, 1)), 64, None),
    "see_d": PublishedNetwork(
        EYE, 24, ((8, 32, 1, 2), (6, 48, 2, 2), (1, 64, 2, 1), (1, 72, 3, 2), (1, 256, 1, 1)), 64, None
    ),
    "esda_n_caltech101": PublishedNetwork(
        ATIS, 32, ((2, 24, 1, 2), (6, 32, 1, 2), (2, 64, 3, 2), (6, 72, 1, 2), (4, 160, 1, 1)), 640, 101
    ),
    "esda_dvs_gesture": PublishedNetwork(
        DVS128,
        32,
        ((1, 16, 3, 2), (4, 32, 1, 2), (2, 48, 2, 2), (1, 72, 3, 2), (2, 96, 2, 1)),
        1280,
        10,
    ),
    "esda_asl_dvs": PublishedNetwork(
        ATIS,
        48,
        ((2, 16, 1, 2), (8, 48, 1, 2), (1, 64, 1, 2), (8, 96, 1, 2), (2, 128, 2, 1), (2, 144, 1, 1)),
        1536,
        24,
    ),
    "esda_n_mnist": PublishedNetwork(
        Shape(34, 34, 2), 32, ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 4, 1), (6, 64, 3, 2), (6, 96, 1, 1)), 128, 10
    ),
    "esda_roshambo17": PublishedNetwork(
        Shape(64, 64, 1), 24, ((1, 16, 1, 1), (4, 24, 1, 2), (4, 32, 2, 2), (4, 64, 2, 1), (4, 72, 1, 2)), 96, 4
    ),
    "mobilenetv2_0p5_n_caltech101": PublishedNetwork(ATIS, 16, HALF, 640, 101),
    "mobilenetv2_0p5_dvs_gesture": PublishedNetwork(DVS128, 16, HALF, 640, 10),
    "mobilenetv2_0p5_asl_dvs": PublishedNetwork(ATIS, 16, HALF, 640, 24),
}
