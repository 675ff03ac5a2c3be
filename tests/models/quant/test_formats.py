from __future__ import annotations

import pytest

from models.frontend.trace import trace
from models.ir.formats.integer import IntType
from models.quant.formats import AssignmentError, complete, resolve, uniform
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
    choices = plan().quantizable_layers
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


def test_weights_and_outputs_may_have_formats_of_their_own() -> None:
    formats = resolve(plan(), IntType(4), "dybit4xint8")
    assert {str(dtype) for dtype in formats.weight.values()} == {"dybit4"}
    assert [str(formats.output[name]) for name in ("conv1", "relu", "add", "fc")] == ["int8", "uint8", "int8", "int16"]
    with pytest.raises(AssignmentError, match="assignment of 'fc': unknown format 'int4xint9'"):
        complete(plan(), dict.fromkeys(plan().quantizable_layers, "int8") | {"fc": "int4xint9"})


def test_ends_and_branches_stay_finer_where_asked_for() -> None:
    """conv2's result goes into the add alone; the mean is what the last weights read."""
    network = plan()
    same = uniform(network, "dybit4", "dybit4")
    assert same == dict.fromkeys(network.quantizable_layers, "dybit4")
    finer = uniform(network, "dybit2", "dybit4", ends="dybit8", branches="int8")
    assert finer == {
        "input_bn": "dybit8xdybit4",
        "conv1": "dybit2xdybit4",
        "relu": "dybit2xdybit4",
        "conv2": "dybit2xint8",
        "add": "dybit2xdybit4",
        "bn": "dybit2xdybit4",
        "mean": "dybit2xdybit8",
        "fc": "dybit8xdybit4",
    }
    complete(network, finer)
