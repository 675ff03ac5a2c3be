"""TensorFlow Lite's operators against loops in the file's own numbers."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from models.frontend.tflite_kernels import KernelMultiplier, mean
from tests.models.frontend.tflite_files import (
    WINDOW,
    constant,
    file,
    network_of,
    padded,
    quantized,
    run,
)


@pytest.mark.parametrize("activation", [0, 1, 3])
@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(("zero", "out_zero"), [(-128, -128), (17, -5)])
def test_convolution(zero: int, out_zero: int, depthwise: bool, activation: int) -> None:
    """Zero points that are not at the end, SAME with more zeros after than before, a scale for each channel."""
    rng = np.random.default_rng(activation)
    channels = 3
    weights = rng.integers(-127, 128, (1, 3, 2, channels) if depthwise else (channels, 3, 2, channels)).astype(np.int8)
    scales, bias = rng.uniform(0.001, 0.01, channels), rng.integers(-3000, 3000, channels).astype(np.int32)
    tensors = [
        quantized("x", (1, 6, 5, channels), 0.05, zero), constant("w", weights, scales), constant("b", bias),
        quantized("y", (1, 3, 5, channels), 0.07, out_zero),
    ]  # fmt: skip
    kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    content = file(tensors, (kind, (0, 1, 2), 3, {**WINDOW, "FusedActivationFunction": activation}))
    x = rng.integers(-128, 128, (6, 5, channels))
    around = padded(x, (3, 2), (2, 1), zero) - zero
    factors = KernelMultiplier.of(
        np.float64(np.float32(0.05)) * scales.astype(np.float32).astype(np.float64) / np.float32(0.07)
    )
    low = max(-128, out_zero) if activation else -128
    high = min(127, out_zero + math.floor(6 / float(np.float32(0.07)) + 0.5)) if activation == 3 else 127
    wanted = np.empty((3, 5, channels), np.int64)
    for y in range(3):
        for column in range(5):
            seen = around[2 * y : 2 * y + 3, column : column + 2]
            sums = (seen * weights[0]).sum(axis=(0, 1)) if depthwise else (seen * weights).sum(axis=(1, 2, 3))
            wanted[y, column] = np.clip(factors.apply((sums + bias)[:, None])[:, 0] + out_zero, low, high)
    assert np.array_equal(run(network_of(content), x), wanted)


@pytest.mark.parametrize("seed", range(4))
def test_an_add_of_two_scales(seed: int) -> None:
    """Of an input with what a pooling of stride 1 makes of it, which has the same scale; and with a convolution's."""
    rng = np.random.default_rng(seed)
    scales = rng.uniform(0.02, 0.09, 3).astype(np.float32)
    zeros = rng.integers(-128, 128, 3)
    one = np.eye(2, dtype=np.int8).reshape(2, 1, 1, 2)
    tensors = [
        quantized("x", (1, 16, 16, 2), float(scales[0]), int(zeros[0])), constant("w", one, np.ones(1)),
        quantized("z", (1, 16, 16, 2), float(scales[1]), int(zeros[1])),
        quantized("y", (1, 16, 16, 2), float(scales[2]), int(zeros[2])),
    ]  # fmt: skip
    point = {**WINDOW, "StrideH": 1, "FusedActivationFunction": 0}
    content = file(tensors, ("CONV_2D", (0, 1), 2, point), ("ADD", (0, 2), 3, {"FusedActivationFunction": 0}))
    x = rng.integers(-128, 128, (16, 16, 2))
    alone = dataclasses.replace(content, operators=content.operators[:1], outputs=(2,))
    z = run(network_of(alone), x)
    twice = 2.0 * max(float(scales[0]), float(scales[1]))
    branches = [
        KernelMultiplier.of(float(scale) / twice).apply((own - zero)[None] << 20)
        for own, scale, zero in zip((x, z), scales, zeros, strict=False)
    ]
    total = KernelMultiplier.of(twice / ((1 << 20) * float(scales[2]))).apply(branches[0] + branches[1])[0]
    wanted = np.clip(total + zeros[2], -128, 127)
    assert np.array_equal(run(network_of(content), x), wanted)


def test_poolings_and_a_linear_layer_over_the_whole_map() -> None:
    rng = np.random.default_rng(0)
    weights, bias = rng.integers(-127, 128, (5, 8)).astype(np.int8), rng.integers(-900, 900, 5).astype(np.int32)
    tensors = [
        quantized("x", (1, 8, 8, 2), 0.1, 3), quantized("max", (1, 4, 4, 2), 0.1, 3),
        quantized("mean", (1, 2, 2, 2), 0.1, 3), quantized("flat", (1, 8), 0.1, 3),
        constant("w", weights, np.array([0.004])), constant("b", bias),
        quantized("y", (1, 5), 0.2, -20),
    ]  # fmt: skip
    pool = {"Padding": 1, "StrideH": 2, "StrideW": 2, "FilterHeight": 2, "FilterWidth": 2, "FusedActivationFunction": 0}
    content = file(
        tensors, ("MAX_POOL_2D", (0,), 1, pool), ("AVERAGE_POOL_2D", (1,), 2, pool), ("RESHAPE", (2,), 3, {}),
        ("FULLY_CONNECTED", (3, 4, 5), 6, {"FusedActivationFunction": 0, "WeightsFormat": 0}),
    )  # fmt: skip
    x = rng.integers(-128, 128, (8, 8, 2))
    largest = x.reshape(4, 2, 4, 2, 2).max(axis=(1, 3))
    means = mean(largest.reshape(2, 2, 2, 2, 2).sum(axis=(1, 3)), 4)
    sums = weights.astype(np.int64) @ (means.ravel() - 3) + bias
    factor = float(np.float32(0.1) * np.float32(0.004)) / float(np.float32(0.2))
    wanted = np.clip(KernelMultiplier.of(factor).apply_once(sums[:, None])[:, 0] - 20, -128, 127)
    assert run(network_of(content), x).ravel().tolist() == wanted.tolist()
