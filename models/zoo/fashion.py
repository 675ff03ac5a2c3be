"""``fashion_resnet`` and ``fashion_mobilenet``: small networks for grey images of 28 x 28 pixels."""

from __future__ import annotations

from torch import Tensor, nn

from models.zoo.backbone import Backbone, conv_norm
from models.zoo.digits_cnn import Residual

CLASSES = 10
MOBILENET = ((4, 24, 2, 1), (4, 40, 2, 2), (4, 64, 2, 1))


class FashionResNet(nn.Module):
    """A stem, two residual blocks at 14 x 14, two at 7 x 7, the mean, a linear layer; 7.5 M products per image."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_norm(1, 16, 3)
        self.blocks = nn.Sequential(Residual(16, 24, 2), Residual(24, 24), Residual(24, 48, 2), Residual(48, 48))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(48, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(self.blocks(self.stem(x))).flatten(1))


def fashion_mobilenet() -> nn.Module:
    """A small MobileNetV2: a stem to 14 x 14, two inverted residuals there, four at 7 x 7; 6 M products per image."""
    return Backbone(1, 16, MOBILENET, 128, CLASSES)
