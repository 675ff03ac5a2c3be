"""Networks as Brevitas' users write them, with random weights, and their export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import brevitas.nn as qnn
import torch
from brevitas.export import export_qonnx
from brevitas.quant import Int8WeightPerChannelFloat
from brevitas.quant.binary import SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst
from brevitas.quant.ternary import SignedTernaryWeightPerTensorConst
from torch import Tensor, nn
from torch.nn import functional as F

Shape = tuple[int, ...]


def conv(c_in: int, c_out: int, kernel: int, bits: int = 4, bias: bool = False, **own: object) -> nn.Module:
    return qnn.QuantConv2d(c_in, c_out, kernel, weight_bit_width=bits, bias=bias, **own)


def linear(features: int, outputs: int, bits: int = 4) -> nn.Module:
    return qnn.QuantLinear(features, outputs, bias=True, weight_bit_width=bits)


def relu(bits: int = 4) -> nn.Module:
    return qnn.QuantReLU(bit_width=bits)


def identity(bits: int = 8) -> nn.Module:
    return qnn.QuantIdentity(bit_width=bits)


def lenet() -> tuple[nn.Module, Shape]:
    layers = (
        identity(), conv(1, 6, 5, bias=True), nn.BatchNorm2d(6), relu(), nn.MaxPool2d(2), conv(6, 12, 5, bits=3),
        relu(3), nn.MaxPool2d(2), nn.Flatten(), linear(192, 20), relu(), linear(20, 10, 8),
    )  # fmt: skip
    return nn.Sequential(*layers), (1, 28, 28)


def cnv(one_bit: bool) -> tuple[nn.Module, Shape]:
    """CNV of the FINN examples, with fewer channels: weights and activations of one or two bits."""
    weights = SignedBinaryWeightPerTensorConst if one_bit else SignedTernaryWeightPerTensorConst

    def act() -> nn.Module:
        return qnn.QuantIdentity(act_quant=SignedBinaryActPerTensorConst) if one_bit else relu(2)

    def block(c_in: int, c_out: int) -> list[nn.Module]:
        own = qnn.QuantConv2d(c_in, c_out, 3, bias=False, weight_quant=weights)
        return [own, nn.BatchNorm2d(c_out), act()]

    layers = [
        identity(), *block(3, 8), *block(8, 8), nn.MaxPool2d(2), *block(8, 16), *block(16, 16), nn.MaxPool2d(2),
        nn.Flatten(), qnn.QuantLinear(16 * 9, 16, bias=False, weight_quant=weights), nn.BatchNorm1d(16), act(),
        qnn.QuantLinear(16, 10, bias=False, weight_quant=weights),
    ]  # fmt: skip
    return nn.Sequential(*layers), (3, 24, 24)


class Residual(nn.Module):
    """Two branches that share a scale, and their sum."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(identity(), conv(3, 8, 3, padding=1), nn.BatchNorm2d(8), relu())
        self.left = nn.Sequential(conv(8, 8, 3, padding=1), nn.BatchNorm2d(8))
        self.right = nn.Sequential(conv(8, 8, 1), nn.BatchNorm2d(8))
        self.shared, self.relu, self.fc = identity(4), relu(), linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.relu(self.shared(self.left(x)) + self.shared(self.right(x)))
        return self.fc(x.mean((2, 3)))


def mobilenet() -> tuple[nn.Module, Shape]:
    layers, channels = [identity(), conv(3, 8, 3, 8, stride=2, padding=1), nn.BatchNorm2d(8), relu()], 8
    for outputs, stride in ((8, 1), (16, 2), (16, 1)):
        layers += [conv(channels, channels, 3, stride=stride, padding=1, groups=channels), nn.BatchNorm2d(channels)]
        layers += [relu(), conv(channels, outputs, 1), nn.BatchNorm2d(outputs), relu()]
        channels = outputs
    return nn.Sequential(*layers, nn.AvgPool2d(4), identity(6), nn.Flatten(), linear(16, 10)), (3, 16, 16)


class DenselyConnected(nn.Module):
    """Each layer takes what all before it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.input, self.shared, self.fc = identity(), identity(4), linear(12 * 64, 3)
        self.convs = nn.ModuleList([conv(2, 4, 3, padding=1), conv(4, 4, 3, padding=1), conv(8, 4, 3, padding=1)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.shared(F.relu(self.convs[0](self.input(x))))
        for layer in self.convs[1:]:
            x = torch.cat([x, self.shared(F.relu(layer(x)))], 1)
        return self.fc(x.flatten(1))


def keyword() -> tuple[nn.Module, Shape]:
    own = {"bias": False, "weight_bit_width": 4}
    layers = (
        identity(), qnn.QuantConv1d(4, 8, 5, stride=2, padding=2, **own), nn.BatchNorm1d(8), relu(),
        qnn.QuantConv1d(8, 8, 9, groups=8, padding=4, **own), nn.BatchNorm1d(8), relu(),
        qnn.QuantConv1d(8, 12, 1, bias=True, weight_bit_width=4), relu(), nn.MaxPool1d(2), nn.Flatten(),
        linear(120, 12),
    )  # fmt: skip
    return nn.Sequential(*layers), (4, 40)


def autoencoder() -> tuple[nn.Module, Shape]:
    layers: list[nn.Module] = [identity()]
    for features, outputs in ((64, 32), (32, 8), (8, 32)):
        layers += [linear(features, outputs), nn.BatchNorm1d(outputs), relu()]
    return nn.Sequential(*layers, linear(32, 64), identity()), (64,)


def channelwise() -> tuple[nn.Module, Shape]:
    """A scale for each output channel, an oblong convolution in groups, functions that are no clip."""
    own = {"weight_quant": Int8WeightPerChannelFloat, "weight_bit_width": 4, "bias": True}
    layers = (
        identity(), qnn.QuantConv2d(3, 8, 3, stride=2, padding=1, **own),
        qnn.QuantHardTanh(bit_width=5, min_val=-1.0, max_val=1.0),
        qnn.QuantConv2d(8, 8, (1, 5), padding=(0, 2), groups=2, **own), qnn.QuantSigmoid(bit_width=6), nn.AvgPool2d(2),
        identity(7), nn.Flatten(), qnn.QuantLinear(128, 6, **own),
    )  # fmt: skip
    return nn.Sequential(*layers), (3, 16, 16)


BREVITAS: dict[str, Callable[[], tuple[nn.Module, Shape]]] = {
    "lenet": lenet,
    "cnv of one bit": lambda: cnv(True),
    "cnv of two bits": lambda: cnv(False),
    "residual": lambda: (Residual(), (3, 9, 9)),
    "mobilenet": mobilenet,
    "densely connected": lambda: (DenselyConnected(), (2, 8, 8)),
    "keyword": keyword,
    "autoencoder": autoencoder,
    "channelwise": channelwise,
}


def exported(make: Callable[[], tuple[nn.Module, Shape]], path: Path) -> tuple[Path, Shape]:
    """The network as a QONNX file: scales of its activations follow random inputs, its other parameters are random."""
    torch.manual_seed(0)
    net, shape = make()
    for module in net.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.uniform_(module.weight, -1.2, 1.2)
            nn.init.normal_(module.bias, 0, 0.3)
    x = torch.rand(32, *shape) * 2 - 1
    net.train()
    with torch.no_grad():
        for _ in range(8):
            net(x + 0.05 * torch.randn_like(x))
    net.eval()
    export_qonnx(net, torch.rand(1, *shape) * 2 - 1, str(path))
    return path, shape
