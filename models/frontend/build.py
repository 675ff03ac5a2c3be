"""``PlanBuilder`` builds a raw plan op by op, and refuses settings that the integer graph cannot represent."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from models.ir.graph import NAME
from models.ir.node import Shape
from models.ir.ops.windowed import refusal
from models.ir.window import Sizes, Window, both, same_padding
from models.layers.add import AddLayer
from models.layers.avg_pool import AvgPoolLayer
from models.layers.batch_norm import BatchNormLayer
from models.layers.clip import ClipLayer
from models.layers.conv import ConvLayer
from models.layers.global_pool import GlobalPoolLayer
from models.layers.input import InputLayer
from models.layers.layer import Layer
from models.layers.linear import LinearLayer
from models.layers.lookup import LookupLayer
from models.layers.max_pool import MaxPoolLayer
from models.plan import FloatPlan

MAX_NAME = 48
T = TypeVar("T")
Pair = T | Sequence[T]


class SettingError(ValueError):
    """A setting of one operation that is not supported; the message names it, its value and what would be valid."""

    def __init__(self, name: str, value: object, why: str) -> None:
        super().__init__(f"{name} {value} is not supported: {why}")


class Value(NamedTuple):
    """A tensor of the traced network.

    Parameters
        layer     name of the layer that computes it
        flat      whether it is ``[n, features]``
        line      whether it is ``[n, C, L]``: images of one row
        around    padding that the layer's output has got since: (top, left, bottom, right)
        fill      the number that it is padded with
    """

    layer: str
    flat: bool = False
    line: bool = False
    around: tuple[int, ...] = (0, 0, 0, 0)
    fill: float = 0.0

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return 2 if self.flat else 3 if self.line else 4


def compact(sizes: Pair[int]) -> Sizes:
    """The same sizes in as few numbers as say them: ``3`` for ``(3, 3)``."""
    numbers = both(sizes)
    if numbers[:2] == numbers[-2:]:
        numbers = numbers[:2]
    return numbers[0] if len(set(numbers)) == 1 else numbers


class PlanBuilder:
    """Builds a plan, one layer per call. ``path`` is the module path of the current operation.

    Parameters
        name       name of the plan
        source     its input layer
    """

    def __init__(self, name: str, source: InputLayer) -> None:
        self.name = name
        self.source = source
        self.layers: dict[str, Layer] = {source.name: source}
        self.path = ""

    def input(self, dtype: torch.dtype) -> Value:
        """The input of a module with weights of ``dtype``: the images, or the real numbers that they encode."""
        source = self.source
        x = Value(source.name, source.flat, source.sequence)
        if source.normalization is None or not source.restored:
            return x
        offset, unit = (torch.tensor(part, dtype=dtype) for part in astuple(source.normalization))
        return self.append(BatchNormLayer, x, source.shape, scale=unit, offset=offset)

    def plan(self, output: Value) -> FloatPlan:
        self.shape(output)
        return FloatPlan(self.name, tuple(self.layers.values()), output.layer)

    def shape(self, x: Value) -> Shape:
        if any(x.around):
            top, left, bottom, right = x.around
            raise SettingError(
                "input", f"padded by {(left, right, top, bottom)}", "only a convolution or a pooling may take it"
            )
        return self.layers[x.layer].shape

    def features(self, x: Value) -> int:
        height, width, channels = self.shape(x)
        return height * width * channels

    def conv(
        self,
        x: Value,
        weight: Tensor,
        bias: Tensor | None,
        stride: Pair[int],
        padding: Pair[int] | str,
        dilation: Pair[int],
        groups: int,
    ) -> Value:
        if isinstance(padding, str):
            padding = same_padding(tuple(weight.shape[2:]), dilation) if padding == "same" else 0
        x, padding = self._all_padding(x, padding, 0.0)
        shape = self._image(x)
        c_out, c_in = len(weight), weight.shape[1] * groups
        if c_in != shape.channels:
            raise SettingError("in_channels", c_in, f"its input has {shape.channels} channels")
        kernel = tuple(weight.shape[2:])
        side = self._window(shape, kernel, stride, padding, dilation)
        return self.append(
            ConvLayer,
            x,
            side._replace(channels=c_out),
            weight=weight.detach(),
            bias=_bias(weight, bias),
            stride=compact(stride),
            padding=compact(padding),
            dilation=compact(dilation),
            groups=groups,
        )

    def linear(self, x: Value, weight: Tensor, bias: Tensor | None) -> Value:
        if not x.flat:
            raise SettingError("input", self.shape(x), "must be flattened to [n, features] first")
        height, width, channels = self.shape(x)
        if weight.shape[1] != self.features(x):
            raise SettingError("in_features", weight.shape[1], f"its input has {self.features(x)} features")
        value = self.append(
            LinearLayer,
            x,
            Shape(1, 1, len(weight)),
            weight=weight.detach().reshape(len(weight), channels, height, width),
            bias=_bias(weight, bias),
        )
        return value._replace(flat=True, line=False)

    def batch_norm(
        self,
        x: Value,
        mean: Tensor | None,
        variance: Tensor | None,
        weight: Tensor | None,
        bias: Tensor | None,
        epsilon: float,
    ) -> Value:
        shape = self.shape(x)
        if mean is None or variance is None:
            raise SettingError("track_running_stats", False, "running statistics are needed")
        if x.flat and shape[:2] != (1, 1):
            raise SettingError("input", shape, "normalizing a flattened image is not possible; normalize before it")
        if len(mean) != shape.channels:
            raise SettingError("num_features", len(mean), f"its input has {shape.channels} channels")
        scale = torch.rsqrt(variance.detach() + epsilon)
        if weight is not None:
            scale = scale * weight.detach()
        offset = -mean.detach() * scale
        if bias is not None:
            offset = offset + bias.detach()
        return self.append(BatchNormLayer, x, shape, scale=scale, offset=offset)

    def clip(self, x: Value, low: float, high: float) -> Value:
        if not low < high:
            raise SettingError("bounds", (low, high), "the lower must be below the upper")
        return self.append(ClipLayer, x, self.shape(x), clip=(float(low), float(high)))

    def activation(
        self, x: Value, function: Callable[..., Tensor], low: float = -math.inf, weight: Tensor | None = None
    ) -> Value:
        """A function of each number, which becomes a table.

        Parameters
            x           what it takes
            function    the function
            low         a number that no result is below
            weight      float [1] or [c], which the function also takes, or None
        """
        shape = self.shape(x)
        if weight is not None and len(weight) not in (1, shape.channels):
            raise SettingError("num_parameters", len(weight), f"its input has {shape.channels} channels")
        weight = None if weight is None else weight.detach()
        return self.append(LookupLayer, x, shape, function=function, weight=weight, clip=(low, math.inf))

    def max_pool(
        self,
        x: Value,
        kernel: Pair[int],
        stride: Pair[int] | None,
        padding: Pair[int],
        dilation: Pair[int],
        ceil_mode: bool,
    ) -> Value:
        if compact(dilation) != 1:
            raise SettingError("dilation", dilation, "must be 1")
        fill = 0.0 if self._never_negative(x) and x.fill == 0 else -math.inf
        x, padding = self._all_padding(x, padding, fill)
        window = Window.of(kernel, stride or kernel, padding)
        if window.may_be_empty:
            raise SettingError("stride", stride, f"must be at most kernel_size, {kernel}: a window would see nothing")
        return self._pool(MaxPoolLayer, x, kernel, stride, padding, ceil_mode)

    def avg_pool(
        self,
        x: Value,
        kernel: Pair[int],
        stride: Pair[int] | None,
        padding: Pair[int],
        ceil_mode: bool,
        count_include_pad: bool,
        divisor: int | None,
    ) -> Value:
        if divisor is not None:
            raise SettingError("divisor_override", divisor, "must be None")
        if not count_include_pad and compact(padding) != 0:
            raise SettingError("count_include_pad", False, "must be True where padding is not 0")
        x, padding = self._all_padding(x, padding, 0.0)
        shape = self._image(x)
        if compact(padding) == 0 and shape[:2] == both(kernel):
            return self.global_pool(x)
        return self._pool(AvgPoolLayer, x, kernel, stride, padding, ceil_mode)

    def adaptive_avg_pool(self, x: Value, size: Pair[int | None]) -> Value:
        shape = self._image(x)
        sizes = tuple(size) if isinstance(size, Sequence) else (size, size)
        height, width = (side if size is None else size for size, side in zip(sizes, shape[:2], strict=True))
        if (height, width) == (1, 1):
            return self.global_pool(x)
        if shape.height % height or shape.width % width:
            raise SettingError("output_size", (height, width), f"must divide its input, {shape}, evenly")
        kernel = compact((shape.height // height, shape.width // width))
        return x if kernel == 1 else self._pool(AvgPoolLayer, x, kernel, kernel, 0, False)

    def global_pool(self, x: Value) -> Value:
        return self.append(GlobalPoolLayer, x, Shape(1, 1, self._image(x).channels))

    def add(self, a: object, b: object, alpha: float = 1) -> Value:
        if not isinstance(a, Value) or not isinstance(b, Value):
            other = b if isinstance(a, Value) else a
            if isinstance(other, Tensor):
                other = f"a constant tensor of shape {tuple(other.shape)}"
            raise SettingError("operand", other, "both must be tensors that the network computes")
        if alpha != 1:
            raise SettingError("alpha", alpha, "must be 1")
        if self.shape(a) != self.shape(b) or a.rank != b.rank:
            raise SettingError("operands", f"{self.shape(a)} and {self.shape(b)}", "both must have one shape")
        return self.append(AddLayer, a, self.shape(a), more=(b.layer,))

    def pad(self, x: Value, sides: Sequence[int], value: float) -> Value:
        """Padding, which becomes part of the convolution or pooling that follows.

        Parameters
            x         images
            sides     how many columns left and right, and rows above and below, as torch counts them
            value     what they hold
        """
        self._image(x)
        left, right, top, bottom = (*sides, 0, 0)[:4]
        if len(sides) not in (2, 4) or min(sides) < 0:
            raise SettingError("pad", tuple(sides), "must be (left, right) or (left, right, top, bottom), none below 0")
        return x._replace(around=(top, left, bottom, right), fill=float(value))

    def flatten(self, x: Value, start: int, end: int) -> Value:
        if start != 1 or end not in (-1, x.rank - 1):
            raise SettingError("start_dim, end_dim", (start, end), "only [n, C, H, W] to [n, features] is possible")
        return x._replace(flat=True, line=False)

    def _pool(
        self, kind: type[Layer], x: Value, kernel: Pair[int], stride: Pair[int] | None, padding: Pair[int], ceil: bool
    ) -> Value:
        if ceil:
            raise SettingError("ceil_mode", True, "must be False")
        k, s, p = (compact(sizes) for sizes in (kernel, stride or kernel, padding))
        if isinstance(k, int) and k == s and k > 2 and k.bit_count() == 1 and p == 0:
            # pooling disjoint cells of 2^n x 2^n is pooling 2 x 2 cells n times
            return self._pool(kind, self._pool(kind, x, 2, 2, 0, False), k // 2, k // 2, 0, False)
        return self.append(kind, x, self._window(self._image(x), k, s, p), kernel=k, stride=s, padding=p)

    def _window(
        self, shape: Shape, kernel: Pair[int], stride: Pair[int], padding: Pair[int], dilation: Pair[int] = 1
    ) -> Shape:
        window = Window.of(kernel, stride, padding, dilation)
        refused = refusal(window, shape)
        if refused:
            field, why = refused
            given = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}[field]
            raise SettingError("kernel_size" if field == "kernel" else field, given, why)
        return Shape(*window.out_sides(shape.height, shape.width), shape.channels)

    def _all_padding(self, x: Value, padding: Pair[int], fill: float) -> tuple[Value, Pair[int]]:
        """``x`` before its padding, and a window's padding, of numbers ``fill``, together with that."""
        if not any(x.around):
            return x, padding
        if x.fill != fill:
            raise SettingError("input", f"padded with {x.fill}", f"must be padded with {fill}")
        own = both(padding)
        total = tuple(sum(sides) for sides in zip(x.around, own[:2] + own[-2:], strict=True))
        return x._replace(around=(0, 0, 0, 0), fill=0.0), total

    def _never_negative(self, x: Value) -> bool:
        layer = self.layers[x.layer]
        return isinstance(layer, ClipLayer) and layer.clip[0] >= 0

    def _image(self, x: Value) -> Shape:
        if x.flat:
            raise SettingError("input", f"[n, {self.features(x)}]", "must be an image [n, C, H, W]")
        return self.shape(x)

    def append(self, kind: type[Layer], x: Value, shape: Shape, more: tuple[str, ...] = (), **fields: object) -> Value:
        """Add a layer.

        Parameters
            kind      class of the layer
            x         its first input
            shape     shape of its output
            more      names of the layers of its other inputs
            fields    further fields of the class
        Returns       its output, flat if ``x`` is
        """
        name = self._unique(node_name(self.path, kind.kind))
        self.layers[name] = kind(name=name, inputs=(x.layer, *more), shape=shape, **fields)  # type: ignore[arg-type]
        return x._replace(layer=name)

    def _unique(self, name: str) -> str:
        candidate, count = name, 0
        while candidate in self.layers:
            count += 1
            suffix = f"_{count}"
            candidate = name[: MAX_NAME - len(suffix)] + suffix
        return candidate


def node_name(path: str, kind: str) -> str:
    """The graph node name of a module path: ``layer1.0.conv1`` is ``layer1_0_conv1``."""
    name = re.sub(r"[^a-z0-9_]", "_", path.lower())
    if not name[:1].isalpha():
        name = f"{kind}_{name}".rstrip("_")
    name = name if len(name) <= MAX_NAME else f"{kind}_{name[len(kind) + 1 - MAX_NAME :]}"
    assert NAME.fullmatch(name), name
    return name


def _bias(weight: Tensor, bias: Tensor | None) -> Tensor:
    return weight.new_zeros(len(weight)) if bias is None else bias.detach()
