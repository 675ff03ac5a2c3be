"""ONNX and QONNX files: bounded before anything is computed, cleaned up by ``qonnx``, as plain records."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.frontend.imported import NetworkFileError

MOST_BYTES = 1 << 28
MOST_NODES = 1 << 13
MOST_NUMBERS = 1 << 26
"""Of one tensor."""
OLDEST_IR, NEWEST_IR = 4, 10
"""Versions of the format: before, constants had to be inputs as well, and ONNX Runtime refuses later ones."""
QONNX = "qonnx.custom_op.general"
DOMAINS = {
    "": "", "ai.onnx": "", "com.microsoft": "com.microsoft", QONNX: QONNX,
    "onnx.brevitas": QONNX, "finn.custom_op.general": QONNX,
}  # fmt: skip
"""The domains that are read, by what files call them now and called them once. No other is handed to ``qonnx``, which
imports a Python module of a domain's name."""


EXPANDING = {"ConstantOfShape", "Expand", "Range"}
"""Operations whose outputs can be of any size."""
KEPT = ["Quant", "BipolarQuant", "QuantizeLinear", "DequantizeLinear"]
"""What is not folded where its inputs are constants, since it says of which integers they are made."""


class OnnxError(NetworkFileError):
    """An ONNX file that cannot be imported."""


@dataclass(frozen=True, eq=False)
class OnnxNode:
    """A node of a file.

    Parameters
        number        its place in the file
        kind          its operation, as ``Conv``
        domain        the operation's domain, by its name of today
        inputs        names of tensors; an empty one is left out
        outputs       names of tensors
        attributes    by name: numbers, texts, lists
        proto         the node as ``onnx`` has it
    """

    number: int
    kind: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    proto: Any

    def __str__(self) -> str:
        return f"node {self.number} ({self.kind} {self.outputs[0]!r})"


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """What a file holds.

    Parameters
        path         the file
        model        the model, as ``qonnx`` has it
        nodes        in an order in which inputs come first
        constants    by name
        shapes       of all tensors, by name, with the batch
        inputs       names of the tensors that it takes
        outputs      names of the tensors that it gives
        annotated    ``qonnx``'s names of the inputs' data types
        integers     names of tensors that hold integers
    """

    path: Path
    model: Any
    nodes: tuple[OnnxNode, ...]
    constants: dict[str, np.ndarray]
    shapes: dict[str, tuple[int, ...]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    annotated: dict[str, str]
    integers: frozenset[str]

    def error(self, where: object, why: str) -> OnnxError:
        return OnnxError(self.path, str(where), why)

    def part(self, first: str, last: str) -> Callable[[np.ndarray], np.ndarray]:
        """What the file makes of one tensor until another, as ``qonnx`` executes it.

        Parameters
            first    name of a tensor
            last     name of one that is computed from it
        """
        from onnx.utils import Extractor
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.core.onnx_exec import execute_onnx

        whole = copy.deepcopy(self.model.model)
        whole.graph.ClearField("quantization_annotation")
        part = Extractor(whole).extract_model([first], [last])
        inner = [value for value in part.graph.value_info if value.name not in {first, last}]
        part.graph.ClearField("value_info")
        part.graph.value_info.extend(inner)
        own = ModelWrapper(part)

        def run(numbers: np.ndarray) -> np.ndarray:
            return execute_onnx(own, {first: numbers})[last]

        return run


def load(path: Path) -> Any:
    """The file as ``onnx`` reads it, with domains by their names of today; nothing of it has been computed.

    Parameters
        path       the file
    Raises         OnnxError: it is damaged, too large, has data in other files, a dynamic side, or a cycle
    """
    try:
        import onnx
        import qonnx  # noqa: F401
    except ImportError as error:
        raise OnnxError(path, "", "needs the packages onnx and qonnx: pip install 'netweave[import]'") from error
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise OnnxError(path, "", f"has {size} bytes; at most {MOST_BYTES} are read")
        model = onnx.load_model(path, load_external_data=False)
    except OSError as error:
        raise OnnxError(path, "", f"cannot be read: {error}") from error
    except OnnxError:
        raise
    except Exception as error:  # of protobuf, whose classes differ from version to version
        raise OnnxError(path, "", f"is no ONNX file: {error}") from error
    try:
        _prepare(path, model)
        list(records(model))
    except UnicodeDecodeError as error:
        raise OnnxError(path, "", f"is no ONNX file: {error}") from error
    return model


def records(model: Any) -> Iterator[OnnxNode]:
    """The nodes of a model."""
    import onnx

    for number, node in enumerate(model.graph.node):
        attributes = {own.name: _plain(onnx.helper.get_attribute_value(own)) for own in node.attribute}
        yield OnnxNode(number, node.op_type, node.domain, tuple(node.input), tuple(node.output), attributes, node)


def clean(path: Path, model: Any) -> OnnxFile:
    """The file after shape inference and folding of constants.

    Parameters
        path       the file
        model      what ``load`` gave, of operations that are all known
    Raises         OnnxError: a shape cannot be inferred, or is too large
    """
    import onnx
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation import fold_constants, general, infer_shapes, quant_constant_folding

    try:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=False, data_prop=True)
        for value in (*inferred.graph.value_info, *inferred.graph.output):
            _check_size(path, value)
        _check_expansions(path, inferred.graph)
        wrapper = ModelWrapper(model)
        # as qonnx.util.cleanup has them, but for the names of tensors, which are the file's in every message
        for step in (
            infer_shapes.InferShapes(),
            general.GiveUniqueParameterTensors(),
            fold_constants.FoldConstants(exclude_op_types=KEPT),
            quant_constant_folding.FoldTransposeIntoQuantInit(),
            general.RemoveUnusedTensors(),
            general.RemoveStaticGraphInputs(),
        ):
            wrapper = wrapper.transform(step)
    except OnnxError:
        raise
    except Exception as error:  # what onnx, qonnx and ONNX Runtime raise has no common class
        raise OnnxError(path, "", f"cannot be cleaned up: {' '.join(str(error).split())[:300]}") from error
    graph = wrapper.graph
    constants = {own.name: onnx.numpy_helper.to_array(own) for own in graph.initializer}
    for name, numbers in constants.items():
        if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
            raise OnnxError(path, f"tensor {name!r}", "has numbers that are not finite")
    shapes = {name: tuple(wrapper.get_tensor_shape(name) or ()) for name in wrapper.get_all_tensor_names()}
    inputs = tuple(own.name for own in graph.input if own.name not in constants)
    annotated = {name: wrapper.get_tensor_datatype(name).name for name in inputs}
    outputs = tuple(own.name for own in graph.output)
    values = (*graph.input, *graph.output, *graph.value_info)
    real = {onnx.TensorProto.FLOAT, onnx.TensorProto.UNDEFINED}
    whole = {own.name for own in values if own.type.tensor_type.elem_type not in real}
    return OnnxFile(
        path, wrapper, tuple(records(wrapper.model)), constants, shapes, inputs, outputs, annotated, frozenset(whole)
    )


def _prepare(path: Path, model: Any) -> None:
    """Check a model, and bring it to today's versions and names."""
    from onnx.external_data_helper import load_external_data_for_model
    from onnx.helper import make_opsetid

    _bounded(path, model)
    try:
        load_external_data_for_model(model, str(path.parent))
    except Exception as error:  # a file that is shorter than a tensor says, or not there
        raise OnnxError(path, "", f"its data beside it cannot be read: {' '.join(str(error).split())}") from error
    model.ir_version = max(OLDEST_IR, min(model.ir_version, NEWEST_IR))
    imported = {own.domain for own in model.opset_import}
    for node in model.graph.node:
        if node.domain not in imported and node.domain in DOMAINS:
            imported.add(node.domain)
            model.opset_import.append(make_opsetid(node.domain, 1))
    _check_order(path, model.graph)
    for node in model.graph.node:
        node.domain = DOMAINS.get(node.domain, node.domain)
    if QONNX not in imported:
        model.opset_import.append(make_opsetid(QONNX, 1))


def _plain(value: Any) -> Any:
    """An attribute's value as Python has it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "data_type"):
        import onnx

        return onnx.numpy_helper.to_array(value)
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else value


def _bounded(path: Path, model: Any) -> None:
    """Raise an OnnxError where computing with the file would take other files, or more than a bound."""
    import onnx

    graph = model.graph
    if len(graph.node) > MOST_NODES:
        raise OnnxError(path, "", f"has {len(graph.node)} nodes; at most {MOST_NODES} are read")
    if not graph.node:
        raise OnnxError(path, "", "has no node")
    if model.functions:
        raise OnnxError(path, f"function {model.functions[0].name!r}", "local functions are not read; inline them")
    tensors = [(own.name, own) for own in graph.initializer]
    for node in graph.node:
        for own in node.attribute:
            if own.type in {onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS}:
                raise OnnxError(path, f"{node.op_type} {node.name!r}", "has a graph of its own, which is not read")
            if own.type == onnx.AttributeProto.TENSOR:
                tensors.append((f"{node.name}.{own.name}", own.t))
    for name, tensor in tensors:
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            _check_beside(path, name, tensor)
        if np.prod([float(side) for side in tensor.dims]) > MOST_NUMBERS or any(side < 0 for side in tensor.dims):
            raise OnnxError(path, f"tensor {name!r}", f"shape {list(tensor.dims)} has more than {MOST_NUMBERS} numbers")
    named = {own.name for own in graph.initializer}
    for value in graph.input:
        if value.name not in named:
            _fix_batch(path, value)


def _check_beside(path: Path, name: str, tensor: Any) -> None:
    """Raise an OnnxError where a tensor's data lie elsewhere than in a file beside the model, or are too many."""
    location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
    beside = path.parent / location
    if Path(location).name != location or beside.is_symlink() or not beside.is_file():
        raise OnnxError(path, f"tensor {name!r}", f"lies in {location!r}; must be the name of a file beside the model")
    if beside.stat().st_size > MOST_BYTES:
        raise OnnxError(path, f"tensor {name!r}", f"lies in a file of more than {MOST_BYTES} bytes")


def _check_order(path: Path, graph: Any) -> None:
    """Raise an OnnxError where a node takes what no node before it gives; describe each tensor once."""
    known = {"", *(own.name for own in graph.input), *(own.name for own in graph.initializer)}
    for node in graph.node:
        where = f"{node.op_type} {node.name!r}"
        for name in node.input:
            if name not in known:
                raise OnnxError(path, where, f"takes {name!r}, which nothing before it gives")
        if not node.output or not node.output[0]:
            raise OnnxError(path, where, "gives nothing")
        for name in node.output:
            if name and name in known:
                raise OnnxError(path, where, f"gives {name!r}, which is given already")
            known.add(name)
    for value in graph.output:
        if value.name not in known:
            raise OnnxError(path, f"output {value.name!r}", "nothing gives it")
    seen, once = {own.name for own in (*graph.input, *graph.output)}, []
    for value in graph.value_info:
        if value.name not in seen:
            seen.add(value.name)
            once.append(value)
    graph.ClearField("value_info")
    graph.value_info.extend(once)


def _fix_batch(path: Path, value: Any) -> None:
    """Make the batch of an input 1; every other side must be a number."""
    sides = value.type.tensor_type.shape.dim
    if not sides:
        raise OnnxError(path, f"input {value.name!r}", "has no shape; give it one, with a batch of 1")
    if not sides[0].dim_value:
        sides[0].dim_value = 1
    for place, side in enumerate(sides):
        if side.dim_value < 1:
            why = f"side {place}, {side.dim_param or side.dim_value!r}, must be a number of 1 or more"
            raise OnnxError(path, f"input {value.name!r}", why)
    if sides[0].dim_value != 1:
        why = f"its batch is {sides[0].dim_value}; must be 1, or a name that stands for any number"
        raise OnnxError(path, f"input {value.name!r}", why)
    _check_size(path, value)


def _check_expansions(path: Path, graph: Any) -> None:
    """Raise an OnnxError where a node makes many numbers of a few, and nobody can say beforehand how many."""
    sides = {
        value.name: [side.dim_value for side in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.output)
        if value.type.tensor_type.HasField("shape")
    }
    for node in graph.node:
        if node.op_type in EXPANDING and not all(sides.get(node.output[0], [0])):
            raise OnnxError(path, f"{node.op_type} {node.name!r}", "gives a shape that is not known beforehand")


def _check_size(path: Path, value: Any) -> None:
    sides = [side.dim_value for side in value.type.tensor_type.shape.dim]
    if np.prod([float(side) for side in sides]) > MOST_NUMBERS:
        raise OnnxError(path, f"tensor {value.name!r}", f"shape {sides} has more than {MOST_NUMBERS} numbers")
