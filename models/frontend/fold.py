"""Passes over a raw plan: batch norms into weights, activations into the layers before them."""

from __future__ import annotations

from dataclasses import replace

from models.layers.batch_norm import BatchNormLayer
from models.layers.clip import ClipLayer
from models.layers.conv import ConvLayer
from models.layers.layer import ClippedLayer, Layer, WeightedLayer
from models.plan import FloatPlan


def fold_batchnorm(plan: FloatPlan) -> FloatPlan:
    """The plan without batch norms.

    One that alone follows a layer with weights goes into them; else one that only layers follow whose weights can take
    it in goes into theirs. Any other becomes a depthwise 1 x 1 convolution, which unlike a requantize node may also
    change a channel's sign.
    """
    layers: dict[str, Layer] = {}
    renamed: dict[str, str] = {}
    ahead: dict[str, BatchNormLayer] = {}
    for layer in plan.layers:
        layer = _renamed(layer, renamed)
        before = [ahead[name] for name in layer.inputs if name in ahead]
        layer = _after(before[0], layer) if before else layer
        if not isinstance(layer, BatchNormLayer):
            layers[layer.name] = layer
            continue
        producer = layers[layer.inputs[0]]
        if isinstance(producer, WeightedLayer) and _alone(plan, renamed, producer.name):
            layers[producer.name] = replace(
                producer,
                weight=producer.weight * layer.scale[:, None, None, None],
                bias=producer.bias * layer.scale + layer.offset,
            )
            renamed[layer.name] = producer.name
        elif layer.name != plan.output and all(
            _takes_in(plan, plan[user], layer) for user in plan.consumers(layer.name)
        ):
            ahead[layer.name] = layer
        else:
            weight = layer.scale[:, None, None, None]
            layers[layer.name] = ConvLayer(
                name=layer.name,
                inputs=layer.inputs,
                shape=layer.shape,
                weight=weight,
                bias=layer.offset,
                depthwise=len(weight) > 1,
            )
    return FloatPlan(plan.name, tuple(layers.values()), renamed.get(plan.output, plan.output))


def _takes_in(plan: FloatPlan, layer: Layer, norm: BatchNormLayer) -> bool:
    """Whether ``layer`` can do what the batch norm before it does: where that moves zero, it must see no padding."""
    if isinstance(layer, BatchNormLayer):
        return True
    if not isinstance(layer, WeightedLayer):
        return False
    return layer.takes_in(bool(norm.offset.any()), plan.input.sparse)


def _after(norm: BatchNormLayer, layer: Layer) -> Layer:
    """``layer`` in place of itself and of the batch norm before it."""
    scale, offset = norm.scale.double(), norm.offset.double()
    if isinstance(layer, BatchNormLayer):
        kind = layer.scale.dtype
        scale, offset = (scale * layer.scale).to(kind), (offset * layer.scale + layer.offset).to(kind)
        return replace(layer, inputs=norm.inputs, scale=scale, offset=offset)
    assert isinstance(layer, WeightedLayer)
    weight, kind = layer.weight.double(), layer.weight.dtype
    shift = (weight * offset[*layer.by_input, None, None]).sum(dim=(1, 2, 3))
    weight = weight * scale[*layer.by_input, None, None]
    return replace(layer, inputs=norm.inputs, weight=weight.to(kind), bias=(layer.bias + shift).to(kind))


def fuse_clips(plan: FloatPlan) -> FloatPlan:
    """The plan with each activation in the layer that it alone follows, if need be past a max pooling.

    What cannot move stays a layer of its own, and becomes a requantize node.
    """
    layers: dict[str, Layer] = {}
    renamed: dict[str, str] = {}
    for layer in plan.layers:
        layer = _renamed(layer, renamed)
        target = _clip_target(plan, layers, renamed, layer) if isinstance(layer, ClipLayer) else None
        if target is None:
            layers[layer.name] = layer
        else:
            assert isinstance(layer, ClipLayer)
            layers[target.name] = replace(target, clip=_both(target.clip, layer.clip))
            renamed[layer.name] = layer.inputs[0]
    return FloatPlan(plan.name, tuple(layers.values()), renamed.get(plan.output, plan.output))


def _clip_target(
    plan: FloatPlan, layers: dict[str, Layer], renamed: dict[str, str], clip: ClipLayer
) -> ClippedLayer | None:
    producer = layers[clip.inputs[0]]
    while _alone(plan, renamed, producer.name):
        if isinstance(producer, ClippedLayer):
            return producer
        if not producer.keeps_format:
            return None
        # the largest of clipped values is the clipped largest value
        producer = layers[producer.inputs[0]]
    return None


def _both(first: tuple[float, float], then: tuple[float, float]) -> tuple[float, float]:
    low, high = (min(max(bound, then[0]), then[1]) for bound in first)
    return low, high


def _renamed(layer: Layer, renamed: dict[str, str]) -> Layer:
    return replace(layer, inputs=tuple(renamed.get(name, name) for name in layer.inputs))


def _alone(plan: FloatPlan, renamed: dict[str, str], name: str) -> bool:
    """Whether one layer uses what ``name`` now stands for, and the network does not return it."""
    names = [old for old, new in renamed.items() if new == name]
    # of the chain of layers merged into one, the last is the one whose consumers remain
    last = names[-1] if names else name
    return len(plan.consumers(last)) == 1 and plan.output != last
