"""What one stage wrote and another reads: networks, sensitivities, fronts, mappings, proofs, and their stamps."""

from __future__ import annotations

import json
from pathlib import Path

from tests.netweave.bad_inputs.support import (
    DEEP,
    Break,
    Command,
    cut,
    emptied,
    entry,
    flipped,
    folder,
    raw,
    removed,
    rows_of,
    scaled,
    text,
    without,
)  # fmt: skip

NPZ, TRAIN, SENSITIVITY = "train/network.npz", "train/train.json", "quantize/quantize.json"
GRAPH, WEIGHTS = "quantize/int2/graph.json", "quantize/int2/weights.npz"
EXPLORED = "explore/ecp5-25k"
FRONT, POINT = f"{EXPLORED}/front.json", f"{EXPLORED}/int2-70"
MAPPING, ACCURACY, PROOF = f"{POINT}/mapping.json", f"{POINT}/accuracy.json", f"{POINT}/proof.json.gz"
STAMP = "train/stamp.json"


def twice(path: Path) -> None:
    """A front with its point twice."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "points": 2 * content["points"]}))


def added(name: str) -> Break:
    return lambda path: path.with_name(name).write_text("more")


# what one stage wrote and another reads: name, file, break, stage that reads it, what was done to which file
CHANGED = [
    ("weights of zeros", NPZ, scaled(0), "quantize", f"{NPZ}: was changed"),
    ("an empty record", TRAIN, text("{}"), "quantize", f"{TRAIN}: was changed"),
    ("no record", TRAIN, removed, "quantize", f"{TRAIN}: was removed"),
    ("a record more", TRAIN, added("notes.txt"), "quantize", "train/notes.txt: was added"),
    ("no stamp", STAMP, removed, "quantize", f"{STAMP}: was removed"),
    ("an empty stamp", STAMP, text(""), "quantize", f"{STAMP}: was changed"),
    ("a stamp of brackets", STAMP, text(DEEP), "quantize", f"{STAMP}: was changed"),
    ("a stamp of another", STAMP, text("[]"), "quantize", f"{STAMP}: was changed"),
    ("a stamp without files", STAMP, without("files"), "quantize", f"{STAMP}: was changed"),
    ("a stamp of a list of files", STAMP, entry("files", value=["train.json"]), "quantize", f"{STAMP}: was changed"),
    ("a stamp of one number", STAMP, entry("files", value=3), "quantize", f"{STAMP}: was changed"),
    ("a stamp of no text", STAMP, raw(b"\xff\xfe"), "quantize", f"{STAMP}: was changed"),
    (
        "a stamp of other content", STAMP, entry("files", "train.json", value="0" * 64), "quantize",
        f"{TRAIN}: was changed",
    ),
    ("a flip in the weights", NPZ, flipped, "explore", f"{NPZ}: was changed"),
    ("a flip in the sensitivities", SENSITIVITY, flipped, "explore", f"{SENSITIVITY}: was changed"),
    ("a flip in a graph", GRAPH, flipped, "explore", f"{GRAPH}: was changed"),
    ("half of a graph's weights", WEIGHTS, cut, "explore", f"{WEIGHTS}: was changed"),
    ("a flip in the front", FRONT, flipped, "generate", f"{FRONT}: was changed"),
    ("a flip in a point's graph", f"{POINT}/graph.json", flipped, "generate", f"{POINT}/graph.json: was changed"),
    ("no proof", PROOF, removed, "generate", f"{PROOF}: was removed"),
    ("a flip in a mapping", MAPPING, flipped, "generate", f"{MAPPING}: was changed"),
    ("no clock", FRONT, entry("clock_mhz", value=0), "finetune", f"{FRONT}: was changed"),
]  # fmt: skip


@rows_of("file, change, stage, what", CHANGED)
def test_what_was_changed_since_is_refused(broken: Command, file: str, change: Break, stage: str, what: str) -> None:
    change(broken.run / file)
    maker = file.partition("/")[0]
    rest = " knee --epochs 1" if stage == "finetune" else ""
    broken.refuses(
        f"{stage} net.toml{rest} -o run",
        f"run/{what} since `netweave {maker}` made the folder; "
        f"`netweave {maker} CONFIG.toml` makes it again, --force takes it as it is",
    )


# folders of stages that are not there: name, folder, stage that reads it, what the error says
MISSING = [
    ("no training", "train", "quantize", "run/train: is not there; `netweave train CONFIG.toml` makes it"),
    ("no quantization", "quantize", "explore", "run/quantize: is not there; `netweave quantize CONFIG.toml` makes it"),
    ("no exploration", "explore", "generate", "run/explore/ecp5-25k: is not there; `netweave explore CONFIG.toml`"),
    ("no design", "generate", "cosim", "run/generate/ecp5-25k: is not there; `netweave generate CONFIG.toml` makes it"),
    ("a file for training", "train", "quantize --force", "run/train: is not there; `netweave train CONFIG.toml`"),
]  # fmt: skip


@rows_of("place, stage, says", MISSING)
def test_what_is_missing_is_named(broken: Command, place: str, stage: str, says: str) -> None:
    if (broken.run / place).exists():
        (broken.run / place).rename(broken.run / "elsewhere")
    if "--force" in stage:
        (broken.run / place).write_text("a file")
    broken.refuses(f"{stage} net.toml -o run", says)


# what was changed and is taken by force: name, file, break, stage that reads it, what the error says
FORCED = [
    ("weights too large", NPZ, scaled(1e38), "quantize", "its outputs on 'digits' are not finite"),
    ("weights that are none", NPZ, scaled(float("nan")), "quantize", "0.weight: holds nan; every weight must be"),
    ("no weights", NPZ, emptied, "quantize", "run/train/network.npz: does not fit the network"),
    ("half the weights", NPZ, text("PK"), "quantize", "run/train/network.npz: is truncated or no npz file"),
    ("weights in a folder", NPZ, folder, "quantize", "run/train/network.npz: is truncated or no npz file"),
    ("no file of weights", NPZ, removed, "quantize", "run/train/network.npz: is not there"),
    ("an empty record", TRAIN, text("{}"), "generate", "run/train/train.json, field 'format': must be"),
    ("no record", TRAIN, removed, "generate", "run/train/train.json: is not there; `netweave train` makes it"),
    ("half a record", TRAIN, cut, "generate", "run/train/train.json: cannot be read: "),
    ("a record of brackets", TRAIN, text(DEEP), "generate", "run/train/train.json: cannot be read: its lists and"),
    (
        "a record's version", TRAIN, entry("version", value=1), "generate",
        "train.json, field 'version': 1; this netweave reads 3",
    ),
    (
        "a record of graphs", TRAIN, entry("format", value="netweave graph"), "generate",
        "train.json, field 'format': must be 'netweave train'",
    ),
    ("no validation", TRAIN, without("validation"), "generate", "run/train/train.json, field 'validation': None must"),
    (
        "one number of two", TRAIN, entry("validation", value=[102]), "generate",
        "run/train/train.json, field 'validation': [102] must be images that are right, of 1 or more in all",
    ),
    (
        "no images in all", TRAIN, entry("validation", value=[0, 0]), "generate",
        "run/train/train.json, field 'validation': [0, 0] must be images that are right, of 1 or more in all",
    ),
    (
        "more right than there are", TRAIN, entry("validation", value=[300, 248]), "generate",
        "run/train/train.json, field 'validation': [300, 248] must be images that are right, of 1 or more in all",
    ),
    (
        "right ones as text", TRAIN, entry("validation", value=["102", 248]), "generate",
        "run/train/train.json, field 'validation': ['102', 248] must be images that are right, of 1 or more in all",
    ),
    (
        "right ones below 0", TRAIN, entry("validation", value=[-1, 248]), "generate",
        "run/train/train.json, field 'validation': [-1, 248] must be images that are right, of 1 or more in all",
    ),
    ("a graph of brackets", GRAPH, text(DEEP), "explore --workers 1", "graph.json: is no readable JSON: its lists"),
    (
        "junk for statistics", GRAPH, entry("stats", value={"conv_0": "junk"}), "explore --workers 1",
        "field 'stats': 'junk' is no activity",
    ),
    ("a graph's weights missing", WEIGHTS, removed, "explore --workers 1", "run/quantize/int2/weights.npz: does not"),
    (
        "sensitivities of brackets", SENSITIVITY, text(DEEP), "explore --workers 1",
        "quantize.json: cannot be read: its lists and objects",
    ),
    (
        "no sensitivities", SENSITIVITY, without("sensitivity"), "explore --workers 1",
        "run/quantize/quantize.json, field 'sensitivity': None must be an object",
    ),
    (
        "sensitivities of none", SENSITIVITY, entry("sensitivity", value={}), "explore --workers 1",
        "run/quantize/quantize.json, field 'sensitivity.conv_0.int2': None must be a finite number; `netweave",
    ),
    (
        "sensitivities in a list", SENSITIVITY, entry("sensitivity", value=[]), "explore --workers 1",
        "run/quantize/quantize.json, field 'sensitivity': [] must be an object",
    ),
    (
        "a sensitivity as text", SENSITIVITY, entry("sensitivity", "conv_0", "int2", value="much"),
        "explore --workers 1",
        "run/quantize/quantize.json, field 'sensitivity.conv_0.int2': 'much' must be a finite number;",
    ),
    (
        "a sensitivity that is none", SENSITIVITY, entry("sensitivity", "conv_0", "int2", value=float("nan")),
        "explore --workers 1",
        "run/quantize/quantize.json, field 'sensitivity.conv_0.int2': nan must be a finite number;",
    ),
    (
        "a sensitivity without end", SENSITIVITY, entry("sensitivity", "conv_0", "int2", value=float("inf")),
        "explore --workers 1",
        "run/quantize/quantize.json, field 'sensitivity.conv_0.int2': inf must be a finite number;",
    ),
    (
        "a layer without sensitivity", SENSITIVITY, without("sensitivity", "conv_0"), "explore --workers 1",
        "run/quantize/quantize.json, field 'sensitivity.conv_0.int2': None must be a finite number; `netweave",
    ),
    (
        "a format without sensitivity", SENSITIVITY, without("sensitivity", "conv_0", "int2"), "explore --workers 1",
        "run/quantize/quantize.json, field 'sensitivity.conv_0.int2': None must be a finite number; `netweave",
    ),
    ("a front of brackets", FRONT, text(DEEP), "generate", f"run/{FRONT}: cannot be read as JSON: its lists and"),
    ("a front of text", FRONT, text("front"), "generate", f"run/{FRONT}: cannot be read as JSON: Expecting value"),
    ("a front not UTF-8", FRONT, raw(b"\xff"), "generate", f"run/{FRONT}: cannot be read as JSON: 'utf-8' codec"),
    ("a front in a folder", FRONT, folder, "generate", f"run/{FRONT}: cannot be read as JSON: [Errno 21] Is a"),
    ("a front in a list", FRONT, text("[]"), "generate", f"run/{FRONT}, field 'version': None; this netweave reads"),
    (
        "a front of another version", FRONT, entry("version", value=1), "generate",
        f"run/{FRONT}, field 'version': 1; this netweave reads",
    ),
    ("a front without points", FRONT, without("points"), "generate", f"run/{FRONT}: missing or bad field: 'points'"),
    ("a front of nothing", FRONT, entry("points", value=[]), "generate", f"run/{FRONT}, field 'points': is empty"),
    ("a point as text", FRONT, entry("points", value=["knee"]), "generate", f"run/{FRONT}: missing or bad field: "),
    ("points by name", FRONT, entry("points", value={"a": 1}), "generate", f"run/{FRONT}: missing or bad field: "),
    ("a device by number", FRONT, entry("device", value=3), "generate", "run/explore/ecp5-25k/front.json, field"),
    ("another device", FRONT, entry("device", value="zu3eg"), "generate", "run/explore/ecp5-25k/front.json, field"),
    ("no clock", FRONT, entry("clock_mhz", value=0), "generate", f"run/{FRONT}, field 'clock_mhz': 0.0 must be a"),
    ("a clock that is none", FRONT, entry("clock_mhz", value=float("nan")), "generate", "field 'clock_mhz': nan must"),
    (
        "a clock as text", FRONT, entry("clock_mhz", value="fast"), "generate",
        f"run/{FRONT}: missing or bad field: could not convert",
    ),
    ("a clock as list", FRONT, entry("clock_mhz", value=[]), "generate", f"run/{FRONT}: missing or bad field: "),
    (
        "a clock of 400 digits", FRONT, entry("clock_mhz", value=10**400), "generate",
        "run/explore/ecp5-25k/front.json: missing or bad field: int too large to convert to float",
    ),
    ("no images", FRONT, entry("points", 0, "total", value=0), "generate", "field 'points[0].total': 0 must be an"),
    ("images by halves", FRONT, entry("points", 0, "total", value=248.5), "generate", "'points[0].total': 248.5 must"),
    ("more than all", FRONT, entry("points", 0, "correct", value=540), "generate", "'points[0].correct': 540 must be"),
    (
        "truth for a count", FRONT, entry("points", 0, "correct", value=True), "generate",
        "'points[0].correct': True must be an integer of 0",
    ),
    (
        "a point outside", FRONT, entry("points", 0, "name", value="../../evil"), "generate",
        "'points[0].name': '../../evil' must be at most 100",
    ),
    (
        "a mapping outside", FRONT, entry("points", 0, "mapping", value="/etc/mapping.json"), "generate",
        "'points[0].mapping': '/etc/mapping.json' must be 'int2-70/mapping.json'",
    ),
    (
        "a latency below", FRONT, entry("points", 0, "simulated", value=-1), "generate",
        "'points[0].simulated': -1 must be a number above 0",
    ),
    (
        "no speed", FRONT, entry("points", 0, "bottleneck", value=float("nan")), "generate",
        "'points[0].bottleneck': nan must be a number above 0",
    ),
    (
        "an estimate as text", FRONT, entry("points", 0, "estimated", value="103"), "generate",
        "'points[0].estimated': '103' must be a number above 0",
    ),
    (
        "no share of the device", FRONT, entry("points", 0, "utilisation", value=0), "generate",
        "'points[0].utilisation': 0 must be a number above 0",
    ),
    (
        "an interval of one", FRONT, entry("points", 0, "interval", value=[0.3]), "generate",
        f"run/{FRONT}: missing or bad field: not enough values",
    ),
    (
        "a field unknown", FRONT, entry("points", 0, "power", value=1), "generate",
        f"run/{FRONT}: missing or bad field: ... 'power'",
    ),
    (
        "a bound above", FRONT, entry("points", 0, "solver", "bound", value=200), "generate",
        "run/explore/ecp5-25k/front.json: missing or bad field: a bound of 200 is above the objective, 103.0: a proof",
    ),
    (
        "a bound as text", FRONT, entry("points", 0, "solver", "bound", value="low"), "generate",
        f"run/{FRONT}: missing or bad field: ",
    ),
    ("a point twice", FRONT, twice, "generate", "run/explore/ecp5-25k/front.json, field 'points[1].name': 'int2-70'"),
    (
        "an assignment as text", FRONT, entry("points", 0, "assignment", value="int2"), "generate",
        "run/explore/ecp5-25k/front.json, field 'points[0].assignment': 'int2' must be an object of texts",
    ),
    (
        "resources as text", FRONT, entry("points", 0, "resources", value="few"), "generate",
        "run/explore/ecp5-25k/front.json, field 'points[0].resources': 'few' must be an object of integers",
    ),
    ("infeasible in a list", FRONT, entry("infeasible", value=[1]), "generate", f"run/{FRONT}: missing or bad field: "),
]  # fmt: skip


@rows_of("file, change, stage, says", FORCED)
def test_what_is_taken_by_force_is_read_with_care(
    broken: Command, file: str, change: Break, stage: str, says: str
) -> None:
    change(broken.run / file)
    broken.refuses(f"{stage} net.toml -o run --force", says)
