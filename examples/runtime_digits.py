"""A network of PyTorch that ONNX Runtime quantizes to 8 bits, for runtime_digits.toml.

``python examples/runtime_digits.py`` trains it on the 8 x 8 digits, exports it, quantizes it after training, and writes
the file and images as the integers that it takes into ``runs/runtime_digits``; then
``netweave run examples/runtime_digits.toml`` goes on. Needs ``pip install 'netweave[import]' onnxscript scikit-learn``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from imported_digits import IMAGES, LABELS, SPLITS, train, write_images
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

NETWORK = Path("runs") / "runtime_digits" / "net.onnx"
CALIBRATION = 200


class Images(CalibrationDataReader):
    """The images by which ONNX Runtime finds its scales."""

    def __init__(self, name: str, images: np.ndarray) -> None:
        self.images = iter([{name: image[None]} for image in images])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.images, None)


def main() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.ReLU(),
        nn.Conv2d(16, 32, 1), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip
    train(net, epochs=20)
    NETWORK.parent.mkdir(parents=True, exist_ok=True)
    real, prepared = (str(NETWORK.with_name(f"{name}.onnx")) for name in ("real", "prepared"))
    torch.onnx.export(net, (IMAGES[:1],), real, input_names=["x"], dynamo=True, external_data=False)
    quant_pre_process(real, prepared)
    calibration = IMAGES[SPLITS["train"][:CALIBRATION]].numpy()
    # weights of 7 bits: without VNNI, ONNX Runtime's own sums of two larger products saturate
    quantize_static(
        prepared, str(NETWORK), Images("x", calibration), quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, reduce_range=True,
    )  # fmt: skip
    session, test = onnxruntime.InferenceSession(str(NETWORK)), SPLITS["test"].tolist()
    answers = [np.argmax(session.run(None, {"x": IMAGES[n : n + 1].numpy()})[0]) for n in test]
    print(f"ONNX Runtime: {int((answers == LABELS[test]).sum())} of {len(test)} test images right")
    write_images(NETWORK)


if __name__ == "__main__":
    main()
