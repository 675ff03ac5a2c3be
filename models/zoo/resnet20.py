"""``resnet20``: the residual network for CIFAR-10's 32 x 32 photographs. (He et al., arXiv 1512.03385.)

``resnet20:cifar10`` comes with published weights, from ``cifar10/resnet20_float.npz`` of the folder that the variable
NETWEAVE_DATA names.
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


class Narrowed(nn.Module):
    """The way around a block that halves the sides and doubles the channels: every other pixel, new channels zero.

    As a pointwise convolution of ones and zeros, since nothing leaves a block but by an op; its weights are not trained
    in float and no part of the state. As many of the new channels come first as last.
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
    """Two 3 x 3 convolutions and the way around them."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, 1 if c_in == c_out else 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.shortcut = nn.Identity() if c_in == c_out else Narrowed(c_in, c_out)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet20(nn.Module):
    """Stem, three residual blocks at each of three sizes, mean over the image, linear; named as published weights are.

    Input ``[n, 3, 32, 32]``, output ``[n, 10]``.
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


def published() -> nn.Module:
    """The network with its published weights."""
    network = ResNet20()
    load_weights(network, folder_of("cifar10", None) / WEIGHTS)
    return network
