"""``Backbone``: an inverted-residual network from a description, like published networks for event cameras.

It consists of PyTorch's own layers, so that it computes on dense images and, given a ``SparseTensor``, as a submanifold
network.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

Block = tuple[int, int, int, int]
"""(expansion, channels, repeats, stride): ``repeats`` inverted residuals, the first of them with the stride."""


class InvertedResidual(nn.Module):
    """A 1x1 convolution, a depthwise one and a second 1x1, with an identity shortcut where the shape stays.

    Parameters
        c_in        input channels
        c_inner     channels of the depthwise convolution
        c_out       output channels
        stride      stride of the depthwise convolution
        kernel      side of its kernel
    """

    def __init__(self, c_in: int, c_inner: int, c_out: int, stride: int, kernel: int = 3) -> None:
        super().__init__()
        self.expand = conv_norm(c_in, c_inner, 1)
        self.depthwise = conv_norm(c_inner, c_inner, kernel, stride, groups=c_inner)
        self.project = conv_norm(c_inner, c_out, 1, activation=False)
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return y + x if self.residual else y


class Backbone(nn.Module):
    """A 3x3 stem of stride 2, inverted residuals, a 1x1 convolution, the mean over the image, and a linear layer.

    The input is ``[n, c_in, H, W]``, the output ``[n, classes]``, or ``[n, head]`` without classes.

    Parameters
        c_in        input channels
        stem        channels of the stem
        blocks      inverted residuals
        head        channels of the 1x1 convolution
        classes     outputs of the linear layer; None for a network without it
        kernel      side of the depthwise kernels
    """

    def __init__(
        self, c_in: int, stem: int, blocks: Sequence[Block], head: int, classes: int | None, kernel: int = 3
    ) -> None:
        super().__init__()
        self.stem = conv_norm(c_in, stem, 3, 2)
        layers = []
        channels = stem
        for expansion, c_out, repeats, stride in blocks:
            for repeat in range(repeats):
                inner, step = expansion * channels, 1 if repeat else stride
                layers.append(InvertedResidual(channels, inner, c_out, step, kernel))
                channels = c_out
        self.blocks = nn.Sequential(*layers)
        self.head = conv_norm(channels, head, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Identity() if classes is None else nn.Linear(head, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(self.blocks(self.stem(x)))
        return self.fc(self.pool(x).flatten(1))


def conv_norm(
    c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1, activation: bool = True
) -> nn.Sequential:
    """A convolution with 'same' padding and a batch norm, with or without a ReLU.

    Parameters
        c_in           input channels
        c_out          output channels
        kernel         side of the kernel
        stride         stride of the convolution
        groups         groups of channels
        activation     whether a ReLU follows
    """
    layers: dict[str, nn.Module] = {
        "conv": nn.Conv2d(c_in, c_out, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
        "norm": nn.BatchNorm2d(c_out),
    }
    if activation:
        layers["relu"] = nn.ReLU()
    return nn.Sequential(OrderedDict(layers))
