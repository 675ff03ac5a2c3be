"""The mapping of least latency for the frames of a data set: found by the integer program, polished by simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import mean

import numpy as np

from cosim.cycle.simulator import Simulator, size_queues
from dse.candidates import Table
from dse.estimate import estimate
from dse.evaluate import Evaluation
from dse.explore import ExploredDesign, SearchSettings, best
from hw.fpga.device import Device
from hw.fpga.mapping import Mapping
from models.ir.activity import with_activity
from models.ir.graph import Graph


@dataclass(frozen=True)
class MinLatency:
    """``mapping``: with queues no deeper than the frames need. ``evaluation``: its figures, ``estimated``. ``design``:
    the integer program's design, polished, and its report. ``cycles``: the simulated latency of each frame."""

    mapping: Mapping
    evaluation: Evaluation
    design: ExploredDesign
    cycles: list[int]


def min_latency_mapping(
    graph: Graph,
    masks: Sequence[np.ndarray],
    device: Device,
    clock_mhz: float,
    search: SearchSettings,
    evaluation_frames: int = 5,
) -> MinLatency:
    """The design of least mean latency that ``device`` holds, for the frames of a sparse graph that ``masks`` give.

    ``evaluation_frames``: number of frames on which foldings are compared, evenly spread by their number of sites.
    """
    graph = with_activity(graph, masks)
    ordered = sorted(masks, key=lambda mask: int(mask.sum()))
    few = [ordered[(2 * n + 1) * len(ordered) // (2 * evaluation_frames)] for n in range(evaluation_frames)]

    def evaluator(mapping: Mapping) -> float:
        return mean(Simulator(graph, mapping).latencies(few))

    design = best(
        Table({"int8": graph}, device), search, clock_mhz, evaluator=evaluator if search.max_evaluations else None
    )
    mapping = shallower(graph, design.mapping, masks, device, search.whole)
    cycles = Simulator(graph, mapping).latencies(list(masks))
    return MinLatency(mapping, estimate(graph, mapping, device), design, cycles)


def shallower(graph: Graph, mapping: Mapping, masks: Sequence[np.ndarray], device: Device, share: Fraction) -> Mapping:
    """The mapping with queues no deeper than the frames need, if it keeps to the share of the device like this.

    A queue that is too shallow for block memory takes LUTs, of which there may be too few. Deeper queues than the
    exploration has room for are not made: either kind holds for any frame.
    """
    sized = size_queues(graph, mapping, list(masks)).queues
    result = replace(mapping, queues={edge: min(depth, mapping.queues[edge]) for edge, depth in sized.items()})
    return result if estimate(graph, result, device).utilisation <= share else mapping
