"""What importers give: a network of another tool as a graph, and what became of each of its operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.ir.graph import Graph


@dataclass(frozen=True, eq=False)
class ImportedNetwork:
    """A network of another tool.

    Parameters
        graph      the integer graph
        inputs     from the file's inputs ``[n, ...]`` to int64 frames ``[n, height, width, channels]``
        outputs    from frames of the graph's output ``[n, height, width, channels]`` to the file's outputs
        notes      sentences on what is computed outside of the graph
    """

    graph: Graph
    inputs: Callable[[np.ndarray], np.ndarray]
    outputs: Callable[[np.ndarray], np.ndarray]
    notes: tuple[str, ...] = ()


def valid_name(text: str) -> str:
    """A graph's name for a file's."""
    return "".join(letter if letter.isalnum() else "_" for letter in text.lower())[:48] or "network"


@dataclass(frozen=True)
class Verdict:
    """What becomes of an operator.

    Parameters
        operator    its number and its name in the file
        node        name of the node that it becomes; empty where it becomes none
        why         why it becomes none, or nothing
        refused     whether the network cannot be imported because of it
    """

    operator: str
    node: str = ""
    why: str = ""
    refused: bool = False
