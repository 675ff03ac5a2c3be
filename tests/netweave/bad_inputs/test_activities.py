"""What graph.json of a sparse network says of its activity, from which every cost follows."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.ir.activity import with_activity
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.node import Shape
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.requant import Requant
from models.ir.serialize import save
from tests.netweave.bad_inputs.support import DEVICE, Break, Command, entry, rows_of, without

INT8 = IntType(8)


def network() -> Graph:
    wide: dict[str, Any] = {"weight_dtype": INT8, "dtype": INT8}
    four, ten = (Requant.identity(channels, -128, 127) for channels in (4, 10))
    nodes = (
        Input(name="input", shape=Shape(8, 8, 1), dtype=IntType(5, signed=False), scale=1 / 16, sparse=True),
        Conv(
            name="conv", inputs=("input",), kernel=3, padding=1, weight=np.ones((4, 1, 3, 3), int), requant=four, **wide
        ),
        GlobalPool(name="pool", inputs=("conv",), dtype=INT8, requant=four),
        Linear(name="linear", inputs=("pool",), weight=np.ones((10, 1, 1, 4), int), requant=ten, **wide),
    )  # fmt: skip
    return with_activity(Graph("net", nodes, "linear"), [np.eye(8, dtype=bool), np.ones((8, 8), bool)])


def at(*keys: Any, value: object, node: str = "conv") -> Break:
    return entry("stats", node, "activity", *keys, value=value)


# changes of an activity: name, break, what the error says
ACTIVITIES = [
    ("no mean", without("stats", "conv", "activity", "mean"), "KeyError: 'mean'"),
    ("no frame of 99 %", without("stats", "conv", "activity", "p99"), "KeyError: 'p99'"),
    ("no density", without("stats", "conv", "activity", "density"), "KeyError: 'density'"),
    ("a density of two", at("density", value=2), "density: 2 must be 0 to 1"),
    ("a density that is none", at("density", value=float("nan")), "nan must be a number of 0 or more"),
    ("a density as text", at("density", value="0.5"), "'0.5' must be a number of 0 or more"),
    ("tokens below 0", at("mean", "tokens_out", value=-1), "must be 0 to the sites there are"),
    ("more tokens than sites", at("mean", "tokens_in", value=65), "tokens 65 and ... must be 0 to the sites there are"),
    ("tokens as text", at("mean", "tokens_in", value="many"), "TypeError"),
    ("no taps", at("mean", "taps", value=[]), "taps: 0 of them"),
    ("taps below 0", at("p99", "taps", 3, value=-5), "-5 must be a number of 0 or more"),
    ("taps without end", at("mean", "taps", 3, value=float("inf")), "inf must be a number of 0 or more"),
    ("taps of no window", at("mean", "taps", value=[1, 2], node="pool"), "taps: 2 of them"),
    ("no waits", at("mean", "waits", value=None), "waits are those of a window"),
    ("waits of text", at("mean", "waits", value="long"), "TypeError: string indices"),
    ("no knee", without("stats", "conv", "activity", "mean", "waits", "knee"), "KeyError: 'knee'"),
    ("a share as truth", at("mean", "waits", "end", "share", value=True), "True must be a number of 0 or more"),
    ("a stage more", at("mean", "waits", "end", "late", value=1), "unexpected keyword argument 'late'"),
    ("no sample", without("stats", "input", "activity", "sample"), "KeyError: 'sample'"),
    ("a sample of no digits", at("sample", 0, value="junk", node="input"), "non-hexadecimal number found"),
    ("a sample cut off", at("sample", 0, value="ff", node="input"), "sample: 'ff' must be hexadecimal digits of 64"),
    ("a sample of numbers", at("sample", 0, value=7, node="input"), "TypeError"),
]  # fmt: skip


@rows_of("change, says", ACTIVITIES)
def test_activity(command: Command, change: Break, says: str) -> None:
    save(network(), command.folder / "net")
    (command.folder / "net.toml").write_text(f'model = "graph:net"\n{DEVICE}')
    change(command.folder / "net" / "graph.json")
    where = (
        "net/graph.json: graph node ... field 'stats': ... "
        "is no activity as models.ir.activity.with_activity leaves it: "
    )
    command.refuses("train net.toml -o run", f"{where} ... {says}")
