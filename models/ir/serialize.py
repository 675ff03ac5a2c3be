"""A graph on disk: ``graph.json``, which a person can read, and ``weights.npz`` with the arrays.

Both follow from the fields of the node classes, so a new node needs nothing here. The same graph
gives the same bytes. Loading checks everything and raises ``GraphFileError`` otherwise.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import sys
import typing
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.ir.activity import check_stats
from models.ir.dtype import DType
from models.ir.files import read_json, read_npz
from models.ir.formats.registry import parse_dtype
from models.ir.graph import Graph
from models.ir.names import NAME_RULE, is_name
from models.ir.node import GraphError, Node, Shape
from models.ir.ops.registry import NODES
from models.ir.requant import INT64, Requant
from models.ir.thresholds import RULES, Rescaling, Thresholds
from models.ir.window import Sizes

VERSION = 5
"""2: a sum becomes a number of a tapered format in one rounding. 3: biases have a fraction. 4: inputs have an offset
and a unit for each channel. 5: windows may be oblong and dilated, and padded on one side more than on the other."""
FORMAT = "netweave graph"
GRAPH_FILE = "graph.json"
WEIGHTS_FILE = "weights.npz"
_TOP = {"format": str, "version": int, "name": str, "output": str, "nodes": list, "stats": dict}
_EPOCH = (1980, 1, 1, 0, 0, 0)


class GraphFileError(ValueError):
    """A graph file that cannot be read; the message names file, field and value.

    Parameters
        path       the file
        where      the field in it, or nothing
        why        the rest of the message
    """

    def __init__(self, path: Path, where: str, why: str) -> None:
        super().__init__(f"{path}: {where + ' ' if where else ''}{why}")


def save(graph: Graph, folder: Path) -> None:
    """Write a graph into a folder, which is created; each of the two files is replaced at once.

    Parameters
        graph      the network
        folder     the folder
    """
    arrays: dict[str, np.ndarray] = {}
    nodes = [{"op": node.op, **_encode_fields(node, node.name, arrays)} for node in graph.nodes]
    document = {
        "format": FORMAT, "version": VERSION, "name": graph.name, "output": graph.output,
        "nodes": nodes, "stats": graph.stats,
    }  # fmt: skip
    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / WEIGHTS_FILE, _npz(arrays))
    _replace(folder / GRAPH_FILE, text.encode())


def load(folder: Path) -> Graph:
    """The graph that ``save`` wrote.

    Parameters
        folder     the folder
    Raises         GraphFileError: a file is missing or wrong
    """
    path = folder / GRAPH_FILE
    document = _read_json(path)
    arrays = _read_npz(folder / WEIGHTS_FILE)
    reader = _Reader(path, folder / WEIGHTS_FILE, arrays)
    nodes = tuple(reader.node(i, record) for i, record in enumerate(document["nodes"]))
    if arrays:
        raise GraphFileError(folder / WEIGHTS_FILE, f"array {min(arrays)!r}", f"belongs to no field in {path.name}")
    if not is_name(document["name"]):
        raise GraphFileError(path, "field 'name':", f"{document['name']!r} must be {NAME_RULE}")
    try:
        graph = Graph(document["name"], nodes, document["output"], document["stats"])
        check_stats(graph)
        return graph
    except GraphError as error:
        raise GraphFileError(path, "", str(error)) from error


def graphs_equal(a: Graph, b: Graph) -> bool:
    """Whether two graphs have equal fields, arrays and statistics.

    Parameters
        a          one network
        b          the other
    """

    def parts(graph: Graph) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        arrays: dict[str, np.ndarray] = {}
        return [{"op": node.op, **_encode_fields(node, node.name, arrays)} for node in graph.nodes], arrays

    (a_nodes, a_arrays), (b_nodes, b_arrays) = parts(a), parts(b)
    return (
        (a.name, a.output, a_nodes) == (b.name, b.output, b_nodes)
        and json.dumps(a.stats) == json.dumps(b.stats)
        and a_arrays.keys() == b_arrays.keys()
        and all(np.array_equal(a_arrays[name], b_arrays[name]) for name in a_arrays)
    )


def _fields(kind: type) -> dict[str, Any]:
    """The type of each field of a dataclass."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _encode_fields(value: Node | Rescaling, where: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """JSON of every field; arrays go to ``arrays`` and leave their shape behind."""
    separator = "/" if isinstance(value, Node) else "."
    result: dict[str, Any] = {}
    for name in _fields(type(value)):
        item = getattr(value, name)
        path = f"{where}{separator}{name}"
        if isinstance(item, np.ndarray):
            arrays[path] = item.astype(np.int64)
            result[name] = {"shape": list(item.shape)}
        elif isinstance(item, RULES):
            result[name] = _encode_fields(item, path, arrays)
        elif isinstance(item, DType):
            result[name] = str(item)
        elif isinstance(item, tuple):
            result[name] = list(item)
        else:
            result[name] = item.item() if isinstance(item, np.generic) else item
    return result


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Bytes of an npz whose timestamps do not depend on when it is written."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, part.getvalue())
    return buffer.getvalue()


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path)
    except FileNotFoundError:
        raise GraphFileError(path, "", "does not exist") from None
    except (OSError, ValueError) as error:
        raise GraphFileError(path, "", f"is no readable JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        actual = document.get("format") if isinstance(document, dict) else type(document).__name__
        raise GraphFileError(path, "field 'format':", f"{actual!r} must be {FORMAT!r}")
    version = document.get("version")
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        why = f"was written by a newer netweave; this one reads {VERSION}" if newer else f"must be {VERSION}"
        raise GraphFileError(path, "field 'version':", f"{version!r} {why}")
    for name in document:
        if name not in _TOP:
            raise GraphFileError(path, f"field {name!r}", f"is unknown; valid are {', '.join(_TOP)}")
    for name, kind in _TOP.items():
        if not isinstance(document.get(name), kind):
            raise GraphFileError(path, f"field {name!r}:", f"{document.get(name)!r} must be a JSON {kind.__name__}")
    return document


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        return read_npz(path)
    except FileNotFoundError:
        raise GraphFileError(path, "", "does not exist") from None
    except (OSError, ValueError) as error:
        raise GraphFileError(path, "", f"is truncated or no npz file: {error}") from error


@dataclasses.dataclass(frozen=True)
class _Reader:
    """Nodes from their JSON; takes each array out of ``arrays`` as it is used."""

    path: Path
    weights: Path
    arrays: dict[str, np.ndarray]

    def node(self, index: int, record: object) -> Node:
        if not isinstance(record, dict):
            raise GraphFileError(self.path, f"field 'nodes[{index}]':", f"{record!r} must be an object")
        name = record.get("name")
        op = record.get("op")
        if not isinstance(name, str):
            raise GraphFileError(self.path, f"field 'nodes[{index}].name':", f"{name!r} must be a text")
        if not isinstance(op, str) or op not in NODES:
            raise GraphFileError(self.path, f"node {name!r}, field 'op':", f"{op!r} must be one of {', '.join(NODES)}")
        fields = {key: value for key, value in record.items() if key != "op"}
        return self._build(NODES[op], fields, name, f"{name}/")

    def _build(self, kind: type, record: dict[str, Any], node: str, prefix: str) -> Any:
        hints = _fields(kind)
        for key in record:
            if key not in hints:
                raise self._error(node, prefix + key, record[key], f"is unknown; valid are {', '.join(hints)}")
        for key in hints:
            if key not in record:
                raise self._error(node, prefix + key, None, "is missing")
        return kind(**{key: self._value(hint, record[key], node, prefix + key) for key, hint in hints.items()})

    def _value(self, hint: Any, value: Any, node: str, where: str) -> Any:
        if hint is np.ndarray:
            return self._array(value, node, where)
        if hint == Rescaling | None and value is None:
            return None
        if hint in (Requant, Rescaling, Rescaling | None):
            if not isinstance(value, dict):
                raise self._error(node, where, value, "must be an object")
            kind = Thresholds if hint != Requant and "levels" in value else Requant
            return self._build(kind, value, node, where + ".")
        if hint == DType:
            try:
                return parse_dtype(value)
            except ValueError as error:
                raise self._error(node, where, value, f"is no number format: {error}") from error
        if hint is Shape or typing.get_origin(hint) is tuple:
            item, count = (int, 3) if hint is Shape else (typing.get_args(hint)[0], None)
            fits = isinstance(value, list) and count in (None, len(value)) and all(type(part) is item for part in value)
            if not fits:
                length = f"{count} values" if count else "a list"
                raise self._error(node, where, value, f"must be {length} of type {item.__name__}")
            return Shape(*value) if hint is Shape else tuple(value)
        if hint == Sizes:
            if type(value) is int:
                return value
            if not isinstance(value, list) or not all(type(part) is int for part in value):
                raise self._error(node, where, value, "must be an integer or a list of integers")
            return tuple(value)
        if hint is float and type(value) is int and abs(value) <= sys.float_info.max:
            return float(value)
        if type(value) is not hint:
            raise self._error(node, where, value, f"must be of type {hint.__name__}")
        return value

    def _array(self, value: Any, node: str, where: str) -> np.ndarray:
        shape = value.get("shape") if isinstance(value, dict) else None
        if not isinstance(shape, list) or not all(type(side) is int for side in shape):
            raise self._error(node, where, value, 'must be {"shape": [...]}')
        if where not in self.arrays:
            raise GraphFileError(self.weights, f"array {where!r}", f"of node {node!r} is missing")
        array = self.arrays.pop(where)
        if array.dtype.kind not in "iu":
            raise GraphFileError(self.weights, f"array {where!r}:", f"type {array.dtype} must be an integer type")
        if array.size and array.max() > INT64.max:
            raise GraphFileError(self.weights, f"array {where!r}:", f"{array.max()} must be at most {INT64.max}")
        if list(array.shape) != shape:
            raise GraphFileError(self.weights, f"array {where!r}:", f"shape {array.shape} must be {tuple(shape)}")
        return array.astype(np.int64)

    def _error(self, node: str, where: str, value: Any, why: str) -> GraphFileError:
        field = where.partition("/")[2]
        return GraphFileError(self.path, f"node {node!r}, field {field!r}:", f"{value!r} {why}")
