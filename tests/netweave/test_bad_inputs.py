"""Bad inputs of every kind through the command: what each error says, and that it is no traceback.

A row is a name, what is broken, and what the error must say. Configurations, device files and models are text; what
stages read is broken in a copy of a run folder, which has a network of two layers in two bits, explored.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netweave import cli, flow
from netweave import config as configuration
from netweave.workers import Pool

ROOT = Path(__file__).resolve().parents[2]
DEVICE = '[[device]]\nname = "ecp5-25k"\n'
TINY = f"""
model = "{ROOT}/examples/tiny_network.py:build"
[train]
epochs = 1
[quantize]
formats = ["int2"]
epochs = 0
[explore]
sizes = 1
points = 1
{DEVICE}"""


class Command:
    """The command line in this process, in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys
        self.run = folder / "run"

    def __call__(self, line: str) -> tuple[int, str]:
        """Exit code, and what standard error got, its white space made equal."""
        self._monkeypatch.chdir(self.folder)
        self._monkeypatch.setattr(sys, "argv", ["netweave", *line.split()])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return int(caught.value.code or 0), " ".join(self._capsys.readouterr().err.split())

    def refuses(self, line: str, says: str) -> None:
        code, said = self(line)
        assert says in said
        assert code == 2
        assert "Traceback" not in said


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)


# configurations, each before one device: name, text, what the error says
CONFIGS = [
    ("a rate without end", "[explore]\nframe_rate = inf", "explore.frame_rate: inf: input should be a finite number"),
    ("a latency that is none", "[explore]\nmax_latency_ms = nan", "explore.max_latency_ms: nan: input should be"),
    ("a number as text", '[explore]\nspeedups = ["4"]', "explore.speedups[0]: '4': input should be a valid number"),
    ("a truth as number", "[explore]\ngap = true", "explore.gap: True: input should be a valid number"),
    ("a seed beyond 32 bits", f"[train]\nseed = {2**70}", f"train.seed: {2**70}: input should be less than {2**32}"),
    ("a seed of the search", f"[search]\nseed = {2**32}", f"search.seed: {2**32}: input should be less than {2**32}"),
    ("a table in tables", "a = " + "[" * 200_000, "is not TOML: "),
    ("a run outside", 'name = "../../evil"', "name: '../../evil' must be a folder's name: at most 100 letters, digits"),
    ("a hidden run", 'name = ".evil"', "name: '.evil' must be a folder's name"),
    ("a run without end", f'name = "{"a" * 101}"', "must be a folder's name: at most 100 letters"),
    ("a format near one", '[quantize]\nformats = ["dybti4"]', "'dybti4' is no number format; did you mean 'dybit4'?"),
    ("two formats", '[quantize]\nformats = ["dybit4xitn8"]', "is no number format; did you mean 'dybit4xint8'? valid"),
    ("a model near one", 'model = "digit_cnn"', "unknown model 'digit_cnn'; did you mean 'digits_cnn'? valid are"),
    ("a data set near one", 'data = "digits_dsv"', "unknown data set 'digits_dsv'; did you mean 'digits_dvs'? valid"),
    ("a device near one", '[[device]]\nname = "ecp5-52k"', "unknown device 'ecp5-52k'; did you mean 'ecp5-"),
    (
        "a board near one",
        '[[device]]\nboard = "ice_breaker"',
        "unknown board 'ice_breaker'; did you mean 'icebreaker'",
    ),
]


@pytest.mark.parametrize("text, says", [row[1:] for row in CONFIGS], ids=[row[0] for row in CONFIGS])
def test_configurations(command: Command, text: str, says: str) -> None:
    (command.folder / "net.toml").write_text(f"{text}\n{DEVICE}")
    command.refuses("train net.toml -o run", says)
    assert not list(command.run.glob("*"))


# what stands behind the device's name: name, text, what the error says
SETTINGS = [
    ("less than a LUT", "utilisation = 1e-12", "utilisation: 1e-12 is less than one of the 24288 LUTs of 'ecp5-25k'"),
    ("no utilisation", "utilisation = nan", "device[0].utilisation: nan: input should be a finite number"),
    ("no clock", "clock_mhz = 0", "device[0].clock_mhz: 0: input should be greater than 0"),
    ("listed twice", DEVICE, "device[1].name: 'ecp5-25k' is listed twice; both would have one folder"),
]


@pytest.mark.parametrize("text, says", [row[1:] for row in SETTINGS], ids=[row[0] for row in SETTINGS])
def test_settings_of_a_device(command: Command, text: str, says: str) -> None:
    (command.folder / "net.toml").write_text(f"{DEVICE}{text}\n")
    command.refuses("train net.toml -o run", says)


# files of one's own, each a line of an example changed: name, file, line, other line, what the error says
FILES = [
    (
        "a device outside", "own_device.toml", "name", 'name = "../../../evil"',
        "own.toml: device '../../../evil', field 'name': '../../../evil' must be at most 100 letters, digits",
    ),
    ("a device of no text", "own_device.toml", "name", "name = 3", "device 3, field 'name': 3 must be at most 100"),
    (
        "a family unknown", "own_device.toml", "family", 'family = "stratix"',
        "field 'family': no resource figures for 'stratix'; valid are xcup, xc7, ecp5, ice40",
    ),
    ("a family near one", "own_device.toml", "family", 'family = "ecp6"', "for 'ecp6'; did you mean 'ecp5'? valid are"),
    ("a device in tables", "own_device.toml", "name", "a = " + "[" * 200_000, "cannot be read as a device"),
    (
        "a board outside", "own_board.toml", "name", 'name = "a/../../b"',
        "own.toml: board 'a/../../b', field 'name': 'a/../../b' must be at most 100 letters, digits",
    ),
    ("a board in tables", "own_board.toml", "name", "a = " + "[" * 200_000, "cannot be read as a board"),
]  # fmt: skip


@pytest.mark.parametrize("file, key, line, says", [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_files_of_ones_own(command: Command, file: str, key: str, line: str, says: str) -> None:
    lines = (ROOT / "examples" / file).read_text().splitlines()
    changed = [line if own.partition("=")[0].strip() == key else own for own in lines]
    assert changed != lines
    (command.folder / "own.toml").write_text("\n".join(changed) + "\n")
    field = "board" if "board" in file else "name"
    (command.folder / "net.toml").write_text(f'[[device]]\n{field} = "own.toml"\n')
    command.refuses("train net.toml -o run", says)
    assert not command.run.exists(), "no time is spent on training before"


# models as Python: name, body of a function that returns one, what the error says
LAYERS = "nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 10)"
MODELS = [
    (
        "nothing to train", f"return nn.Sequential({LAYERS}).requires_grad_(False)",
        "train.epochs: 1, but model 'own.py:build' has no parameter that training may change",
    ),
    ("an exit", "import sys; sys.exit(3)", "own.py:build': the function failed: SystemExit: 3"),
    ("a quit", "quit()", "own.py:build': the function failed: SystemExit"),
    (
        "weights that are none", f"m = nn.Sequential({LAYERS}); m[0].weight.data[0] = float('nan'); return m",
        "0.weight: holds nan; every weight must be finite",
    ),
    (
        "weights without end", f"m = nn.Sequential({LAYERS}); m[3].bias.data[0] = float('inf'); return m",
        "3.bias: holds inf; every weight must be finite",
    ),
    (
        "weights too large", f"m = nn.Sequential({LAYERS}); m[3].weight.data.fill_(3e38); return m",
        "layer 'linear_3': its outputs on 'digits' are not finite; the images or the weights up to it are",
    ),
    (
        "a parameter added", "return Added()",
        "add with operand a constant tensor of shape (64,) is not supported: both must be tensors that the",
    ),
    ("weights in double", f"return nn.Sequential({LAYERS}).double()", "has weights of torch.float64; they must be of"),
    ("weights without a shape", "return nn.Sequential(nn.Flatten(), nn.LazyLinear(10))", "1.weight: has no shape yet"),
    ("weights without a place", f"return nn.Sequential({LAYERS}).to('meta')", "0.weight: lies on meta; must be on cpu"),
    (
        "a variance below 0",
        "m = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 10)); m[0].running_var.fill_(-1); return m",
        "Sequential: its outputs are not finite; are its weights too large, or a variance negative?",
    ),
    ("no axis 9", "return Own(lambda x: x.view(x.size(9), -1))", "size: size cannot be taken with what it"),
    ("a filter as image", "return Own(lambda x: F.conv2d(torch.ones(1, 1, 3, 3), x))", "conv2d cannot be taken"),
    ("a failure in training", "return Failing(lambda x: x)", "fails in training: RuntimeError: not today"),
    ("control flow", "return Own(lambda x: x if x.sum() > 0 else -x)", "Own: cannot be traced, its control flow or"),
    ("no module", "return 3", "the function must return a torch.nn.Module, not int"),
]  # fmt: skip
MODULES = """
import torch
import torch.nn.functional as F
from torch import nn

class Added(nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = nn.Parameter(torch.ones(64))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        return self.linear(x.flatten(1) + self.offset)


class Own(nn.Module):
    def __init__(self, compute):
        super().__init__()
        self.compute, self.linear = compute, nn.Linear(64, 10)

    def forward(self, x):
        return self.linear(self.compute(x).flatten(1))


class Failing(Own):
    def forward(self, x):
        if self.training:
            raise RuntimeError("not today")
        return super().forward(x)
"""


@pytest.mark.parametrize("body, says", [row[1:] for row in MODELS], ids=[row[0] for row in MODELS])
def test_models(command: Command, body: str, says: str) -> None:
    (command.folder / "own.py").write_text(f"{MODULES}\ndef build():\n    {body}\n")
    (command.folder / "net.toml").write_text(f'model = "own.py:build"\n[train]\nepochs = 1\n{DEVICE}')
    command.refuses("train net.toml -o run", says.replace("own.py", str(command.folder / "own.py")))
    assert not list(command.run.glob("train"))


# data sets as Python: name, body of a function that returns arrays x and y or others, what the error says
SETS = [
    ("nothing", "return None", "the function must return a Dataset or a dict, not NoneType"),
    ("no labels", "return dict(x_train=x)", "has no 'y_train'; it has x_train"),
    (
        "ragged rows",
        "return dict(whole, x_train=[[1], [1, 2]])",
        "x_train: is no array: setting an array element",
    ),
    ("a pixel that is none", "x[7, 0, 2] = np.nan; return whole", "x_train[7, 0, 2, 0]: nan must be a finite number"),
    ("one class", "y[:] = 0; return whole", "classes: 1 must be 2 or more"),
    (
        "pixels too large",
        "x[:] = 1e38; return whole",
        "are not finite; the images or the weights up to it are",
    ),
    ("an exit", "raise SystemExit(4)", "own.py:build': the function failed: SystemExit: 4"),
]


@pytest.mark.parametrize("body, says", [row[1:] for row in SETS], ids=[row[0] for row in SETS])
def test_data_sets(command: Command, body: str, says: str) -> None:
    arrays = "x, y = np.zeros((100, 1, 8, 8), np.float32), np.arange(100) % 10"
    whole = "whole = dict(x_train=x, y_train=y, x_test=x, y_test=y)"
    text = f"import numpy as np\ndef build():\n    {arrays}\n    {whole}\n    {body}\n"
    (command.folder / "own.py").write_text(text)
    (command.folder / "net.toml").write_text(f'data = "own.py:build"\n[train]\nepochs = 0\n{DEVICE}')
    command.refuses("train net.toml -o run", says.replace("own.py", str(command.folder / "own.py")))
    assert not list(command.run.glob("train"))


def test_a_model_whose_file_exits(command: Command) -> None:
    (command.folder / "own.py").write_text("import sys\nsys.exit(3)\n")
    (command.folder / "net.toml").write_text(f'model = "own.py:build"\n{DEVICE}')
    command.refuses("train net.toml -o run", "does not import: SystemExit: 3")


def test_a_model_without_anything_to_train_is_taken_as_it_is_with_no_epochs(command: Command) -> None:
    text = f"from torch import nn\ndef build():\n    return nn.Sequential({LAYERS}).requires_grad_(False)\n"
    (command.folder / "own.py").write_text(text)
    (command.folder / "net.toml").write_text(f'model = "own.py:build"\n[train]\nepochs = 0\n{DEVICE}')
    assert command("train net.toml -o run")[0] == 0


# places for a run: name, what is made, line, what the error says
PLACES = [
    ("a file for a run", "run", "train net.toml -o run", "'run' is a file"),
    ("a file for a stage", "run/train", "train net.toml -o run", "run/train: is a file where a stage wants its folder"),
    ("a folder in a file", "run", "train net.toml -o run/deeper", "Not a directory: 'run/deeper"),
]


@pytest.mark.parametrize("file, line, says", [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
def test_places(command: Command, file: str, line: str, says: str) -> None:
    (command.folder / "net.toml").write_text(f"[train]\nepochs = 0\n{DEVICE}")
    path = command.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("a file")
    command.refuses(line, says)
    assert path.read_text() == "a file"


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration, and its run up to the exploration."""
    folder = tmp_path_factory.mktemp("explored")
    (folder / "net.toml").write_text(TINY)
    config = configuration.load(folder / "net.toml")
    for stage in (flow.train, flow.quantize):
        stage(config, folder / "run")
    flow.explore(config, folder / "run", pool=Pool(None, 1))
    return folder


@pytest.fixture
def broken(command: Command, explored: Path) -> Command:
    """The command, in a copy of that folder."""
    shutil.copytree(explored, command.folder, dirs_exist_ok=True)
    return command


Break = Callable[[Path], object]


def scaled(factor: float) -> Break:
    """An archive of arrays, its floats times a factor."""

    def scale(path: Path) -> None:
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive.files}
        with np.errstate(over="ignore"):
            floats = {name: own * np.float32(factor) for name, own in arrays.items() if own.dtype.kind == "f"}
        np.savez(path, **{**arrays, **floats})  # type: ignore[arg-type]

    return scale


def text(content: str) -> Break:
    return lambda path: path.write_text(content)


def entry(*keys: Any, value: Any) -> Break:
    """A JSON file with another value at these keys."""

    def put(path: Path) -> None:
        content = json.loads(path.read_text())
        inner = content
        for key in keys[:-1]:
            inner = inner[key]
        assert inner[keys[-1]] != value
        inner[keys[-1]] = value
        path.write_text(json.dumps(content))

    return put


def flipped(path: Path) -> None:
    """One bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def emptied(path: Path) -> None:
    """An archive without any array."""
    zipfile.ZipFile(path, "w").close()


DEEP = "[" * 200_000
NPZ, TRAIN, SENSITIVITY = "train/network.npz", "train/train.json", "quantize/quantize.json"
GRAPH, WEIGHTS = "quantize/int2/graph.json", "quantize/int2/weights.npz"
FRONT = "explore/ecp5-25k/front.json"
POINT = "explore/ecp5-25k/int2-70"

# what one stage wrote and another reads: name, file, break, stage that reads it
CHANGED = [
    ("weights of zeros", NPZ, scaled(0), "quantize"),
    ("weights too large", NPZ, scaled(1e38), "quantize"),
    ("an empty record", TRAIN, text("{}"), "quantize"),
    ("a flip in the weights", NPZ, flipped, "explore"),
    ("a flip in the sensitivities", SENSITIVITY, flipped, "explore"),
    ("a flip in a graph", GRAPH, flipped, "explore"),
    ("a graph of brackets", GRAPH, text(DEEP), "explore"),
    ("junk for statistics", GRAPH, entry("stats", value={"conv_0": "junk"}), "explore"),
    ("a flip in a graph's weights", WEIGHTS, flipped, "explore"),
    ("a flip in the front", FRONT, flipped, "generate"),
    ("a flip in a point's graph", f"{POINT}/graph.json", flipped, "generate"),
    ("a flip in a point's weights", f"{POINT}/weights.npz", flipped, "generate"),
    ("a flip in a mapping", f"{POINT}/mapping.json", flipped, "generate"),
    ("no clock", FRONT, entry("clock_mhz", value=0), "finetune"),
]


@pytest.mark.parametrize("file, change, stage", [row[1:] for row in CHANGED], ids=[row[0] for row in CHANGED])
def test_what_was_changed_since_is_refused(broken: Command, file: str, change: Break, stage: str) -> None:
    change(broken.run / file)
    before = (broken.run / file).read_bytes()
    maker = file.partition("/")[0]
    rest = " knee --epochs 1" if stage == "finetune" else ""
    broken.refuses(
        f"{stage} net.toml{rest} -o run",
        f"run/{file}: was changed since `netweave {maker}` made the folder; "
        f"`netweave {maker} CONFIG.toml` makes it again, --force takes it as it is",
    )
    assert (broken.run / file).read_bytes() == before


# the same, taken by force: name, file, break, stage that reads it, what the error says
FORCED = [
    ("weights too large", NPZ, scaled(1e38), "quantize", "its outputs on 'digits' are not finite"),
    ("weights that are none", NPZ, scaled(float("nan")), "quantize", "0.weight: holds nan; every weight must be"),
    ("no weights", NPZ, emptied, "quantize", "run/train/network.npz: does not fit the network"),
    ("half the weights", NPZ, text("PK"), "quantize", "run/train/network.npz: is truncated or no npz file"),
    ("an empty record", TRAIN, text("{}"), "generate", "run/train/train.json, field 'format': must be"),
    ("a graph of brackets", GRAPH, text(DEEP), "explore", "what was taken as it is cannot be used (RecursionError"),
    ("a front of brackets", FRONT, text(DEEP), "generate", f"run/{FRONT}: cannot be read as JSON: maximum recursion"),
    ("a front of nothing", FRONT, entry("points", value=[]), "generate", f"run/{FRONT}, field 'points': is empty"),
    (
        "no clock", FRONT, entry("clock_mhz", value=0), "generate",
        f"run/{FRONT}, field 'clock_mhz': 0.0 must be a number above 0",
    ),
    (
        "no images", FRONT, entry("points", 0, "total", value=0), "generate",
        f"run/{FRONT}, field 'points[0].total': 0 must be an integer of 1 or more",
    ),
    (
        "more than all", FRONT, entry("points", 0, "correct", value=540), "generate",
        f"run/{FRONT}, field 'points[0].correct': 540 must be an integer of 0 to 248",
    ),
    (
        "a point outside", FRONT, entry("points", 0, "name", value="../../evil"), "generate",
        f"run/{FRONT}, field 'points[0].name': '../../evil' must be at most 100 letters, digits",
    ),
    (
        "a mapping outside", FRONT, entry("points", 0, "mapping", value="/etc/mapping.json"), "generate",
        f"run/{FRONT}, field 'points[0].mapping': '/etc/mapping.json' must be 'int2-70/mapping.json'",
    ),
    (
        "a latency below", FRONT, entry("points", 0, "simulated", value=-1), "generate",
        f"run/{FRONT}, field 'points[0].simulated': -1 must be a number above 0",
    ),
    (
        "no speed", FRONT, entry("points", 0, "bottleneck", value=float("nan")), "generate",
        f"run/{FRONT}, field 'points[0].bottleneck': nan must be a number above 0",
    ),
]  # fmt: skip


@pytest.mark.parametrize("file, change, stage, says", [row[1:] for row in FORCED], ids=[row[0] for row in FORCED])
def test_what_is_taken_by_force_is_read_with_care(
    broken: Command, file: str, change: Break, stage: str, says: str
) -> None:
    change(broken.run / file)
    broken.refuses(f"{stage} net.toml -o run --force", says)


def zipped(content: str) -> Break:
    return lambda path: path.write_bytes(gzip.compress(content.encode()))


def infinite(path: Path) -> None:
    """A proof in which an op waits for ever."""
    content = json.loads(gzip.decompress(path.read_bytes()))
    content["problem"]["ops"][1]["lead"] = float("inf")
    path.write_bytes(gzip.compress(json.dumps(content).encode()))


# a proof that `verify` reads: name, break, what the error says
PROOFS = [
    ("no archive", text("proof"), "Not a gzipped file"),
    ("brackets", zipped(DEEP), "maximum recursion depth"),
    ("no object", zipped("null"), "object is not subscriptable"),
    ("waiting for ever", infinite, "cannot convert Infinity to integer ratio"),
]


@pytest.mark.parametrize("change, says", [row[1:] for row in PROOFS], ids=[row[0] for row in PROOFS])
def test_proofs(broken: Command, change: Break, says: str) -> None:
    change(broken.run / POINT / "proof.json.gz")
    broken.refuses(f"verify run/{FRONT}", f"run/{POINT}/proof.json.gz: missing or bad field: ")
    broken.refuses(f"verify run/{FRONT}", says)


def test_a_front_by_itself_is_read_with_care(broken: Command) -> None:
    entry("points", 0, "total", value=0)(broken.run / FRONT)
    broken.refuses(f"verify run/{FRONT}", "field 'points[0].total': 0 must be an integer of 1 or more")
