"""Networks and recordings in the files of others: ESDA's JSON, arrays and text, and events of cameras."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.netweave.bad_inputs.support import (
    DEEP,
    DEVICE,
    Break,
    Command,
    arrays,
    cut,
    entry,
    folder,
    raw,
    removed,
    rows_of,
    text,
    without,
)  # fmt: skip

LAYERS = [
    {"name": "conv1", "op": "conv3x3", "in_channels": 2, "out_channels": 4, "stride": 1, "relu": True},
    {"name": "block_0_0", "op": "pointwise", "in_channels": 4, "out_channels": 8, "stride": 1, "relu": True},
    {"name": "block_0_1", "op": "depthwise3x3", "in_channels": 8, "out_channels": 8, "stride": 1, "relu": True},
    {
        "name": "block_0_2", "op": "pointwise", "in_channels": 8, "out_channels": 4, "stride": 1, "relu": False,
        "residual_from": "block_0/input", "identity_scale": 60000,
    },
]  # fmt: skip
SHAPES = {"conv1": (9, 2, 4), "block_0_0": (8, 4), "block_0_1": (9, 8), "block_0_2": (4, 8)}


def imported(command: Command, call: str, says: str) -> None:
    """A data set whose function imports a network, as a user's own would."""
    imports = "from pathlib import Path\nfrom models.frontend.esda_network import load_esda\n"
    imports += "from models.frontend.esda_text import load_esda_text\n"
    imports += "from models.events.read import read\nhere = Path(__file__).parent\n"
    (command.folder / "own.py").write_text(f"{imports}\ndef build():\n    return {call}\n")
    (command.folder / "net.toml").write_text(f'data = "own.py:build"\n[train]\nepochs = 0\n{DEVICE}')
    command.refuses("train net.toml -o run", f"own.py:build': the function failed: ... {says}")


@pytest.fixture
def esda(command: Command) -> Command:
    """The command, beside a network with a residual block in ESDA's JSON and arrays."""
    found = {"input/mask": np.eye(6, dtype=np.uint8), "input/features": np.ones((6, 2), np.int8)}
    for name, shape in SHAPES.items():
        out = next(layer["out_channels"] for layer in LAYERS if layer["name"] == name)
        found[f"{name}/weight"] = np.ones(shape, np.int8)
        found |= {f"{name}/bias": np.zeros(out, np.int32), f"{name}/scale": np.full(out, 300, np.int32)}  # type: ignore[call-overload]
    np.savez(command.folder / "net.npz", **found)  # type: ignore[arg-type]
    document = {"name": "net", "input_hw": [6, 6], "layers": LAYERS}
    (command.folder / "net.json").write_text(json.dumps(document))
    return command


def layer(place: int, field: str, value: object) -> Break:
    return entry("layers", place, field, value=value)


# of ESDA's JSON and arrays: name, file, break, what the error says
NETWORKS = [
    ("no file", "net.json", removed, "net.json: cannot be read as JSON: [Errno 2] No such file"),
    ("half a file", "net.json", cut, "net.json: cannot be read as JSON: "),
    ("brackets", "net.json", text(DEEP), "net.json: cannot be read as JSON: its lists and objects lie too deep"),
    ("not UTF-8", "net.json", raw(b"\xff\xfe"), "net.json: cannot be read as JSON: 'utf-8' codec can't decode"),
    ("a list", "net.json", text("[]"), "net.json: field 'name': None must be a str that is not empty"),
    ("no name", "net.json", without("name"), "net.json: field 'name': None must be a str that is not empty"),
    ("no layers", "net.json", entry("layers", value=[]), "net.json: field 'layers': [] must be a list that is not"),
    ("one side", "net.json", entry("input_hw", value=[6]), "field 'input_hw': [6] must be a height and a width"),
    ("sides below 0", "net.json", entry("input_hw", value=[6, -6]), "field 'input_hw': [6, -6] must be a height and"),
    ("other sides", "net.json", entry("input_hw", value=[7, 6]), "layer 'input', field 'mask': (6, 6) must have"),
    ("a layer as text", "net.json", entry("layers", 0, value="conv"), "layer 'layers[0]', field 'layer': 'conv' must"),
    ("a layer without name", "net.json", without("layers", 0, "name"), "layer 'layers[0]', field 'name': None must"),
    ("a layer unknown", "net.json", layer(0, "op", "conv5x5"), "layer 'conv1', field 'op': 'conv5x5' must be one of"),
    ("a field unknown", "net.json", layer(0, "bias", 1), "layer 'conv1', field 'bias': 1 is unknown; valid are name,"),
    ("a stride of 5", "net.json", layer(0, "stride", 5), "graph node 'conv1', field 'stride': 5 must be 1 to 4"),
    ("a stride as text", "net.json", layer(0, "stride", "1"), "layer 'conv1', field 'stride': '1' must be of type int"),
    ("other channels", "net.json", layer(0, "in_channels", 3), "layer 'conv1', field 'weight': (9, 2, 4) must have"),
    ("channels below 0", "net.json", layer(1, "out_channels", -8), "field 'weight': (8, 4) must have shape (-8, 4)"),
    ("a residual of nothing", "net.json", layer(3, "residual_from", "block_9/input"), "'block_9/input' must be one"),
    ("a residual without scale", "net.json", without("layers", 3, "identity_scale"), "'identity_scale': None must be"),
    ("a residual beyond", "net.json", layer(3, "identity_scale", 2**36), "field 'b.mult': ... must be 0 to 6871"),
    ("a residual beyond int64", "net.json", layer(3, "identity_scale", 2**70), "field 'b.mult': ... must be 0 to"),
    ("a name of a path", "net.json", layer(0, "name", "../evil"), "layer '../evil', field 'weight': None is missing"),
    ("a name twice", "net.json", layer(1, "name", "conv1"), "layer 'conv1', field 'weight': (9, 2, 4) must have"),
    ("no arrays", "net.npz", removed, "net.npz: cannot be read as an npz file: [Errno 2] No such file"),
    ("half the arrays", "net.npz", cut, "net.npz: cannot be read as an npz file: "),
    ("arrays of text", "net.npz", text("arrays"), "net.npz: cannot be read as an npz file: "),
    ("no mask", "net.npz", arrays(lambda own: own.pop("input/mask")), "layer 'input', field 'mask': None is missing"),
    (
        "a mask of 7", "net.npz", arrays(lambda own: own["input/mask"].__setitem__((0, 0), 7)),
        "field 'mask': 7 must be 0 or 1 at every",
    ),
    (
        "a mask below 0", "net.npz", arrays(lambda own: own.__setitem__("input/mask", -np.eye(6, dtype=int))),
        "layer 'input', field 'mask': -1 must be 0 or 1 at every site",
    ),
    ("floats", "net.npz", arrays(lambda own: own.__setitem__("conv1/bias", np.ones(4))), "'bias': 'float64' must be"),
    (
        "a feature more", "net.npz", arrays(lambda own: own.__setitem__("input/features", np.ones((7, 2), int))),
        "'features': (7, 2) must have shape (6, channels)",
    ),
    (
        "a bias more", "net.npz", arrays(lambda own: own.__setitem__("conv1/bias", np.ones(5, int))),
        "'bias': (5,) must have shape (4,)",
    ),
    (
        "a weight beyond", "net.npz", arrays(lambda own: own.__setitem__("conv1/weight", np.full((9, 2, 4), 200))),
        "field 'weight': 200 is no value of int8",
    ),
    (
        "a scale below 0", "net.npz", arrays(lambda own: own.__setitem__("conv1/scale", np.full(4, -1))),
        "field 'requant.mult': ... must be 0 to 68719476735",
    ),
    (
        "a bias beyond", "net.npz", arrays(lambda own: own.__setitem__("conv1/bias", np.full(4, 2**50))),
        "must fit 44 signed bits",
    ),
    (
        "a weight beyond int64", "net.npz",
        arrays(lambda own: own.__setitem__("conv1/weight", np.full((9, 2, 4), 2**64 - 1, np.uint64))),
        "layer 'conv1', field 'weight': 18446744073709551615 must be at",
    ),
]  # fmt: skip


@rows_of("file, change, says", NETWORKS)
def test_esda(esda: Command, file: str, change: Break, says: str) -> None:
    change(esda.folder / file)
    imported(esda, "load_esda(here / 'net.json')", f"EsdaFileError: ... {says}")


@pytest.fixture
def texts(command: Command) -> Command:
    """The command, beside a network of one layer in ESDA's text files."""
    (command.folder / "data").mkdir()
    conv = {"name": "conv1", "type": "conv", "residual": False, "stride": 1, "channels": [2, 4]}
    (command.folder / "cfg.json").write_text(json.dumps({"CFG_EXP": 16, "input_shape": [6, 6], "layers": [conv]}))
    mask = np.eye(6, dtype=int).ravel().tolist()
    numbers = {"conv1_weight": [1] * 72, "conv1_bias": [0] * 4, "conv1_scale": [300] * 4}
    for name, values in {**numbers, "tb_spatial_mask": mask, "tb_input_feature": [1] * 12}.items():
        (command.folder / "data" / f"{name}.txt").write_text("\n".join(map(str, values)))
    return command


# of ESDA's text files: name, file, break, what the error says
TEXTS = [
    ("no configuration", "cfg.json", removed, "cfg.json: cannot be read as JSON: [Errno 2] No such file"),
    ("a configuration of brackets", "cfg.json", text(DEEP), "cfg.json: cannot be read as JSON: its lists and objects"),
    ("another shift", "cfg.json", entry("CFG_EXP", value=8), "cfg.json: field 'CFG_EXP': 8 must be 16, the shift of"),
    ("no shape", "cfg.json", without("input_shape"), "field 'input_shape': None must be a height and a width"),
    ("a shape that is none", "cfg.json", entry("input_shape", value=[float("nan"), 6]), "must be a height and a width"),
    (
        "a shape without end", "cfg.json", entry("input_shape", value=[float("inf"), 6]),
        "field 'input_shape': [inf, 6] must be a height and a width",
    ),
    ("a shape by halves", "cfg.json", entry("input_shape", value=[6.5, 6]), "field 'input_shape': [6.5, 6] must be a"),
    ("layers by name", "cfg.json", entry("layers", value={}), "field 'layers': {} must be a list"),
    ("no layers", "cfg.json", entry("layers", value=[]), "field 'layers' has no conv and no block"),
    ("a kind unknown", "cfg.json", layer(0, "type", "pool"), "layer 'conv1', field 'type': 'pool' must be one of"),
    ("one channel count", "cfg.json", layer(0, "channels", [2]), "layer 'conv1', field 'channels': [2] must be 2"),
    ("no channels", "cfg.json", layer(0, "channels", [0, 4]), "field 'channels': [0, 4] must be 2 counts"),
    ("residual by number", "cfg.json", layer(0, "residual", 1), "layer 'conv1', field 'residual': 1 must be of type"),
    ("no weights", "data/conv1_weight.txt", removed, "conv1_weight.txt: cannot be read as text: [Errno 2] No such"),
    ("weights in a folder", "data/conv1_weight.txt", folder, "conv1_weight.txt: cannot be read as text: [Errno 21]"),
    ("weights of no numbers", "data/conv1_weight.txt", text("1\n2.5\n"), "conv1_weight.txt: line 2: '2.5' must be an"),
    ("half the weights", "data/conv1_weight.txt", cut, "conv1_weight.txt: 36 numbers must be 72, 9 x 2 x 4"),
    ("weights in other letters", "data/conv1_bias.txt", raw("½".encode()), "conv1_bias.txt: cannot be read as text:"),
    (
        "a bias beyond int64", "data/conv1_bias.txt", text(f"0 0 0 {2**70}"),
        "conv1_bias.txt: line 4: '1180591620717411303424' must lie within -9223372036854775808 to",
    ),
    ("a scale of 5000 digits", "data/conv1_scale.txt", text(f"1 1 1 {'9' * 5000}"), "conv1_scale.txt: line 4: "),
    ("a mask too short", "data/tb_spatial_mask.txt", text("1 0 1"), "tb_spatial_mask.txt: 3 numbers must be 36, 6 x 6"),
]  # fmt: skip


@rows_of("file, change, says", TEXTS)
def test_esda_texts(texts: Command, file: str, change: Break, says: str) -> None:
    change(texts.folder / file)
    imported(texts, "load_esda_text(here)", f"EsdaFileError: ... {says}")


def event(t: int, x: int, y: int, p: int = 1) -> bytes:
    """Five bytes of N-MNIST."""
    return bytes([x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255])


# recordings that a function reads: name, file, break of one event, what the error says
RECORDINGS = [
    ("no events", "a.bin", raw(b""), "a.bin: holds no event; one or more are valid"),
    ("half an event", "a.bin", raw(event(1, 2, 3) + b"12"), "a.bin: event 1: is cut off where the file ends; whole"),
    ("a column outside", "a.bin", raw(event(1, 34, 3)), "a.bin: event 0: x is 34; valid is 0 to 33"),
    ("a row outside", "a.bin", raw(event(1, 3, 99)), "a.bin: event 0: y is 99; valid is 0 to 33"),
    ("time going back", "a.bin", raw(event(9, 1, 1) + event(5, 1, 1)), "a.bin: event 1: t is 5 us, earlier than"),
    ("an unknown kind", "a.mp4", raw(bytes(99)), "a.mp4: of no known format; known are .bin, .csv, .txt and, by"),
    ("no file", "a.bin", removed, "a.bin: cannot be read: No such file or directory"),
    ("a folder", "a.bin", folder, "a.bin: cannot be read: Is a directory"),
    ("a line of no numbers", "a.csv", text("t,x,y,p\n1,2,3,1\n4,five,6,0\n"), "a.csv: "),
    ("a line too short", "a.csv", text("t,x,y,p\n1,2,3,1\n4,5\n"), "a.csv: "),
    ("no columns", "a.csv", text(""), "a.csv: "),
    ("half an AEDAT 4.0", "a.aedat4", raw(b"#!AER-DAT4.0\r\n" + b"\xff" * 9), "a.aedat4: "),
    ("an AEDAT 3.1 of text", "a.aedat", raw(b"#!AER-DAT3.1\r\njunk"), "a.aedat: "),
    ("an AEDAT 2.0 of text", "a.aedat", raw(b"#!AER-DAT2.0\r\njunk"), "a.aedat: "),
    ("HDF5 of nothing", "a.h5", raw(b"\x89HDF\r\n\x1a\n" + bytes(64)), "a.h5: "),
    ("Prophesee's of nothing", "a.raw", raw(b"% evt 9.9\n"), "a.raw: "),
    ("arrays of nothing", "a.npz", raw(b"PK\x03\x04" + bytes(64)), "a.npz: "),
]  # fmt: skip


@rows_of("file, change, says", RECORDINGS)
def test_recordings(command: Command, file: str, change: Callable[[Path], object], says: str) -> None:
    (command.folder / file).write_bytes(event(1, 2, 3))
    change(command.folder / file)
    imported(command, f"read(here / '{file}')", f"EventError: ... {says}")


# a folder with N-MNIST: name, file, break, what the error says
DIGITS = [
    ("no folder of it", "Train/0/a.bin", removed, "data set 'n_mnist': ... holds no Train/<digit>/*.bin; Train/ and"),
    ("no test split", "Test/1/a.bin", removed, "data set 'n_mnist': ... holds no Test/<digit>/*.bin; Train/ and"),
    ("a column outside", "Train/0/a.bin", raw(event(1, 40, 3)), "data set 'n_mnist': ... Train/0/a.bin: event 0: x"),
    (
        "time going back", "Test/1/a.bin", raw(event(9, 1, 1) + event(5, 1, 1)),
        "Test/1/a.bin: event 1: t is 5 us, earlier than event",
    ),
    ("no event", "Train/0/a.bin", raw(b""), "Train/0/a.bin: holds no event; one or more are valid"),
    ("half an event", "Test/1/a.bin", raw(b"12"), "Test/1/a.bin: event 0: is cut off where the file ends"),
]  # fmt: skip


@rows_of("file, change, says", DIGITS)
def test_digits(command: Command, file: str, change: Break, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(command.folder / "cache"))
    for place in ("Train/0/a.bin", "Test/1/a.bin"):
        (command.folder / place).parent.mkdir(parents=True)
        (command.folder / place).write_bytes(event(1, 2, 3))
    change(command.folder / file)
    (command.folder / "net.toml").write_text(f'data = "n_mnist:."\n{DEVICE}')
    command.refuses("train net.toml -o run", says)
