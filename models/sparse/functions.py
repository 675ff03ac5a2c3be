"""Implementations of torch functions for a ``SparseTensor``.

Each has the parameters of its torch function, under their names. Where every site is active, it returns what the dense
function does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from models.ir.window import Window, both, same_padding
from models.sparse import convolution
from models.sparse.sites import Sites
from models.sparse.tensor import FUNCTIONS, SparseTensor


def _refuse(**settings: tuple[Any, Any]) -> None:
    for name, (value, expected) in settings.items():
        if value != expected:
            raise ValueError(f"{name} {value} of a SparseTensor: must be {expected}")


def _conv2d(
    x: SparseTensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> SparseTensor:
    kernel = tuple(weight.shape[2:])
    if isinstance(padding, str):
        padding = same_padding(kernel, dilation) if padding == "same" else 0
    window = Window.of(kernel, stride, padding, dilation)
    if weight.shape[1] * groups != x.shape[1] or len(weight) % groups:
        raise ValueError(
            f"weight {tuple(weight.shape)} in {groups} groups on a SparseTensor of {x.shape[1]} channels: "
            "the groups must divide the channels, in and out"
        )
    outputs = x.sites.output_sites(window)
    pointwise = window.taps == 1 and outputs is x.sites
    if groups > 1 and weight.shape[:2] == (groups, 1):
        features = (
            x.features * weight.flatten()
            if pointwise
            else convolution.depthwise(x.features, weight, x.sites.windows(window))
        )
    else:
        parts = zip(x.features.chunk(groups, dim=1), weight.chunk(groups), strict=True)
        sums = [
            F.linear(part, own.flatten(1)) if pointwise else convolution.full(part, own, x.sites.windows(window))
            for part, own in parts
        ]
        features = sums[0] if groups == 1 else torch.cat(sums, dim=1)
    return SparseTensor(features if bias is None else features + bias, outputs)


def _batch_norm(
    x: SparseTensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> SparseTensor:
    """The statistics are those of active sites. With fewer than two of them the running statistics apply."""
    training = training and len(x.sites) > 1
    return x.map(
        lambda features: F.batch_norm(features, running_mean, running_var, weight, bias, training, momentum, eps)
    )


def _pool(
    pool: Callable[[SparseTensor, Window], SparseTensor], x: SparseTensor, kernel: Any, stride: Any, padding: Any
) -> SparseTensor:
    window = Window.of(kernel, stride or kernel, padding)
    cell = window.y.kernel
    if window == Window.of(cell, cell) and cell > 2 and cell.bit_count() == 1:
        # disjoint cells of 2^n x 2^n are n poolings of 2 x 2 in a row, as in the integer graph
        return _pool(pool, _pool(pool, x, 2, 2, 0), cell // 2, cell // 2, 0)
    return pool(x, window)


def _window_max(x: SparseTensor, window: Window) -> SparseTensor:
    for axis in (window.y, window.x):
        if axis.may_miss:
            raise ValueError(f"kernel_size {axis.kernel} of a SparseTensor: must be at least the stride, {axis.stride}")
    nothing = x.features.new_full((1, x.shape[1]), -torch.inf)
    values = torch.cat([x.features, nothing])[x.sites.windows(window).rows]
    return SparseTensor(values.max(dim=0).values, x.sites.output_sites(window))


def _max_pool2d(
    x: SparseTensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> SparseTensor:
    _refuse(dilation=(both(dilation), (1, 1)), ceil_mode=(ceil_mode, False), return_indices=(return_indices, False))
    return _pool(_window_max, x, kernel_size, stride, padding)


def _window_sum(x: SparseTensor, window: Window) -> SparseTensor:
    ones = x.features.new_ones(x.shape[1], 1, window.taps)
    return SparseTensor(convolution.depthwise(x.features, ones, x.sites.windows(window)), x.sites.output_sites(window))


def _avg_pool2d(
    x: SparseTensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> SparseTensor:
    _refuse(ceil_mode=(ceil_mode, False))
    if any(both(padding)):
        _refuse(count_include_pad=(count_include_pad, True))
    divisor = divisor_override or math.prod(both(kernel_size))
    total = _pool(_window_sum, x, kernel_size, stride, padding)
    return total if divisor == 1 else total / divisor


def _pad(x: SparseTensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> SparseTensor:
    """What lies around the image has no active site, whatever its value would be."""
    _refuse(mode=(mode, "constant"))
    left, right, top, bottom = (*pad, 0, 0)[:4]
    height, width = x.sites.height + top + bottom, x.sites.width + left + right
    y, column = x.sites.coordinates.unbind(dim=1)
    raster = (x.sites.image * height + y + top) * width + column + left
    return SparseTensor(x.features, Sites(x.sites.batch, height, width, raster))


def _adaptive_avg_pool2d(x: SparseTensor, output_size: Any) -> Tensor:
    _, _, height, width = x.shape
    sizes = output_size if isinstance(output_size, Sequence) else (output_size, output_size)
    rows, columns = (side if size is None else size for size, side in zip(sizes, (height, width), strict=True))
    if (rows, columns) == (1, 1):
        return x.mean((2, 3), keepdim=True)
    if height % rows or width % columns:
        raise ValueError(f"output_size {output_size} of a SparseTensor: must divide its size, {height}x{width}, evenly")
    return _avg_pool2d(x, (height // rows, width // columns))


def _dropout2d(x: SparseTensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> SparseTensor:
    mask = F.dropout(x.features.new_ones(x.shape[:2]), p, training)
    return x.map(lambda features: features * mask[x.sites.image])


def _cat(tensors: Sequence[SparseTensor], dim: int = 0) -> SparseTensor:
    """Concatenates batches of images, or with ``dim`` 1 the channels of images with the same active sites."""
    first = tensors[0].sites
    if dim in (1, -3):
        for part in tensors[1:]:
            if not first.same(part.sites):
                raise ValueError(
                    f"two tensors of {tensors[0].shape} and {part.shape}: they have different active sites"
                )
        return SparseTensor(torch.cat([part.features for part in tensors], 1), first)
    if dim != 0:
        raise ValueError(f"dim {dim} of a SparseTensor: must be 0 or 1")
    rasters, batch = [], 0
    for part in tensors:
        rasters.append(part.sites.raster + batch * first.height * first.width)
        batch += part.sites.batch
    sites = Sites(batch, first.height, first.width, torch.cat(rasters))
    return SparseTensor(torch.cat([part.features for part in tensors]), sites)


def _elementwise(function: Callable[..., Tensor]) -> Callable[..., SparseTensor]:
    """The sparse form of a function that acts on each number by itself."""
    return lambda x, *args, inplace=False, **kwargs: x.map(lambda features: function(features, *args, **kwargs))


NUMBER_BY_NUMBER = (
    torch.sigmoid, torch.tanh, torch.prelu, F.silu, F.gelu, F.mish, F.hardswish, F.hardsigmoid, F.leaky_relu, F.elu,
    F.softplus, F.softsign,
)  # fmt: skip

FUNCTIONS |= {
    F.conv2d: _conv2d,
    F.batch_norm: _batch_norm,
    F.max_pool2d: _max_pool2d,
    F.pad: _pad,
    F.avg_pool2d: _avg_pool2d,
    F.adaptive_avg_pool2d: _adaptive_avg_pool2d,
    F.dropout2d: _dropout2d,
    F.relu: _elementwise(F.relu),
    F.relu6: _elementwise(F.relu6),
    F.hardtanh: _elementwise(F.hardtanh),
    F.dropout: _elementwise(F.dropout),
    torch.relu: _elementwise(torch.relu),
    **{function: _elementwise(function) for function in NUMBER_BY_NUMBER},
    torch.clamp: _elementwise(torch.clamp),
    torch.add: SparseTensor.add,
    torch.mean: SparseTensor.mean,
    torch.flatten: SparseTensor.flatten,
    torch.cat: _cat,
}
