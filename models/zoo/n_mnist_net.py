"""``n_mnist_net``: a residual network for handwritten digits seen by a 34 x 34 event camera."""

from __future__ import annotations

from torch import Tensor, nn

from models.zoo.backbone import InvertedResidual, conv_norm


class NMnistNet(nn.Module):
    """Two 3x3 convolutions to 9 x 9 sites, two residual blocks, a third to 5 x 5, a 1x1, the mean, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = conv_norm(2, 24, 3, 2)
        self.conv2 = conv_norm(24, 48, 3, 2)
        self.block1 = InvertedResidual(48, 96, 48, 1)
        self.block2 = InvertedResidual(48, 96, 48, 1)
        self.conv3 = conv_norm(48, 96, 3, 2)
        self.head = conv_norm(96, 128, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block2(self.block1(self.conv2(self.conv1(x))))
        return self.fc(self.pool(self.head(self.conv3(x))).flatten(1))
