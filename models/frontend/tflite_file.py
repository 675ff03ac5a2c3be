"""TensorFlow Lite files: their tensors and operators as plain records, checked."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.frontend.imported import NetworkFileError

MOST_BYTES = 1 << 27
MOST_PARTS = 1 << 14
"""Tensors or operators of a file, at most."""
TYPES = {"FLOAT32": np.float32, "INT32": np.int32, "UINT8": np.uint8, "INT64": np.int64, "INT8": np.int8}


class TfliteError(NetworkFileError):
    """A TensorFlow Lite file that cannot be imported."""


@dataclass(frozen=True, eq=False)
class TfliteTensor:
    """A tensor of a file.

    Parameters
        name          its name in the file
        shape         its sides; the first is the batch, for what is no constant
        kind          its type: a key of ``TYPES``
        scale         float32, one number or one a channel; empty where the tensor is not quantized
        zero_point    int64, as many
        data          the numbers of a constant, else None
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    scale: np.ndarray
    zero_point: np.ndarray
    data: np.ndarray | None


@dataclass(frozen=True, eq=False)
class TfliteOperator:
    """An operator of a file.

    Parameters
        kind       its name in the format, as ``CONV_2D``
        number     its place in the file
        inputs     numbers of tensors; -1 for one that is left out
        outputs    numbers of tensors
        options    by name, as the format has them
    """

    kind: str
    number: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"operator {self.number}, {self.kind}"


@dataclass(frozen=True, eq=False)
class TfliteFile:
    """What a file holds.

    Parameters
        path         the file
        tensors      by number
        operators    in the order in which they are computed
        inputs       numbers of tensors
        outputs      numbers of tensors
    """

    path: Path
    tensors: tuple[TfliteTensor, ...]
    operators: tuple[TfliteOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_tflite(path: Path) -> TfliteFile:
    """Read a file.

    Parameters
        path       the file
    Raises         TfliteError: it is no such file, is damaged, or has more than one graph
    """
    try:
        import tflite
    except ImportError as error:
        raise TfliteError(path, "", "needs the package tflite: pip install 'netweave[import]'") from error
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise TfliteError(path, "", f"cannot be read: {error.strerror}") from error
    if size > MOST_BYTES:
        raise TfliteError(path, "", f"has {size} bytes; at most {MOST_BYTES} are taken")
    if content[4:8] != b"TFL3":
        raise TfliteError(path, "", "is no TensorFlow Lite file: its bytes 4 to 7 must be TFL3")
    try:
        return _Reader(path, tflite).file(tflite.Model.GetRootAs(content, 0))
    except (struct.error, IndexError, ValueError, TypeError, KeyError, OverflowError, UnicodeDecodeError) as error:
        if isinstance(error, TfliteError):
            raise
        raise TfliteError(path, "", f"is damaged: {error}") from error


class _Reader:
    """Records from the tables of a file; ``tflite`` is the package with the format's classes."""

    def __init__(self, path: Path, tflite: Any) -> None:
        self.path, self.tflite = path, tflite
        self.kinds = _names(tflite.BuiltinOperator)
        self.types = _names(tflite.TensorType)

    def file(self, model: Any) -> TfliteFile:
        if model.SubgraphsLength() != 1:
            raise TfliteError(self.path, "", f"has {model.SubgraphsLength()} graphs; must have 1")
        graph = model.Subgraphs(0)
        for what, count in (("tensors", graph.TensorsLength()), ("operators", graph.OperatorsLength())):
            if count > MOST_PARTS:
                raise TfliteError(self.path, "", f"has {count} {what}; at most {MOST_PARTS} are taken")
        tensors = tuple(self.tensor(model, graph.Tensors(number)) for number in range(graph.TensorsLength()))
        operators = tuple(
            self.operator(model, graph.Operators(number), number, len(tensors))
            for number in range(graph.OperatorsLength())
        )
        inputs, outputs = (_integers(part) for part in (graph.InputsAsNumpy(), graph.OutputsAsNumpy()))
        for number in (*inputs, *outputs):
            self._check(number, len(tensors), "the graph")
        return TfliteFile(self.path, tensors, operators, inputs, outputs)

    def tensor(self, model: Any, table: Any) -> TfliteTensor:
        name = (table.Name() or b"").decode()
        kind = self.types.get(table.Type(), str(table.Type()))
        shape = _integers(table.ShapeAsNumpy())
        if any(side < 0 for side in shape):
            raise TfliteError(self.path, f"tensor {name!r}", f"shape {shape} must have no side below 0")
        quantization = table.Quantization()
        scale = zero_point = np.zeros(0)
        if quantization is not None and quantization.ScaleLength():
            scale, zero_point = quantization.ScaleAsNumpy(), quantization.ZeroPointAsNumpy()
            if not (np.isfinite(scale).all() and (scale > 0).all()) or len(scale) != len(zero_point):
                raise TfliteError(
                    self.path, f"tensor {name!r}", "its scales must be finite, above 0, each with a zero point"
                )
        return TfliteTensor(
            name,
            shape,
            kind,
            scale.astype(np.float32),
            zero_point.astype(np.int64),
            self._data(model, table, name, kind, shape),
        )

    def _data(self, model: Any, table: Any, name: str, kind: str, shape: tuple[int, ...]) -> np.ndarray | None:
        buffer = model.Buffers(table.Buffer()) if table.Buffer() < model.BuffersLength() else None
        if buffer is None or not buffer.DataLength():
            return None
        if kind not in TYPES:
            return None
        numbers = np.frombuffer(buffer.DataAsNumpy().tobytes(), np.dtype(TYPES[kind]).newbyteorder("<"))
        if numbers.size != np.prod(shape, dtype=np.int64):
            raise TfliteError(
                self.path, f"tensor {name!r}", f"has {numbers.size} numbers; its shape {shape} asks for others"
            )
        return numbers.reshape(shape)

    def operator(self, model: Any, table: Any, number: int, tensors: int) -> TfliteOperator:
        if table.OpcodeIndex() >= model.OperatorCodesLength():
            raise TfliteError(self.path, f"operator {number}", f"its code {table.OpcodeIndex()} is not in the file")
        code = model.OperatorCodes(table.OpcodeIndex())
        builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        kind = self.kinds.get(builtin, str(builtin))
        inputs, outputs = (_integers(part) for part in (table.InputsAsNumpy(), table.OutputsAsNumpy()))
        for tensor in (*(own for own in inputs if own != -1), *outputs):
            self._check(tensor, tensors, f"operator {number}, {kind}")
        return TfliteOperator(kind, number, inputs, outputs, self._options(table))

    def _check(self, tensor: int, tensors: int, where: str) -> None:
        if not 0 <= tensor < tensors:
            raise TfliteError(self.path, where, f"names tensor {tensor}; the file has {tensors}")

    def _options(self, table: Any) -> dict[str, Any]:
        """The numbers among an operator's options, by name."""
        kind = _names(self.tflite.BuiltinOptions).get(table.BuiltinOptionsType(), "NONE")
        made = getattr(self.tflite, kind, None)
        if made is None or table.BuiltinOptions() is None:
            return {}
        options = made()
        options.Init(table.BuiltinOptions().Bytes, table.BuiltinOptions().Pos)
        named = {}
        for name in OPTIONS.get(kind, ()):
            named[name] = getattr(options, name)()
        return named


OPTIONS = {
    "Conv2DOptions": ("Padding", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor", "FusedActivationFunction"),
    "DepthwiseConv2DOptions": (
        "Padding", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor", "FusedActivationFunction",
    ),
    "Pool2DOptions": ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth", "FusedActivationFunction"),
    "FullyConnectedOptions": ("FusedActivationFunction", "WeightsFormat"),
    "AddOptions": ("FusedActivationFunction",),
    "SoftmaxOptions": ("Beta",),
}  # fmt: skip
"""What is read of an operator's options."""


def _names(kind: type) -> dict[int, str]:
    return {value: name for name, value in vars(kind).items() if isinstance(value, int) and not name.startswith("_")}


def _integers(numbers: Any) -> tuple[int, ...]:
    """Of a vector that may be left out, for which the format's classes give 0."""
    return tuple(int(number) for number in np.atleast_1d(numbers)) if isinstance(numbers, np.ndarray) else ()
