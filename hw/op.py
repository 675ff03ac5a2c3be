"""What every op of the hardware has: its lanes, its cycles, its resources and its component."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

from amaranth.lib import wiring

from hw.device import Device, Resources
from hw.fabric import Family, Part, family, total
from hw.layout import TokenLayout
from hw.mapping import OpMapping
from models.ir.activity import Activity
from models.ir.dtype import DType
from models.ir.graph import Node, Shape


class Tensor(NamedTuple):
    """What an input of an op carries; ``sparse`` where frames may have only some of their sites active."""

    shape: Shape
    dtype: DType
    sparse: bool = False


class Timing(NamedTuple):
    """When an op's beats leave, in cycles; the cycle simulator and the integer program rest on it.

    ``start``: from the input beat that completes a site to the first step on it. ``pipeline``: from the last
    step of a round to its first beat at the output. ``lead``: share of the input frame that must have come
    before the first site can start.
    """

    start: int
    pipeline: int
    lead: float


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


class Op(ABC):
    """One node with its mapping. Raises a ValueError, naming node and value, for a mapping that does not fit.

    ``in_lanes``: the lanes each input stream must have; ``out_lanes``: those of the output, the fewest that do
    not slow the op down.
    """

    def __init__(self, node: Node, inputs: tuple[Tensor, ...], mapping: OpMapping) -> None:
        self.node, self.inputs, self.mapping = node, inputs, mapping
        self.shape = node.out_shape(*(tensor.shape for tensor in inputs))
        self.check()

    @property
    def input_names(self) -> tuple[str, ...]:
        """The component's input streams, in the order of the node's inputs."""
        return ("i",)

    @property
    def in_lanes(self) -> int:
        return self.mapping.simd

    @property
    @abstractmethod
    def out_lanes(self) -> int: ...

    @property
    def in_layout(self) -> TokenLayout:
        return TokenLayout(self.inputs[0].shape, self.inputs[0].dtype, self.in_lanes)

    @property
    def out_layout(self) -> TokenLayout:
        return TokenLayout(self.shape, self.node.dtype, self.out_lanes)

    @classmethod
    @abstractmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        """Every mapping of the node that makes sense on the device."""

    @abstractmethod
    def check(self) -> None:
        """Raise a ValueError where the mapping does not fit the node."""

    @abstractmethod
    def cycles(self, activity: Activity) -> int:
        """Cycles a frame in steady state, with a source and a sink that never wait."""

    @abstractmethod
    def timing(self) -> Timing: ...

    @abstractmethod
    def parts(self, f: Family) -> list[Part]:
        """What the component takes, by part, named as its submodules are."""

    def resources(self, device: Device) -> Resources:
        f = family(device)
        return total(f, self.parts(f))

    @abstractmethod
    def component(self) -> wiring.Component: ...

    def _divides(self, field: str, whole: int, of: str) -> None:
        value = getattr(self.mapping, field)
        if whole % value:
            valid = ", ".join(map(str, divisors(whole)))
            raise ValueError(
                f"op {self.node.name!r}, field {field!r}: {value} does not divide {whole} {of}; {valid} do"
            )

    def _one_of(self, field: str, valid: tuple[int, ...]) -> None:
        value = getattr(self.mapping, field)
        if value not in valid:
            raise ValueError(f"op {self.node.name!r}, field {field!r}: {value} must be one of {valid}")


def fewest_lanes(pe: int, steps: int) -> int:
    """The fewest of ``pe``'s divisors through which ``pe`` results leave within ``steps`` cycles."""
    return next(lanes for lanes in divisors(pe) if pe // lanes <= steps)


def queue_depth(round_steps: int, beats: int, pipeline: int, frame: int) -> int:
    """Places an output queue needs so that rounds follow each other without a gap when the sink never waits.

    A round's ``beats`` places are taken at its first step and are free again two cycles after its last beat left;
    each ``end``, ``frame`` cycles after the one before, takes a place too.
    """
    held = round_steps + pipeline + beats + 1
    return -(-held // round_steps) * beats + -(-held // frame)


def frame_queue_depth(end_beats: int, pipeline: int, period: int) -> int:
    """The same for ops whose ``end_beats`` all come at the end of a frame, ``period`` cycles apart at the least."""
    return -(-(pipeline + end_beats + 2) // period) * end_beats
