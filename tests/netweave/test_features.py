"""A newcomer's table: ``[n, features]`` of wild scales and a plain network, through the stages that train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.ir import golden
from models.ir.frame import Frame
from models.ir.serialize import load
from netweave import flow, networks
from netweave.config import Config
from netweave.listener import Listener
from reports.artifact import read_json

RANGES = np.array([1e-4, 1.0, 1e3, 1e6, 1.0, 30.0])
OFFSETS = np.array([0.0, 2000.0, 0.0, -5e6, 0.0, 7.0])
MODEL = """
from torch import nn
def build():
    layers = nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3)
    return nn.Sequential(*layers, nn.Softmax(dim=1))
"""


class Heard(Listener):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def table() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(900) % 3
    x = (rng.normal(size=(900, 6)) + 1.5 * rng.normal(size=(3, 6))[y]) * RANGES + OFFSETS
    return {"x_train": x[:600], "y_train": y[:600], "x_test": x[600:], "y_test": y[600:]}


def config(folder: Path, epochs: int) -> Config:
    (folder / "own.py").write_text(MODEL)
    return Config.model_validate(
        {
            "name": "table",
            "model": f"{folder}/own.py:build",
            "data": f"{folder}/table.npz",
            "train": {"epochs": epochs},
            "quantize": {"formats": ["int8"], "epochs": 0},
            "device": [{"name": "zu3eg"}],
        }
    )


def test_a_table_of_wild_scales_is_trained_and_quantized(tmp_path: Path) -> None:
    arrays = table()
    arrays["x_train"][5, 1] = 1e9
    np.savez(tmp_path / "table.npz", **arrays)  # type: ignore[arg-type]
    own, heard, run = config(tmp_path, epochs=6), Heard(), tmp_path / "run"
    flow.train(own, run, heard)
    flow.quantize(own, run)
    for says in (
        "x_train, feature 1: 99.9 % of the values lie within",
        "x_train: at one scale of 8 bits",
        "the network is trained on the numbers so scaled",
        "4: Softmax ends the network and is left out",
    ):
        assert sum(says in note for note in heard.notes) == 1, says
    correct, total = read_json(run / "train" / "train.json", "train", "train")["test"]
    graph = load(run / "quantize" / "int8")
    integers = graph.input.encode(arrays["x_test"][:, None, None, :])
    outputs = [golden.run(graph, Frame.from_dense(image))[graph.output].features for image in integers]
    right = (np.array([output.argmax() for output in outputs]) == arrays["y_test"]).sum()
    assert correct > 0.9 * total
    assert right >= correct - 0.01 * total
    (measured,) = (run / "networks").iterdir()
    found = read_json(measured / networks.ACCURACY, "accuracy", "quantize")
    assert found["predicted"].split() == [str(output.argmax()) for output in outputs], "golden's answers"
    assert found["test"] == [right, len(outputs)]


def test_what_is_not_trained_here_takes_the_numbers_as_given(tmp_path: Path) -> None:
    np.savez(tmp_path / "table.npz", **table())  # type: ignore[arg-type]
    heard = Heard()
    flow.train(config(tmp_path, epochs=0), tmp_path / "run", heard)
    assert any("as train.epochs is 0, the network takes the numbers as they were given" in note for note in heard.notes)
    flow.quantize(config(tmp_path, epochs=0), tmp_path / "run")
    found = read_json(tmp_path / "run" / "quantize" / "quantize.json", "quantize", "quantize")
    float_ = read_json(tmp_path / "run" / "train" / "train.json", "train", "train")["validation"][0]
    assert found["uniform"]["int8"]["trained"][0] == pytest.approx(float_, abs=3), (
        "trained or not, it is the same network"
    )
