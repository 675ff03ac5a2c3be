"""TensorFlow Lite networks: published ones, and verdicts on single operators."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.frontend.tflite import _Importer, check_tflite, import_tflite
from models.frontend.tflite_file import TfliteOperator
from tests.models.frontend.tflite_files import quantized, run, simple

FOLDER = DATA / "tflite"
NETWORKS = ["resnet8_int8", "vww_96_int8", "ad01_int8"]


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the published networks are not in {FOLDER}")
@pytest.mark.parametrize("inputs", [2, pytest.param(32, marks=pytest.mark.whole)])
@pytest.mark.parametrize("name", NETWORKS)
def test_published_networks_give_what_the_reference_kernels_give(name: str, inputs: int) -> None:
    network = import_tflite(FOLDER / f"{name}.tflite")
    expected = np.load(FOLDER / f"{name}_golden.npz")
    for x, wanted in zip(expected["input"][:inputs], expected["output"][:inputs], strict=True):
        assert np.array_equal(run(network, x).ravel(), wanted.ravel())


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the published networks are not in {FOLDER}")
def test_every_operator_of_a_published_network_has_a_verdict() -> None:
    verdicts = check_tflite(FOLDER / "resnet8_int8.tflite")
    assert len(verdicts) == 16
    assert not any(verdict.refused for verdict in verdicts)
    without = [verdict.operator for verdict in verdicts if not verdict.node]
    assert without == ["operator 13, RESHAPE", "operator 15, SOFTMAX"]


def test_what_follows_a_refused_operator_is_not_looked_at() -> None:
    content = simple()
    tensors = (*content.tensors, quantized("z", (1, 4, 4, 2), 0.1, 0), quantized("end", (1, 4, 4, 2), 0.1, 0))
    more = (TfliteOperator("CUMSUM", 1, (2,), (3,), {}), TfliteOperator("ADD", 2, (2, 3), (4,), {}))
    verdicts = _Importer(
        dataclasses.replace(content, tensors=tensors, operators=(*content.operators, *more))
    ).verdicts()
    assert [(verdict.node, verdict.refused) for verdict in verdicts] == [("conv_2d_0", False), ("", True), ("", False)]
    assert "is not supported; supported are CONV_2D" in verdicts[1].why
    assert verdicts[2].why == "not looked at: it takes what a refused operator computes"
