"""Passes over a raw plan: they fold batch norms into weights and fuse activations into the layers before them."""

from __future__ import annotations

from dataclasses import replace

from models.layers.batch_norm import BatchNormLayer
from models.layers.clip import ClipLayer
from models.layers.conv import ConvLayer
from models.layers.layer import ClippedLayer, Layer, WeightedLayer
from models.plan import FloatPlan


def fold_batchnorm(plan: FloatPlan) -> FloatPlan:
    """The plan without batch norms.

    A batch norm that is the only consumer of a weighted layer is folded into it. Otherwise, it is folded into its
    consumers if the weights of all of them can absorb it. Any other batch norm becomes a depthwise 1 x 1 convolution,
    which, unlike a requantize node, can also change a channel's sign.
    """
    layers: dict[str, Layer] = {}
    merged_into: dict[str, str] = {}
    pending: dict[str, BatchNormLayer] = {}
    for layer in plan.layers:
        layer = _with_merged_inputs(layer, merged_into)
        before = [pending[name] for name in layer.inputs if name in pending]
        layer = _absorb(before[0], layer) if before else layer
        if not isinstance(layer, BatchNormLayer):
            layers[layer.name] = layer
            continue
        producer = layers[layer.inputs[0]]
        if isinstance(producer, WeightedLayer) and _has_one_consumer(plan, merged_into, producer.name):
            layers[producer.name] = replace(
                producer,
                weight=producer.weight * layer.scale[:, None, None, None],
                bias=producer.bias * layer.scale + layer.offset,
            )
            merged_into[layer.name] = producer.name
        elif layer.name != plan.output and all(
            _absorbs(plan, plan[user], layer) for user in plan.consumers(layer.name)
        ):
            pending[layer.name] = layer
        else:
            weight = layer.scale[:, None, None, None]
            layers[layer.name] = ConvLayer(
                name=layer.name,
                inputs=layer.inputs,
                shape=layer.shape,
                weight=weight,
                bias=layer.offset,
                groups=len(weight),
            )
    return FloatPlan(plan.name, tuple(layers.values()), merged_into.get(plan.output, plan.output))


def _absorbs(plan: FloatPlan, layer: Layer, norm: BatchNormLayer) -> bool:
    """Whether ``layer`` can absorb the batch norm in front of it."""
    if isinstance(layer, BatchNormLayer):
        return True
    if not isinstance(layer, WeightedLayer):
        return False
    return layer.absorbs_norm(bool(norm.offset.any()), plan.input.sparse)


def _absorb(norm: BatchNormLayer, layer: Layer) -> Layer:
    """``layer`` with the batch norm in front of it folded in."""
    scale, offset = norm.scale.double(), norm.offset.double()
    if isinstance(layer, BatchNormLayer):
        kind = layer.scale.dtype
        scale, offset = (scale * layer.scale).to(kind), (offset * layer.scale + layer.offset).to(kind)
        return replace(layer, inputs=norm.inputs, scale=scale, offset=offset)
    assert isinstance(layer, WeightedLayer)
    weight, kind = layer.weight.double(), layer.weight.dtype
    shift = (weight * layer.by_input(offset)[..., None, None]).sum(dim=(1, 2, 3))
    weight = weight * layer.by_input(scale)[..., None, None]
    return replace(layer, inputs=norm.inputs, weight=weight.to(kind), bias=(layer.bias + shift).to(kind))


def fuse_clips(plan: FloatPlan) -> FloatPlan:
    """The plan with each activation fused into its producer.

    The activation must be the producer's only consumer; max poolings may lie between the two. Any other activation
    stays a layer, and becomes a requantize node.
    """
    layers: dict[str, Layer] = {}
    merged_into: dict[str, str] = {}
    for layer in plan.layers:
        layer = _with_merged_inputs(layer, merged_into)
        target = _clip_target(plan, layers, merged_into, layer) if isinstance(layer, ClipLayer) else None
        if target is None:
            layers[layer.name] = layer
        else:
            assert isinstance(layer, ClipLayer)
            layers[target.name] = replace(target, clip=_clip_twice(target.clip, layer.clip))
            merged_into[layer.name] = layer.inputs[0]
    return FloatPlan(plan.name, tuple(layers.values()), merged_into.get(plan.output, plan.output))


def _clip_target(
    plan: FloatPlan, layers: dict[str, Layer], merged_into: dict[str, str], clip: ClipLayer
) -> ClippedLayer | None:
    producer = layers[clip.inputs[0]]
    while _has_one_consumer(plan, merged_into, producer.name):
        if isinstance(producer, ClippedLayer):
            return producer
        if not producer.keeps_format:
            return None
        # clipping and max pooling commute
        producer = layers[producer.inputs[0]]
    return None


def _clip_twice(first: tuple[float, float], then: tuple[float, float]) -> tuple[float, float]:
    low, high = (min(max(bound, then[0]), then[1]) for bound in first)
    return low, high


def _with_merged_inputs(layer: Layer, merged_into: dict[str, str]) -> Layer:
    return replace(layer, inputs=tuple(merged_into.get(name, name) for name in layer.inputs))


def _has_one_consumer(plan: FloatPlan, merged_into: dict[str, str], name: str) -> bool:
    """Whether the layer ``name``, with what was merged into it, has one consumer and is not the network's output."""
    names = [old for old, new in merged_into.items() if new == name]
    # the consumers are those of the last layer that was merged into it
    last = names[-1] if names else name
    return len(plan.consumers(last)) == 1 and plan.output != last
