from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.number_formats import accuracies, gains, seeds, tables
from benchmarks.number_formats.fit import SIGNED, distribution, fitted, rounded, sqnr
from benchmarks.number_formats.grids import NAMES, Grid, grid, posit
from benchmarks.number_formats.posttraining import Rounded, errors, grids
from benchmarks.number_formats.tables import Evaluation, wanted
from benchmarks.tables.number_formats import gains as gain_table
from models.data import load
from models.frontend.trace import trace
from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.layers.layer import WeightedLayer
from models.quant.calibrate import Calibration
from models.quant.qat import plan_for
from models.zoo import load_model


def test_formats_have_the_values_they_are_published_with() -> None:
    positive = {name: [value for value in grid(name, True).values if value > 0] for name in NAMES}
    assert positive["int"] == [1, 2, 3, 4, 5, 6, 7]
    assert positive["e2m1"] == [0.5, 1, 1.5, 2, 3, 4, 6]  # E2M1 of the OCP's table
    assert positive["adaptivfloat"] == [1.5, 2, 3, 4, 6, 8, 12]  # as E2M1 without subnormals, zero for 1
    assert positive["posit"] == [1 / 16, 1 / 4, 1 / 2, 1, 2, 4, 16]
    assert positive["power of two"] == [2.0**e for e in range(7)]
    assert grid("posit", False).values[-4:] == (4, 8, 16, 64)
    # useed 4, es 1: posit(8,1) around one has 4 bits of fraction
    assert [value for value in posit(7) if 1 <= value < 2] == [1 + j / 16 for j in range(16)]
    for name in NAMES:
        for signed in (True, False):
            values = grid(name, signed).values
            assert all(low < high for low, high in pairwise(values))
            assert 0 in values
            assert len(values) == 16 - (signed and name != "int")


@pytest.mark.parametrize("signed", [True, False])
def test_flint_of_4_bits_has_dybits_values(signed: bool) -> None:
    flint, dybit = grid("flint", signed).values, grid("dybit", signed).values
    assert [Fraction(value) / Fraction(flint[-1]) for value in flint] == [
        Fraction(value) / Fraction(dybit[-1]) for value in dybit
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("signed", [True, False])
def test_rounding_takes_the_nearest_value(name: str, signed: bool) -> None:
    own = grid(name, signed)
    x = torch.randn(500, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * own.largest / 3
    scale = 0.75
    found = rounded(x, torch.tensor(scale, dtype=torch.float64), own)
    for value, got in zip(x.tolist(), found.tolist(), strict=True):
        nearest = min(
            own.values, key=lambda place, value=value: abs(Fraction(value) / Fraction(scale) - Fraction(place))
        )
        assert got == nearest * scale


def test_scales_leave_no_more_error_than_any_other_tried() -> None:
    x = distribution("normal")[:, ::64]
    for name in NAMES:
        own = grid(name, True)
        best = (rounded(x, fitted(x, own)[:, None], own) - x).square().sum()
        for factor in torch.linspace(0.05, 4, 100, dtype=torch.float64):
            scale = factor * x.abs().max() / own.largest
            if own.shared:
                scale = 2 ** scale.log2().round()
            # steps of a tenth of an octave come this close to the best there is
            assert best <= 1.02 * (rounded(x, scale, own) - x).square().sum()
    assert fitted(torch.zeros(2, 3, dtype=torch.float64), Grid((0.0, 1.0))).tolist() == [1, 1]
    shared = fitted(torch.tensor([[1.0, 2.0], [3.0, 100.0]], dtype=torch.float64), grid("adaptivfloat", True))
    assert shared[0] == shared[1] == 2 ** shared[0].log2().round()


def test_integers_of_many_bits_gain_6_decibels_a_bit() -> None:
    for name, signed in SIGNED.items():
        x = distribution(name)
        gains = [sqnr(x, grid("int", signed, bits)) for bits in (7, 8)]
        assert 4 < gains[1] - gains[0] < 6.1


def test_evaluations_are_kept_and_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "RUNS", tmp_path)
    evaluations = set(wanted())
    assert len({evaluation.name for evaluation in evaluations}) == len(evaluations)
    # networks x (families x modes x (few bits x seeds + other bits), and the float one); int4 x dybit4
    expected = 4 * (2 * 3 * (2 * 3 + 3) + 1) + 3 * 3
    assert sum(isinstance(evaluation, Evaluation) for evaluation in evaluations) == expected
    percents = {0: 90, 1: 92, 2: 94}
    runs = []

    def run(evaluation: Evaluation) -> dict[str, Any]:
        runs.append(evaluation.name)
        return tables.counted(np.arange(100) < percents[evaluation.seed])

    monkeypatch.setattr(Evaluation, "run", run)
    for seed in percents:
        for _ in range(2):
            tables.evaluate(Evaluation("resnet20", "dybit", "fine-tuned", seed, (4, 4)))
    assert runs == [f"resnet20-w4a4-dybit-fine-tuned-{seed}" for seed in percents]
    found = accuracies("resnet20")
    assert found["float"] is None
    assert found.pop("W4/A4 dybit, fine-tuned") == {"mean": 92, "from": 90, "to": 94, "seeds": 3, "test images": 100}
    assert set(found.values()) == {None}


def test_gains_are_paired_image_by_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "RUNS", tmp_path)
    images = np.arange(1000)
    right = {"int": images < 800, "dybit": images >= 100}
    monkeypatch.setattr(Evaluation, "run", lambda evaluation: tables.counted(right[evaluation.family]))
    for family in right:
        tables.evaluate(Evaluation("resnet20", family, "fine-tuned", 0, (4, 4)))
    found = gains("resnet20")
    gain = found.pop("W4/A4 fine-tuned")
    assert set(found.values()) == {None}
    assert gain["mean"] == 10
    # 200 images gained and 100 lost of 1,000: the normal interval of a mean of such differences
    half = 1.96 * 100 * np.sqrt((0.3 - 0.1**2) / 1000)
    assert abs(gain["from"] - (10 - half)) < 0.3
    assert abs(gain["to"] - (10 + half)) < 0.3
    table = gain_table({"points of DyBit over int": {name: gains(name) for name in tables.CASES}})
    assert f"**+10.00** ({gain['from']:+.2f} to {gain['to']:+.2f})" in table.rows[2]


def test_nothing_rounded_is_the_float_network_and_what_is_keeps_its_channels_means() -> None:
    data = load("digits")
    plan = trace(load_model("digits_cnn"), data.shape).to(torch.float64)
    images = torch.from_numpy(data.train_x[:60]).double()
    assert torch.equal(Rounded(plan, images, {}, {}).classes(images), plan.logits(images).argmax(dim=1))
    weights, outputs = grids(plan, data.input_dtype, "dybit")
    weighted = [layer for layer in plan.layers if isinstance(layer, WeightedLayer)]
    assert weights.keys() == {layer.name for layer in weighted}
    assert weights[weighted[0].name] == weights[weighted[-1].name] == Grid.of(IntType(8))
    assert all(weights[layer.name] == grid("dybit", True) for layer in weighted[1:-1])
    network = Rounded(plan, images, weights, outputs)
    wanted, found = plan.values(images), network.values(images)
    for layer in weighted:
        float_mean = layer.compute(wanted[layer.inputs[0]]).mean(dim=(0, 2, 3))
        own = layer.weigh(found[layer.inputs[0]], network.weights[layer.name], network.biases[layer.name])
        assert torch.allclose(own.mean(dim=(0, 2, 3)), float_mean, rtol=0, atol=1e-9)
    tensors = errors(plan, images, data.input_dtype, ("int", "dybit"))
    assert {row["layer"] for row in tensors if row["tensor"] == "weights"} == {layer.name for layer in weighted[1:-1]}


def test_the_layer_whose_scale_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load("digits")
    data = replace(
        data, train_x=data.train_x[:600], train_y=data.train_y[:600], test_x=data.test_x[:100], test_y=data.test_y[:100]
    )
    plan = plan_for(load_model("digits_cnn"), data)
    spoiled = plan.quantizable_layers[1]

    class Spoiled(Calibration):
        def activation(self, name: str, dtype: DType) -> float:
            return super().activation(name, dtype) * (20 if name == spoiled else 1)

    of_seed = [Calibration(plan, data), Spoiled(plan, data)]
    monkeypatch.setattr(seeds, "loaded", lambda network: (data, plan))
    monkeypatch.setattr(seeds, "calibrated", lambda network, seed: of_seed[seed])
    found, right = (seeds.one_scale("digits", "dybit", (4, 4), seed, 0) for seed in (1, 0))
    assert found["layer"] == spoiled
    assert found["accuracy with its other scale"] == right["accuracy"]
    assert found["layers"][spoiled]["logits' error then"] == right["logits' error"] < found["logits' error"]
    # a scale in place of itself changes nothing
    assert all(row["logits' error then"] == right["logits' error"] for row in right["layers"].values())
    assert all(row["layer's error"] == row["with the other scale"] for row in right["layers"].values())
