"""Small ONNX networks, and the comparison of a graph with what ``qonnx`` or ONNX Runtime makes of the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from models.frontend.imported import ImportedNetwork
from models.frontend.onnx_file import QONNX

FLOAT = onnx.TensorProto.FLOAT


@dataclass
class File:
    """A file that is put together node by node.

    Parameters
        shape    of its input, with the batch
    """

    shape: tuple[Any, ...]
    opset: int = 13
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, numbers: Any, kind: type = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(numbers, kind), name))
        return name

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, domain=domain, **attributes))
        return name

    def quant(self, name: str, scale: Any = 0.25, bits: int = 4, zero: float = 0.0, **attributes: Any) -> str:
        own = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **attributes}
        constants = [self.constant(scale), self.constant(zero), self.constant(float(bits))]
        return self.node("Quant", name, *constants, domain=QONNX, **own)

    def qdq(self, name: str, scale: float, zero: int = 0, kind: type = np.int8) -> str:
        taken = self.constant(scale), self.constant(zero, kind)
        return self.node("DequantizeLinear", self.node("QuantizeLinear", name, *taken), *taken)

    def model(self, *outputs: str) -> onnx.ModelProto:
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes, "net", [value("x", FLOAT, self.shape)], [value(name, FLOAT, None) for name in outputs],
            self.constants,
        )  # fmt: skip
        domains = [helper.make_opsetid("", self.opset), helper.make_opsetid(QONNX, 1)]
        return helper.make_model(graph, opset_imports=domains, ir_version=8)

    def save(self, path: Path, *outputs: str) -> Path:
        onnx.save(self.model(*(outputs or self.nodes[-1].output)), path)
        return path


def random_inputs(shape: Sequence[int], count: int = 6, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    """float32 ``[count, ...]`` from ``-scale`` to ``scale``."""
    rng = np.random.default_rng(seed)
    return (rng.random((count, *shape[1:])) * 2 * scale - scale).astype(np.float32)


def by_qonnx(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The file as ``qonnx`` executes it."""
    model = ModelWrapper(str(path)).transform(InferShapes())
    name, output = model.graph.input[0].name, model.graph.output[0].name
    return lambda x: execute_onnx(model, {name: x})[output]


def by_runtime(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The file as ONNX Runtime executes it, with sums of 8-bit products that do not saturate at 16 bits."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: np.asarray(session.run(None, {name: x})[0])


def assert_same(
    network: ImportedNetwork, run: Callable[[np.ndarray], np.ndarray], x: np.ndarray, within: float = 0.0
) -> None:
    """Golden gives what the file gives; ``within`` that fraction of the largest where it ends in real sums."""
    expected = np.concatenate([run(one[None]) for one in x])
    found = network.run(x)
    assert found.shape == expected.shape
    assert len(np.unique(expected)) > 1, "inputs that tell nothing"
    assert np.abs(found - expected).max() <= within * np.abs(expected).max()
