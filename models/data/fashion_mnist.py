"""``fashion_mnist``: grey pictures of clothes, 28 x 28 pixels in ten classes, from Debian's dataset-fashion-mnist.

60,000 for training and validation and 10,000 for test. (Xiao et al., arXiv 1708.07747, MIT.)
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from models.data.dataset import Augment, Dataset, DatasetError
from models.data.held_out import held_out
from models.ir.formats.integer import IntType

FOLDER = Path("/usr/share/datasets/fashion-mnist")
PACKAGE = "dataset-fashion-mnist"
CLASSES = 10
SCALE = 1 / 255
SPLITS = {"train": "train", "test": "t10k"}
BYTES = 0x08
"""The code of uint8 in the third byte of an IDX file; the fourth is the number of dimensions."""


def fashion_mnist(folder: str | Path | None = None) -> Dataset:
    """The data set in ``folder``, which holds the four ``*-ubyte.gz`` as published, or where Debian's package is."""
    root = Path(folder).expanduser().resolve() if folder else FOLDER
    images = {split: _idx(root / f"{name}-images-idx3-ubyte.gz", 3) for split, name in SPLITS.items()}
    labels = {split: _idx(root / f"{name}-labels-idx1-ubyte.gz", 1) for split, name in SPLITS.items()}
    for split, own in images.items():
        if not 0 < len(own) == len(labels[split]):
            count = f"{len(own)} images and {len(labels[split])} labels in {SPLITS[split]}-*"
            raise DatasetError(
                f"data set 'fashion_mnist': {root} has {count}; there must be as many of both, 1 or more"
            )
    x = {split: own[:, None].astype(np.float32) * np.float32(SCALE) for split, own in images.items()}
    return Dataset(
        "fashion_mnist",
        *held_out(x["train"], labels["train"].astype(np.int64)),
        x["test"],
        labels["test"].astype(np.int64),
        classes=CLASSES,
        input_dtype=IntType(8, signed=False),
        input_scale=SCALE,
        augment=Augment(shift=2.0, flip=True, nearest=True),
    )


def _idx(path: Path, dimensions: int) -> np.ndarray:
    """uint8 of an IDX file: zero, zero, type, dimensions, each dimension's size as big-endian 32 bits, the bytes."""
    if not path.is_file():
        raise DatasetError(
            f"data set 'fashion_mnist': {path} is not there; install Debian's package {PACKAGE}, "
            "or give the folder as 'fashion_mnist:/path/to/it'"
        )
    try:
        content = gzip.decompress(path.read_bytes())
        *start, sizes = struct.unpack_from(f">HBB{4 * dimensions}s", content)
        if start != [0, BYTES, dimensions]:
            raise ValueError(f"begins with {content[:4].hex()}")
        shape = struct.unpack(f">{dimensions}I", sizes)
        return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    except (OSError, EOFError, ValueError, struct.error) as error:
        raise DatasetError(f"data set 'fashion_mnist': {path} is no IDX file of bytes: {error}") from error
