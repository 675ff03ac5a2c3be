"""``digits_dvs_net``: a small residual network for digits seen by a 32 x 32 event camera."""

from __future__ import annotations

from torch import Tensor, nn

from models.zoo.backbone import InvertedResidual, conv_norm


class DigitsDvsNet(nn.Module):
    """Two 3x3 convolutions to 8 x 8 sites, a residual block, a third convolution to 4 x 4, the mean, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = conv_norm(2, 12, 3, 2)
        self.conv2 = conv_norm(12, 24, 3, 2)
        self.block = InvertedResidual(24, 24, 24, 1)
        self.conv3 = conv_norm(24, 32, 3, 2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv3(self.block(self.conv2(self.conv1(x))))
        return self.fc(self.pool(x).flatten(1))
