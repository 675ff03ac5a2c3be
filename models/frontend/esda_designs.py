"""Import of published accelerator designs of ESDA: network, resources, and activity of the data set.

A design is a ``.json`` file with the shapes, densities, parallelism and estimates of its layers, and one real frame in
``.tb_spatial_mask.npy`` and ``.tb_input_feature.npy``. Its weights were not published; the graph has random ones, on
which no cycle depends.

A block with ``channels`` a, b, c is a 1x1 convolution from a to b at the input's resolution, a depthwise 3x3 with the
stride, and a 1x1 from b to c; with ``residual`` its input is added. The mean over the frame and the linear layer follow
the last convolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.frontend.esda_network import LIMIT, SHIFT, EsdaFileError
from models.ir.accumulator import width
from models.ir.files import read_json
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import Node, Shape
from models.ir.ops.add import Add
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.requant import Requant

_INT8, _INT9 = IntType(8), IntType(9)
_FIELDS = ("dataset", "input_shape", "input_sparsity", "param", "lat_max", "total_dsp", "total_bram", "layers")
_LAYER = ("name", "type", "residual", "stride", "in_hw", "channels", "sparsity", "kernel_sparsity")
PARTS = {"conv": 2, "block": 3, "linear": 2}
"""Number of channel counts of each kind of layer."""


@dataclass(frozen=True)
class PublishedDesign:
    """A published accelerator design.

    Parameters
        name           name of the design
        data           name of its data set
        graph          its network, with random weights
        frame          one real frame
        parameters     number of weights that the data set needs; the last layer may be padded beyond them
        dsp            published estimate of DSP blocks
        bram           published estimate of 18 Kb memories
        bottleneck     published estimate of the slowest layer, in cycles per frame
        densities      mean fraction of active sites at each resolution, from the input on
        taps           mean number of active sites in a 3x3 window at the second resolution
    """

    name: str
    data: str
    graph: Graph
    frame: Frame
    parameters: int
    dsp: int
    bram: int
    bottleneck: int
    densities: tuple[float, ...]
    taps: float


def load_design(path: Path) -> PublishedDesign:
    """Import the design of the ``.json`` file ``path``; raises ``EsdaFileError``."""
    document = _read(path)
    rng = np.random.default_rng(0)
    height, width_ = document["input_shape"]
    layers = document["layers"]
    shape = Shape(height, width_, layers[0]["channels"][0])
    builder = _Builder(path, rng, [Input(name="input", shape=shape, dtype=_INT8, sparse=True)], shape)
    for layer in layers:
        builder.layer(layer)
    graph = Graph(path.stem.partition("_shift")[0].lower(), tuple(builder.nodes), builder.nodes[-1].name)
    occupancy = layers[0]["kernel_sparsity"]
    return PublishedDesign(
        name=path.stem.partition("_shift")[0],
        data=document["dataset"],
        graph=graph,
        frame=_frame(path, shape),
        parameters=document["param"],
        dsp=document["total_dsp"],
        bram=document["total_bram"],
        bottleneck=document["lat_max"],
        densities=(document["input_sparsity"], *builder.densities),
        taps=sum(share * taps for taps, share in enumerate(occupancy, 1)) / sum(occupancy),
    )


@dataclass
class _Builder:
    path: Path
    rng: np.random.Generator
    nodes: list[Node]
    shape: Shape

    def __post_init__(self) -> None:
        self.densities: list[float] = []

    def layer(self, layer: dict[str, Any]) -> None:
        name, kind, channels = layer["name"], layer["type"], layer["channels"]
        if len(channels) != PARTS.get(kind) or channels[0] != self.shape.channels:
            raise self._error(layer, "channels", f"must be {PARTS[kind]} counts, the first {self.shape.channels}")
        if tuple(layer["in_hw"]) != self.shape[:2]:
            raise self._error(layer, "in_hw", f"must be {list(self.shape[:2])}, what the layers before it leave")
        if kind == "linear":
            self._classifier(channels[1])
            return
        before = self.nodes[-1].name
        if kind == "conv":
            # the first convolution is a full 3x3, the last one a 1x1
            self._conv(name, channels[1], 3 if self.nodes[-1] is self.nodes[0] else 1, layer["stride"])
        else:
            self._conv(f"{name}_0", channels[1], 1)
            self._conv(f"{name}_1", channels[1], 3, layer["stride"], depthwise=True)
            self._conv(f"{name}_2", channels[2], 1, relu=False, dtype=_INT9 if layer["residual"] else _INT8)
        if layer["residual"]:
            a, b = (self._requant(channels[2], lo, hi) for lo, hi in ((_INT9.min, _INT9.max), (_INT8.min, _INT8.max)))
            inputs = self.nodes[-1].name, before
            self.nodes.append(Add(name=name, inputs=inputs, dtype=_INT8, a=a, b=b, lo=-LIMIT, hi=LIMIT))
        if layer["stride"] == 2:
            density = layer["sparsity"]
            self.densities.append(density if kind == "conv" else density[-1])

    def _conv(
        self, name: str, out: int, kernel: int, stride: int = 1, *, depthwise: bool = False, relu: bool = True,
        dtype: IntType = _INT8,
    ) -> None:  # fmt: skip
        channels = 1 if depthwise else self.shape.channels
        lo, hi = (0 if relu else -LIMIT, LIMIT) if dtype is _INT8 else (_INT9.min, _INT9.max)
        conv = Conv(
            name=name,
            inputs=(self.nodes[-1].name,),
            dtype=dtype,
            kernel=kernel,
            stride=stride,
            padding=kernel // 2,
            groups=out if depthwise else 1,
            weight=self._weight(out, channels, kernel, kernel),
            weight_dtype=_INT8,
            requant=self._requant(out, lo, hi),
        )
        self.nodes.append(conv)
        self.shape = conv.out_shape(self.shape)

    def _classifier(self, classes: int) -> None:
        mean = self._requant(self.shape.channels, 0, LIMIT)
        self.nodes.append(GlobalPool(name="pool", inputs=(self.nodes[-1].name,), dtype=_INT8, requant=mean))
        weight = self._weight(classes, 1, 1, self.shape.channels)
        lo, hi = -LIMIT * LIMIT * self.shape.channels, LIMIT * LIMIT * self.shape.channels
        dtype = IntType(width(lo, hi))
        requant = Requant.identity(classes, lo, hi)
        linear = Linear(name="fc", inputs=("pool",), dtype=dtype, weight=weight, weight_dtype=_INT8, requant=requant)
        self.nodes.append(linear)

    def _weight(self, *shape: int) -> np.ndarray:
        return self.rng.integers(-LIMIT, LIMIT + 1, shape)

    def _requant(self, channels: int, lo: int, hi: int) -> Requant:
        """A random bias and a random factor below one for each channel."""
        bias, mult = self.rng.integers(-500, 501, channels), self.rng.integers(1 << 8, 1 << SHIFT, channels)
        return Requant(bias, mult, SHIFT, lo, hi)

    def _error(self, layer: dict[str, Any], field: str, why: str) -> EsdaFileError:
        return EsdaFileError(f"{self.path}: layer {layer['name']!r}, field {field!r}: {layer[field]!r} {why}")


def _read(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path)
    except (OSError, ValueError) as error:
        raise EsdaFileError(f"{path}: cannot be read as JSON: {error}") from error
    for field in _FIELDS:
        if not isinstance(document, dict) or not document.get(field):
            raise EsdaFileError(f"{path}: field {field!r} is missing or empty")
    for number, layer in enumerate(document["layers"]):
        for field in _LAYER:
            if field not in layer:
                raise EsdaFileError(f"{path}: layer {number}: field {field!r} is missing")
        if layer["type"] not in PARTS:
            raise EsdaFileError(
                f"{path}: layer {layer['name']!r}, field 'type': {layer['type']!r} must be one of {', '.join(PARTS)}"
            )
    return document


def _frame(path: Path, shape: Shape) -> Frame:
    """The real frame, from one flag per site in raster order and the channels of the active sites."""
    mask, features = (
        _array(path.with_name(f"{path.stem}.{part}.npy")) for part in ("tb_spatial_mask", "tb_input_feature")
    )
    sites = int((mask != 0).sum())
    for name, array, size in (
        ("mask", mask, shape.height * shape.width),
        ("feature", features, sites * shape.channels),
    ):
        if array.size != size:
            raise EsdaFileError(f"{path}: the frame's {name} has {array.size} numbers, not {size}")
    active = mask.reshape(shape[:2]) != 0
    return Frame(shape.height, shape.width, np.argwhere(active), features.reshape(sites, -1).astype(np.int64))


def _array(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise EsdaFileError(f"{path}: cannot be read as an npy file: {error}") from error
