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
from models.quant.calibrate import Calibration, bounded
from models.quant.fake import clip, fake_quantize, round_through
from models.quant.formats import LOGITS, Formats
from models.quant.integer import IntegerLayer, integer_unweighted, integer_weighted

TIE = 2.0**-8
"""In steps: more than float32 loses of a sum, and less than sums are apart."""
BATCH = 32
"""Images at a time in exact integers: the layers of more do not stay near the processor, and take twice the time."""


class QuantizedLayer(nn.Module):
    """One layer's parameters: weight, bias, and the logarithms (base 2) of its learned scales.

    The scales of the input and of the result are fixed; a max pooling has that of its input.
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
        """The fake-quantized output from fake-quantized inputs."""
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
        # sums lie on half steps, many of them between two values: what float makes of a tie must still go upward
        return fake_quantize(y, self.log_scale.exp2(), self.dtype, TIE if layer.rounds_inputs else 0.0)

    def quantized_weight(self) -> Tensor:
        """The weight, of a layer that has one, as its format has it."""
        assert self.weight_dtype is not None
        scale = self.log_weight_scale.exp2().view(-1, *[1] * (self.weight.dim() - 1))
        return fake_quantize(self.weight, scale, self.weight_dtype)

    def integer(self, sources: tuple[IntegerLayer, ...]) -> IntegerLayer:
        """The layer as it stands, in integers."""
        layer = self.layer
        if layer.keeps_format:
            return IntegerLayer(layer, Integers(dtype=self.dtype, scale=sources[0].integers.scale))
        scale = float(self.log_scale.detach().double().exp2() if self.learns_scale else self.fixed_scale)
        if not isinstance(layer, ClippedLayer):
            return IntegerLayer(layer, Integers(dtype=self.dtype, scale=scale))
        if not isinstance(layer, WeightedLayer):
            return integer_unweighted(layer, sources, self.dtype, scale)
        assert self.weight_dtype is not None
        return integer_weighted(
            layer,
            self.weight.detach(),
            self.bias.detach(),
            bounded(self.log_weight_scale.detach().double().exp2()),
            self.weight_dtype,
            sources[0].integers,
            self.dtype,
            scale,
        )


class QuantizedNetwork(nn.Module):
    """A plan with a format for every tensor.

    In training mode ``forward`` is the fake-quantized float network with gradients; in eval mode
    it is the exact integer network, its logits times their scale.
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
        """By name, in order."""
        return {part.layer.name: part for part in self.parts if isinstance(part, QuantizedLayer)}

    def values(self, x: Tensor) -> dict[str, Tensor]:
        """What each layer of the fake-quantized float network gives."""
        values: dict[str, Tensor] = {}
        for name, part in self.layers.items():
            inputs = [values[source] for source in part.layer.inputs] or [x]
            values[name] = part(*inputs)
        return values

    def integer_layers(self) -> tuple[IntegerLayer, ...]:
        """The network as it stands, in integers."""
        layers: dict[str, IntegerLayer] = {}
        for name, part in self.layers.items():
            layers[name] = part.integer(tuple(layers[source] for source in part.layer.inputs))
        return tuple(layers.values())

    def integers(self, x: Tensor) -> dict[str, Tensor]:
        """int64 ``[n, C, H, W]`` of every node, keyed by its name, for images ``x``.

        A ``SparseTensor`` where the node's frames are sparse.
        """
        layers = self.integer_layers()
        parts = [_run(layers, part) for part in x.split(BATCH)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def logits(self, x: Tensor) -> Tensor:
        """The exact logits times their scale, float32 ``[n, classes]``."""
        layers = self.integer_layers()
        scale = next(layer.integers.scale for layer in layers if layer.layer.name == self.plan.output)
        outputs = [_run(layers, part)[self.plan.output].flatten(1) for part in x.split(BATCH)]
        return (torch.cat(outputs).double() * scale).float()

    def export(self) -> Graph:
        """The integer graph, which golden computes to the same integers."""
        return Graph(self.plan.name, tuple(layer.export() for layer in self.integer_layers()), self.plan.output)


def _run(layers: tuple[IntegerLayer, ...], x: Tensor) -> dict[str, Tensor]:
    values: dict[str, Tensor] = {}
    for layer in layers:
        inputs = [values[source] for source in layer.layer.inputs] or [x]
        values[layer.layer.name] = layer.compute(*inputs)
    return values
