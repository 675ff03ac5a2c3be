"""A small report with every part in it, whose figures are easy to recompute by hand."""

from __future__ import annotations

import numpy as np

from reports.designs import Designs
from reports.paired import pack_bits
from reports.schema import (
    AccuracyEntry,
    BuiltEntry,
    CheckEntry,
    CyclesEntry,
    Density,
    DesignEntry,
    Label,
    LayerEntry,
    NodeEntry,
    Point,
    QueueEntry,
    Report,
    ResourcesEntry,
    Solver,
    Target,
    Uniform,
)

FORMATS = ["int8", "int4", "dybit8", "dybit4"]
BUILT = BuiltEntry(board="ulx3s-25f", clock_mhz=80, fmax_mhz=93.75, bitstream="build/ecp5-25k/board.bit")
CONVS = ["stem", "layer1_conv1", "layer1_conv2", "layer2_conv1", "layer2_conv2", "head"]


def point(index: int) -> Point:
    """Points get faster and less accurate with ``index``; 5 and later are dominated by point 0."""
    off = index >= 5
    return Point(
        name=f"p{index}",
        formats=dict.fromkeys(CONVS, FORMATS[index % 4]) | ({"head": "int8"} if index == 4 else {}),
        accuracy=AccuracyEntry(correct=530 - 3 * index, total=540),
        right=pack_bits(np.arange(540) < 530 - 3 * index),
        latency={
            Label.ESTIMATED: 10000 if off else 9000 - 1500 * index,
            Label.SIMULATED: 10100 if off else 9050 - 1500 * index,
        },
        program=9900 if off else 8900 - 1500 * index,
        tried=30,
        gained=0.02,
        bottleneck={Label.ESTIMATED: 4000 - 500 * min(index, 4)},
        resources=ResourcesEntry(lut=9000 + 4000 * index, ff=8000, bram=3, dsp=40 + index),
        utilisation=(9000 + 4000 * index) / 70560,
        front=not off,
        solver=Solver(minimised="latency", status="optimal", bound=4000.0, gap=0.0, seconds=0.4),
    )


def designs(chosen: str | None = "p2") -> Designs:
    """The eight points as an exploration finds them, one of them picked."""
    return Designs("zu3eg", 200, [point(i) for i in range(8)], chosen)


def at(latency: int, correct: int, name: str) -> Point:
    """A point of the front that gets ``correct`` of 20 images right, its latency estimated alone."""
    accuracy = AccuracyEntry(correct=correct, total=20)
    return point(0).model_copy(update={"name": name, "latency": {Label.ESTIMATED: latency}, "accuracy": accuracy})


def by_density() -> Density:
    """The dense version is faster from 60 % in latency, and never in frames a second."""
    shares = [0.01, 0.1, 0.5, 1.0]
    sparse = [CyclesEntry(latency=500 + 5000 * share, interval=10 + 2900 * share) for share in shares]
    dense = CyclesEntry(latency=3500, interval=3000)
    return Density(densities=shares, sparse=sparse, dense=dense, crossing={"latency": 0.6, "interval": None})


def labels_and_answers() -> tuple[np.ndarray, np.ndarray]:
    """True and predicted classes of 539 test images, 521 of them equal; class 9 has no image."""
    labels = np.arange(539) % 9
    answers = labels.copy()
    answers[:18] = (labels[:18] + 1 + np.arange(18) // 9) % 10
    return labels, answers


def confusion() -> list[list[int]]:
    counts = [[0] * 10 for _ in range(10)]
    for label, answer in zip(*labels_and_answers(), strict=True):
        counts[label][answer] += 1
    return counts


QUEUES = [
    QueueEntry(producer="stem", consumer="layer1_conv1, layer1_add", width=23, depth=7, why="room"),
    QueueEntry(producer="stem", consumer="layer1_add", width=23, depth=41, why="latency balance"),
]


def target(device: str, clock_mhz: float = 200, sparse: bool = False, built: BuiltEntry | None = None) -> Target:
    layers = [
        LayerEntry(
            name=name,
            op="conv",
            shape="8x8x16",
            weights="int8",
            activations="uint8",
            pe=4,
            simd=2,
            taps=9,
            memory="lut",
            multiplier="dsp",
            cycles={Label.ESTIMATED: 1000 + 300 * i, Label.RTL: 1000 + 300 * i},
            done={Label.SIMULATED: 800 + 900 * i, Label.RTL: 800 + 900 * i},
            resources=ResourcesEntry(lut=900, ff=700, bram=0, dsp=8),
            density=0.2 + 0.1 * i if sparse else 1.0,
            occupancy=[0, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05] if sparse and i < 4 else [],
        )
        for i, name in enumerate(CONVS)
    ]
    return Target(
        device=device,
        title=f"The {device}",
        clock_mhz=clock_mhz,
        utilisation=0.7,
        available=ResourcesEntry(lut=70560, ff=141120, bram=432, dsp=360),
        points=[point(i) for i in range(8)],
        design=DesignEntry(
            point="p2",
            test=AccuracyEntry(correct=521, total=539),
            confusion=confusion(),
            queues=QUEUES,
            latency={Label.ESTIMATED: 6000, Label.SIMULATED: 6050, Label.RTL: 6050},
            first=6050,
            bottleneck={Label.ESTIMATED: 3000, Label.SIMULATED: 3000, Label.RTL: 3000},
            resources={
                Label.ESTIMATED: ResourcesEntry(lut=17000, ff=8000, bram=3, dsp=42),
                Label.SYNTHESIZED: ResourcesEntry(lut=16012, ff=8123, bram=3, dsp=42),
                **({Label.ROUTED: ResourcesEntry(lut=16444, ff=8333, bram=4, dsp=42)} if built else {}),
            },
            built=built,
            layers=layers,
            density=by_density() if sparse else None,
            check=CheckEntry(
                simulator="verilator",
                images=20,
                edges=9,
                layers=6,
                mismatches=0,
                cycles=123456,
                cycles_per_second=400000.0,
            ),
        ),
    )


def report() -> Report:
    nodes = [
        NodeEntry(name="input", op="input", shape="8x8x1", inputs=[]),
        NodeEntry(name="stem", op="conv", shape="8x8x16", inputs=["input"]),
        NodeEntry(name="layer1_conv1", op="conv", shape="8x8x16", inputs=["stem"]),
        NodeEntry(name="layer1_conv2", op="conv", shape="8x8x16", inputs=["layer1_conv1"]),
        NodeEntry(name="layer1_add", op="add", shape="8x8x16", inputs=["layer1_conv2", "stem"]),
        NodeEntry(name="layer2_conv1", op="conv", shape="4x4x32", inputs=["layer1_add"]),
        NodeEntry(name="layer2_conv2", op="conv", shape="4x4x32", inputs=["layer2_conv1"]),
        NodeEntry(name="layer2_short", op="conv", shape="4x4x32", inputs=["layer1_add"]),
        NodeEntry(name="layer2_add", op="add", shape="4x4x32", inputs=["layer2_conv2", "layer2_short"]),
        NodeEntry(name="pool", op="global_pool", shape="1x1x32", inputs=["layer2_add"]),
        NodeEntry(name="head", op="linear", shape="1x1x10", inputs=["pool"]),
    ]
    return Report(
        name="example",
        model="digits_cnn",
        data="digits",
        netweave="0.1.0",
        accuracy=AccuracyEntry(correct=533, total=540),
        test=AccuracyEntry(correct=528, total=539),
        uniform=[
            Uniform(
                format=name,
                post_training=AccuracyEntry(correct=520 - i, total=540),
                trained=AccuracyEntry(correct=530 - i, total=540),
            )
            for i, name in enumerate(FORMATS)
        ],
        graph=nodes,
        targets=[target("zu3eg"), target("ecp5-25k", clock_mhz=80, sparse=True, built=BUILT)],
    )
