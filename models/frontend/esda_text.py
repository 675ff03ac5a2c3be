"""Import of published int8 networks of ESDA and SEE from text files: a ``cfg.json`` and a folder ``data``.

The files of ``data`` hold one number per line, in the order of C arrays:

    <layer>_weight.txt     conv1: kernel offset (y before x), input, output channel; depthwise: kernel offset, channel;
                           1x1: output channel, input channel
    <layer>_bias.txt, <layer>_scale.txt     one number per output channel
    <block>_i.txt          scale of the identity in a residual block, in quotes
    tb_spatial_mask.txt    0 or 1 for each site of one real frame, in raster order
    tb_input_feature.txt   channels of each of its active sites, in the same order

``<layer>`` is the name of a convolution, or the name of a block followed by ``_0``, ``_1`` or ``_2`` for its 1x1, its
depthwise 3x3 and its second 1x1 convolution. The first convolution is a full 3x3, every other one a 1x1. Files that end
in ``_w``, ``_s`` and ``_scale_c`` hold the same numbers for C++. The linear layer behind the sum over sites has none of
these files and is left out.
(CASR-HKU/ESDA: ``eventNet/archived_hw``, written by ``hardware/template_e2e/gen_data.py``. MIT.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.frontend.esda_network import SHIFT, EsdaFileError, network
from models.ir.files import read_json
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.requant import INT64

TYPES = {"conv": 2, "block": 3, "linear": 2}
"""Number of channel counts of each kind of layer."""
_LAYER = {"name": str, "type": str, "residual": bool, "stride": int, "channels": list}


def load_esda_text(folder: Path) -> tuple[Graph, Frame]:
    """Import the network and the frame of a folder with ``cfg.json`` and ``data``, as ``load_esda`` does.

    The graph has the folder's name.
    """
    reader = _Folder(folder / "cfg.json", folder / "data", [], {})
    document = _read_cfg(reader.cfg)
    for layer in document["layers"]:
        reader.layer(layer)
    if not reader.records:
        raise EsdaFileError(f"{reader.cfg}: field 'layers' has no conv and no block")
    height, width = (int(side) for side in document["input_shape"])
    mask = reader.numbers("input/mask", "tb_spatial_mask", (height, width))
    reader.numbers("input/features", "tb_input_feature", (int((mask != 0).sum()), reader.records[0]["in_channels"]))
    description = {"name": folder.resolve().name, "input_hw": [height, width], "layers": reader.records}
    return network(reader.cfg, description, reader.data, reader.arrays)


@dataclass(frozen=True)
class _Folder:
    """Converts a folder to the records and arrays of ``models.frontend.esda_network``."""

    cfg: Path
    data: Path
    records: list[dict[str, Any]]
    arrays: dict[str, np.ndarray]

    def layer(self, layer: dict[str, Any]) -> None:
        name, channels, stride = layer["name"], layer["channels"], layer["stride"]
        if layer["type"] == "conv":
            self._conv(name, "pointwise" if self.records else "conv3x3", channels[0], channels[1], stride)
        elif layer["type"] == "block":
            first, inner, last = channels
            self._conv(f"{name}_0", "pointwise", first, inner)
            self._conv(f"{name}_1", "depthwise3x3", inner, inner, stride)
            closing = {}
            if layer["residual"]:
                (scale,) = self._file(f"{name}_i", (1,)).tolist()
                closing = {"residual_from": f"{name}/input", "identity_scale": scale}
            self._conv(f"{name}_2", "pointwise", inner, last, relu=False, **closing)

    def _conv(
        self, name: str, op: str, channels: int, out: int, stride: int = 1, relu: bool = True, **closing: Any
    ) -> None:
        weight = {"conv3x3": (9, channels, out), "depthwise3x3": (9, out), "pointwise": (out, channels)}[op]
        for field, shape in (("weight", weight), ("bias", (out,)), ("scale", (out,))):
            self.numbers(f"{name}/{field}", f"{name}_{field}", shape)
        record = {"name": name, "op": op, "in_channels": channels, "out_channels": out, "stride": stride, "relu": relu}
        self.records.append(record | closing)

    def numbers(self, array: str, file: str, shape: tuple[int, ...]) -> np.ndarray:
        """Read the numbers of a file and store them as ``array``."""
        self.arrays[array] = self._file(file, shape)
        return self.arrays[array]

    def _file(self, file: str, shape: tuple[int, ...]) -> np.ndarray:
        path = self.data / f"{file}.txt"
        try:
            lines = path.read_text(encoding="ascii").split()
        except (OSError, ValueError) as error:
            raise EsdaFileError(f"{path}: cannot be read as text: {error}") from error
        numbers = []
        for number, line in enumerate(lines, 1):
            try:
                numbers.append(int(line.strip('"')))
            except ValueError:
                raise EsdaFileError(f"{path}: line {number}: {line!r} must be an integer") from None
            if not INT64.min <= numbers[-1] <= INT64.max:
                raise EsdaFileError(f"{path}: line {number}: {line!r} must lie within {INT64.min} to {INT64.max}")
        if len(numbers) != math.prod(shape):
            sides = " x ".join(map(str, shape))
            raise EsdaFileError(f"{path}: {len(numbers)} numbers must be {math.prod(shape)}, {sides}")
        return np.array(numbers, np.int64).reshape(shape)


def _read_cfg(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path)
    except (OSError, ValueError) as error:
        raise EsdaFileError(f"{path}: cannot be read as JSON: {error}") from error
    document = document if isinstance(document, dict) else {}
    if document.get("CFG_EXP") != SHIFT:
        raise EsdaFileError(
            f"{path}: field 'CFG_EXP': {document.get('CFG_EXP')!r} must be {SHIFT}, the shift of scales"
        )
    sides = document.get("input_shape")
    if not (isinstance(sides, list) and len(sides) == 2 and all(_is_count(side) for side in sides)):
        raise EsdaFileError(f"{path}: field 'input_shape': {sides!r} must be a height and a width")
    layers = document.get("layers")
    if not isinstance(layers, list):
        raise EsdaFileError(f"{path}: field 'layers': {layers!r} must be a list")
    for number, layer in enumerate(layers):
        _check_layer(path, number, layer)
    return document


def _is_count(side: object) -> bool:
    """Whether ``side`` is a whole number of 1 or more; some files write it as a float."""
    return type(side) in (int, float) and 1 <= side < math.inf and side == int(side)  # type: ignore[operator, call-overload]


def _check_layer(path: Path, number: int, layer: object) -> None:
    fields = layer if isinstance(layer, dict) else {}
    where = fields.get("name", f"layers[{number}]")
    for field, kind in _LAYER.items():
        if type(fields.get(field)) is not kind:
            why = f"must be of type {kind.__name__}"
            raise EsdaFileError(f"{path}: layer {where!r}, field {field!r}: {fields.get(field)!r} {why}")
    if fields["type"] not in TYPES:
        raise EsdaFileError(
            f"{path}: layer {where!r}, field 'type': {fields['type']!r} must be one of {', '.join(TYPES)}"
        )
    channels, count = fields["channels"], TYPES[fields["type"]]
    if len(channels) != count or not all(type(n) is int and n >= 1 for n in channels):
        raise EsdaFileError(f"{path}: layer {where!r}, field 'channels': {channels!r} must be {count} counts")
