"""The exactness that everything downstream rests on: eval-mode network == golden, on every integer of every layer."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from models.frontend.trace import trace
from models.ir import golden
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.graph import Graph
from models.ir.ops.conv import Conv
from models.ir.requant import BIAS_BITS, MAX_SHIFT
from models.layers.integers import FLOAT32_LIMIT, Integers
from models.plan import FloatPlan
from models.quant.calibrate import Calibration
from models.quant.fake import fake_quantize
from models.quant.formats import FORMATS, resolve
from models.quant.integer import ACCUMULATOR_LIMIT, RangeError, bounds, fixed_point, integer_weighted
from models.quant.network import QuantizedNetwork
from tests.models.nets import NETS, net

IMAGES = 3


def quantized(name: str, assignment: dict[str, str] | str, method: str = "mse", seed: int = 0) -> QuantizedNetwork:
    model, data = net(name, seed)
    plan = trace(model, data.shape, name)
    formats = resolve(plan, data.input_dtype, assignment)
    return QuantizedNetwork(plan, formats, Calibration(plan, data, method)).eval()


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


@pytest.mark.parametrize("value", [2.0, 0.03, -0.125])
def test_images_off_the_input_grid_are_refused(value: float) -> None:
    network = quantized("depthwise", "int8")
    x = torch.full((1, 2, 9, 9), value)
    with pytest.raises(ValueError, match=r"input images must hold 0\.125 times integers of uint4, 0 to 15"):
        network.logits(x)


@given(st.lists(st.floats(1e-9, 6e4), min_size=1, max_size=5))
def test_multipliers_use_their_bits(ratios: list[float]) -> None:
    ratio = torch.tensor(ratios, dtype=torch.float64)
    fixed = fixed_point("x", ratio, torch.zeros(len(ratios)), 0, 255)
    assert 0 <= fixed.shift <= MAX_SHIFT
    assert int(fixed.mult.max()) < 1 << 16
    assert fixed.shift == MAX_SHIFT or int(fixed.mult.max()) >= (1 << 15) - 1
    assert ((fixed.mult.double() / 2.0**fixed.shift - ratio).abs() <= 0.5 / 2.0**fixed.shift + 1e-12).all()


@given(st.lists(st.tuples(st.floats(1e-6, 60), st.floats(-200, 200)), min_size=1, max_size=5))
def test_biases_move_no_output_by_more_than_a_32nd_of_a_step(channels: list[tuple[float, float]]) -> None:
    """Also where one unit of the accumulator is many steps of the output."""
    ratio, bias = torch.tensor(channels, dtype=torch.float64).T
    fixed = fixed_point("x", ratio, bias, 0, 255)
    moved = (fixed.bias.double() / 2.0**fixed.fraction - bias) * ratio
    assert (moved.abs() <= 1 / 32).all()
    if float(ratio.max()) <= 1 / 16:
        assert not fixed.fraction


def test_a_factor_beyond_the_multipliers_is_refused() -> None:
    with pytest.raises(RangeError, match="layer 'x', requantize factor: 1e\\+05 must be below 65535"):
        fixed_point("x", torch.tensor([1e5]), torch.zeros(1), 0, 1)


def test_an_accumulator_beyond_int64_is_refused_and_a_wide_bias_is_kept() -> None:
    model, data = net("kernel7")
    plan = trace(model, data.shape)
    network = quantized("kernel7", "int8")
    source = network.integer_layers()[0].integers
    layer = next(layer for layer in plan.layers if layer.kind == "conv")
    weight, bias = layer.weight, layer.bias + 1.0  # type: ignore[attr-defined]
    tiny = torch.full((len(weight),), 1e-14, dtype=torch.float64)
    args = (layer, weight, bias, tiny, IntType(8), source, IntType(8), 0.01)
    made = integer_weighted(*args).integers  # type: ignore[arg-type]
    assert int(made.requants[0].bias.abs().max()) < 1 << (BIAS_BITS - 1)
    wide = DyBitType(8)
    huge = replace(source, dtype=IntType(40))
    with pytest.raises(RangeError, match=rf"accumulator: \d+ must stay below {ACCUMULATOR_LIMIT}"):
        integer_weighted(layer, weight, bias, tiny, wide, huge, wide, 0.01)  # type: ignore[arg-type]


def test_the_fraction_of_biases_counts_towards_the_accumulator() -> None:
    """Sums that fit by themselves, and do not once their biases' bits stand below them."""
    model, data = net("kernel7")
    plan = trace(model, data.shape)
    first = quantized("kernel7", "int8").integer_layers()[0].integers
    layer = next(layer for layer in plan.layers if layer.kind == "conv")
    weight = layer.weight  # type: ignore[attr-defined]
    bias = torch.full((len(weight),), 1e-6, dtype=torch.float64)
    steps = torch.full((len(weight),), 1e-4, dtype=torch.float64)

    def made(width: int) -> Integers:
        source = replace(first, dtype=IntType(width))
        # a unit of the sum is 2**10 steps of the output
        scale = first.scale * 1e-4 / 1024
        args = (layer, weight, bias, steps, IntType(8), source, IntType(8), scale)
        return integer_weighted(*args).integers  # type: ignore[arg-type]

    fraction, weights = made(8).requants[0].fraction, made(8).largest // 128
    assert fraction == 14
    room = (ACCUMULATOR_LIMIT - 1 >> fraction) // weights
    widest = room.bit_length()
    assert made(widest).largest << fraction < ACCUMULATOR_LIMIT
    assert weights << widest < ACCUMULATOR_LIMIT
    with pytest.raises(
        RangeError, match=rf"accumulator: {weights << widest} must stay below {ACCUMULATOR_LIMIT >> 14}$"
    ):
        made(widest + 1)


@pytest.mark.parametrize("name", ["uint4", "int8", "udybit3", "udybit4", "dybit4", "udybit8"])
def test_what_is_clipped_ends_where_fake_quantization_takes_it(name: str) -> None:
    """A ReLU6 at every scale: also where 6 lies beside the middle of two values of a tapered format."""
    dtype = parse_dtype(name)
    for scale in np.geomspace(6 / dtype.max / 2, 6, 400):
        end = fake_quantize(torch.tensor([6.0], dtype=torch.float64), torch.tensor(scale), dtype)
        assert bounds((0.0, 6.0), float(scale), dtype) == (0, round(float(end) / scale))


@pytest.mark.few(4)
@pytest.mark.parametrize("images", [1, 32])
@pytest.mark.parametrize(("c_in", "c_out", "kernel", "groups"), [(64, 64, 3, 1), (16, 16, 5, 16), (64, 32, 1, 1)])
def test_float32_sums_are_exact_up_to_their_limit(images: int, c_in: int, c_out: int, kernel: int, groups: int) -> None:
    """Whatever algorithm the library picks, sums as large as float32 may be given equal those of integers."""
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.integers(0, 256, (images, c_in, 9, 9)))
    terms = c_in // groups * kernel**2
    most = (FLOAT32_LIMIT - 1) // (255 * terms)
    weight = torch.from_numpy(rng.integers(-most, most + 1, (c_out, c_in // groups, kernel, kernel)))
    floats = F.conv2d(x.float(), weight.float(), None, padding=kernel // 2, groups=groups)
    patches = F.unfold(x.double(), kernel, padding=kernel // 2).long().view(images, groups, terms, -1)
    rows = weight.view(groups, c_out // groups, terms)
    exact = (rows[None, :, :, :, None] * patches[:, :, None]).sum(dim=3)
    assert torch.equal(floats.long().view(images, c_out, -1), exact.view(images, c_out, -1))


@pytest.mark.parametrize("form", ["int4", "dybit3", "dybit4", "dybit5"])
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
