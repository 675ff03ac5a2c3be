"""What every kind of node keeps to."""

from __future__ import annotations

import inspect

import pytest

from models.ir.ops.registry import NODES


def test_fields_are_given_by_name_alone() -> None:
    """A field that a base class gains must not move the others of what is built by place."""
    for kind in NODES.values():
        given = {parameter.kind for parameter in inspect.signature(kind).parameters.values()}
        assert given == {inspect.Parameter.KEYWORD_ONLY}, kind


def test_a_node_by_place_is_refused() -> None:
    for kind in NODES.values():
        with pytest.raises(TypeError):
            kind("name")  # pyright: ignore[reportCallIssue]
