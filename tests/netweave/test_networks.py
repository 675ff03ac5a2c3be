"""The stages that train, on the digits, with as little training as shows what they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models import quant
from models.quant import hessian
from netweave import flow, networks
from netweave.config import Config
from reports.artifact import read_json


def config(**quantize: Any) -> Config:
    return Config.model_validate(
        {
            "name": "net",
            "train": {"epochs": 1},
            "quantize": {"formats": ["int4", "dybit3"], "epochs": 0, **quantize},
            "device": [{"name": "zu3eg"}],
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the float network trained."""
    folder = tmp_path_factory.mktemp("run")
    flow.train(config(), folder)
    return folder


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["hessian", "loss"])
def test_sensitivity_is_what_the_configuration_asks_for(run: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hessian, "IMAGES", 32)
    wanted = config(sensitivity=kind)
    flow.quantize(wanted, run)
    found = read_json(run / "quantize" / "quantize.json", "quantize", "quantize")
    own = networks.Networks(wanted, run / "train", run / "networks", lambda *_: None)
    measure = {"loss": quant.measure_sensitivity, "hessian": quant.hessian_sensitivity}[kind]
    assert found["sensitivity"] == measure(own.plan, own.data, ["int4", "dybit3"], calibration=own.scales)
