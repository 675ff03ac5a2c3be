"""The tensors of an ONNX file by name, and how nodes take them: as integers, as weights, as constants."""

from __future__ import annotations

import numpy as np

from models.frontend.exact_rescaling import Rule
from models.frontend.graph_builder import GraphBuilder
from models.frontend.onnx_file import OnnxError, OnnxFile, OnnxNode
from models.frontend.onnx_sources import Constant, InputSource, NodeSource, Numbers, RealTensor
from models.ir.formats.integer import IntType
from models.ir.node import Shape

MOST_WEIGHT = 127
"""Largest magnitude of a weight's integer."""
MOST_LISTED = 1 << 24
"""Numbers of all channels that are tried one by one."""
CLOSE = 1e-4
"""How far a real number may be from a whole number of steps, in steps: what single precision leaves."""


def canonical(shape: Shape, sides: int) -> np.ndarray:
    """The index of a tensor that is a frame, channels first.

    Parameters
        shape    of the frame
        sides    of the tensor, without the batch: 3 for an image, 2 for a sequence, 1 for a table
    """
    index = np.arange(shape.height * shape.width * shape.channels).reshape(shape).transpose(2, 0, 1)
    return index.reshape((shape.channels, shape.width, shape.height)[:sides]) if sides < 3 else index


class Tensors:
    """What is known of a file's tensors.

    Parameters
        file    the file
    """

    def __init__(self, file: OnnxFile) -> None:
        self.file, self.build = file, GraphBuilder()
        self.values: dict[str, Constant | RealTensor] = {name: Constant(own) for name, own in file.constants.items()}
        self.head: str | None = None
        self.tail: str | None = None

    def error(self, node: OnnxNode, why: str) -> OnnxError:
        return self.file.error(node, why)

    def input(self, name: str) -> None:
        """Begin with what the file takes."""
        sides = self.file.shapes[name][1:]
        if not 1 <= len(sides) <= 3:
            raise self.file.error(f"input {name!r}", f"shape {self.file.shapes[name]} must have 2 to 4 sides")
        channels, *rest = sides
        height, width = (*(1,) * (2 - len(rest)), *rest)
        shape = Shape(height, width, channels)
        source = InputSource(self.build, self.file.path, name, shape)
        tensor = RealTensor(source, canonical(shape, len(sides)), np.ones(1))
        annotated = _integers(self.file.annotated.get(name, ""))
        if annotated is not None:
            self.head = name
            tensor = tensor.finished(source.finish(Numbers(annotated, (annotated.min, annotated.max), 1.0)), np.ones(1))
        self.values[name] = tensor

    def value(self, node: OnnxNode, place: int) -> Constant | RealTensor | None:
        """What an input of a node is; None where it is left out."""
        if place >= len(node.inputs) or not node.inputs[place]:
            return None
        name = node.inputs[place]
        if name not in self.values:
            raise self.error(node, f"takes {name!r}, which nothing before it computes")
        return self.values[name]

    def tensor(self, node: OnnxNode, place: int = 0) -> RealTensor:
        found = self.value(node, place)
        if not isinstance(found, RealTensor):
            raise self.error(node, f"input {place} must be computed from the network's input")
        return found

    def constant(self, node: OnnxNode, place: int) -> np.ndarray | None:
        found = self.value(node, place)
        if isinstance(found, RealTensor):
            raise self.error(node, f"input {place}, {node.inputs[place]!r}, must be a constant")
        return None if found is None else found.numbers

    def scalar(self, node: OnnxNode, place: int, other: float) -> float:
        found = self.constant(node, place)
        if found is None:
            return other
        if found.size != 1:
            raise self.error(node, f"input {place}, {node.inputs[place]!r}, has {found.size} numbers; must have one")
        return float(found.reshape(-1)[0])

    def put(self, node: OnnxNode, value: Constant | RealTensor) -> None:
        if isinstance(value, Constant):
            # nodes that are computed by ONNX Runtime and qonnx find their constants there
            self.file.constants[node.outputs[0]] = value.numbers
        self.values[node.outputs[0]] = value

    def integers(self, node: OnnxNode, place: int = 0) -> RealTensor:
        """An input as integers of a node of the graph, which stand for multiples of one step a channel."""
        tensor = self.tensor(node, place)
        found = self.settled(tensor, node)
        self.values[node.inputs[place]] = found
        return found

    def settled(self, tensor: RealTensor, node: OnnxNode) -> RealTensor:
        """The same tensor as integers of a node of the graph."""
        source = tensor.source
        if isinstance(source, NodeSource) and not tensor.functions and not tensor.offset.any():
            return tensor
        if isinstance(source, InputSource):
            raise self.error(node, "takes real numbers of the input; quantize the input first")
        limits, scale = source.limits, float(tensor.step[0])
        rule: Rule | None = None
        if tensor.functions or tensor.offset.any():
            channels, count = source.shape.channels, limits[1] - limits[0] + 1
            names = ", ".join(str(own) for own, _ in tensor.functions) or "the bias"
            why = f"takes real numbers, after {names}; a quantizer before it would make them integers"
            if channels * count > MOST_LISTED:
                raise self.error(node, why)
            found = tensor.real(np.tile(np.arange(limits[0], limits[1] + 1), (channels, 1))) / tensor.step[:, None]
            whole = np.rint(found)
            if not np.isfinite(found).all() or np.abs(found - whole).max() > CLOSE:
                raise self.error(node, why)
            limits = int(whole.min()), int(whole.max())

            def whole_steps(integers: np.ndarray) -> np.ndarray:
                return np.rint(tensor.real(integers) / tensor.step[:, None]).astype(np.int64)

            rule = whole_steps

        try:
            name = source.finish(Numbers(IntType.narrowest(*limits), limits, scale, rule))
        except ValueError as error:
            raise self.error(node, str(error)) from error
        return tensor.finished(name, tensor.step)

    def image(self, node: OnnxNode, place: int = 0) -> tuple[RealTensor, str]:
        """An input that is a frame, channels first, and the graph's node that computes it."""
        tensor = self.integers(node, place)
        shape = tensor.source.shape
        sides = tensor.index.ndim
        if sides < 2 or not np.array_equal(tensor.index, canonical(shape, sides)):
            raise self.error(node, f"its input of shape {tensor.index.shape} is no frame of {shape}, channels first")
        return tensor, self.node_of(tensor)

    def node_of(self, tensor: RealTensor) -> str:
        assert isinstance(tensor.source, NodeSource)
        return tensor.source.name

    def weights(self, node: OnnxNode, place: int, axis: int) -> tuple[np.ndarray, np.ndarray, IntType]:
        """Integers of a constant, their steps along an axis, and their format.

        Parameters
            node     the node that takes it
            place    which of its inputs it is
            axis     that of the output channels
        """
        found = self.value(node, place)
        if not isinstance(found, Constant):
            raise self.error(node, f"input {place}, {node.inputs[place]!r}, must be a constant")
        outputs = found.numbers.shape[axis]
        if found.integers is None or found.step is None:
            integers, step = self._found_integers(node, place, np.moveaxis(found.numbers, axis, 0))
            integers = np.moveaxis(integers, 0, axis)
        else:
            integers = found.integers
            spread = np.moveaxis(np.broadcast_to(found.step, integers.shape), axis, 0).reshape(outputs, -1)
            step = spread[:, 0]
            if (spread != step[:, None]).any():
                raise self.error(node, f"the scales of its weights differ within an output, along axis {axis} they may")
        low, high = int(integers.min(initial=0)), int(integers.max(initial=0))
        if max(-low, high) > MOST_WEIGHT + (low < 0):
            raise self.error(node, f"its weights are {low} to {high}; must fit 8 signed bits")
        return integers, step, IntType.narrowest(min(low, -1), high)

    def _found_integers(self, node: OnnxNode, place: int, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Integers and steps of numbers of which the file does not say it: the largest step that fits each output."""
        flat = numbers.reshape(len(numbers), -1).astype(np.float64)
        integers, steps = np.zeros(flat.shape, np.int64), np.ones(len(flat))
        for output, row in enumerate(flat):
            if np.array_equal(row, np.rint(row)) and np.abs(row).max(initial=0) <= MOST_WEIGHT + 1:
                integers[output] = np.rint(row)
                continue
            for most in range(1, MOST_WEIGHT + 1):
                step = np.abs(row).max() / most
                if np.abs(row / step - np.rint(row / step)).max() < CLOSE:
                    integers[output], steps[output] = np.rint(row / step), step
                    break
            else:
                why = f"its weights {node.inputs[place]!r} are no integers of 8 bits with a step for each output"
                raise self.error(node, why + "; quantize them, as by a Quant or DequantizeLinear node")
        return integers.reshape(numbers.shape), steps


def _integers(datatype: str) -> IntType | None:
    """The format of ``qonnx``'s name of a data type, where it is one of integers."""
    signed = datatype.startswith("INT")
    bits = datatype.removeprefix("U").removeprefix("INT")
    if not bits.isdigit() or not 1 <= int(bits) <= 16:
        return None
    return IntType(max(2, int(bits)), signed)
