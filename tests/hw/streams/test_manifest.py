"""``manifest.json``: what is written can be read, and what cannot be read is named with file, field and value."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hw.streams.layout import MaskLayout, TokenLayout
from hw.streams.manifest import DesignError, Manifest, Port, Probe, Slice, load_manifest
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.node import Shape

INPUT, OUTPUT = TokenLayout(Shape(3, 5, 4), IntType(8, signed=False), 2), TokenLayout(Shape(3, 5, 4), DyBitType(4), 1)
MANIFEST = Manifest(
    name="tiny",
    top="netweave",
    device="ice40up5k",
    clock_mhz=24.0,
    sha256={"netweave.v": "ab" * 32},
    input=INPUT,
    output=OUTPUT,
    ports=(
        Port("clk", "input", 1, {}),
        Port("i__payload", "input", 22, {"end": Slice(0, 1), "y": Slice(1, 2), "x": Slice(3, 3)}),
    ),
    probes=(Probe("input", "cast", 0, INPUT),),
    tools={"amaranth": "0.5.10"},
    axi={"version": 65536, "registers": {"identity": 0}},
)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    for manifest in (
        MANIFEST,
        replace(MANIFEST, input=MaskLayout(INPUT.shape, INPUT.dtype, 2, 64), ports=(), probes=()),
    ):
        manifest.save(tmp_path)
        assert load_manifest(tmp_path) == manifest


def test_the_file_worked_out_by_hand(tmp_path: Path) -> None:
    MANIFEST.save(tmp_path)
    document = json.loads((tmp_path / "manifest.json").read_text())
    assert list(document) == [
        "format", "version", "name", "top", "device", "clock_mhz", "sha256", "input", "output", "ports", "probes",
        "tools", "axi",
    ]  # fmt: skip
    assert (document["format"], document["version"]) == ("netweave design", 2)
    assert document["input"] == {"shape": [3, 5, 4], "dtype": "uint8", "lanes": 2}
    assert document["output"] == {"shape": [3, 5, 4], "dtype": "dybit4", "lanes": 1}
    assert document["ports"][0] == {"name": "clk", "direction": "input", "width": 1, "fields": {}}
    assert document["ports"][1]["fields"]["x"] == {"offset": 3, "width": 3}
    assert document["probes"] == [{"producer": "input", "consumer": "cast", "index": 0, "layout": document["input"]}]
    replace(MANIFEST, input=MaskLayout(INPUT.shape, INPUT.dtype, 2, 64)).save(tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text())["input"] == document["input"] | {"bits": 64}


def test_a_probe_s_outputs_begin_with_its_edge() -> None:
    assert Probe("stem", "sum", 1, INPUT).prefix == "edge_stem__sum_1"


@pytest.mark.few(3)
@pytest.mark.parametrize(
    "change, message",
    [
        ({"version": 1}, "field 'version': 1; this netweave reads version 2"),
        ({"format": "other"}, "field 'format': must be 'netweave design'"),
        ({"speed": 1}, "field 'speed': is unknown; a manifest has name, top"),
        (
            {"input": {"shape": [3, 5, 4], "dtype": "real8", "lanes": 2}},
            "field 'input': .*unknown number format 'real8'",
        ),
        ({"input": {"shape": [3, 5, 4], "dtype": "int8", "lanes": 3}}, "field 'input': .*lanes must divide"),
        ({"input": {"shape": [3, 5, 4], "dtype": "int8", "lanes": 4, "bits": 16}}, "field 'input': .*at least 32"),
        ({"probes": [{"producer": "a"}]}, "field 'probes': .* cannot be read"),
        ({"ports": [{"name": "clk", "fields": 3}]}, "field 'ports': .* cannot be read"),
        ({"name": 3}, "field 'name': 3 must be a text"),
        ({"axi": []}, "field 'axi': \\[\\] must be an object"),
    ],
)
def test_wrong_manifests_are_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    MANIFEST.save(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DesignError, match=message):
        load_manifest(tmp_path)


def test_missing_and_broken_manifests_are_named(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"manifest\.json: does not exist"):
        load_manifest(tmp_path)
    MANIFEST.save(tmp_path)
    path = tmp_path / "manifest.json"
    whole = json.loads(path.read_text())
    del whole["ports"]
    path.write_text(json.dumps(whole))
    with pytest.raises(DesignError, match="field 'ports': is missing"):
        load_manifest(tmp_path)
    path.write_text("{")
    with pytest.raises(DesignError, match="is no readable JSON"):
        load_manifest(tmp_path)
