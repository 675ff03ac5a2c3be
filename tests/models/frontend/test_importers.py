"""Files by their endings, and the commands that take them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.inputs.data import DATA
from models.frontend.importers import IMPORTERS, UnknownFileError, check_file, import_file
from models.ir.serialize import load
from netweave.cli import app
from netweave.config import NETWORK_FILES

AUTOENCODER = DATA / "tflite" / "ad01_int8.tflite"
real = pytest.mark.skipif(not AUTOENCODER.is_file(), reason=f"{AUTOENCODER} is not there")


@pytest.mark.parametrize("take", [import_file, check_file])
@pytest.mark.parametrize("name", ["network.h5", "network"])
def test_an_ending_that_none_takes_is_named(take: object, name: str) -> None:
    assert callable(take)
    with pytest.raises(UnknownFileError, match=rf"{name}: ends in (\.h5|nothing); possible are \.onnx, \.tflite"):
        take(Path(name))


def test_a_configuration_takes_the_same_files() -> None:
    assert set(NETWORK_FILES) == set(IMPORTERS)


@real
def test_a_network_is_written_as_a_graph(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["import", str(AUTOENCODER), "--to", str(tmp_path / "net")])
    assert result.exit_code == 0, result.output
    assert "fully_connected_9" in result.output
    graph = load(tmp_path / "net")
    assert [node.op for node in graph.nodes] == ["input", *["linear"] * 10]


@real
def test_check_lists_every_operator() -> None:
    result = CliRunner().invoke(app, ["check", str(AUTOENCODER)])
    assert result.exit_code == 0
    assert "10 operators, none refused" in result.output
