"""``resnet20``: the residual network for CIFAR-10's 32 x 32 photographs. (He et al., arXiv 1512.03385.)

``resnet20:cifar10`` has published weights, from ``cifar10/resnet20_float.npz`` in the folder that the environment
variable NETWEAVE_DATA names.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.data.folder import folder_of
from models.weights import load_weights

BLOCKS = 3
CHANNELS = (16, 32, 64)
CLASSES = 10
WEIGHTS = "resnet20_float.npz"


class PaddedShortcut(nn.Module):
    """The shortcut of a block that halves the sides and adds channels: every other pixel, padded with zero channels.

    Half of the new channels come first, half last. It is a pointwise convolution of ones and zeros, as the integer
    graph has no padding of channels. Its weights are constant in float training and not part of the state.

    Parameters
        c_in      input channels
        c_out     output channels
    """

    weight: Tensor

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        weight = torch.zeros(c_out, c_in, 1, 1)
        weight[(c_out - c_in) // 2 :][torch.arange(c_in), torch.arange(c_in)] = 1.0
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, stride=2)


class Block(nn.Module):
    """Two 3 x 3 convolutions with a shortcut.

    Parameters
        c_in      input channels
        c_out     output channels
    """

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, 1 if c_in == c_out else 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.shortcut = nn.Identity() if c_in == c_out else PaddedShortcut(c_in, c_out)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet20(nn.Module):
    """A stem, three residual blocks at each of three sizes, the mean over the image, and a linear layer.

    The input is ``[n, 3, 32, 32]``, the output ``[n, 10]``. Submodules have the names of the published weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, CHANNELS[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(CHANNELS[0])
        self.layer1 = _stage(CHANNELS[0], CHANNELS[0])
        self.layer2 = _stage(CHANNELS[0], CHANNELS[1])
        self.layer3 = _stage(CHANNELS[1], CHANNELS[2])
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(CHANNELS[2], CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(self.pool(x).flatten(1))


def _stage(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(*(Block(c_out if block else c_in, c_out) for block in range(BLOCKS)))


def pretrained_resnet20() -> nn.Module:
    """The network with its published weights."""
    network = ResNet20()
    load_weights(network, folder_of("cifar10", None) / WEIGHTS)
    return network
