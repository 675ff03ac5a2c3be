"""``report.json``: everything a report shows, each figure with the way it was obtained."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field, model_validator

FORMAT = "netweave report"
VERSION = 3


class ReportError(ValueError):
    """An artifact that no report can be made from; the message names file, field and value."""


class Label(StrEnum):
    """How a figure was obtained."""

    ESTIMATED = "estimated"
    SIMULATED = "simulated"
    RTL = "rtl"
    SYNTHESIZED = "synthesized"
    ROUTED = "routed"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class AccuracyEntry(_Part):
    """``correct`` of ``total`` images of a split, counted by running the network on all of them."""

    correct: Annotated[int, Field(ge=0)]
    total: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _share(self) -> AccuracyEntry:
        if self.correct > self.total:
            raise ValueError(f"{self.correct} of {self.total} images are more than all")
        return self

    @property
    def percent(self) -> float:
        return 100 * self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval, in percent."""
        z, n, p = 1.959964, self.total, self.correct / self.total
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


class ResourcesEntry(_Part):
    lut: Count = 0
    ff: Count = 0
    bram: Count = 0
    dsp: Count = 0


class Solver(_Part):
    """What the solver said of what it ``minimised``: ``bound`` is proven, ``gap`` the share between it and what was
    found."""

    minimised: str
    status: str
    bound: float | None
    gap: float | None
    seconds: float


class Point(_Part):
    """One design: formats a layer, accuracy measured, cycles a frame and resources.

    ``right``: which validation images it gets right, as ``reports.paired`` packs it.
    ``latency`` and ``bottleneck`` by label; ``program``: the latency that the integer program counts, None where it is
    for other frames than those simulated; ``tried``: how many foldings near the program's were simulated, of which this
    is the best, by a share ``gained`` of what is minimised; ``utilisation``: the largest share of one of the device's
    resources, as estimated; ``front``: whether no other point is as good in all and better in one.
    """

    name: str
    formats: dict[str, str]
    accuracy: AccuracyEntry
    right: str
    latency: dict[Label, Positive]
    program: float | None
    tried: int
    gained: float
    bottleneck: dict[Label, Positive]
    resources: ResourcesEntry
    utilisation: float
    front: bool
    solver: Solver

    @model_validator(mode="after")
    def _right_of_all(self) -> Point:
        if not re.fullmatch(r"[0-9a-f]*", self.right) or len(self.right) != 2 * -(-self.accuracy.total // 8):
            raise ValueError(f"right: {self.right!r} must be hexadecimal digits of {self.accuracy.total} bits")
        return self


class LayerEntry(_Part):
    """One op of the chosen design.

    ``cycles`` a frame in steady state; ``done``, cycles until the first frame's last beat has left it; both by label.
    ``density``: mean share of its output's sites that are active; ``occupancy[j]``: share of its windows that see j
    active sites, empty where it has no window.
    """

    name: str
    op: str
    shape: str
    weights: str
    activations: str
    pe: int
    simd: int
    taps: int
    memory: str
    multiplier: str
    cycles: dict[Label, float]
    done: dict[Label, float]
    resources: ResourcesEntry
    density: float = 1.0
    occupancy: list[float] = []


class QueueEntry(_Part):
    """A first-in first-out queue of the chosen design: ``depth`` beats of ``width`` bits, and ``why`` no fewer."""

    producer: str
    consumer: str
    width: int
    depth: int
    why: str


class CheckEntry(_Part):
    """The chosen design's RTL against golden: its output, ``edges`` inside it, and ``layers`` each on its own."""

    simulator: str
    images: Count
    edges: Count
    layers: Count
    mismatches: Count
    first_mismatch: str = ""
    cycles: int
    cycles_per_second: float


class CyclesEntry(_Part):
    """Cycles of one frame in an idle accelerator, and between two such frames in a row."""

    latency: float
    interval: float


class Density(_Part):
    """Cycles, simulated, of the sparse design by share of active sites, beside the dense version's.

    ``crossing``: the share at which the dense version becomes faster, by field of ``CyclesEntry``; None where it does
    not.
    """

    densities: list[float]
    sparse: list[CyclesEntry]
    dense: CyclesEntry
    crossing: dict[str, float | None]


class BuiltEntry(_Part):
    """The chosen design's bitstream for ``board``, in the run's folder at ``bitstream``.

    Routed with the board's serial link at ``clock_mhz``, which ``fmax_mhz``, the fastest clock, is not below.
    """

    board: str
    clock_mhz: float
    fmax_mhz: float
    bitstream: str


class DesignEntry(_Part):
    """The chosen point of one device, built and checked.

    ``test``: its accuracy on the test split, on which nothing was chosen; that of its point is on the validation split.
    ``confusion``: the same test images, counted by true class (rows) and by the class that golden gives (columns).
    ``latency`` and ``bottleneck``: of a sparse network estimated and simulated are those of the mean frame; RTL is that
    of the first one, for which the cycle simulator says ``first``. ``density`` of sparse designs alone. ``built``
    where the device has a board; the routed ones of ``resources`` are then those of all on it.
    """

    point: str
    test: AccuracyEntry
    confusion: list[list[Count]]
    latency: dict[Label, Positive]
    first: Positive
    bottleneck: dict[Label, Positive]
    resources: dict[Label, ResourcesEntry]
    layers: list[LayerEntry]
    queues: list[QueueEntry]
    check: CheckEntry | None = None
    density: Density | None = None
    built: BuiltEntry | None = None
    warnings: list[str] = []

    @model_validator(mode="after")
    def _counts_the_test_images(self) -> DesignEntry:
        counts = self.confusion
        if any(len(row) != len(counts) for row in counts):
            raise ValueError(f"confusion: rows of {[len(row) for row in counts]} classes; each must have {len(counts)}")
        totals = sum(row[own] for own, row in enumerate(counts)), sum(map(sum, counts))
        if totals != (self.test.correct, self.test.total):
            expected = f"{self.test.correct} right of {self.test.total}"
            raise ValueError(f"confusion: counts {totals[0]} right of {totals[1]} images; it must be {expected}")
        return self

    @property
    def usual(self) -> Label:
        """The label whose latency and bottleneck stand for the design: RTL's where all frames are alike, else the mean
        frame's, simulated."""
        preferred = (*(() if self.density else (Label.RTL,)), Label.SIMULATED, Label.ESTIMATED)
        return next(label for label in preferred if label in self.latency and label in self.bottleneck)


class Missing(_Part):
    """What the report would have of a ``stage`` that is yet to be run; `netweave STAGE CONFIG.toml` runs it."""

    stage: str
    gives: str


class Target(_Part):
    """One device: what of it may be used, the points found for it, the design chosen, and what is ``missing`` of it."""

    device: str
    title: str
    clock_mhz: Positive
    utilisation: float
    available: ResourcesEntry
    points: list[Point]
    design: DesignEntry
    missing: list[Missing] = []

    @property
    def clock(self) -> str:
        """Whether a router has confirmed the clock: the routed design runs at ``clock_mhz`` or faster."""
        built = self.design.built
        return "routed" if built is not None and built.fmax_mhz >= self.clock_mhz else "assumed clock"


class NodeEntry(_Part):
    """A node of the dataflow graph, for its picture."""

    name: str
    op: str
    shape: str
    inputs: list[str]


class Uniform(_Part):
    """One format for the whole network, after calibration alone and after training with it."""

    format: str
    post_training: AccuracyEntry
    trained: AccuracyEntry


class Report(_Part):
    """``accuracy`` of the ``reference`` on the validation split, which designs are chosen by; ``test`` on that one.

    ``reference``: ``float``, the network before it was quantized, or ``imported``, one that came in integers.
    """

    format: Literal["netweave report"] = FORMAT
    version: Literal[3] = VERSION
    name: str
    model: str
    data: str
    netweave: str
    reference: str = "float"
    accuracy: AccuracyEntry
    test: AccuracyEntry
    uniform: list[Uniform]
    graph: list[NodeEntry]
    targets: list[Target]

    def save(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Report:
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ReportError(f"{path}: cannot be read: {error}") from None
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise ReportError(f"{path}, field {field!r}: {first['input']!r}: {first['msg']}") from None
