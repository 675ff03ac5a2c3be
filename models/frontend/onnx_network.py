"""Networks from ONNX and QONNX files of integers with scales: the graph computes what the file's execution gives.

A tensor of such a file is real functions of integers: sums of a convolution, say, times a scale and clipped.
Where a quantizer makes integers of it again, all of that is one function of the sum; if it never falls, it is a list
of levels, and a multiplication with a shift where that gives the same. The functions are computed by what defines
them: ONNX Runtime and ``qonnx``.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from models.frontend.imported import ImportedNetwork, Verdict, valid_name, verdict_of
from models.frontend.onnx_file import QONNX, OnnxError, OnnxFile, OnnxNode, clean, load, records
from models.frontend.onnx_operators import ENDINGS, OPERATORS
from models.frontend.onnx_qlinear import INTEGER_NODES, expanded
from models.frontend.onnx_quantizers import GRIDS
from models.frontend.onnx_sources import RealTensor
from models.frontend.onnx_tensors import Tensors
from models.ir.graph import Graph
from models.ir.node import GraphError


def import_onnx(path: Path, name: str | None = None) -> ImportedNetwork:
    """The network of a file.

    Parameters
        path       the file
        name       name of the graph; that of the file where left out
    Raises         OnnxError: the file is damaged, or has something that cannot be imported exactly
    """
    return _Importer(_known(path)).network(name or valid_name(path.stem))


def check_onnx(path: Path) -> list[Verdict]:
    """What becomes of each node of a file.

    Parameters
        path       the file
    Raises         OnnxError: the file is damaged, or its input cannot be imported
    """
    model = load(path)
    unknown = [node for node in records(model) if not _supported(node)]
    if unknown:
        return [
            Verdict(str(node), why=_why_not(node), refused=True)
            if not _supported(node)
            else Verdict(str(node), why="not looked at: first the refused ones")
            for node in records(model)
        ]
    expanded(model)
    return _Importer(clean(path, model)).verdicts()


def _known(path: Path) -> OnnxFile:
    """A file all of whose operations are known: nothing else is handed to what folds constants."""
    model = load(path)
    for node in records(model):
        if not _supported(node):
            raise OnnxError(path, str(node), _why_not(node))
    expanded(model)
    return clean(path, model)


FOLDED = {"Constant", "ConstantOfShape", "Shape", "Gather", "Slice", "Cast", "Range", "Expand", "Where", "Equal"}
"""What exporters compute shapes with: known where it is of constants alone."""
OF_QONNX = set(GRIDS) - {"QuantizeLinear"}


def _supported(node: OnnxNode) -> bool:
    if (node.domain, node.kind) in INTEGER_NODES:
        return True
    if node.domain == QONNX:
        return node.kind in OF_QONNX
    return node.domain == "" and (node.kind in FOLDED or node.kind in ENDINGS or node.kind in OPERATORS)


def _why_not(node: OnnxNode) -> str:
    if node.domain not in {"", QONNX}:
        return f"domain {node.domain!r} is not supported; supported are ONNX's own and {QONNX}"
    known = sorted(OF_QONNX if node.domain == QONNX else {*OPERATORS, *ENDINGS} - OF_QONNX)
    return f"is not supported; supported are {', '.join(known)}"


class _Importer:
    """A file, taken node by node.

    Parameters
        file    what a file holds
    """

    def __init__(self, file: OnnxFile) -> None:
        self.file, self.tensors = file, Tensors(file)
        if len(file.inputs) != 1 or len(file.outputs) < 1:
            raise OnnxError(file.path, "", f"has {len(file.inputs)} inputs; must have one")
        self.tensors.input(file.inputs[0])

    def network(self, name: str) -> ImportedNetwork:
        if len(self.file.outputs) != 1:
            raise OnnxError(self.file.path, "", f"has {len(self.file.outputs)} outputs; must have one")
        for node in self.file.nodes:
            self.take(node)
        output = self.tensors.tail or self.file.outputs[0]
        value = self.tensors.values.get(output)
        if not isinstance(value, RealTensor):
            raise OnnxError(self.file.path, f"output {output!r}", "nothing computes it from the input")
        bare = RealTensor(value.source, value.index, value.step, zero=value.zero)
        node = next(node for node in self.file.nodes if output in (*node.outputs, *node.inputs))
        try:
            last = self.tensors.node_of(self.tensors.settled(bare, node))
            graph = Graph(name, tuple(self.tensors.build.nodes), last)
        except GraphError as error:
            raise OnnxError(self.file.path, "", str(error)) from error
        notes = [*self.tensors.build.notes]
        if self.tensors.head not in {None, self.file.inputs[0]}:
            notes.append(
                f"the graph takes what {self.tensors.head!r} is made of; what comes before is computed outside"
            )
        if value.functions:
            names = ", ".join(str(own) for own, _ in value.functions)
            notes.append(f"the graph ends before {names}, which are computed outside")
        if self.tensors.tail:
            notes.append(f"what follows {output!r} is computed outside")
        return ImportedNetwork(graph, self._inputs(graph), self._outputs(value, output), tuple(notes))

    def verdicts(self) -> list[Verdict]:
        """What becomes of each node; one that takes what a refused one would compute is not looked at."""
        found = []
        for node in self.file.nodes:
            missing = [name for name in node.inputs if name and name not in self.tensors.values]
            if missing and self.tensors.tail is None:
                found.append(Verdict(str(node), why="not looked at: it takes what a refused node computes"))
                continue
            take = functools.partial(self.take, node)
            found.append(verdict_of(str(node), self.file.path, take, self.tensors.build.nodes))
        return found

    def take(self, node: OnnxNode) -> None:
        tensors = self.tensors
        if tensors.tail is not None:
            return
        if node.kind in ENDINGS:
            tensors.tail = node.inputs[0]
            tensors.tensor(node)
            return
        if node.kind not in OPERATORS:
            raise tensors.error(node, "is supported of constants alone")
        try:
            OPERATORS[node.kind](tensors, node)
        except OnnxError:
            raise
        except GraphError as error:
            raise tensors.error(node, str(error)) from error
        except Exception as error:  # of attributes of any type, by qonnx and ONNX Runtime
            why = f"cannot be computed: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            raise tensors.error(node, why) from error

    def _inputs(self, graph: Graph) -> Any:
        """From the file's inputs to the graph's frames."""
        head, name = self.tensors.head, self.file.inputs[0]
        value = self.tensors.values[head] if head else None
        assert isinstance(value, RealTensor)
        shape = graph.input.shape
        scale = 1.0 if head in self.file.integers else float(value.step[0])
        run = None if head == name else self.file.part(name, str(head))

        def inputs(numbers: np.ndarray) -> np.ndarray:
            found = []
            for one in np.asarray(numbers):
                real = one if run is None else run(one[None])[0]
                frame = np.zeros(shape.height * shape.width * shape.channels, np.int64)
                whole = np.rint(real.astype(np.float64) / scale)
                frame[value.index.reshape(-1)] = whole.astype(np.int64).reshape(-1) - value.zero
                found.append(frame.reshape(shape))
            return np.stack(found)

        return inputs

    def _outputs(self, value: RealTensor, name: str) -> Any:
        """From the graph's frames to the file's outputs."""
        run = None if name == self.file.outputs[0] else self.file.part(name, self.file.outputs[0])
        whole = name in self.file.integers

        def outputs(frames: np.ndarray) -> np.ndarray:
            found = []
            for frame in frames:
                columns = frame.reshape(-1, frame.shape[-1]).T
                real = columns + value.zero if whole else value.real(columns)
                numbers = real.T.reshape(-1)[value.index][None]
                found.append((numbers if run is None else run(numbers))[0])
            return np.stack(found)

        return outputs
