"""Import of published int8 submanifold networks in the format of ESDA and SEE.

A network is a ``.json`` file that lists its layers in order, and an ``.npz`` file of the same name with their arrays:
``<layer>/weight``, ``/bias`` and ``/scale``, and one real frame as ``input/mask`` and ``input/features``. A layer
computes

    output = clip(((psum + bias) * scale + 2^15) >> 16, -127, 127)

with the lower bound 0 for ReLU. A layer with an ``identity_scale`` closes a residual block:

    output = clip(clip(((psum + bias) * scale + 2^15) >> 16, -256, 255)
                  + ((identity * identity_scale + 2^15) >> 16), -127, 127)

The last layer's sum over all active sites is the network's result; ``with_classifier`` adds the linear layer behind it,
as ESDA's ``gen_data.py`` does. ``esda_text`` reads the same networks from the text files of ESDA's repository.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.ir.accumulator import bounds, width
from models.ir.files import read_json, read_npz
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import GraphError, Node, Shape
from models.ir.ops.add import Add
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.requant import INT64, Requant

SHIFT = 16
LIMIT = 127
KERNELS = {"conv3x3": 3, "depthwise3x3": 3, "pointwise": 1}
_INT8, _INT9 = IntType(8), IntType(9)
_LAYER = {"name": str, "op": str, "in_channels": int, "out_channels": int, "stride": int, "relu": bool}
_RESIDUAL = {"residual_from": str, "identity_scale": int}


class EsdaFileError(ValueError):
    """A published network that cannot be read; the message names file, layer, field and value."""


def load_esda(path: Path) -> tuple[Graph, Frame]:
    """Import the network of the ``.json`` file ``path``, and the frame published with it.

    Each layer becomes a ``Conv`` of its name. An ``Add`` named ``block_<n>`` closes a residual block; its first input
    is the last layer of the block, in int9. The node ``sum`` is the result.
    """
    arrays = path.with_suffix(".npz")
    return network(path, _read_json(path), arrays, _read_npz(arrays))


def network(
    path: Path, document: dict[str, Any], arrays_path: Path, arrays: dict[str, np.ndarray]
) -> tuple[Graph, Frame]:
    """The graph and the frame of a document and its arrays.

    Parameters
        path            path of the document, for messages
        document        fields ``name``, ``input_hw`` and ``layers``
        arrays_path     path of the arrays, for messages
        arrays          arrays by name
    """
    reader = _EsdaReader(path, arrays_path, arrays)
    frame = reader.frame(document["input_hw"])
    shape = Shape(frame.height, frame.width, frame.channels)
    nodes: list[Node] = [Input(name="input", shape=shape, dtype=_INT8, sparse=True)]
    feeds: dict[str, str] = {}
    for number, record in enumerate(document["layers"]):
        layer = reader.layer(number, record)
        feeds[layer["name"]] = nodes[-1].name
        conv = reader.conv(layer, nodes[-1].name)
        shape = conv.out_shape(shape)
        nodes.append(conv)
        if "identity_scale" in layer:
            nodes.append(reader.residual(layer, feeds))
    nodes.append(_sum(nodes[-1].name, shape))
    try:
        return Graph(document["name"], tuple(nodes), nodes[-1].name), frame
    except GraphError as error:
        raise EsdaFileError(f"{path}: {error}") from error


def with_classifier(graph: Graph, weight: np.ndarray) -> Graph:
    """Append the linear layer, as the node ``fc``.

    It multiplies the sum over all active sites, not their mean, which scales all logits of a frame by the number of
    its active sites.

    Parameters
        graph      network that ends in the sum
        weight     int8 weights ``[classes, channels]``
    """
    if not np.array_equal(weight, np.rint(weight)):
        raise GraphError("fc", "weight", float(weight[weight != np.rint(weight)][0]), "must be an integer")
    result, classes = graph[graph.output], len(weight)
    plain = Linear(
        name="fc",
        inputs=(result.name,),
        dtype=_INT8,
        weight=weight.reshape(classes, 1, 1, -1).astype(np.int64),
        weight_dtype=_INT8,
        requant=Requant.identity(classes, 0, 0),
    )
    lo, hi = bounds(plain, result.dtype, graph.shapes[result.name])
    linear = replace(plain, dtype=IntType(width(lo, hi)), requant=Requant.identity(classes, lo, hi))
    return graph.replace(nodes=(*graph.nodes, linear), output=linear.name)


def _sum(source: str, shape: Shape) -> GlobalPool:
    """The sum of int8 features over the active sites, in a format that holds every such sum."""
    lo, hi = (shape.height * shape.width * limit for limit in (-LIMIT, LIMIT))
    dtype = IntType(width(lo, hi))
    return GlobalPool(name="sum", inputs=(source,), dtype=dtype, requant=Requant.identity(shape.channels, lo, hi))


@dataclass(frozen=True)
class _EsdaReader:
    """Checks the content of a network's two files and converts it to nodes."""

    path: Path
    arrays_path: Path
    arrays: dict[str, np.ndarray]

    def frame(self, side: object) -> Frame:
        if not (isinstance(side, list) and len(side) == 2 and all(type(n) is int and n > 0 for n in side)):
            raise self._error("input", "input_hw", side, "must be a height and a width")
        mask, features = self._array("input", "mask"), self._array("input", "features")
        if mask.shape != tuple(side):
            raise self._wrong_array("input", "mask", mask.shape, f"must have shape {tuple(side)}")
        if not np.isin(mask, (0, 1)).all():
            raise self._wrong_array(
                "input", "mask", int(mask[(mask < 0) | (mask > 1)][0]), "must be 0 or 1 at every site"
            )
        sites = np.argwhere(mask)
        if features.ndim != 2 or len(features) != len(sites):
            raise self._wrong_array("input", "features", features.shape, f"must have shape ({len(sites)}, channels)")
        return Frame(side[0], side[1], sites, features)

    def layer(self, number: int, record: object) -> dict[str, Any]:
        where = f"layers[{number}]"
        if not isinstance(record, dict):
            raise self._error(where, "layer", record, "must be an object")
        fields = {**_LAYER, **(_RESIDUAL if _RESIDUAL.keys() & record.keys() else {})}
        where = record.get("name", where)
        for field, kind in fields.items():
            if type(record.get(field)) is not kind:
                raise self._error(where, field, record.get(field), f"must be of type {kind.__name__}")
        for field in record:
            if field not in fields:
                raise self._error(where, field, record[field], f"is unknown; valid are {', '.join(fields)}")
        if record["op"] not in KERNELS:
            raise self._error(where, "op", record["op"], f"must be one of {', '.join(KERNELS)}")
        return record

    def conv(self, layer: dict[str, Any], source: str) -> Conv:
        name, kernel, out = layer["name"], KERNELS[layer["op"]], layer["out_channels"]
        depthwise = layer["op"] == "depthwise3x3"
        # published with the kernel offset first, a depthwise layer's one input channel left out, [out, in] for a 1x1
        shapes = {
            "conv3x3": (9, layer["in_channels"], out),
            "depthwise3x3": (9, out),
            "pointwise": (out, layer["in_channels"]),
        }
        weight = self._shaped(name, "weight", shapes[layer["op"]])
        if kernel > 1:
            weight = weight.reshape(kernel, kernel, -1, out).transpose(3, 2, 0, 1)
        dtype, lo, hi = _INT8, 0 if layer["relu"] else -LIMIT, LIMIT
        if "identity_scale" in layer:
            dtype, lo, hi = _INT9, _INT9.min, _INT9.max
        requant = Requant(self._shaped(name, "bias", (out,)), self._shaped(name, "scale", (out,)), SHIFT, lo, hi)
        return Conv(
            name=name,
            inputs=(source,),
            dtype=dtype,
            kernel=kernel,
            stride=layer["stride"],
            padding=kernel // 2,
            groups=out if depthwise else 1,
            weight=weight.reshape(out, -1, kernel, kernel),
            weight_dtype=_INT8,
            requant=requant,
        )

    def residual(self, layer: dict[str, Any], feeds: dict[str, str]) -> Add:
        """The sum that closes a block. ``feeds`` maps each layer so far to the node of its input."""
        block = layer["residual_from"].removesuffix("/input")
        first = f"{block}_0"
        if first not in feeds:
            valid = ", ".join(f"{name.removesuffix('_0')}/input" for name in feeds if name.endswith("_0"))
            raise self._error(layer["name"], "residual_from", layer["residual_from"], f"must be one of {valid}")
        channels = layer["out_channels"]
        scale = np.full(channels, layer["identity_scale"])
        return Add(
            name=block,
            inputs=(layer["name"], feeds[first]),
            dtype=_INT8,
            a=Requant.identity(channels, _INT9.min, _INT9.max),
            # an int8 times less than one stays an int8: the published rule does not clip here
            b=Requant(np.zeros(channels, np.int64), scale, SHIFT, _INT8.min, _INT8.max),
            lo=0 if layer["relu"] else -LIMIT,
            hi=LIMIT,
        )

    def _shaped(self, layer: str, field: str, shape: tuple[int, ...]) -> np.ndarray:
        array = self._array(layer, field)
        if array.shape != shape:
            raise self._wrong_array(layer, field, array.shape, f"must have shape {shape}")
        return array

    def _array(self, layer: str, field: str) -> np.ndarray:
        try:
            array = self.arrays[f"{layer}/{field}"]
        except KeyError:
            raise self._wrong_array(layer, field, None, "is missing") from None
        if array.dtype.kind not in "iu":
            raise self._wrong_array(layer, field, str(array.dtype), "must be of an integer type")
        if array.size and array.max() > INT64.max:
            raise self._wrong_array(layer, field, int(array.max()), f"must be at most {INT64.max}")
        return array.astype(np.int64)

    def _wrong_array(self, layer: str, field: str, value: object, why: str) -> EsdaFileError:
        return EsdaFileError(f"{self.arrays_path}: layer {layer!r}, field {field!r}: {value!r} {why}")

    def _error(self, layer: object, field: str, value: object, why: str) -> EsdaFileError:
        return EsdaFileError(f"{self.path}: layer {layer!r}, field {field!r}: {value!r} {why}")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path)
    except (OSError, ValueError) as error:
        raise EsdaFileError(f"{path}: cannot be read as JSON: {error}") from error
    for field, kind in {"name": str, "input_hw": list, "layers": list}.items():
        value = document.get(field) if isinstance(document, dict) else None
        if not isinstance(value, kind) or not value:
            raise EsdaFileError(f"{path}: field {field!r}: {value!r} must be a {kind.__name__} that is not empty")
    return document


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        return read_npz(path)
    except (OSError, ValueError) as error:
        raise EsdaFileError(f"{path}: cannot be read as an npz file: {error}") from error
