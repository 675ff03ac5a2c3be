"""The number format of every tensor of a plan, from an assignment of format names to layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.layer_format import LayerFormat
from models.layers.input import InputLayer
from models.layers.layer import ClippedLayer, Layer, WeightedLayer
from models.plan import FloatPlan

LOGITS = IntType(16)
FORMATS = ("int8", "int4", "dybit8", "dybit4")


class AssignmentError(ValueError):
    """An assignment that does not fit its plan; the message names layer and format and what would be valid."""


@dataclass(frozen=True)
class Formats:
    """The formats of a plan's tensors, by layer.

    Parameters
        output     format of each layer's output
        weight     format of the weights, for layers that have some
    """

    output: dict[str, DType]
    weight: dict[str, DType]


def check_format(name: str, where: str = "format") -> str:
    """Return ``name``, or raise an ``AssignmentError`` if it does not name a ``LayerFormat``.

    Parameters
        name      name of a format
        where     what the message calls its place
    """
    try:
        LayerFormat.parse(name)
    except ValueError as error:
        raise AssignmentError(f"{where}: {error}") from None
    return name


def uniform(
    plan: FloatPlan, weights: str, output: str, ends: str | None = None, branches: str | None = None
) -> dict[str, str]:
    """One assignment for all layers, with finer formats where these usually pay off.

    Parameters
        plan         float network
        weights      format of the weights
        output       format of the outputs
        ends         format of the weights of the first and the last weighted layer, and of the input of the last one
        branches     format of outputs that only an add consumes, which rounds their sum again
    """
    ends, branches = ends or weights, branches or output
    weighted = [layer.name for layer in plan.layers if isinstance(layer, WeightedLayer)]
    outer = {weighted[0], weighted[-1]} if weighted else set()
    last_inputs = {_owner(plan, plan[name]) for name in plan[weighted[-1]].inputs} if weighted else set()

    def format_of(name: str) -> str:
        consumers = [plan[user] for user in plan.consumers(name)]
        own = output
        if name in last_inputs:
            own = ends
        elif consumers and all(isinstance(user, ClippedLayer) and user.rounds_inputs for user in consumers):
            own = branches
        return str(LayerFormat(ends if name in outer else weights, own))

    return {name: check_format(format_of(name)) for name in plan.quantizable_layers}


def _owner(plan: FloatPlan, layer: Layer) -> str:
    """The layer that defines the format of ``layer``'s output."""
    while layer.inputs and not isinstance(layer, ClippedLayer):
        layer = plan[layer.inputs[0]]
    return layer.name


def complete(plan: FloatPlan, assignment: Mapping[str, str] | str) -> dict[str, str]:
    """Expand an assignment to all of ``plan.quantizable_layers``; one format name stands for every layer."""
    choices = plan.quantizable_layers
    if isinstance(assignment, str):
        return dict.fromkeys(choices, check_format(assignment))
    for name in assignment:
        if name not in choices:
            raise AssignmentError(f"assignment names {name!r}, no layer with a format; those are {', '.join(choices)}")
    missing = [name for name in choices if name not in assignment]
    if missing:
        raise AssignmentError(f"assignment gives no format to {', '.join(missing)}")
    return {name: check_format(assignment[name], f"assignment of {name!r}") for name in choices}


def resolve(plan: FloatPlan, input_dtype: IntType, assignment: Mapping[str, str] | str) -> Formats:
    """Add signs: weights are signed, activations that are never negative are unsigned, the result is ``int16``."""
    names = complete(plan, assignment)
    output: dict[str, DType] = {}
    weight: dict[str, DType] = {}
    positive: dict[str, bool] = {}
    for layer in plan.layers:
        positive[layer.name] = _positive(layer, input_dtype, positive)
        if isinstance(layer, WeightedLayer):
            weight[layer.name] = parse_dtype(LayerFormat.parse(names[layer.name]).weights)
        if isinstance(layer, InputLayer):
            output[layer.name] = input_dtype
        elif not isinstance(layer, ClippedLayer):
            output[layer.name] = output[layer.inputs[0]]
        elif layer.name == plan.output:
            output[layer.name] = LOGITS
        else:
            sign = "u" if positive[layer.name] else ""
            output[layer.name] = parse_dtype(sign + LayerFormat.parse(names[layer.name]).output)
    return Formats(output, weight)


def _positive(layer: Layer, input_dtype: IntType, positive: Mapping[str, bool]) -> bool:
    if isinstance(layer, InputLayer):
        return not input_dtype.signed
    if isinstance(layer, ClippedLayer) and layer.clip[0] >= 0:
        return True
    if isinstance(layer, WeightedLayer):
        return False
    return all(positive[name] for name in layer.inputs)
