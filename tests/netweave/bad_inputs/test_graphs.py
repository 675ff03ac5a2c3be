"""Networks that are quantized already: every field of graph.json, and the arrays of weights.npz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.node import Shape
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.ops.max_pool import MaxPool
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant
from models.ir.serialize import save
from tests.netweave.bad_inputs.support import (
    DEEP,
    DEVICE,
    Break,
    Command,
    arrays,
    cut,
    emptied,
    entry,
    folder,
    raw,
    removed,
    rows_of,
    text,
    without,
)  # fmt: skip

INT8, INPUT = IntType(8), IntType(5, signed=False)
BIG = 2**70
INPUT_, CONV, DEPTHWISE, ADD, MAX, AVG, REQUANTIZE, GLOBAL, LINEAR = range(9)
"""Places of the nodes in the file."""


def network() -> Graph:
    """A network for the digits with every op."""
    wide: dict[str, Any] = {"weight_dtype": INT8, "dtype": INT8}
    ones = {channels: Requant.identity(channels, -128, 127) for channels in (4, 10)}
    nodes = (
        Input(name="input", shape=Shape(8, 8, 1), dtype=INPUT, scale=1 / 16),
        Conv(
            name="conv", inputs=("input",), kernel=3, stride=1, padding=1, weight=np.ones((4, 1, 3, 3), np.int64),
            requant=ones[4], **wide,
        ),
        Conv(
            name="depthwise", inputs=("conv",), kernel=1, groups=4, weight=np.ones((4, 1, 1, 1), np.int64),
            requant=ones[4], **wide,
        ),
        Add(name="add", inputs=("depthwise", "conv"), dtype=INT8, a=ones[4], b=ones[4], lo=-128, hi=127),
        MaxPool(name="max", inputs=("add",), dtype=INT8, kernel=2, stride=2),
        AvgPool(name="avg", inputs=("max",), dtype=INT8, kernel=2, stride=2, requant=ones[4]),
        Requantize(name="requantize", inputs=("avg",), dtype=INT8, requant=ones[4]),
        GlobalPool(name="pool", inputs=("requantize",), dtype=INT8, requant=ones[4]),
        Linear(name="linear", inputs=("pool",), weight=np.ones((10, 1, 1, 4), np.int64), requant=ones[10], **wide),
    )  # fmt: skip
    return Graph("net", nodes, "linear")


@pytest.fixture
def saved(command: Command) -> Command:
    """The command, in a folder with a configuration of that network."""
    save(network(), command.folder / "net")
    (command.folder / "net.toml").write_text(f'model = "graph:net"\n{DEVICE}')
    return command


def node(place: int, *keys: str, value: object) -> Break:
    return entry("nodes", place, *keys, value=value)


# what graph.json is as a whole: name, break, what the error says behind its name
FILES = [
    ("no file", removed, "there is no file"),
    ("a folder", folder, "there is no file"),
    ("nothing", text(""), "is no readable JSON: Expecting value"),
    ("not UTF-8", raw(b'{"format": "\xff"}'), "is no readable JSON: 'utf-8' codec can't decode"),
    ("half of it", cut, "is no readable JSON: "),
    ("brackets", text(DEEP), "is no readable JSON: its lists and objects lie too deep within each other"),
    ("braces", text('{"a":' * 200_000), "is no readable JSON: its lists and objects lie too deep within each other"),
    ("a number of 5000 digits", text("9" * 5000), "is no readable JSON: Exceeds the limit"),
    ("a list", text("[]"), "field 'format': 'list' must be 'netweave graph'"),
    ("null", text("null"), "field 'format': 'NoneType' must be 'netweave graph'"),
    ("another format", entry("format", value="onnx"), "field 'format': 'onnx' must be 'netweave graph'"),
    ("no format", without("format"), "field 'format': None must be 'netweave graph'"),
    ("an older version", entry("version", value=3), "field 'version': 3 must be 5"),
    ("a newer version", entry("version", value=99), "field 'version': 99 was written by a newer netweave; this one"),
    ("a version as text", entry("version", value="4"), "field 'version': '4' must be 5"),
    ("a version as fraction", entry("version", value=5.0), "field 'version': 5.0 must be a JSON int"),
    ("a field unknown", entry("author", value="me"), "field 'author' is unknown; valid are format, version, name,"),
    ("no name", without("name"), "field 'name': None must be a JSON str"),
    ("a name of none", entry("name", value=3), "field 'name': 3 must be a JSON str"),
    ("a name outside", entry("name", value="../../evil"), "field 'name': '../../evil' must be at most 100 letters,"),
    ("no output", without("output"), "field 'output': None must be a JSON str"),
    ("an output unknown", entry("output", value="fc"), "field 'output': 'fc' is no node; nodes are input, conv,"),
    ("an output in between", entry("output", value="add"), "is used by no node and is not the output"),
    ("no nodes", entry("nodes", value=[]), "belongs to no field in graph.json"),
    ("nodes by name", entry("nodes", value={}), "field 'nodes': {} must be a JSON list"),
    ("statistics in a list", entry("stats", value=[]), "field 'stats': [] must be a JSON dict"),
    ("statistics of no node", entry("stats", value={"fc": {}}), "graph node 'fc', field 'stats': 'fc' is no node;"),
    ("statistics of text", entry("stats", value={"conv": "junk"}), "graph node 'conv', field 'stats': 'junk' is no"),
    (
        "an activity of text", entry("stats", value={"conv": {"activity": "junk"}}),
        "'stats': ['activity'] is no activity as models.ir.activity.with_activity leaves it: TypeError",
    ),
    (
        "an activity of nothing", entry("stats", value={"conv": {"activity": {"mean": {}}}}),
        "is no activity as models.ir.activity.with_activity leaves it: KeyError: 'waits'",
    ),
]  # fmt: skip

# fields of nodes: name, break, what the error says
NODES = [
    ("a text for a node", entry("nodes", 1, value="conv"), "field 'nodes[1]': 'conv' must be an object"),
    ("a node without name", without("nodes", 1, "name"), "field 'nodes[1].name': None must be a text"),
    ("a name by number", node(CONV, "name", value=7), "field 'nodes[1].name': 7 must be a text"),
    ("a node outside", node(CONV, "name", value="../evil"), "array '../evil/weight' of node '../evil' is missing"),
    ("a name twice", node(MAX, "name", value="avg"), "graph node 'avg', field 'name': 'avg' is used by an earlier"),
    ("a name too long", node(MAX, "name", value="a" * 49), "must match [a-z][a-z0-9_]{0,47}"),
    ("a name in capitals", node(MAX, "name", value="MAX"), "field 'name': 'MAX' must match [a-z][a-z0-9_]{0,47}"),
    ("an op unknown", node(MAX, "op", value="max"), "node 'max', field 'op': 'max' must be one of input, conv,"),
    ("no op", without("nodes", MAX, "op"), "node 'max', field 'op': None must be one of input, conv"),
    ("an op of another", node(MAX, "op", value="conv"), "node 'max', field 'dilation': None is missing"),
    ("a field of none", node(CONV, "spacing", value=2), "node 'conv', field 'spacing': 2 is unknown; valid are"),
    ("a field missing", without("nodes", CONV, "stride"), "node 'conv', field 'stride': None is missing"),
    ("an input after others", node(MAX, "op", value="input"), "node 'max', field 'kernel': 2 is unknown; valid are"),
    ("inputs as text", node(CONV, "inputs", value="input"), "node 'conv', field 'inputs': 'input' must be a list of"),
    ("an input unknown", node(CONV, "inputs", value=["image"]), "field 'inputs': 'image' is no earlier node; earlier"),
    ("an input of itself", node(CONV, "inputs", value=["conv"]), "field 'inputs': 'conv' is no earlier node; earlier"),
    ("a cycle", node(CONV, "inputs", value=["linear"]), "field 'inputs': 'linear' is no earlier node; earlier are"),
    ("no input", node(CONV, "inputs", value=[]), "field 'inputs': () must name 1 node(s)"),
    ("one of two inputs", node(ADD, "inputs", value=["conv"]), "field 'inputs': ('conv',) must name 2 node(s)"),
    ("a dead end", node(ADD, "inputs", value=["conv", "conv"]), "node 'depthwise', field 'name': 'depthwise' is used"),
    ("an add of two shapes", node(ADD, "inputs", value=["depthwise", "input"]), "must have one shape, not 8x8x4 and"),
    ("a format unknown", node(CONV, "dtype", value="float8"), "node 'conv', field 'dtype': 'float8' is no number"),
    ("a format by width", node(CONV, "dtype", value=8), "node 'conv', field 'dtype': 8 is no number format: unknown"),
    ("a format of a bit", node(CONV, "dtype", value="int1"), "'int1' is no number format: IntType width must be 2 to"),
    ("a format too wide", node(CONV, "dtype", value="int33"), "field 'dtype': 'int33' must be of at most 32 bits"),
    (
        "a format of 5000 digits", node(CONV, "dtype", value="int" + "9" * 5000),
        "is no number format: unknown number format",
    ),
    ("a scale of 0", node(CONV, "scale", value=0), "field 'scale': 0.0 must be positive and finite"),
    ("a scale below 0", node(CONV, "scale", value=-0.5), "field 'scale': -0.5 must be positive and finite"),
    ("a scale that is none", node(CONV, "scale", value=float("nan")), "field 'scale': nan must be positive and finite"),
    ("a scale without end", node(CONV, "scale", value=float("inf")), "field 'scale': inf must be positive and finite"),
    ("a scale as text", node(CONV, "scale", value="0.5"), "node 'conv', field 'scale': '0.5' must be of type float"),
    ("a scale as truth", node(CONV, "scale", value=True), "node 'conv', field 'scale': True must be of type float"),
    ("a scale of 400 digits", node(CONV, "scale", value=10**400), "must be of type float"),
    ("two sides", node(INPUT_, "shape", value=[8, 8]), "node 'input', field 'shape': [8, 8] must be 3 values of type"),
    ("a side of 0", node(INPUT_, "shape", value=[0, 8, 1]), "field 'shape': '0x8x1' must be 1 to 4096 high and wide,"),
    ("a side without end", node(INPUT_, "shape", value=[8, BIG, 1]), "x1' must be 1 to 4096 high and wide, with 1 to"),
    ("channels without end", node(INPUT_, "shape", value=[8, 8, BIG]), "must be 1 to 4096 high and wide, with 1 to"),
    ("half a side", node(INPUT_, "shape", value=[8, 8.5, 1]), "field 'shape': [8, 8.5, 1] must be 3 values of type"),
    ("another input", node(INPUT_, "shape", value=[9, 9, 1]), "takes images of 9x9x1; for data 'digits' it must take"),
    ("sparse by number", node(INPUT_, "sparse", value=1), "node 'input', field 'sparse': 1 must be of type bool"),
    ("an offset alone", node(INPUT_, "offset", value=[0.5]), "field 'offset, unit': ... is no normalization: "),
    ("a unit of 0", node(INPUT_, "unit", value=[0.0]), "field 'offset, unit': ... is no normalization: "),
    ("two units", entry("nodes", INPUT_, value=None), "field 'nodes[0]': None must be an object"),
    ("a kernel of 0", node(CONV, "kernel", value=0), "graph node 'conv', field 'kernel': 0 must be 1 to 15"),
    ("a kernel without end", node(CONV, "kernel", value=BIG), f"field 'kernel': {BIG} must be 1 to 15"),
    ("another kernel", node(CONV, "kernel", value=5), "field 'weight': (4, 1, 3, 3) must have shape (4, 1, 5, 5)"),
    ("a kernel of three", node(CONV, "kernel", value=[3, 3, 3]), "'kernel': (3, 3, 3) must be one number or 2"),
    ("a stride of 5", node(CONV, "stride", value=5), "field 'stride': 5 must be 1 to 4"),
    ("padding below 0", node(CONV, "padding", value=-1), "field 'padding': -1 must be 0 to 1 for kernel 3"),
    ("padding of 2", node(CONV, "padding", value=2), "field 'padding': 2 must be 0 to 1 for kernel 3"),
    ("a kernel beyond its input", node(AVG, "kernel", value=7), "field 'kernel': 7 is larger than its padded input"),
    ("a stride beyond its kernel", node(MAX, "kernel", value=1), "field 'kernel': 1 must be at least the stride, 2"),
    ("a pool of another format", node(MAX, "dtype", value="int7"), "field 'dtype': 'int7' must equal its input's,"),
    ("groups by halves", node(CONV, "groups", value=0.5), "node 'conv', field 'groups': 0.5 must be of type int"),
    ("three groups of one", node(CONV, "groups", value=3), "field 'groups': 3 must divide the 1 input channels"),
    (
        "weights as numbers", node(CONV, "weight", value=[1, 2]),
        "node 'conv', field 'weight': [1, 2] must be {\"shape\": [...]}",
    ),
    (
        "weights of half a side", node(CONV, "weight", value={"shape": [4, 1.5]}),
        "field 'weight': {'shape': [4, 1.5]} must be",
    ),
    (
        "weights of another shape", node(CONV, "weight", "shape", value=[4, 9]),
        "array 'conv/weight': shape (4, 1, 3, 3) must be (4, 9)",
    ),
    ("weights of no format", node(CONV, "weight_dtype", value="int"), "node 'conv', field 'weight_dtype': 'int' is"),
    ("weights too wide", node(CONV, "weight_dtype", value="int9"), "'weight_dtype': 'int9' must be a format of 2 to"),
    ("no requantization", node(CONV, "requant", value=None), "node 'conv', field 'requant': None must be an object"),
    ("a shift below 0", node(CONV, "requant", "shift", value=-1), "field 'requant.shift': -1 must be 0 to 50"),
    ("a shift of 51", node(CONV, "requant", "shift", value=51), "field 'requant.shift': 51 must be 0 to 50"),
    ("a shift of half", node(CONV, "requant", "shift", value=0.5), "field 'requant.shift': 0.5 must be of type int"),
    ("a fraction of 17", node(AVG, "requant", "fraction", value=17), "field 'requant.fraction': 17 must be 0 to 16"),
    ("the ends the wrong way", node(GLOBAL, "requant", "lo", value=127 + 1), "field 'requant.lo': 128 must not"),
    ("an end without end", node(GLOBAL, "requant", "hi", value=BIG), "must lie within int8, -128 to 127"),
    ("an end below", node(LINEAR, "requant", "lo", value=-129), "(-129, 127) must lie within int8, -128 to 127"),
    ("the ends of a sum", node(ADD, "hi", value=128), "field 'lo, hi': (-128, 128) must lie in order within int8"),
    ("a branch too wide", node(ADD, "a", "hi", value=2**63), "must lie within int63"),
    (
        "a requantization unknown", node(REQUANTIZE, "requant", "zero", value=1),
        "field 'requant.zero': 1 is unknown; valid are bias,",
    ),
    ("no multipliers", without("nodes", LINEAR, "requant", "mult"), "node 'linear', field 'requant.mult': None is"),
]  # fmt: skip


@rows_of("change, says", FILES + NODES)
def test_graph(saved: Command, change: Break, says: str) -> None:
    change(saved.folder / "net" / "graph.json")
    saved.refuses("train net.toml -o run", f"net ... {says}")
    assert not saved.run.exists()


def put(name: str, value: np.ndarray) -> Break:
    return arrays(lambda content: content.__setitem__(name, value))


def one(name: str, value: int) -> Break:
    """The array's first number changed."""
    return arrays(lambda content: content[name].reshape(-1).__setitem__(0, value))


# of weights.npz: name, break, what the error says
WEIGHTS = [
    ("no file", removed, "weights.npz: does not exist"),
    ("a folder", folder, "weights.npz: is truncated or no npz file: "),
    ("nothing", raw(b""), "weights.npz: is truncated or no npz file: No data left in file"),
    ("half of it", cut, "weights.npz: is truncated or no npz file: "),
    ("no arrays", emptied, "weights.npz: array 'conv/weight' of node 'conv' is missing"),
    (
        "one array less", arrays(lambda content: content.pop("linear/requant.bias")),
        "array 'linear/requant.bias' of node 'linear' is missing",
    ),
    ("one array more", put("fc/weight", np.ones(3, int)), "weights.npz: array 'fc/weight' belongs to no field in"),
    ("floats", put("conv/weight", np.ones((4, 1, 3, 3))), "array 'conv/weight': type float64 must be an integer type"),
    ("truths", put("conv/weight", np.ones((4, 1, 3, 3), bool)), "array 'conv/weight': type bool must be an integer"),
    ("texts", put("conv/weight", np.full((4, 1, 3, 3), "1")), "array 'conv/weight': type <U1 must be an integer type"),
    ("another shape", put("conv/weight", np.ones((4, 1, 9), int)), "array 'conv/weight': shape (4, 1, 9) must be (4,"),
    ("a weight beyond its format", one("conv/weight", 128), "node 'conv', field 'weight': 128 is no value of int8"),
    (
        "a weight beyond int64", put("conv/weight", np.full((4, 1, 3, 3), 2**63 + 5, np.uint64)),
        "array 'conv/weight': 9223372036854775813 must be at most 9223372036854775807",
    ),
    ("the lowest weight", one("linear/weight", -(2**63)), "is no value of int8"),
    ("a bias of 45 bits", one("conv/requant.bias", 2**43), "field 'requant.bias': ... must fit 44 signed bits"),
    ("the lowest bias", one("conv/requant.bias", -(2**63)), "field 'requant.bias': ... must fit 44 signed bits"),
    ("a multiplier below 0", one("conv/requant.mult", -1), "field 'requant.mult': [-1, 1, 1, 1] must be 0 to"),
    ("a multiplier of 37 bits", one("add/a.mult", 2**36), "field 'a.mult': [68719476736, 1, 1, 1] must be 0 to"),
    (
        "a bias more", arrays(lambda content: content.__setitem__("conv/requant.bias", np.zeros(5, int))),
        "array 'conv/requant.bias': shape (5,) must be (4,)",
    ),
]  # fmt: skip


@rows_of("change, says", WEIGHTS)
def test_weights(saved: Command, change: Break, says: str) -> None:
    change(saved.folder / "net" / "weights.npz")
    saved.refuses("train net.toml -o run", f"net/ ... {says}")


# a right network that does not suit the rest of the configuration: name, lines, what the error says
UNSUITABLE = [
    ("other images", 'data = "digits_dvs"', "takes images of 8x8x1; for data 'digits_dvs' it must take those of"),
    ("training", "[train]\nepochs = 3", "train: model ... is quantized already and stays as it is; leave them out"),
    ("formats", '[quantize]\nformats = ["int4"]', "quantize: model ... is quantized already and stays as it is"),
    ("faster ones", "[explore]\nspeedups = [2]", "explore.speedups: model ... is quantized already and stays as it is"),
]  # fmt: skip


@rows_of("lines, says", UNSUITABLE)
def test_configurations(saved: Command, lines: str, says: str) -> None:
    (saved.folder / "net.toml").write_text(f'model = "graph:net"\n{lines}\n{DEVICE}')
    saved.refuses("train net.toml -o run", says)


def test_the_network_itself_is_right(saved: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netweave.imported.predicted", lambda _, images, split, *rest: 0 * images.split(split)[1])
    assert saved("train", "net.toml", "-o", "run")[0] == 0
    assert (Path(saved.run) / "train" / "graph.json").is_file()
