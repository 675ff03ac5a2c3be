"""The base class of hardware ops: lanes, cycles, resources and the component of a node with its mapping."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

from amaranth.lib import wiring

from hw.fpga.device import Device, Resources
from hw.fpga.families.family import FpgaFamily
from hw.fpga.families.registry import family
from hw.fpga.formulas import ResourceEstimate, total
from hw.fpga.mapping import OpMapping
from hw.ops.latency import OpLatency
from hw.ops.process import Process
from hw.streams.layout import TokenLayout
from models.ir.activity import Activity
from models.ir.dtype import DType
from models.ir.node import Node, Shape


class Tensor(NamedTuple):
    """What an input of an op carries.

    Parameters
        shape      height, width and channels of a frame
        dtype      format of the features
        sparse     whether frames may have only some of their sites active
    """

    shape: Shape
    dtype: DType
    sparse: bool = False


def divisors(n: int) -> list[int]:
    """All divisors of a number, ascending.

    Parameters
        n          at least 1
    """
    return [d for d in range(1, n + 1) if n % d == 0]


class Op(ABC):
    """One node with its mapping, as hardware.

    ``out_lanes``, the lanes of the output stream, are the fewest that do not slow the op down.

    Parameters
        node       node of the graph
        inputs     one entry per input of the node
        mapping    folding of the op, and what it is made of
    Raises         ValueError: when the mapping does not fit the node; the message names node, field and value
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
        """Lanes that each input stream must have."""
        return self.mapping.simd

    @property
    @abstractmethod
    def out_lanes(self) -> int: ...

    @property
    @abstractmethod
    def depth(self) -> int:
        """Places of the queue at the component's output."""

    @property
    def in_layout(self) -> TokenLayout:
        """Layout of the first input stream."""
        return TokenLayout(self.inputs[0].shape, self.inputs[0].dtype, self.in_lanes)

    @property
    def in_beats(self) -> tuple[int, ...]:
        """Beats of a token of each input stream."""
        return tuple(tensor.shape.channels // self.in_lanes for tensor in self.inputs)

    @property
    def out_layout(self) -> TokenLayout:
        """Layout of the output stream."""
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
        """Cycles per frame in steady state, with a source and a sink that never wait."""

    @property
    @abstractmethod
    def start(self) -> int:
        """Cycles from the input beat that completes a site to the first step on it."""

    @property
    @abstractmethod
    def pipeline(self) -> int:
        """Cycles from the last step of a round, or from a beat in, to the first beat that it gives at the output."""

    @abstractmethod
    def latency(self, activity: Activity) -> OpLatency:
        """Latency figures of a frame, for the integer program."""

    @property
    @abstractmethod
    def process(self) -> Process:
        """How the op moves tokens, for the simulators."""

    @abstractmethod
    def parts(self, f: FpgaFamily) -> list[ResourceEstimate]:
        """The resources of the component, part by part."""

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
    """The fewest lanes, of the divisors of ``pe``, through which ``pe`` results leave in time.

    Parameters
        pe         results
        steps      cycles in which they must leave, at least 1
    """
    return next(lanes for lanes in divisors(pe) if pe // lanes <= steps)


def queue_depth(fold_cycles: int, beats: int, pipeline: int, frame: int) -> int:
    """Depth of an output queue such that rounds follow each other without a gap when the sink never waits.

    A round takes a place for each of its beats at its first step. The places are free again two cycles after its last
    beat has left. Each ``end`` takes a place too.

    Parameters
        fold_cycles    cycles of a round
        beats          output beats of a round
        pipeline       cycles from a round's last step to its first beat at the output
        frame          the fewest cycles from one ``end`` to the next
    """
    reserved = fold_cycles + pipeline + beats + 1
    return -(-reserved // fold_cycles) * beats + -(-reserved // frame)


def frame_queue_depth(end_beats: int, pipeline: int, period: int) -> int:
    """Depth of an output queue such that frames follow each other without a gap when the sink never waits.

    All beats of the op leave at the end of a frame.

    Parameters
        end_beats    output beats of a frame, with its ``end``
        pipeline     cycles from the input's ``end`` to the first beat at the output
        period       the fewest cycles from one ``end`` to the next
    """
    return -(-(pipeline + end_beats + 2) // period) * end_beats
