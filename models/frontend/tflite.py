"""Networks from TensorFlow Lite files of 8-bit integers: the graph computes what the reference kernels do, exactly.

A number of the file stands for ``scale * (number - zero point)``; the graph's numbers have the zero point taken off, so
that zero is zero, also around an image. Where a file's zero point is not -128 (0 for unsigned numbers), that takes a
ninth bit. How a sum becomes a number, with all the kernels' roundings, never falls as the sum grows: it is a list of
levels, and where it can be a multiplication and a shift, it becomes one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.frontend.imported import ImportedNetwork, Verdict, valid_name, verdict_of
from models.frontend.tflite_builder import Builder
from models.frontend.tflite_file import TfliteError, TfliteFile, TfliteOperator, read_tflite
from models.frontend.tflite_operators import OPERATORS
from models.ir.graph import Graph
from models.ir.node import GraphError


def import_tflite(path: Path, name: str | None = None) -> ImportedNetwork:
    """The network of a file.

    Parameters
        path       the file
        name       name of the graph; that of the file where left out
    Raises         TfliteError: the file is damaged, or has something that cannot be imported exactly
    """
    return _Importer(read_tflite(path)).network(name or valid_name(path.stem))


def check_tflite(path: Path) -> list[Verdict]:
    """What becomes of each operator of a file.

    Parameters
        path       the file
    Raises         TfliteError: the file is damaged, or its input cannot be imported
    """
    return _Importer(read_tflite(path)).verdicts()


class _Importer:
    """A file, taken operator by operator.

    Parameters
        file    what a file holds
    """

    def __init__(self, file: TfliteFile) -> None:
        self.file, self.build = file, Builder(file)

    def network(self, name: str) -> ImportedNetwork:
        if len(self.file.inputs) != 1 or len(self.file.outputs) != 1:
            count = f"has {len(self.file.inputs)} inputs and {len(self.file.outputs)} outputs"
            raise TfliteError(self.file.path, "", f"{count}; must have one of each")
        self.build.input(self.file.inputs[0])
        output = self.file.outputs[0]
        for operator in self.file.operators:
            self.take(operator)
        if output not in self.build.node_of:
            raise TfliteError(self.file.path, "", "no operator computes its output")
        try:
            graph = Graph(name, tuple(self.build.nodes), self.build.node_of[output])
        except GraphError as error:
            raise TfliteError(self.file.path, "", str(error)) from error
        return ImportedNetwork(graph, self._inputs(graph), self._outputs(output), tuple(self.build.notes))

    def _inputs(self, graph: Graph) -> Callable[[np.ndarray], np.ndarray]:
        """From the file's inputs to the graph's frames."""
        zero = self.build.zero(self.file.tensors[self.file.inputs[0]])

        def inputs(numbers: np.ndarray) -> np.ndarray:
            return numbers.astype(np.int64).reshape(-1, *graph.input.shape) - zero

        return inputs

    def _outputs(self, output: int) -> Callable[[np.ndarray], np.ndarray]:
        """From the graph's frames to the file's outputs."""
        tensor, softmax = self.file.tensors[output], self.build.softmax
        zero = self.build.zero(self.build.softmax_of or tensor)

        def outputs(frames: np.ndarray) -> np.ndarray:
            numbers = frames.reshape(len(frames), *tensor.shape[1:]) + zero
            return numbers if softmax is None else softmax(numbers)

        return outputs

    def verdicts(self) -> list[Verdict]:
        """What becomes of each operator; one that takes what a refused one would compute is not looked at."""
        for number in self.file.inputs[:1]:
            self.build.input(number)
        found = []
        for operator in self.file.operators:
            missing = [
                number for number in operator.inputs
                if number >= 0 and self.file.tensors[number].data is None and number not in self.build.node_of
            ]  # fmt: skip
            if missing and operator.kind in OPERATORS:
                found.append(Verdict(str(operator), why="not looked at: it takes what a refused operator computes"))
                continue
            take = functools.partial(self.take, operator)
            found.append(verdict_of(str(operator), self.file.path, take, self.build.nodes))
        return found

    def take(self, operator: TfliteOperator) -> None:
        if operator.kind not in OPERATORS:
            raise self.build.error(operator, f"is not supported; supported are {', '.join(OPERATORS)}")
        if self.build.softmax is not None:
            raise self.build.error(operator, "follows a softmax, which must be the last operator")
        try:
            OPERATORS[operator.kind](self.build, operator)
        except GraphError as error:
            raise self.build.error(operator, str(error)) from error
