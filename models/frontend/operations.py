"""The torch modules and functions that a traced network may use, and the layers that they add to its plan.

The handler of a function takes the builder and the arguments of the torch function, under their names. The handler of a
module takes the builder, the module and the arguments of its call.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.frontend import activations, sequences
from models.frontend.build import PlanBuilder, SettingError, Value
from models.frontend.sequences import images
from models.layers.concat import ConcatLayer

BATCH = "batch size"


def _conv2d(
    build: PlanBuilder,
    x: Value,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Value:
    return build.conv(images(x), weight, bias, stride, padding, dilation, groups)


def _conv_module(build: PlanBuilder, m: nn.Conv2d, x: Value) -> Value:
    if m.padding_mode != "zeros":
        raise SettingError("padding_mode", repr(m.padding_mode), "must be 'zeros'")
    return build.conv(images(x), m.weight, m.bias, m.stride, m.padding, m.dilation, m.groups)


def _linear(build: PlanBuilder, x: Value, weight: Tensor, bias: Tensor | None = None) -> Value:
    return build.linear(x, weight, bias)


def _batch_norm(
    build: PlanBuilder,
    x: Value,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Value:
    if training:
        raise SettingError("training", True, "must be False in eval mode")
    return build.batch_norm(x, running_mean, running_var, weight, bias, eps)


def _batch_norm_module(build: PlanBuilder, m: nn.BatchNorm2d | nn.BatchNorm1d, x: Value) -> Value:
    return build.batch_norm(x, m.running_mean, m.running_var, m.weight, m.bias, m.eps)


def _relu(build: PlanBuilder, x: Value, inplace: bool = False) -> Value:
    return build.clip(x, 0.0, float("inf"))


def _relu6(build: PlanBuilder, x: Value, inplace: bool = False) -> Value:
    return build.clip(x, 0.0, 6.0)


def _hardtanh(
    build: PlanBuilder, x: Value, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Value:
    return build.clip(x, min_val, max_val)


def _clamp(build: PlanBuilder, x: Value, min: float | None = None, max: float | None = None) -> Value:
    return build.clip(x, float("-inf") if min is None else min, float("inf") if max is None else max)


def _max_pool2d(
    build: PlanBuilder,
    x: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Value:
    if return_indices:
        raise SettingError("return_indices", True, "must be False")
    return build.max_pool(images(x), kernel_size, stride, padding, dilation, ceil_mode)


def _avg_pool2d(
    build: PlanBuilder,
    x: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Value:
    return build.avg_pool(images(x), kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _pad(build: PlanBuilder, x: Value, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Value:
    if mode != "constant":
        raise SettingError("mode", repr(mode), "must be 'constant'")
    return build.pad(x, pad, value or 0.0)


def _adaptive_avg_pool2d(build: PlanBuilder, x: Value, output_size: Any) -> Value:
    return build.adaptive_avg_pool(images(x), output_size)


def _mean(build: PlanBuilder, x: Value, dim: Any = None, keepdim: bool = False) -> Value:
    given = dim if isinstance(dim, Sequence) else [] if dim is None else [dim]
    if x.flat or {d % x.rank for d in given} != set(range(2, x.rank)):
        raise SettingError("dim", dim, "must be (2, 3), or 2 of sequences")
    pooled = build.global_pool(x)
    return pooled if keepdim else pooled._replace(flat=True, line=False)


def _dropout(build: PlanBuilder, x: Value, p: float = 0.5, training: bool = False, inplace: bool = False) -> Value:
    if training and p:
        raise SettingError("training", True, "must be self.training, so that eval mode drops nothing")
    return x


def _flatten(build: PlanBuilder, x: Value, start_dim: int = 0, end_dim: int = -1) -> Value:
    return build.flatten(x, start_dim, end_dim)


def _add(build: PlanBuilder, input: object, other: object, *, alpha: float = 1) -> Value:
    return build.add(input, other, alpha)


def _cat(build: PlanBuilder, tensors: Sequence[object], dim: int = 0) -> Value:
    for tensor in tensors:
        if not isinstance(tensor, Value):
            raise SettingError("tensors", tensor, "all must be tensors that the network computes")
    first, *others = (tensor for tensor in tensors if isinstance(tensor, Value))
    channels = (1, 1 - first.rank)
    if dim not in channels:
        raise SettingError("dim", dim, f"must be {channels[0]} or {channels[1]}, that of the channels")
    for other in others:
        shape, other_shape = build.shape(first), build.shape(other)
        if shape[:2] != other_shape[:2] or other.rank != first.rank or (first.flat and shape[:2] != (1, 1)):
            why = "both must be images of one height and width, or [n, features] that were no images"
            raise SettingError("tensors", f"{shape} and {other_shape}", why)
        stacked = shape._replace(channels=shape.channels + other_shape.channels)
        first = build.append(ConcatLayer, first, stacked, more=(other.layer,))
    return first


def _size(build: PlanBuilder, x: Value, dim: int | None = None) -> Any:
    height, width, channels = build.shape(x)
    sizes = (BATCH, build.features(x)) if x.flat else (BATCH, channels, height, width)
    sizes = (BATCH, channels, width) if x.line else sizes
    return sizes if dim is None else sizes[dim]


def _getattr(build: PlanBuilder, x: Value, name: str) -> Any:
    if name != "shape":
        raise SettingError("attribute", repr(name), "only shape is known")
    return _size(build, x)


def _getitem(build: PlanBuilder, sizes: object, index: Any) -> Any:
    if isinstance(sizes, Value) or not isinstance(sizes, tuple):
        raise SettingError("index", index, "only sizes can be indexed, not tensors")
    return sizes[index]


def _view(build: PlanBuilder, x: Value, *shape: Any) -> Value:
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    features = build.features(x)
    if sizes not in ((BATCH, -1), (BATCH, features), (-1, features)):
        raise SettingError("shape", sizes, f"only (n, {features}) is possible")
    return x._replace(flat=True, line=False)


def _identity(build: PlanBuilder, x: Value) -> Value:
    return x


MODULES: dict[type[nn.Module], Callable[..., Any]] = {
    nn.Conv2d: _conv_module,
    nn.BatchNorm2d: _batch_norm_module,
    nn.BatchNorm1d: _batch_norm_module,
    nn.ReLU: lambda build, m, x: _relu(build, x),
    nn.ReLU6: lambda build, m, x: _relu6(build, x),
    nn.Hardtanh: lambda build, m, x: _hardtanh(build, x, m.min_val, m.max_val),
    nn.MaxPool2d: lambda build, m, x: _max_pool2d(
        build, x, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices
    ),
    nn.AvgPool2d: lambda build, m, x: _avg_pool2d(
        build, x, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad, m.divisor_override
    ),
    nn.ZeroPad2d: lambda build, m, x: build.pad(x, m.padding, 0.0),
    nn.ConstantPad2d: lambda build, m, x: build.pad(x, m.padding, m.value),
    nn.AdaptiveAvgPool2d: lambda build, m, x: _adaptive_avg_pool2d(build, x, m.output_size),
    nn.Linear: lambda build, m, x: _linear(build, x, m.weight, m.bias),
    nn.Flatten: lambda build, m, x: _flatten(build, x, m.start_dim, m.end_dim),
    nn.Dropout: lambda build, m, x: x,
    nn.Dropout2d: lambda build, m, x: x,
    nn.Identity: lambda build, m, x: x,
    **activations.MODULES,
    **sequences.MODULES,
}

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    F.conv2d: _conv2d,
    F.linear: _linear,
    F.batch_norm: _batch_norm,
    F.relu: _relu,
    torch.relu: _relu,
    "relu": _relu,
    F.relu6: _relu6,
    F.hardtanh: _hardtanh,
    torch.clamp: _clamp,
    "clamp": _clamp,
    F.max_pool2d: _max_pool2d,
    F.avg_pool2d: _avg_pool2d,
    F.pad: _pad,
    F.adaptive_avg_pool2d: _adaptive_avg_pool2d,
    torch.mean: _mean,
    "mean": _mean,
    F.dropout: _dropout,
    F.dropout2d: _dropout,
    torch.flatten: _flatten,
    "flatten": _flatten,
    operator.add: _add,
    operator.iadd: _add,
    torch.add: _add,
    "add": _add,
    "add_": _add,
    torch.cat: _cat,
    torch.concat: _cat,
    "size": _size,
    getattr: _getattr,
    operator.getitem: _getitem,
    "view": _view,
    "reshape": _view,
    "contiguous": _identity,
    **activations.FUNCTIONS,
    **sequences.FUNCTIONS,
}
