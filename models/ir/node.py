"""Nodes of an integer graph: what every one has, and must say of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.window import Window


class GraphError(ValueError):
    """A graph that cannot be computed; the message names node, field and value.

    Parameters
        node       name of the node
        name       the field
        value      what the field holds
        why        the rest of the message: what is valid
    """

    def __init__(self, node: str, name: str, value: object, why: str) -> None:
        super().__init__(f"graph node {node!r}, field {name!r}: {value!r} {why}")
        self.node, self.field, self.value = node, name, value


class Shape(NamedTuple):
    """The shape of a frame.

    Parameters
        height     rows
        width      columns
        channels   features per site
    """

    height: int
    width: int
    channels: int

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.channels}"


class NodeSites(NamedTuple):
    """The sites of one node in one frame, token by token.

    Parameters
        source   ``[tokens, 2]``, the active sites of one of its inputs
        sites    ``[sites, 2]``, the active sites of its output
        taps     with a window, the active taps of each output site
        needs    with a window, the number of tokens that must be visible before the output site is complete; one more
                 than there are where the site waits for the frame's end
        whole    with a window, whether the last of these tokens must have arrived completely
    """

    source: np.ndarray
    sites: np.ndarray
    taps: np.ndarray
    needs: np.ndarray
    whole: np.ndarray

    @classmethod
    def without_window(cls, source: np.ndarray, sites: np.ndarray) -> NodeSites:
        return cls(source, sites, _NONE, _NONE, _NONE)


_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False, kw_only=True)
class Node(ABC):
    """One operation of a graph, with its constants.

    Parameters
        name       unique within its graph
        inputs     names of the nodes whose frames it takes
        dtype      number format of the output
        scale      real value of one decoded step of the output
    """

    op: ClassVar[str]
    """What files call the operation."""
    arity: ClassVar[int] = 1
    """How many frames it takes."""
    owns_format: ClassVar[bool] = True
    """Whether the output has a number format of its own choice, not that of the input or of the data set."""
    takes_frame: ClassVar[bool] = False
    """Whether the one site of its output waits for the end of the input's frame."""

    name: str
    inputs: tuple[str, ...]
    dtype: DType
    scale: float = 1.0

    @property
    def window(self) -> Window | None:
        """The sliding window through which it sees its input; None where it sees one site, or all of them."""
        return None

    @abstractmethod
    def out_shape(self, *inputs: Shape) -> Shape:
        """The shape of the output for inputs of these shapes."""

    @abstractmethod
    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        """Raise a GraphError where a field does not fit the inputs."""

    @abstractmethod
    def compute(self, *inputs: Frame) -> Frame:
        """Golden: the output's frame, exactly, from those of the inputs."""

    @abstractmethod
    def sites(self, source: Frame, sparse: bool) -> NodeSites:
        """The active sites of the output, and what they wait for.

        Parameters
            source     active sites of one of the inputs
            sparse     whether frames of the graph may have inactive sites
        """

    @abstractmethod
    def departures(self, arrivals: np.ndarray, sites: NodeSites) -> np.ndarray:
        """When the output's tokens leave, if every node takes the same time for a frame.

        Parameters
            arrivals   when the input's tokens arrive, in frames
            sites      the node's sites in the frame
        """

    @abstractmethod
    def work(self, sites: NodeSites, before: np.ndarray) -> np.ndarray:
        """The cost of each output token, as relative weights within the frame.

        Parameters
            sites      the node's sites in the frame
            before     the same weights of the input's tokens
        """

    def error(self, name: str, value: object, why: str) -> GraphError:
        return GraphError(self.name, name, value, why)
