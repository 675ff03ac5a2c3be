"""A network of 4-bit integers trained with Brevitas on the 8 x 8 digits, for brevitas_digits.toml.

``python examples/brevitas_digits.py`` writes the network as QONNX, and images as the integers that it takes, into
``runs/brevitas_digits``; then ``netweave run examples/brevitas_digits.toml`` goes on. Needs
``pip install 'netweave[import]' brevitas onnxoptimizer scikit-learn``.
"""

from __future__ import annotations

from pathlib import Path

import brevitas.nn as qnn
import torch
from brevitas.export import export_qonnx
from imported_digits import IMAGES, LABELS, SPLITS, train, write_images
from torch import nn

NETWORK = Path("runs") / "brevitas_digits" / "net.onnx"


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
    net, test = network(), SPLITS["test"]
    train(net, epochs=30)
    with torch.no_grad():
        right = int((net(IMAGES[test]).argmax(1) == torch.tensor(LABELS)[test]).sum())
    print(f"Brevitas: {right} of {len(test)} test images right")
    NETWORK.parent.mkdir(parents=True, exist_ok=True)
    export_qonnx(net, IMAGES[:1], str(NETWORK))
    write_images(NETWORK)


if __name__ == "__main__":
    main()
