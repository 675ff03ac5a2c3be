"""``QuantizedNetwork``: fake-quantized and trainable in training mode, exact integers in eval mode."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from models.ir.dtype import DType
from models.ir.graph import Graph
from models.layers.integers import Integers
from models.layers.layer import ClippedLayer, Layer, WeightedLayer
from models.plan import FloatPlan
from models.quant.calibrate import Calibration, limit_spread
from models.quant.fake import clip, fake_quantize, round_through
from models.quant.formats import LOGITS, Formats
from models.quant.integer import IntegerLayer, integer_table, integer_unweighted, integer_weighted

TIE = 2.0**-8
"""In steps: more than the float32 error of a sum, and less than the distance between sums."""
BATCH = 32
"""Images per batch of exact integers. Larger batches leave the cache and take twice the time."""


class QuantizedLayer(nn.Module):
    """The parameters of one layer: weight, bias, and the base-2 logarithms of its learned scales.

    The scales of the network's input and result are fixed. A max pooling has the scale of its input.

    Parameters
        layer           float layer
        formats         formats of the plan's tensors
        calibration     initial scales
    """

    fixed_scale: Tensor
    log_scale: nn.Parameter
    weight: nn.Parameter
    bias: nn.Parameter
    log_weight_scale: nn.Parameter

    def __init__(self, layer: Layer, formats: Formats, calibration: Calibration) -> None:
        super().__init__()
        self.layer = layer
        self.dtype: DType = formats.output[layer.name]
        self.weight_dtype: DType | None = formats.weight.get(layer.name)
        self.learns_scale = isinstance(layer, ClippedLayer) and self.dtype != LOGITS
        if not layer.keeps_format:
            scale = torch.tensor(calibration.activation(layer.name, self.dtype), dtype=torch.float64)
            if self.learns_scale:
                self.log_scale = nn.Parameter(scale.log2().float())
            else:
                self.register_buffer("fixed_scale", scale)
        if isinstance(layer, WeightedLayer):
            assert self.weight_dtype is not None
            self.weight = nn.Parameter(layer.weight.detach().float().clone())
            self.bias = nn.Parameter(layer.bias.detach().float().clone())
            self.log_weight_scale = nn.Parameter(calibration.weight(layer.name, self.weight_dtype).log2().float())

    def forward(self, *inputs: Tensor) -> Tensor:
        """The fake-quantized output of fake-quantized inputs."""
        layer = self.layer
        if not isinstance(layer, ClippedLayer):
            y = layer.compute(*inputs)
            return y if layer.keeps_format else fake_quantize(y, self.fixed_scale.float(), self.dtype)
        if isinstance(layer, WeightedLayer):
            y = layer.weigh(inputs[0], self.quantized_weight(), self.bias)
        elif layer.rounds_inputs and self.learns_scale:
            step = self.log_scale.exp2() * 0.5**self.dtype.guard_bits
            y = layer.compute(*(round_through(x, step) for x in inputs))
        else:
            y = layer.compute(*inputs)
        # an unsigned format clips at zero by itself
        y = clip(y, -math.inf if self.dtype.min == 0 else layer.clip[0], layer.clip[1])
        if not self.learns_scale:
            return y
        # many sums lie halfway between two values; float errors must not round such a tie down
        return fake_quantize(y, self.log_scale.exp2(), self.dtype, TIE if layer.rounds_inputs else 0.0)

    def quantized_weight(self) -> Tensor:
        """The fake-quantized weight of a layer with weights."""
        assert self.weight_dtype is not None
        scale = self.log_weight_scale.exp2().view(-1, *[1] * (self.weight.dim() - 1))
        return fake_quantize(self.weight, scale, self.weight_dtype)

    def integer(self, sources: tuple[IntegerLayer, ...]) -> IntegerLayer:
        """The integers of the layer with its current parameters.

        Parameters
            sources     integer layers of its inputs
        """
        layer = self.layer
        if layer.keeps_format:
            return IntegerLayer(layer, Integers(dtype=self.dtype, scale=sources[0].integers.scale))
        scale = float(self.log_scale.detach().double().exp2() if self.learns_scale else self.fixed_scale)
        if not isinstance(layer, ClippedLayer):
            return IntegerLayer(layer, Integers(dtype=self.dtype, scale=scale))
        if layer.tabulated:
            return integer_table(layer, sources[0].integers, self.dtype, scale)
        if not isinstance(layer, WeightedLayer):
            return integer_unweighted(layer, sources, self.dtype, scale)
        assert self.weight_dtype is not None
        return integer_weighted(
            layer,
            self.weight.detach(),
            self.bias.detach(),
            limit_spread(self.log_weight_scale.detach().double().exp2()),
            self.weight_dtype,
            sources[0].integers,
            self.dtype,
            scale,
        )


class QuantizedNetwork(nn.Module):
    """A float network with a format for every tensor.

    In training mode ``forward`` computes the fake-quantized float network, with gradients. In eval mode it computes the
    exact integer network, and returns the logits times their scale.

    Parameters
        plan            float network
        formats         formats of its tensors
        calibration     initial scales
    """

    def __init__(self, plan: FloatPlan, formats: Formats, calibration: Calibration) -> None:
        super().__init__()
        self.plan = plan
        self.parts = nn.ModuleList(QuantizedLayer(layer, formats, calibration) for layer in plan.layers)

    def forward(self, x: Tensor) -> Tensor:
        """Real logits ``[n, classes]`` of images ``x`` [n, C, H, W]."""
        return self.fake_logits(x) if self.training else self.logits(x)

    def fake_logits(self, x: Tensor) -> Tensor:
        """Logits of the fake-quantized float network, whatever the mode."""
        return self.values(x)[self.plan.output].flatten(1)

    @property
    def layers(self) -> dict[str, QuantizedLayer]:
        """The layers by name, in topological order."""
        return {part.layer.name: part for part in self.parts if isinstance(part, QuantizedLayer)}

    def values(self, x: Tensor) -> dict[str, Tensor]:
        """Every layer's output in the fake-quantized float network."""
        values: dict[str, Tensor] = {}
        for name, part in self.layers.items():
            inputs = [values[source] for source in part.layer.inputs] or [x]
            values[name] = part(*inputs)
        return values

    def integer_layers(self) -> tuple[IntegerLayer, ...]:
        """The integer layers with the current parameters."""
        layers: dict[str, IntegerLayer] = {}
        for name, part in self.layers.items():
            layers[name] = part.integer(tuple(layers[source] for source in part.layer.inputs))
        return tuple(layers.values())

    def integers(self, x: Tensor) -> dict[str, Tensor]:
        """Every node's output for images ``x``, by name: int64 ``[n, C, H, W]``, as a ``SparseTensor`` where sparse."""
        layers = self.integer_layers()
        parts = [_run(layers, part) for part in x.split(BATCH)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def logits(self, x: Tensor) -> Tensor:
        """The exact integer logits times their scale, float32 ``[n, classes]``."""
        layers = self.integer_layers()
        scale = next(layer.integers.scale for layer in layers if layer.layer.name == self.plan.output)
        outputs = [_run(layers, part)[self.plan.output].flatten(1) for part in x.split(BATCH)]
        return (torch.cat(outputs).double() * scale).float()

    def export(self) -> Graph:
        """The integer graph, for which golden computes the same integers."""
        return Graph(self.plan.name, tuple(layer.export() for layer in self.integer_layers()), self.plan.output)


def _run(layers: tuple[IntegerLayer, ...], x: Tensor) -> dict[str, Tensor]:
    values: dict[str, Tensor] = {}
    for layer in layers:
        inputs = [values[source] for source in layer.layer.inputs] or [x]
        values[layer.layer.name] = layer.compute(*inputs)
    return values
