"""What an exploration evaluates: measured sensitivities, activity, latencies, and how near a proof is."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.inputs.nets import random_mapping
from benchmarks.inputs.sparse_nets import random_sparse_net
from cosim.cycle.simulator import simulate
from dse.explore import SearchSettings
from models.data.dataset import Dataset
from models.ir.activity import expected_activity, frame_activity
from models.ir.formats.integer import IntType
from netweave import evaluations
from netweave.config import Config
from netweave.evaluations import case, closing, latency, loaded, sensitivities
from reports.artifact import ArtifactError


def test_costs_can_be_those_of_one_training_image() -> None:
    rng = np.random.default_rng(3)
    graph = random_sparse_net(rng, side=8)
    shape = graph.input.shape
    masks = np.array([rng.random((shape.height, shape.width)) < density for density in (0.1, 0.5, 0.9)])
    x = np.repeat(masks[:, None], shape.channels, axis=1).astype(np.float32)
    labels = np.zeros(3, np.int64)
    images = Dataset("three", x, labels, x, labels, x, labels, 2, IntType(8, signed=False), 1.0, sparse=True)
    config = Config.model_validate({"name": "x", "device": [{"name": "zu3eg"}], "explore": {"activity": 1}})
    assert expected_activity(loaded(config, graph, lambda: images), case(config)) == frame_activity(graph, masks[1])
    config = config.model_copy(update={"explore": config.explore.model_copy(update={"activity": 3})})
    with pytest.raises(ValueError, match="activity: 3 is no training image of digits; they are 0 to 2"):
        loaded(config, graph, lambda: images)


def test_the_latency_is_the_mean_over_frames_that_find_the_accelerator_idle() -> None:
    rng = np.random.default_rng(4)
    graph = random_sparse_net(rng, side=6)
    mapping = random_mapping(rng, graph)
    few, full = np.zeros(graph.input.shape[:2], dtype=bool), np.ones(graph.input.shape[:2], dtype=bool)
    few[0, 0] = True
    alone = [simulate(graph, mapping, [mask]).first_latency for mask in (few, full)]
    assert alone[0] < alone[1]
    assert latency(graph, mapping, [few, full]) == sum(alone) / 2
    # without masks it is that of a full frame
    assert latency(graph, mapping, None) == alone[1]


SENSITIVITY = {"choices": ["conv", "head"], "sensitivity": {"conv": {"int4": 0.5}, "head": {"int4": 0}}}


def test_measured_sensitivities_are_read(tmp_path: Path) -> None:
    assert sensitivities(tmp_path, SENSITIVITY, ["int4"]) == SENSITIVITY["sensitivity"]
    # where there is no format to choose, nothing needs to be measured
    assert sensitivities(tmp_path, {"choices": ["conv"], "sensitivity": {}}, []) == {}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"choices": None}, "field 'choices': None must be a list of layers"),
        ({"choices": ["conv", 3]}, "field 'choices': ['conv', 3] must be a list of layers"),
        ({"sensitivity": [1]}, "field 'sensitivity': [1] must be an object"),
        *(
            (
                {"sensitivity": {**SENSITIVITY["sensitivity"], "head": layer}},
                f"field 'sensitivity.head.int4': {shown} must be a finite number; `netweave quantize` measures it",
            )
            for layer, shown in [
                ({}, "None"),
                (0.5, "None"),
                ({"int4": True}, "True"),
                ({"int4": math.nan}, "nan"),
                ({"int4": "0.5"}, "'0.5'"),
            ]
        ),
    ],
)  # fmt: skip
def test_sensitivities_that_cannot_be_are_named(changes: dict[str, Any], says: str) -> None:
    path = Path("run/quantize/sensitivity.json")
    with pytest.raises(ArtifactError) as error:
        sensitivities(path, {**SENSITIVITY, **changes}, ["int4"])
    assert str(error.value) == f"{path}, {says}"


def test_the_distance_to_a_proof_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(evaluations, "tell", heard.append)
    watch = closing("int4", "1/4", SearchSettings())
    watch(Fraction(12345), None, 0.5)
    watch(Fraction(750), Fraction(1000), 1.0)
    # an objective of 0 has no distance in percent
    watch(Fraction(0), Fraction(0), 2.0)
    assert heard == ["int4 in 25%, none below 1.234e+04", "int4 in 25%, 1,000, proven to 25.0%"]
