"""Small contents of TensorFlow Lite files, and what the graphs of them give."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np

from models.frontend.imported import ImportedNetwork
from models.frontend.tflite import _Importer
from models.frontend.tflite_file import TfliteFile, TfliteOperator, TfliteTensor


def quantized(name: str, shape: tuple[int, ...], scale: float, zero: int, data: Any = None) -> TfliteTensor:
    return TfliteTensor(name, shape, "INT8", np.array([scale], np.float32), np.array([zero]), data)


def constant(name: str, data: np.ndarray, scales: np.ndarray | None = None) -> TfliteTensor:
    scales = np.zeros(0, np.float32) if scales is None else scales.astype(np.float32)
    return TfliteTensor(name, data.shape, data.dtype.name.upper(), scales, np.zeros(len(scales), np.int64), data)


def file(tensors: list[TfliteTensor], *operators: tuple[str, tuple[int, ...], int, dict[str, Any]]) -> TfliteFile:
    listed = [TfliteOperator(kind, n, ins, (out,), options) for n, (kind, ins, out, options) in enumerate(operators)]
    return TfliteFile(Path("net.tflite"), tuple(tensors), tuple(listed), (0,), (operators[-1][2],))


def network_of(content: TfliteFile) -> ImportedNetwork:
    return _Importer(content).network("net")


def run(network: ImportedNetwork, x: np.ndarray) -> np.ndarray:
    """int64 ``[...]``: the file's numbers for its input ``[H, W, C]``."""
    return network.run(x[None])[0]


WINDOW = {"Padding": 0, "StrideH": 2, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1}


def padded(x: np.ndarray, taps: tuple[int, int], strides: tuple[int, int], zero: int) -> np.ndarray:
    """As TensorFlow's SAME does it."""
    ends = []
    for side, count, stride in zip(x.shape, taps, strides, strict=False):
        missing = max(0, (math.ceil(side / stride) - 1) * stride + count - side)
        ends.append((missing // 2, missing - missing // 2))
    return np.pad(x, (*ends, (0, 0)), constant_values=zero)


def simple() -> TfliteFile:
    weights = np.ones((2, 1, 1, 2), np.int8)
    tensors = [
        quantized("x", (1, 4, 4, 2), 0.1, 0),
        constant("w", weights, np.ones(1)),
        quantized("y", (1, 4, 4, 2), 0.1, 0),
    ]
    return file(tensors, ("CONV_2D", (0, 1), 2, {**WINDOW, "StrideH": 1, "FusedActivationFunction": 0}))


def changed(number: int, **fields: Any) -> TfliteFile:
    """With another tensor of that number."""
    content = simple()
    tensors = list(content.tensors)
    tensors[number] = dataclasses.replace(tensors[number], **fields)
    return dataclasses.replace(content, tensors=tuple(tensors))


def acting(**fields: Any) -> TfliteFile:
    """With another operator."""
    content = simple()
    return dataclasses.replace(content, operators=(dataclasses.replace(content.operators[0], **fields),))
