"""Which number format every tensor of a plan takes, from an assignment of format names to layers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.ir.dtype import DType, IntType, parse_dtype
from models.plan import ClippedLayer, InputLayer, Layer, Plan, WeightedLayer

LOGITS = IntType(16)
FORMATS = ("int8", "int4", "dybit8", "dybit4")
_FORMAT = re.compile(r"(int|dybit)[2-8]")


class AssignmentError(ValueError):
    """An assignment that does not fit its plan; the message names layer and format and what would be valid."""


@dataclass(frozen=True)
class Formats:
    """The format of every layer's output, and of the weights of those that have any."""

    output: dict[str, DType]
    weight: dict[str, DType]


def check_format(name: str, where: str = "format") -> str:
    """``name``, if it is a format that a layer can take."""
    if not isinstance(name, str) or not _FORMAT.fullmatch(name):
        raise AssignmentError(f"{where}: unknown format {name!r}; valid are int2 to int8 and dybit2 to dybit8")
    return name


def complete(plan: Plan, assignment: Mapping[str, str] | str) -> dict[str, str]:
    """The assignment with one format for each of ``plan.choices``; a bare format name stands for all."""
    choices = plan.choices
    if isinstance(assignment, str):
        return dict.fromkeys(choices, check_format(assignment))
    for name in assignment:
        if name not in choices:
            raise AssignmentError(f"assignment names {name!r}, no layer with a format; those are {', '.join(choices)}")
    missing = [name for name in choices if name not in assignment]
    if missing:
        raise AssignmentError(f"assignment gives no format to {', '.join(missing)}")
    return {name: check_format(assignment[name], f"assignment of {name!r}") for name in choices}


def resolve(plan: Plan, input_dtype: IntType, assignment: Mapping[str, str] | str) -> Formats:
    """Formats with signs: weights signed, activations that are never negative unsigned, the result ``int16``."""
    names = complete(plan, assignment)
    output: dict[str, DType] = {}
    weight: dict[str, DType] = {}
    positive: dict[str, bool] = {}
    for layer in plan.layers:
        positive[layer.name] = _positive(layer, input_dtype, positive)
        if isinstance(layer, WeightedLayer):
            weight[layer.name] = parse_dtype(names[layer.name])
        if isinstance(layer, InputLayer):
            output[layer.name] = input_dtype
        elif not isinstance(layer, ClippedLayer):
            output[layer.name] = output[layer.inputs[0]]
        elif layer.name == plan.output:
            output[layer.name] = LOGITS
        else:
            sign = "u" if positive[layer.name] else ""
            output[layer.name] = parse_dtype(sign + names[layer.name])
    return Formats(output, weight)


def _positive(layer: Layer, input_dtype: IntType, positive: Mapping[str, bool]) -> bool:
    if isinstance(layer, InputLayer):
        return not input_dtype.signed
    if isinstance(layer, ClippedLayer) and layer.clip[0] >= 0:
        return True
    if isinstance(layer, WeightedLayer):
        return False
    return all(positive[name] for name in layer.inputs)
