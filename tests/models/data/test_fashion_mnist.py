from __future__ import annotations

import gzip
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.data import DatasetError, load
from models.data.fashion_mnist import FOLDER, PACKAGE
from models.frontend.trace import trace
from models.ir.node import Shape
from models.layers.layer import WeightedLayer
from models.quant import quantize
from models.verify import compare_with_golden
from models.zoo import load_model


def test_fashion_mnist_is_what_debian_ships() -> None:
    if not FOLDER.is_dir():
        pytest.skip(f"needs Debian's package {PACKAGE}")
    data = load("fashion_mnist")
    assert data.shape == Shape(28, 28, 1)
    assert np.array_equal(np.bincount(data.train_y), np.full(10, 4800))
    assert np.array_equal(np.bincount(data.validation_y), np.full(10, 1200))
    assert np.array_equal(np.bincount(data.test_y), np.full(10, 1000))
    raw = gzip.decompress((FOLDER / "t10k-images-idx3-ubyte.gz").read_bytes())
    assert struct.unpack(">4I", raw[:16]) == (0x803, 10_000, 28, 28)
    assert data.encode(data.test_x).astype(np.uint8).tobytes() == raw[16:]


def write_files(folder: Path, images: np.ndarray, labels: np.ndarray) -> str:
    for split in ("train", "t10k"):
        for name, array, kind in (("images-idx3", images, 3), ("labels-idx1", labels, 1)):
            head = struct.pack(f">HBB{kind}I", 0, 8, kind, *array.shape)
            (folder / f"{split}-{name}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes()))
    return f"fashion_mnist:{folder}"


def test_fashion_mnist_is_read_from_a_folder(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (5, 28, 28), dtype=np.uint8), np.arange(5, dtype=np.uint8)
    data = load(write_files(tmp_path, images, labels))
    assert np.array_equal(data.encode(data.test_x)[:, 0], images)
    assert np.array_equal(data.test_y, labels)
    assert np.array_equal(data.encode(data.train_x)[:, 0], images[1:])
    path = tmp_path / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(struct.pack(">HBBI", 0, 9, 1, 5) + labels.tobytes()))
    with pytest.raises(DatasetError, match=r"t10k-labels-idx1-ubyte\.gz is no IDX file of bytes: begins with 00000901"):
        load(f"fashion_mnist:{tmp_path}")
    path.unlink()
    with pytest.raises(DatasetError, match=f"ubyte.gz is not there; install Debian's package {PACKAGE}"):
        load(f"fashion_mnist:{tmp_path}")


@pytest.mark.parametrize("name, products", [("fashion_resnet", 7_526_880), ("fashion_mobilenet", 6_102_368)])
def test_networks_for_fashion_mnist_become_integers(name: str, products: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (20, 28, 28), dtype=np.uint8), np.arange(20, dtype=np.uint8) % 10
    data = load(write_files(tmp_path, images, labels))
    plan = trace(load_model(name), data.shape, name)
    weighted = [layer for layer in plan.layers if isinstance(layer, WeightedLayer)]
    assert sum(layer.shape.height * layer.shape.width * layer.weight.numel() for layer in weighted) == products
    quantized = quantize(plan, replace(data, train_x=data.train_x[:8], train_y=data.train_y[:8]), "dybit4", epochs=0)
    compare_with_golden(quantized, quantized.export(), data, 1)
