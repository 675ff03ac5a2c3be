"""Designs and what was found of them: manifests, Verilog, estimates, synthesis, cosimulation."""

from __future__ import annotations

from tests.netweave.bad_inputs.support import (
    DEEP,
    Break,
    Command,
    cut,
    entry,
    folder,
    raw,
    removed,
    rows_of,
    text,
    without,
)  # fmt: skip

GENERATED, COSIM = "generate/ecp5-25k", "cosim/ecp5-25k/cosim.json"
DESIGN = f"{GENERATED}/design"
MANIFEST, VERILOG, ESTIMATE = f"{DESIGN}/manifest.json", f"{DESIGN}/netweave.v", f"{GENERATED}/estimate.json"
SYNTHESIS, QUANTIZE, TRAIN = f"{GENERATED}/synthesis.json", "quantize/quantize.json", "train/train.json"
DESIGNS = "explore/ecp5-25k/designs.json"

# a design that `cosim` reads: name, file, break, what the error says
PLAYED = [
    ("no manifest", MANIFEST, removed, f"run/{MANIFEST}: does not exist; a design is made by `netweave generate`"),
    ("half a manifest", MANIFEST, cut, f"run/{MANIFEST}: is no readable JSON: "),
    ("a manifest of brackets", MANIFEST, text(DEEP), f"run/{MANIFEST}: is no readable JSON: its lists and objects"),
    ("a manifest of numbers", MANIFEST, text("3"), f"run/{MANIFEST}, field 'format': must be 'netweave design'"),
    ("a manifest of graphs", MANIFEST, entry("format", value="netweave graph"), "manifest.json, field 'format': must"),
    ("a manifest's version", MANIFEST, entry("version", value=1), "field 'version': 1; this netweave reads version 2"),
    ("a field missing", MANIFEST, without("top"), "manifest.json, field 'top': is missing; a manifest has name, top,"),
    ("a field unknown", MANIFEST, entry("author", value="me"), "manifest.json, field 'author': is unknown; a"),
    ("an input without shape", MANIFEST, without("input", "shape"), "manifest.json, field 'input': ... cannot be"),
    (
        "an input of two sides", MANIFEST, entry("input", "shape", value=[8, 8]),
        "manifest.json, field 'input': ... cannot be read: ",
    ),
    (
        "an input of no format", MANIFEST, entry("input", "dtype", value="float"),
        "manifest.json, field 'input': ... unknown number format",
    ),
    ("no lanes", MANIFEST, entry("output", "lanes", value=0), "run/generate/ecp5-25k/design/manifest.json, field"),
    ("lanes as text", MANIFEST, entry("output", "lanes", value="ten"), "run/generate/ecp5-25k/design/manifest.json,"),
    ("lanes that do not divide", MANIFEST, entry("output", "lanes", value=3), "run/generate/ecp5-25k/design/manifest."),
    ("another input", MANIFEST, entry("input", "shape", value=[9, 9, 1]), "run/generate/ecp5-25k/design/manifest.json"),
    ("another output", MANIFEST, entry("output", "shape", value=[1, 1, 5]), "run/generate/ecp5-25k/design/manifest.js"),
    ("ports by name", MANIFEST, entry("ports", value={"a": 1}), "manifest.json, field 'ports': ... cannot be read: "),
    ("a port as text", MANIFEST, entry("ports", 0, value="clk"), "manifest.json, field 'ports': ... cannot be read: "),
    ("a probe by number", MANIFEST, entry("probes", value=[3]), "manifest.json, field 'probes': [3] cannot be read: "),
    ("hashes in a list", MANIFEST, entry("sha256", value=[]), "run/generate/ecp5-25k/design/manifest.json, field"),
    ("another hash", MANIFEST, entry("sha256", "netweave.v", value="0" * 64), "its SHA-256 is ... the manifest's 0000"),
    ("no hash", MANIFEST, without("sha256", "netweave.v"), "its SHA-256 is ... the manifest's None; generate the"),
    ("no Verilog", VERILOG, removed, f"run/{VERILOG}: cannot be read: [Errno 2] No such file"),
    ("another Verilog", VERILOG, text("module netweave; endmodule"), f"run/{VERILOG}: its SHA-256 is ... generate"),
    ("Verilog in a folder", VERILOG, folder, f"run/{VERILOG}: cannot be read: [Errno 21] Is a directory"),
    ("no graph", f"{DESIGN}/graph.json", removed, f"run/{DESIGN}/graph.json: does not exist"),
    ("half of the weights", f"{DESIGN}/weights.npz", cut, f"run/{DESIGN}/weights.npz: is truncated or no npz file"),
]  # fmt: skip


@rows_of("file, change, says", PLAYED)
def test_cosimulation(built: Command, file: str, change: Break, says: str) -> None:
    change(built.run / file)
    (built.run / COSIM).unlink()
    built.refuses("cosim net.toml -o run --force", says)


# what `report` reads: name, file, break, what the error says
SHOWN = [
    ("no estimate", ESTIMATE, removed, f"run/{ESTIMATE}: is not there; `netweave generate` makes it"),
    ("an estimate of brackets", ESTIMATE, text(DEEP), f"run/{ESTIMATE}: cannot be read: its lists and objects lie"),
    ("an estimate's version", ESTIMATE, entry("version", value=1), f"run/{ESTIMATE}, field 'version': 1; this"),
    ("an estimate without layers", ESTIMATE, without("layers"), "run/generate/ecp5-25k/estimate.json, field"),
    ("layers by name", ESTIMATE, entry("layers", value={"a": 1}), "run/generate/ecp5-25k/estimate.json: a field is"),
    (
        "a latency as text", ESTIMATE, entry("simulated", "latency", value="fast"),
        "run/generate/ecp5-25k/estimate.json, field 'latency.simulated': 'fast': Input should be a valid "
        "number, unable to parse string as",
    ),
    (
        "a latency that is none", ESTIMATE, entry("simulated", "latency", value=float("nan")),
        "run/generate/ecp5-25k/estimate.json, field 'latency.simulated': nan: Input should be a finite number",
    ),
    (
        "a latency below 0", ESTIMATE, entry("estimated", "latency", value=-3),
        "run/generate/ecp5-25k/estimate.json, field 'latency.estimated': -3: Input should be greater than 0",
    ),
    (
        "resources of others", ESTIMATE, entry("estimated", "resources", value={"luts": 3}),
        "run/generate/ecp5-25k/estimate.json, field 'luts': 3: Extra inputs are not permitted",
    ),
    (
        "a point of none", ESTIMATE, entry("point", value="int3-70"),
        "run/generate/ecp5-25k/estimate.json, field 'point': 'int3-70' is no design of the front; designs are ",
    ),
    ("a test of none", ESTIMATE, entry("test", value=[0, 0]), "run/generate/ecp5-25k/estimate.json, field 'total':"),
    ("a pe as text", ESTIMATE, entry("layers", 0, "pe", value="wide"), "run/generate/ecp5-25k/estimate.json, field"),
    ("no synthesis", SYNTHESIS, removed, f"run/{SYNTHESIS}: is not there; `netweave generate` makes it"),
    ("half of a synthesis", SYNTHESIS, cut, f"run/{SYNTHESIS}: cannot be read: "),
    ("LUTs as text", SYNTHESIS, entry("resources", "lut", value="few"), "run/generate/ecp5-25k/synthesis.json, field"),
    ("LUTs below 0", SYNTHESIS, entry("resources", "lut", value=-1), "run/generate/ecp5-25k/synthesis.json, field"),
    ("warnings by number", SYNTHESIS, entry("warnings", value=3), "run/generate/ecp5-25k/synthesis.json: a field is"),
    ("no cosimulation", COSIM, removed, f"run/{COSIM}: is not there; `netweave cosim` makes it"),
    ("a cosimulation not UTF-8", COSIM, raw(b"\xff"), f"run/{COSIM}: cannot be read: 'utf-8' codec can't decode"),
    ("a cosimulation in a list", COSIM, text("[]"), f"run/{COSIM}, field 'format': must be 'netweave cosim'"),
    ("a cosimulation's version", COSIM, entry("version", value=9), f"run/{COSIM}, field 'version': 9; this netweave"),
    ("no latency", COSIM, entry("latency", value=[]), "run/cosim/ecp5-25k/cosim.json: a field is of the wrong kind"),
    ("latency as text", COSIM, entry("latency", value=["fast"]), "run/cosim/ecp5-25k/cosim.json: a field is of the"),
    ("no streams", COSIM, without("streams"), "run/cosim/ecp5-25k/cosim.json, field 'streams': is missing"),
    ("no input", COSIM, without("streams", "i"), "run/cosim/ecp5-25k/cosim.json, field 'i': is missing"),
    ("no time", COSIM, entry("wall_seconds", value=0), "run/cosim/ecp5-25k/cosim.json: a field is of the wrong kind"),
    ("time as text", COSIM, entry("wall_seconds", value="long"), "run/cosim/ecp5-25k/cosim.json: a field is of the"),
    ("no check", COSIM, without("check"), "run/cosim/ecp5-25k/cosim.json, field 'check': is missing"),
    ("a check in a list", COSIM, entry("check", value=[]), "run/cosim/ecp5-25k/cosim.json: a field is of the wrong"),
    ("images below 0", COSIM, entry("check", "frames", value=-1), "run/cosim/ecp5-25k/cosim.json, field 'images':"),
    ("layers in a list", COSIM, entry("layers", value=[]), "run/cosim/ecp5-25k/cosim.json: a field is of the wrong"),
    ("no quantization", QUANTIZE, removed, f"run/{QUANTIZE}: is not there; `netweave quantize` makes it"),
    ("no formats", QUANTIZE, without("uniform"), "run/quantize/quantize.json, field 'uniform': is missing"),
    ("a format of text", QUANTIZE, entry("uniform", "int2", value="good"), "run/quantize/quantize.json: a field is"),
    (
        "a format of none", QUANTIZE, entry("uniform", "int2", "trained", value=[9, 0]),
        "run/quantize/quantize.json, field 'total': 0: Input should be greater than or equal to 1",
    ),
    ("no test split", TRAIN, without("test"), "run/train/train.json, field 'test': None must be images that are"),
    ("no images in it", TRAIN, entry("test", value=[0, 0]), "run/train/train.json, field 'test': [0, 0] must be"),
    ("no designs", DESIGNS, removed, f"run/{DESIGNS}: is not there; `netweave explore` makes it"),
    ("designs without points", DESIGNS, without("points"), "run/explore/ecp5-25k/designs.json, field 'points': is"),
    ("designs without clock", DESIGNS, entry("clock_mhz", value=0), "run/explore/ecp5-25k/designs.json: a field is"),
    (
        "a design without images", DESIGNS, entry("points", 0, "total", value=0),
        "run/explore/ecp5-25k/designs.json, field 'total': 0: Input should be greater than or equal to 1",
    ),
    ("a design of text", DESIGNS, entry("points", value=["knee"]), "run/explore/ecp5-25k/designs.json: a field is of"),
    ("a design's bits", DESIGNS, entry("points", 0, "right", value="junk"), "designs.json: ... right: 'junk' must be"),
]  # fmt: skip


@rows_of("file, change, says", SHOWN)
def test_report(built: Command, file: str, change: Break, says: str) -> None:
    change(built.run / file)
    built.refuses("report net.toml -o run --force", says)
