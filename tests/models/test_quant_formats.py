from __future__ import annotations

import pytest

from models.ir.dtype import IntType
from models.quant.formats import AssignmentError, complete, resolve
from models.trace import trace
from tests.models.nets import net


def plan():
    model, data = net("pre_activation")
    return trace(model, data.shape)


def test_signs_follow_the_values() -> None:
    formats = resolve(plan(), IntType(4), "int4")
    assert {name: str(dtype) for name, dtype in formats.output.items()} == {
        "input": "int4",
        "input_bn": "int4",
        "conv1": "int4",
        "relu": "uint4",
        "conv2": "int4",
        "add": "int4",
        "bn": "uint4",
        "mean": "uint4",
        "fc": "int16",
    }
    assert {str(dtype) for dtype in formats.weight.values()} == {"int4"}
    assert set(formats.weight) == {"input_bn", "conv1", "conv2", "bn", "fc"}


def test_an_assignment_names_every_layer_once() -> None:
    choices = plan().choices
    whole = dict.fromkeys(choices, "int8") | {"fc": "dybit4"}
    assert complete(plan(), whole) == whole
    resolved = resolve(plan(), IntType(4), whole)
    assert str(resolved.weight["fc"]) == "dybit4"
    assert str(resolved.output["fc"]) == "int16"
    with pytest.raises(AssignmentError, match="names 'input', no layer with a format; those are input_bn, conv1"):
        complete(plan(), whole | {"input": "int8"})
    with pytest.raises(AssignmentError, match="gives no format to conv1, fc"):
        complete(plan(), {name: "int8" for name in choices if name not in ("conv1", "fc")})
    with pytest.raises(AssignmentError, match="assignment of 'fc': unknown format 'uint8'; valid are int2 to int8"):
        complete(plan(), whole | {"fc": "uint8"})
    for wrong in ("int9", "dybit1", "float"):
        with pytest.raises(AssignmentError, match=f"unknown format '{wrong}'"):
            complete(plan(), wrong)
