"""Small networks of every supported layer, with random weights and statistics, and data to match."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.data import Dataset
from models.frontend.trace import trace
from models.ir.formats.integer import IntType
from models.quant.calibrate import Calibration
from models.quant.formats import resolve
from models.quant.network import QuantizedNetwork
from models.zoo import load_model

CLASSES = 5


def randomized(model: nn.Module, seed: int) -> nn.Module:
    """The model with batch norms that scale, shift and sometimes change sign, as trained ones do."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            for tensor, low, high in (
                (module.weight, -0.5, 1.5),
                (module.bias, -0.5, 0.5),
                (module.running_mean, -0.3, 0.3),
                (module.running_var, 0.2, 1.0),
            ):
                assert tensor is not None
                tensor.data.uniform_(low, high, generator=generator)
    return model.eval()


def random_data(
    channels: int, side: int, signed: bool = False, classes: int = CLASSES, seed: int = 0, sparse: bool = False
) -> Dataset:
    """Integers / 8; the images of a sparse data set are empty, full and all between, in turn."""
    rng = np.random.default_rng(seed)
    low, high = (-8, 8) if signed else (0, 16)

    def images(n: int) -> np.ndarray:
        x = rng.integers(low, high, (n, channels, side, side)) / 8
        if sparse:
            share = np.resize((0.3, 0.0, 1.0, 0.05, 0.7), n)
            x *= rng.random((n, 1, side, side)) < share[:, None, None, None]
        return x.astype(np.float32)

    labels = np.arange(40) % classes
    return Dataset(
        "random",
        images(40),
        labels,
        images(20),
        labels[:20],
        images(20),
        labels[:20],
        classes,
        IntType(4, signed),
        1 / 8,
        sparse=sparse,
    )


class PreActivation(nn.Module):
    """Batch norm and activation after an add, and a convolution with two users: nothing there to fold into."""

    def __init__(self) -> None:
        super().__init__()
        self.input_bn = nn.BatchNorm2d(2)
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.fc = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(self.input_bn(x))
        x = x + self.conv2(F.relu(x))
        x = torch.relu(self.bn(x))
        return self.fc(x.mean(dim=(2, 3)))


class Functional(nn.Module):
    """The functional forms, in-place addition and shape arithmetic."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 2, 3, 3) * 0.3)
        self.gain = nn.Parameter(torch.rand(4) + 0.5)
        self.register_buffer("mean", torch.randn(4) * 0.1)
        self.register_buffer("var", torch.rand(4) + 0.5)
        self.last = nn.Parameter(torch.randn(CLASSES, 36) * 0.2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.weight, None, 1, "same")
        x = F.relu6(F.batch_norm(x, self.mean, self.var, self.gain))
        y = F.max_pool2d(x, 3, stride=2, padding=1)
        y += F.avg_pool2d(x, 2)
        y = torch.add(y, y)
        y = F.dropout(F.adaptive_avg_pool2d(y, (3, 3)), 0.3, self.training)
        y = F.hardtanh(y, -2, 2.5).clamp(min=-1.5)
        return F.linear(y.view(y.size(0), -1), self.last)


class DenselyConnected(nn.Module):
    """Channels laid beside each other: of an input and its convolution, of three tensors at once, and of numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.second = nn.Conv2d(6, 3, 3, padding=1)
        self.wide = nn.Linear(12, 4)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x, F.relu(self.first(x))], 1)
        y = torch.cat((self.second(x), x, self.second(x).relu()), dim=1)
        y = F.relu(y).mean(dim=(2, 3))
        z = self.wide(y)
        return self.fc(torch.concat([F.relu(z), z], -1))


class Curved(nn.Module):
    """Functions that become tables, in groups of channels, over oblong windows that are padded on one side."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 6, (3, 2), (1, 2), dilation=(2, 1), padding=(2, 0))
        self.slope = nn.PReLU(6)
        self.grouped = nn.Conv2d(6, 4, 3, stride=2, groups=2)
        self.gelu = nn.GELU()
        self.fc = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.slope(self.stem(x))
        x = self.grouped(F.pad(x, (0, 1, 0, 1)))
        x = F.hardswish(self.gelu(x)) + torch.sigmoid(x)
        return self.fc(torch.tanh(x.mean((2, 3))))


NETS: dict[str, tuple[Callable[[], nn.Module], Dataset]] = {
    "digits_cnn": (lambda: load_model("digits_cnn"), random_data(1, 8, classes=10)),
    "pre_activation": (PreActivation, random_data(2, 6, signed=True)),
    "functional": (Functional, random_data(2, 12)),
    "densely_connected": (DenselyConnected, random_data(2, 7, signed=True)),
    "curved": (Curved, random_data(2, 9, signed=True)),
    "pools": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2, padding=1),
            nn.BatchNorm2d(6),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(6, 4, 1),
            nn.Hardtanh(-0.7, 0.9),
            nn.AvgPool2d(3, stride=1, padding=1),
            nn.MaxPool2d(3, 2, 1),
            nn.Flatten(),
            nn.Dropout(),
            nn.Linear(16, CLASSES),
        ),
        random_data(3, 16, signed=True),
    ),
    "depthwise": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 6, 5, padding=2, bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU6(),
            nn.Conv2d(6, 6, 3, stride=2, padding=1, groups=6, bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU6(),
            nn.Conv2d(6, 4, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 6),
            nn.BatchNorm1d(6),
            nn.ReLU(),
            nn.Linear(6, CLASSES),
        ),
        random_data(2, 9),
    ),
    "kernel7": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 7, stride=2, padding=3),
            nn.Hardtanh(),
            nn.Conv2d(4, 4, 4, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(4),
            nn.Identity(),
            nn.Conv2d(4, CLASSES, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        ),
        random_data(1, 18),
    ),
}


def net(name: str, seed: int = 0) -> tuple[nn.Module, Dataset]:
    build, data = NETS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return randomized(build(), seed), data


def quantized(name: str, assignment: dict[str, str] | str, method: str = "mse", seed: int = 0) -> QuantizedNetwork:
    """The network of that name with these formats, not trained any further, in eval mode."""
    model, data = net(name, seed)
    plan = trace(model, data.shape, name)
    formats = resolve(plan, data.input_dtype, assignment)
    return QuantizedNetwork(plan, formats, Calibration(plan, data, method)).eval()
