"""What a traced network may do to sequences ``[n, C, L]``: they are images of one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.frontend.build import PlanBuilder, SettingError, Value


def images(x: Value) -> Value:
    """``x``, which must be images."""
    if x.line:
        raise SettingError("input", "[n, C, L]", "must be images [n, C, H, W]")
    return x


def sequences(x: Value) -> Value:
    """``x``, which must be sequences."""
    if not x.line:
        raise SettingError("input", "[n, features]" if x.flat else "[n, C, H, W]", "must be sequences [n, C, L]")
    return x


def along(size: Any, across: int) -> tuple[int, int] | None:
    """A size of torch along a sequence, as one of a row, with the size across it; None where torch has its default."""
    if size is None or size == []:
        return None
    return across, size[0] if isinstance(size, Sequence) else size


def _conv1d(
    build: PlanBuilder,
    x: Value,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Value:
    zeros = padding if isinstance(padding, str) else along(padding, 0) or 0
    return build.conv(
        sequences(x), weight.unsqueeze(2), bias, along(stride, 1) or 1, zeros, along(dilation, 1) or 1, groups
    )


def _conv_module(build: PlanBuilder, m: nn.Conv1d, x: Value) -> Value:
    if m.padding_mode != "zeros":
        raise SettingError("padding_mode", repr(m.padding_mode), "must be 'zeros'")
    return _conv1d(build, x, m.weight, m.bias, m.stride, m.padding, m.dilation, m.groups)


def _max_pool1d(
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
    kernel, step = along(kernel_size, 1) or 1, along(stride, 1)
    return build.max_pool(sequences(x), kernel, step, along(padding, 0) or 0, along(dilation, 1) or 1, ceil_mode)


def _avg_pool1d(
    build: PlanBuilder,
    x: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Value:
    kernel, step = along(kernel_size, 1) or 1, along(stride, 1)
    return build.avg_pool(sequences(x), kernel, step, along(padding, 0) or 0, ceil_mode, count_include_pad, None)


def _adaptive_avg_pool1d(build: PlanBuilder, x: Value, output_size: Any) -> Value:
    return build.adaptive_avg_pool(sequences(x), along(output_size, 1) or 1)


MODULES: dict[type[nn.Module], Callable[..., Any]] = {
    nn.Conv1d: _conv_module,
    nn.MaxPool1d: lambda build, m, x: _max_pool1d(
        build, x, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode, m.return_indices
    ),
    nn.AvgPool1d: lambda build, m, x: _avg_pool1d(
        build, x, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad
    ),
    nn.AdaptiveAvgPool1d: lambda build, m, x: _adaptive_avg_pool1d(build, x, m.output_size),
    nn.ZeroPad1d: lambda build, m, x: build.pad(sequences(x), m.padding, 0.0),
    nn.ConstantPad1d: lambda build, m, x: build.pad(sequences(x), m.padding, m.value),
    nn.Dropout1d: lambda build, m, x: x,
}
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    F.conv1d: _conv1d,
    F.max_pool1d: _max_pool1d,
    F.avg_pool1d: _avg_pool1d,
    F.adaptive_avg_pool1d: _adaptive_avg_pool1d,
    torch.max_pool1d: _max_pool1d,
}
