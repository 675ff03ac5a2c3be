"""A network of PyTorch that ONNX Runtime quantizes to 8 bits, for runtime_digits.toml.

``python examples/runtime_digits.py`` trains it on the 8 x 8 digits, exports it, quantizes it after training, and writes
the file and images as the integers that it takes into ``runs/runtime_digits``; then
``netweave run examples/runtime_digits.toml`` goes on. Needs ``pip install 'netweave[import]' onnxscript scikit-learn``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from models.frontend.importers import import_file

FOLDER = Path("runs") / "runtime_digits"
EPOCHS, BATCH, CALIBRATION = 20, 64, 200


class Images(CalibrationDataReader):
    """The images by which ONNX Runtime finds its scales."""

    def __init__(self, name: str, images: np.ndarray) -> None:
        self.images: Iterator[dict[str, np.ndarray]] = iter([{name: image[None]} for image in images])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.images, None)


def main() -> None:
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    y = torch.tensor(labels)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.ReLU(),
        nn.Conv2d(16, 32, 1), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(EPOCHS):
        for batch in train[torch.randperm(len(train))].split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
    FOLDER.mkdir(parents=True, exist_ok=True)
    real, prepared, path = (FOLDER / f"{name}.onnx" for name in ("real", "prepared", "net"))
    torch.onnx.export(net.eval(), (x[:1],), str(real), input_names=["x"], dynamo=True, external_data=False)
    quant_pre_process(str(real), str(prepared))
    # products of 7 bits: without VNNI, ONNX Runtime's own sums of two larger ones saturate
    quantize_static(
        str(prepared), str(path), Images("x", x[train[:CALIBRATION]].numpy()), quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, reduce_range=True,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(str(path))
    right = sum(int(session.run(None, {"x": x[n : n + 1].numpy()})[0].argmax() == labels[n]) for n in test.tolist())
    print(f"ONNX Runtime: {right} of {len(test)} test images right")
    taken = import_file(path).inputs(x.numpy()).transpose(0, 3, 1, 2)
    parts = {"train": train.numpy(), "test": test.numpy()}
    arrays = {f"x_{name}": taken[part] for name, part in parts.items()}
    np.savez(FOLDER / "data.npz", **arrays, **{f"y_{name}": labels[part] for name, part in parts.items()})
    print(f"written: {path}, {FOLDER}/data.npz")


if __name__ == "__main__":
    main()
