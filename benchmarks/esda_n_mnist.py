"""ESDA's trained N-MNIST network, from its published integers to RTL, and our own network in the same budget.

The network is the published one with its linear layer (``models.frontend.esda_network.with_classifier``). Its design
is the fastest for training recordings, on the ZCU102 with the DSP blocks and 18 Kb memories of the published
accelerator and ``LUT`` of the LUTs, the share of DSP blocks that ESDA's optimizer was given. Events are counted as ESDA
counts them; test recordings have no part in the design. Cycles are ``simulated``, mean over all test recordings; the
RTL of some is compared with golden.

What was published with the network is the logits of its software, which rounds ties to even, clips at -128, requantizes
once more before the last convolution and divides by the number of sites (``software_logits``). Golden rounds as the
published accelerators do and does not divide, so that logits differ in scale and by a few units. Both are compared: by
the software's rules every logit of the imported integers, by golden's every answer.

ESDA's frames a second are by a host's clock around start and poll on a board, transfers included, over windows drawn
at random from its N-MNIST set. Nothing of ours was measured like that, and no ratio is made of it.

``n_mnist_net`` has the input of its own (the first saccade, cleaned), and the formats and training of ``n_mnist``.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.esda_designs import CLOCK_MHZ, DEVICE, FPS, SEARCH
from benchmarks.esda_model import SHARES
from benchmarks.inputs.data import DATA
from benchmarks.n_mnist import EPOCHS, FORMATS, NETWORK, QUANTIZED_EPOCHS, SEED
from cosim.cycle.simulator import Simulator
from cosim.rtl.design import cosim
from hw.generate.emit import generate
from models.data.dataset import Dataset
from models.data.esda_n_mnist import esda_n_mnist
from models.data.n_mnist import n_mnist
from models.evaluate import accuracy
from models.frontend.esda_network import load_esda, with_classifier
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.ops.add import Add
from models.ir.ops.conv import Conv
from models.ir.ops.input import Input
from models.ir.requant import Requant
from models.quant import quantize
from models.train import train
from models.zoo import load_model
from netweave.imported import predicted
from netweave.min_latency_mapping import MinLatency, min_latency_mapping

FOLDER, RECORDINGS = DATA / "esda_n_mnist", DATA / "n_mnist"
RUN = Path("runs") / "esda_n_mnist"
DSP, BRAM, LUT = 1472, 953, SHARES["NMNIST"]
TRIES = 300
FRAMES = 100
"""Training recordings that a design is made for."""
RTL_FRAMES = 3
PUBLISHED_PERCENT = 99.0
"""Of N-MNIST's whole test set, as the checkpoint says of itself."""
INT16 = -(1 << 15), (1 << 15) - 1


def network() -> Graph:
    """The published network, ending in ten logits."""
    graph, _ = load_esda(FOLDER / "NMNIST_int.json")
    return with_classifier(graph, checkpoint()["fc.weight_integer"]).replace(name="esda_n_mnist")


def checkpoint() -> dict[str, np.ndarray]:
    """The published state dict, names kept."""
    with np.load(FOLDER / "NMNIST.npz") as archive:
        return {name: archive[name] for name in archive.files}


def software_logits(graph: Graph, state: dict[str, np.ndarray], frame: Frame) -> np.ndarray:
    """Logits by the rules of ESDA's software, of the graph's integers and of ``conv8``'s own constants."""
    frames: dict[str, Frame] = {}
    for node in graph.nodes[:-2]:
        inputs = [frames[name] for name in node.inputs]
        if isinstance(node, Input):
            frames[node.name] = frame
        elif isinstance(node, Conv):
            rule = node.requant
            assert isinstance(rule, Requant)
            bias, multiplier, limit = rule.bias, rule.mult, 127 if rule.hi == 127 else 1 << 40
            if node.name == "conv8":
                before, bias, multiplier = _final_constants(state)
                inputs[0] = replace(inputs[0], features=_rounded(inputs[0].features, before, 127))
            sums = node.accumulate(inputs[0])
            biased = np.maximum(sums.features + bias, 0) if rule.lo == 0 else sums.features + bias
            frames[node.name] = sums.with_features(_rounded(biased, multiplier, limit))
        elif isinstance(node, Add):
            summed = inputs[0].features + _rounded(inputs[1].features, node.b.mult, 1 << 40)
            frames[node.name] = replace(inputs[0], features=np.clip(summed, -128, 127))
    features = frames["conv8"].features
    average = np.trunc(features.sum(axis=0) / max(1, len(features)) + 0.01)
    scale = _scale(state, "quant_act_int32_final") / _scale(state, "quant_act_output")
    return state["fc.weight_integer"].astype(int) @ _rounded(average, np.rint(2**16 * scale), 127)


def _final_constants(state: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The multiplier of the requantization before ``conv8``; its bias and its multipliers behind that."""
    block, entering, leaving = (
        _scale(state, name)
        for name in ("blocks.10.quant_act_int32", "quant_act_before_final_block", "quant_act_int32_final")
    )
    weight, shift, mean_, variance, factor = (
        state[f"conv8.{name}"].astype(float)
        for name in ("convbn_scaling_factor", "bn.bn.bias", "bn.bn.running_mean", "bn.bn.running_var", "bn.bn.weight")
    )
    bias = (shift - mean_ * factor / np.sqrt(variance + 1e-5)) / (weight * entering)
    multiplier = np.rint(2**16 * np.float32(weight * entering).astype(float) / leaving)
    return np.rint(2**16 * block / entering), np.clip(np.rint(bias), *INT16).astype(int), multiplier


def _scale(state: dict[str, np.ndarray], name: str) -> np.ndarray:
    return state[f"{name}.act_scaling_factor"].astype(float)


def _rounded(values: np.ndarray, multiplier: np.ndarray, limit: int) -> np.ndarray:
    """Times the multiplier over 2^16, ties to even, from ``-limit - 1`` to ``limit``."""
    return np.clip(np.rint(values * multiplier / 2**16).astype(np.int64), -limit - 1, limit)


def measure() -> dict[str, Any]:
    for folder in (FOLDER, RECORDINGS):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: is not there; the variable NETWEAVE_DATA names the folder that has it")
    graph, images = network(), esda_n_mnist(RECORDINGS)
    found = designed(graph, images)
    return {
        "published": {
            "frames a second, on a board, transfers included": FPS["NMNIST"],
            "accuracy on the whole test set, %": PUBLISHED_PERCENT,
            "dsp": DSP,
            "bram18": BRAM,
        },
        "accuracy": accuracies(graph, images),
        "design": design_figures(found),
        "frames": frame_figures(graph, found, images),
        "rtl": rtl_figures(graph, found, images),
        NETWORK: own_figures(n_mnist(RECORDINGS)),
    }


def designed(graph: Graph, images: Dataset, max_evaluations: int = TRIES) -> MinLatency:
    """The fastest design for training recordings within the published budget."""
    device = replace(DEVICE, dsp=DSP, bram=BRAM, lut=int(LUT * DEVICE.lut))
    return min_latency_mapping(
        graph, images.sample("train", FRAMES), device, CLOCK_MHZ, replace(SEARCH, max_evaluations=max_evaluations)
    )


def accuracies(graph: Graph, images: Dataset) -> dict[str, Any]:
    state, answers = checkpoint(), predicted(graph, images, "test")
    with np.load(FOLDER / "golden_test60.npz") as published:
        logits = published["int_logits"]
    frames = images.frames("test")
    equal = [software_logits(graph, state, frame) == own for frame, own in zip(frames, logits, strict=True)]
    return {
        "test recordings": len(frames),
        "correct": int((answers == images.test_y).sum()),
        "published integer network, correct": int((logits.argmax(axis=1) == images.test_y).sum()),
        "answers as the published integer network's": int((logits.argmax(axis=1) == answers).sum()),
        "logits": logits.size,
        "logits equal to the published ones, by the published software's rules": int(np.sum(equal)),
    }


def design_figures(found: MinLatency) -> dict[str, Any]:
    solver = found.design.solver
    return {
        "label": "estimated",
        "clock, MHz": CLOCK_MHZ,
        **found.evaluation.resources,
        "bottleneck, cycles": found.evaluation.bottleneck,
        "latency, cycles": round(float(found.evaluation.latency)),
        "solver": solver.status,
        "gap, before polishing": round(solver.gap, 4),
        "solver seconds": round(solver.seconds, 1),
    }


def frame_figures(graph: Graph, found: MinLatency, images: Dataset) -> dict[str, Any]:
    """Of every test recording alone."""
    masks = list(images.masks("test"))
    cycles = Simulator(graph, found.mapping).latencies(masks)
    return {
        "label": "simulated",
        "frames": len(masks),
        "active sites, mean": round(mean(int(mask.sum()) for mask in masks)),
        "cycles a frame, mean": round(mean(cycles)),
        "cycles a frame, largest": max(cycles),
        "frames a second at an assumed clock": round(CLOCK_MHZ * 1e6 / mean(cycles)),
    }


def rtl_figures(graph: Graph, found: MinLatency, images: Dataset) -> dict[str, Any]:
    """Of some test recordings in a row; the first finds the design idle."""
    frames = images.frames("test")[:: len(images.test_y) // RTL_FRAMES][:RTL_FRAMES]
    begin = time.perf_counter()
    generate(graph, found.mapping, RUN / "design")
    generated = time.perf_counter() - begin
    run = cosim(RUN / "design", frames, build_dir=RUN / "simulators")
    (simulated,) = Simulator(graph, found.mapping).latencies([frames[0].mask])
    return {
        "label": run.label,
        "frames": len(frames),
        "check": str(run.check),
        "equal": run.equal,
        "cycles of the first": run.first_latency,
        "cycles of the first, simulated": simulated,
        "cycles between ends": list(run.intervals),
        "generate, seconds": round(generated, 1),
        "build, seconds": round(run.build_seconds, 1),
    }


def own_figures(images: Dataset) -> dict[str, Any]:
    """The zoo's network at each format: test recordings that it gets right, and its design in the same budget."""
    network = load_model(NETWORK, SEED)
    train(network, images, EPOCHS, SEED)
    figures: dict[str, Any] = {}
    for name in FORMATS:
        quantized = quantize(network, images, name, epochs=QUANTIZED_EPOCHS, seed=SEED)
        reached, graph = accuracy(quantized, images, "test"), quantized.export()
        found = designed(graph, images)
        figures[name] = {
            "correct": reached.correct,
            "of": reached.total,
            **frame_figures(graph, found, images),
            **{f"{kind}, estimated": amount for kind, amount in found.evaluation.resources.items()},
        }
    return figures
