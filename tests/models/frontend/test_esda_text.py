"""Published networks as text files: the same graph as from JSON, and files that do not hold together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.frontend.esda_network import EsdaFileError, load_esda
from models.frontend.esda_text import load_esda_text
from models.ir import golden
from models.ir.serialize import graphs_equal
from tests.models.frontend.esda_files import write_network

FOLDER = DATA / "esda_golden"


published = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the published networks are not in {FOLDER}")


def as_published(path: Path, folder: Path) -> Path:
    """The network of ``load_esda`` in text files, each written as ESDA's ``gen_data.py`` has them."""
    document = json.loads(path.read_text())
    arrays = {key: value.astype(int) for key, value in np.load(path.with_suffix(".npz")).items()}
    data = folder / "data"
    data.mkdir(parents=True)
    layers: list[dict[str, Any]] = []
    for record in document["layers"]:
        name, channels = record["name"], [record["in_channels"], record["out_channels"]]
        for field in ("weight", "bias", "scale"):
            np.savetxt(data / f"{name}_{field}.txt", arrays[f"{name}/{field}"].flatten(), fmt="%d")
        block, _, part = name.rpartition("_")
        if part == "0":
            layers.append({"name": block, "type": "block", "residual": False, "stride": 1, "channels": channels})
        elif part in ("1", "2"):
            layers[-1]["stride"] *= record["stride"]
            layers[-1]["residual"] = "identity_scale" in record
            layers[-1]["channels"] += channels[1:] if part == "2" else []
        else:
            stride = record["stride"]
            layers.append({"name": name, "type": "conv", "residual": False, "stride": stride, "channels": channels})
        if "identity_scale" in record:
            (data / f"{block}_i.txt").write_text(f'"{record["identity_scale"]}"')
    layers.append({"name": "fc", "type": "linear", "residual": False, "stride": 1, "channels": [4, 2]})
    np.savetxt(data / "tb_spatial_mask.txt", arrays["input/mask"].flatten(), fmt="%d")
    np.savetxt(data / "tb_input_feature.txt", arrays["input/features"].flatten(), fmt="%d")
    shape = [float(side) for side in document["input_hw"]]
    (folder / "cfg.json").write_text(json.dumps({"input_shape": shape, "CFG_EXP": 16, "layers": layers}))
    return folder


def same_network(path: Path, folder: Path) -> None:
    """Node for node, with frame and results."""
    wanted, frame = load_esda(path)
    found, other = load_esda_text(folder)
    assert found.name == folder.name
    assert other == frame
    assert graphs_equal(found.replace(name=wanted.name), wanted)
    results = golden.run(found, frame)
    assert all(results[name] == result for name, result in golden.run(wanted, frame).items())


@pytest.mark.parametrize("seed", range(3))
def test_text_files_give_the_same_network(tmp_path: Path, seed: int) -> None:
    path = write_network(tmp_path, np.random.default_rng(seed))
    same_network(path, as_published(path, tmp_path / "NET"))


@published
@pytest.mark.parametrize("name", ["SEE-A", "SEE-D"])
def test_published_networks_as_text_files(tmp_path: Path, name: str) -> None:
    same_network(FOLDER / f"{name}.json", as_published(FOLDER / f"{name}.json", tmp_path / name))


SEE_D_FILES = {
    "conv1_weight": {
        0: "-26 -47 117 -7 19 44",
        64: "-20 9 -73 32 -13 -53 -34 0 -2 -116 55 1 -33",
        643: "23 -15 20 -67 20",
    },
    "block_0_0_weight": {0: "-127 54 -78 -6 -37 4", 19: "37 -65 76 -75 -126 11 -125 1 4 -92"},
    "block_0_1_weight": {0: "-73 -19 -30 -120 41", 184: "-13 -74 -65 -4 63 -4 72 5 -7 -33 -41 -70 72"},
    "block_0_0_bias": {0: "20750 12665 -11983 -5179", 189: "-1895 4917 24709"},
    "block_0_0_scale": {0: "96 120 170 169 121 105", 189: "298 177 123"},
    "block_2_i": {0: '"47836"'},
}
"""Excerpts of files in CASR-HKU/ESDA, eventNet/archived_hw/SEE-D/data, commit ba478df, by the place of their first."""


@published
@pytest.mark.parametrize("file", SEE_D_FILES)
def test_text_files_are_laid_out_as_those_of_the_repository(tmp_path: Path, file: str) -> None:
    lines = (as_published(FOLDER / "SEE-D.json", tmp_path / "SEE-D") / "data" / f"{file}.txt").read_text().split()
    for first, excerpt in SEE_D_FILES[file].items():
        wanted = excerpt.split()
        assert lines[first : first + len(wanted)] == wanted


def set_cfg(change: Callable[[dict], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        document = json.loads((folder / "cfg.json").read_text())
        change(document)
        (folder / "cfg.json").write_text(json.dumps(document))

    return apply


def set_text(file: str, text: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / "data" / file).write_text(text)

    return apply


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_cfg(lambda d: d.update(CFG_EXP=32)), r"cfg.json: field 'CFG_EXP': 32 must be 16, the shift of scales"),
        (set_cfg(lambda d: d.pop("CFG_EXP")), r"cfg.json: field 'CFG_EXP': None must be 16"),
        (set_cfg(lambda d: d.update(input_shape=[5])), r"field 'input_shape': \[5\] must be a height and a width"),
        (set_cfg(lambda d: d.pop("layers")), r"cfg.json: field 'layers': None must be a list"),
        (set_cfg(lambda d: d.update(layers=[])), r"cfg.json: field 'layers' has no conv and no block"),
        (set_cfg(lambda d: d["layers"][0].pop("stride")), r"layer 'stem', field 'stride': None must be of type int"),
        (set_cfg(lambda d: d["layers"][0].update(type="pool")), r"field 'type': 'pool' must be one of conv, block, "),
        (set_cfg(lambda d: d["layers"][1].update(channels=[4, 8])), r"field 'channels': \[4, 8\] must be 3 counts"),
        (set_cfg(lambda d: d["layers"].append(3)), r"layer 'layers\[4\]', field 'name': None must be of type str"),
        (lambda folder: (folder / "cfg.json").unlink(), r"cfg.json: cannot be read as JSON"),
        (lambda folder: (folder / "data" / "stem_bias.txt").unlink(), r"stem_bias.txt: cannot be read as text"),
        (set_text("stem_bias.txt", "1\n2\n3\n"), r"stem_bias.txt: 3 numbers must be 4, 4"),
        (set_text("stem_bias.txt", "1\n2.5\n3\n4\n"), r"stem_bias.txt: line 2: '2.5' must be an integer"),
        (set_text("block_0_i.txt", '"70000000000"'), r"cfg.json: graph node 'block_0', field 'b.mult': .*0 to 6871"),
        (set_text("tb_input_feature.txt", "1\n"), r"tb_input_feature.txt: 1 numbers must be \d+, \d+ x 2"),
        (set_text("tb_spatial_mask.txt", "1\n"), r"tb_spatial_mask.txt: 1 numbers must be 35, 5 x 7"),
    ],
)  # fmt: skip
def test_text_files_that_do_not_hold_together_are_named(tmp_path: Path, change: Callable, message: str) -> None:
    folder = as_published(write_network(tmp_path, np.random.default_rng(1)), tmp_path / "NET")
    change(folder)
    with pytest.raises(EsdaFileError, match=message):
        load_esda_text(folder)


def test_a_text_frame_without_active_sites_is_read(tmp_path: Path) -> None:
    folder = as_published(write_network(tmp_path, np.random.default_rng(1)), tmp_path / "NET")
    (folder / "data" / "tb_spatial_mask.txt").write_text("0\n" * 35)
    (folder / "data" / "tb_input_feature.txt").write_text("")
    _, frame = load_esda_text(folder)
    assert (len(frame.sites), frame.channels) == (0, 2)
