"""A network of another tool as a graph, and what lies between the file's numbers and the graph's."""

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
