"""A network of 4-bit integers trained with Brevitas on the 8 x 8 digits, for brevitas_digits.toml.

``python examples/brevitas_digits.py`` writes the network as QONNX, and images as the integers that it takes, into
``runs/brevitas_digits``; then ``netweave run examples/brevitas_digits.toml`` goes on. Needs
``pip install 'netweave[import]' brevitas onnxoptimizer scikit-learn``.
"""

from __future__ import annotations

from pathlib import Path

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.export import export_qonnx
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from models.frontend.importers import import_file

FOLDER = Path("runs") / "brevitas_digits"
EPOCHS, BATCH = 30, 64


def network() -> nn.Module:
    """Convolutions with 4-bit weights and activations; the first one takes what a quantizer of 8 bits gives."""
    bits = {"weight_bit_width": 4, "bias": False}
    return nn.Sequential(
        qnn.QuantIdentity(bit_width=8),
        qnn.QuantConv2d(1, 16, 3, padding=1, **bits),
        nn.BatchNorm2d(16),
        qnn.QuantReLU(bit_width=4),
        qnn.QuantConv2d(16, 32, 3, stride=2, padding=1, **bits),
        nn.BatchNorm2d(32),
        qnn.QuantReLU(bit_width=4),
        nn.Flatten(),
        qnn.QuantLinear(32 * 16, 10, weight_bit_width=4, bias=True),
    )


def main() -> None:
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    y = torch.tensor(labels)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(EPOCHS):
        for batch in train[torch.randperm(len(train))].split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        print(f"Brevitas: {(net(x[test]).argmax(1) == y[test]).sum()} of {len(test)} test images right")
    FOLDER.mkdir(parents=True, exist_ok=True)
    export_qonnx(net, x[:1], str(FOLDER / "net.onnx"))
    taken = import_file(FOLDER / "net.onnx").inputs(x.numpy()).transpose(0, 3, 1, 2)
    parts = {"train": train.numpy(), "test": test.numpy()}
    arrays = {f"x_{name}": taken[part] for name, part in parts.items()}
    np.savez(FOLDER / "data.npz", **arrays, **{f"y_{name}": labels[part] for name, part in parts.items()})
    print(f"written: {FOLDER}/net.onnx, {FOLDER}/data.npz")


if __name__ == "__main__":
    main()
