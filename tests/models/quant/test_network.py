"""The exactness that everything downstream rests on: eval-mode network == golden, on every integer of every layer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from models.frontend.trace import trace
from models.ir import golden
from models.ir.graph import Graph
from models.ir.ops.conv import Conv
from models.plan import FloatPlan
from models.quant.formats import FORMATS
from models.quant.network import QuantizedNetwork
from tests.models.nets import NETS, net, quantized

IMAGES = 3


def mixed(plan: FloatPlan, start: int) -> dict[str, str]:
    cycle = itertools.cycle(("int4", "dybit8", "dybit4", "int8", "dybit3", "int2", "int6"))
    return dict(zip(plan.quantizable_layers, itertools.islice(cycle, start, None), strict=False))


def assert_golden_agrees(network: QuantizedNetwork, name: str) -> Graph:
    data = NETS[name][1]
    graph = network.export()
    integers = network.integers(torch.from_numpy(data.test_x[:IMAGES]))
    assert set(integers) == {node.name for node in graph.nodes}
    for index, frame in enumerate(data.frames("test", IMAGES)):
        frames = golden.run(graph, frame)
        for node in graph.nodes:
            ours = integers[node.name][index].permute(1, 2, 0).numpy()
            assert np.array_equal(frames[node.name].to_dense(), ours), (node.name, index)
    return graph


@pytest.mark.few(20)
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("form", [*FORMATS, "dybit2", "int2"])
def test_every_integer_equals_golden(name: str, form: str) -> None:
    assert_golden_agrees(quantized(name, form), name)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("start", range(3))
def test_mixed_formats_equal_golden(name: str, start: int) -> None:
    model, data = net(name, start)
    network = quantized(name, mixed(trace(model, data.shape), start), ("mse", "percentile", "minmax")[start], start)
    graph = assert_golden_agrees(network, name)
    assert len({str(node.dtype) for node in graph.nodes}) > 3


def test_network_stays_exact_while_its_parameters_change() -> None:
    network = quantized("digits_cnn", "int4")
    generator = torch.Generator().manual_seed(0)
    before = network.export()["stem"]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    graph = assert_golden_agrees(network, "digits_cnn")
    after = graph["stem"]
    assert isinstance(before, Conv)
    assert isinstance(after, Conv)
    assert not np.array_equal(before.weight, after.weight)


def test_formats_have_the_sign_that_their_tensor_needs() -> None:
    graph = quantized("digits_cnn", "dybit4").export()
    wanted = {
        "input": "uint4",
        "stem": "udybit4",
        "block1_conv2": "dybit4",
        "block1_add": "udybit4",
        "block2_around_0": "dybit4",
        "pool": "udybit4",
        "fc": "int16",
    }
    assert {name: str(graph[name].dtype) for name in wanted} == wanted


def test_logits_are_the_output_integers_times_their_scale() -> None:
    network = quantized("pools", "int8")
    x = torch.from_numpy(NETS["pools"][1].test_x)
    graph = network.export()
    wanted = network.integers(x)[graph.output].flatten(1) * graph[graph.output].scale
    assert torch.equal(network.logits(x), wanted.float())
    assert torch.equal(network(x), network.logits(x))


@pytest.mark.parametrize("form, tolerance", [("int8", 0.06), ("dybit8", 0.06), ("int4", 0.6)])
@pytest.mark.parametrize("name", NETS)
def test_training_mode_approximates_the_integers(name: str, form: str, tolerance: float) -> None:
    network = quantized(name, form)
    x = torch.from_numpy(NETS[name][1].test_x)
    with torch.no_grad():
        fake = network.fake_logits(x)
    exact = network.logits(x)
    assert float((fake - exact).norm() / exact.norm()) < tolerance


@pytest.mark.parametrize("name", NETS)
def test_eight_bits_approximate_the_float_network(name: str) -> None:
    model, data = net(name)
    x = torch.from_numpy(data.test_x)
    with torch.no_grad():
        wanted = model(x).flatten(1)
    for form in ("int8", "dybit8"):
        assert float((quantized(name, form).logits(x) - wanted).norm() / wanted.norm()) < 0.15


@pytest.mark.few(1)
@pytest.mark.parametrize("form", ["dybit4", "int4", "dybit3", "dybit5"])
def test_every_sum_of_two_branches_is_rounded_as_in_integers(form: str) -> None:
    """Most sums lie on half steps and many between two values, where float errors must not decide."""
    model, data = net("digits_cnn")
    choices = trace(model, data.shape).quantizable_layers
    network = quantized("digits_cnn", dict.fromkeys(choices, "int8") | {"block1_add": f"int8x{form}"})
    part = network.layers["block1_add"]
    by_name = {layer.layer.name: layer for layer in network.integer_layers()}
    sources = [by_name[name].integers for name in part.layer.inputs]
    pairs = torch.cartesian_prod(*(torch.arange(own.dtype.min, own.dtype.max + 1) for own in sources))
    branches = [values[:, None, None, None].expand(-1, part.layer.shape.channels, 1, 1) for values in pairs.unbind(1)]
    wanted = by_name["block1_add"].compute(*branches)
    with torch.no_grad():
        found = part(*((own.scale * values).float() for own, values in zip(sources, branches, strict=True)))
    assert torch.equal((found / part.log_scale.exp2()).round().long(), wanted)
