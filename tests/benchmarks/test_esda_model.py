"""ESDA's cost model says of its published designs what was published with them, and our program beats its optimizer."""

from __future__ import annotations

import math
import random

import pytest

from benchmarks.esda_model import bottleneck, budget, cost, designs, layers, problem, published, solved, written
from benchmarks.inputs.data import DATA

published_designs = pytest.mark.skipif(
    not (DATA / "esda_designs").is_dir(), reason=f"the published designs are not in {DATA}"
)
NAMES = ("ASL_0p5", "DVS_1890", "NCal_2751", "NCal_w0p5", "NMNIST")


@published_designs
@pytest.mark.parametrize("name", NAMES)
def test_the_model_is_that_of_the_published_figures(name: str) -> None:
    document = designs()[name]
    objective, dsp, bram = cost(document, published(document))
    assert (dsp, bram) == (document["total_dsp"], document["total_bram"])
    # activity was published rounded
    assert objective == pytest.approx(document["obj"], rel=5e-4)


@published_designs
@pytest.mark.parametrize("name", NAMES)
def test_the_bottleneck_is_the_published_one_or_that_of_a_strided_expansion(name: str) -> None:
    document = designs()[name]
    least = bottleneck(document, whole=False)
    assert least == pytest.approx(document["lat_max"], rel=5e-4, abs=1)
    slowest, last = cost(document, published(document))[0], document["layers"][-1]["channels"]
    assert slowest - least < 1 + last[0] * last[1]
    # by hand, from the document: an expansion computes its input's sites
    expanded = [
        math.prod(layer["in_hw"]) * layer["sparsity"][0]
        * (layer["channels"][0] // layer["parallelism"][0]) * (layer["channels"][1] // layer["parallelism"][1])
        for layer in document["layers"]
        if layer["type"] == "block" and layer["stride"] == 2
    ]  # fmt: skip
    assert bottleneck(document, whole=True) == pytest.approx(max([least, *expanded]), rel=2e-3)


@published_designs
@pytest.mark.parametrize("name", NAMES)
def test_candidates_add_up_to_what_lanes_cost(name: str) -> None:
    document, rng = designs()[name], random.Random(0)
    made = problem(document, budget(name))
    for _ in range(20):
        picks, lanes = [], None
        for op in made.ops:
            fitting = [c for c in op.candidates if lanes is None or c.reads[0].lanes == lanes]
            picks.append(rng.choice(fitting))
            lanes = picks[-1].writes.lanes
        objective, dsp, bram = cost(
            document, written(document, {op.name: pick for op, pick in zip(made.ops, picks, strict=True)})
        )
        assert (sum(p.resources[0] for p in picks), sum(p.resources[1] for p in picks)) == (dsp, bram)
        assert 0 <= max(pick.cycles for pick in picks) + picks[-1].drain - objective < 1


MOST = {"DVS_1890": 2724, "NCal_2751": 11457, "NCal_w0p5": 39906, "NMNIST": 4795.9, "ASL_0p5": 7786.9}
"""What an exact dynamic program or CP-SAT found for the first three; what was published for the others."""


@pytest.mark.whole
@published_designs
@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_is_no_worse_than_any_published(name: str) -> None:
    document, limits = designs()[name], budget(name)
    found, lanes = solved(document, limits)
    objective, dsp, bram = cost(document, lanes)
    assert found.report.status == "optimal"
    assert objective <= MOST[name]
    assert dsp <= limits["dsp"]
    assert bram <= limits["bram"]
    assert len(lanes) == 1 + sum(layer.kind != "depthwise" for layer in layers(document))
