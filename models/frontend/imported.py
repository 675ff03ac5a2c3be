"""What importers give: a network of another tool as a graph, and what became of each of its operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.ir import golden
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import Node


class NetworkFileError(ValueError):
    """A file of another tool that cannot be imported; the message names file, place and value.

    Parameters
        path     the file
        where    the operator or tensor, or nothing
        why      the rest of the message
    """

    def __init__(self, path: Path, where: str, why: str) -> None:
        super().__init__(f"{path}: {where + ': ' if where else ''}{why}")


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

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """The file's outputs by golden.

        Parameters
            inputs    as the file takes them, ``[n, ...]``
        """
        frames = [golden.run(self.graph, Frame.from_dense(numbers)) for numbers in self.inputs(inputs)]
        return self.outputs(np.stack([frame[self.graph.output].to_dense() for frame in frames]))


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


def verdict_of(operator: str, path: Path, take: Callable[[], None], nodes: Sequence[Node]) -> Verdict:
    """What becomes of an operator once it is taken.

    Parameters
        operator    its number and its name in the file
        path        the file
        take        takes it
        nodes       of the graph so far
    """
    before = len(nodes)
    try:
        take()
    except NetworkFileError as error:
        return Verdict(operator, why=str(error).removeprefix(f"{path}: {operator}: "), refused=True)
    if len(nodes) > before:
        return Verdict(operator, nodes[-1].name)
    return Verdict(operator, why="becomes part of what stands beside it")
