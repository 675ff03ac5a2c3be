"""The float plan: what a traced network computes, as a list of frozen layers.

Tensors are float ``[n, C, H, W]`` throughout; a linear layer's output is ``[n, C, 1, 1]``. Any of them
may be a ``SparseTensor``, on which the same functions of torch see active sites alone. Layers
stand in an order in which inputs come before their consumers. ``clip`` bounds a layer's own result, so
that ReLU is ``(0, inf)``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from models.layers.input import InputLayer
from models.layers.layer import ClippedLayer, Layer, WeightedLayer


@dataclass(frozen=True, eq=False)
class FloatPlan:
    """A traced network: its layers in topological order, the one input first.

    Parameters
        name       name of the network
        layers     every layer after its inputs
        output     name of the layer whose output is the result
        ending     key of ``frontend.endings.ENDINGS``: the last function of the module, which the plan omits; or empty
        notes      sentences on what the plan omits
    """

    name: str
    layers: tuple[Layer, ...]
    output: str
    ending: str = ""
    """What the module does to the output and the plan leaves out: a key of ``frontend.endings.ENDINGS``; or nothing."""
    notes: tuple[str, ...] = ()
    """Sentences on what the plan leaves out."""

    def __getitem__(self, name: str) -> Layer:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    @property
    def input(self) -> InputLayer:
        source = self.layers[0]
        assert isinstance(source, InputLayer)
        return source

    def consumers(self, name: str) -> tuple[str, ...]:
        return tuple(layer.name for layer in self.layers for producer in layer.inputs if producer == name)

    @property
    def quantizable_layers(self) -> tuple[str, ...]:
        """Names of the layers that take a format of their own: what an assignment must name."""
        return tuple(
            layer.name
            for layer in self.layers
            if isinstance(layer, WeightedLayer) or (isinstance(layer, ClippedLayer) and layer.name != self.output)
        )

    def values(self, x: Tensor) -> dict[str, Tensor]:
        """Every layer's float result for images ``x`` [n, C, H, W], of a sparse plan for their active sites."""
        values: dict[str, Tensor] = {}
        for layer in self.layers:
            inputs = [values[name] for name in layer.inputs] or [x]
            values[layer.name] = layer.clipped(*inputs) if isinstance(layer, ClippedLayer) else layer.compute(*inputs)
        return values

    def logits(self, x: Tensor) -> Tensor:
        """The float output for images ``x``, flattened: ``[n, classes]``."""
        return self.values(x)[self.output].flatten(1)

    def to(self, dtype: torch.dtype) -> FloatPlan:
        """The same plan with weights of another float type."""

        def cast(layer: Layer) -> Layer:
            tensors = {
                field.name: value.to(dtype)
                for field in dataclasses.fields(layer)
                if isinstance(value := getattr(layer, field.name), Tensor)
            }
            return dataclasses.replace(layer, **tensors)

        return dataclasses.replace(self, layers=tuple(cast(layer) for layer in self.layers))
