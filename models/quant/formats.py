"""Which number format every tensor of a plan takes, from an assignment of format names to layers."""

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
    """The format of every layer's output, and of the weights of those that have any."""

    output: dict[str, DType]
    weight: dict[str, DType]


def check_format(name: str, where: str = "format") -> str:
    """``name``, if it is a format that a layer can take: that of a ``LayerFormat``."""
    try:
        LayerFormat.parse(name)
    except ValueError as error:
        raise AssignmentError(f"{where}: {error}") from None
    return name


def uniform(
    plan: FloatPlan, weights: str, output: str, ends: str | None = None, branches: str | None = None
) -> dict[str, str]:
    """The assignment of ``weights`` and ``output`` to every layer, apart from what is usually kept finer.

    ``ends``: the format of the weights of the first and the last layer that have any, and of what the last one reads.
    ``branches``: that of results that nothing but an add reads, which rounds their sum again.
    """
    ends, branches = ends or weights, branches or output
    weighted = [layer.name for layer in plan.layers if isinstance(layer, WeightedLayer)]
    outer = {weighted[0], weighted[-1]} if weighted else set()
    read = {_owner(plan, plan[name]) for name in plan[weighted[-1]].inputs} if weighted else set()

    def chosen(name: str) -> str:
        consumers = [plan[user] for user in plan.consumers(name)]
        own = output
        if name in read:
            own = ends
        elif consumers and all(isinstance(user, ClippedLayer) and user.rounds_inputs for user in consumers):
            own = branches
        return str(LayerFormat(ends if name in outer else weights, own))

    return {name: check_format(chosen(name)) for name in plan.quantizable_layers}


def _owner(plan: FloatPlan, layer: Layer) -> str:
    """The layer whose format ``layer`` has."""
    while layer.inputs and not isinstance(layer, ClippedLayer):
        layer = plan[layer.inputs[0]]
    return layer.name


def complete(plan: FloatPlan, assignment: Mapping[str, str] | str) -> dict[str, str]:
    """The assignment with one format for each of ``plan.quantizable_layers``; a bare format name stands for all."""
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
    """Formats with signs: weights signed, activations that are never negative unsigned, the result ``int16``."""
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
