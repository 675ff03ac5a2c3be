"""How well unseen quantized networks are ranked: by summed sensitivities, and by predictors that learned from others.

Networks are random mixed assignments of formats, each run on the whole test split, after calibration alone and after an
epoch of quantization-aware training; and the architectures that ``benchmarks.architectures`` has evaluated. Rank
correlations are over networks that no predictor has seen, in several splits; a picture of the first is drawn for the
documentation.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from scipy.stats import kendalltau, spearmanr
from torch import nn

from benchmarks import architectures
from dse.predictor import Predictor, gaussian_process, support_vectors, trees
from dse.sensitivity import features, total
from models import data
from models.data import Dataset
from models.frontend.trace import trace
from models.plan import FloatPlan
from models.quant import hessian_sensitivity, measure_sensitivity, quantize
from models.quant.calibrate import Calibration
from models.train import train
from models.weights import load_weights, save_weights
from models.zoo import load_model
from netweave.store import Store
from reports.style import INK, STEPS, STYLE

RUN = Path("runs") / "predictors"
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "predictors.png"
NETWORKS, HELD = 120, 40
"""Measured, and those of them that are not learned from."""
FEW = 20
"""To learn from, beside all that are not held out."""
NUMBERS = tuple(f"{kind}{width}" for kind in ("int", "dybit") for width in range(2, 9))
SPLITS = 6
PREDICTORS: dict[str, Callable[[], Predictor]] = {
    "support vectors": support_vectors,
    "Gaussian process": gaussian_process,
    "trees": trees,
}
Assignments = list[dict[str, str]]
Sensitivity = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Case:
    """``moved``: every so many of the training images are tested on instead, where the test split is small."""

    data: str
    model: str
    epochs: int
    moved: int = 0
    seed: int = 0


CASES = (Case("digits_dvs", "digits_dvs_net", 20), Case("n_mnist", "n_mnist_net", 60, moved=3))


def drawn(layers: Iterable[str], count: int, seed: int) -> Assignments:
    """Random assignments; the widths of each lie between two that are drawn first, so that accuracies spread."""
    rng, layers = random.Random(seed), list(layers)
    found = []
    for _ in range(count):
        low, high = sorted(rng.choices(range(2, 9), k=2))
        found.append({layer: f"{rng.choice(('int', 'dybit'))}{rng.randint(low, high)}" for layer in layers})
    return found


def floating(case: Case) -> tuple[FloatPlan, Dataset]:
    """The float network, trained once, and its images."""
    images, network = _moved(data.load(case.data), case.moved), load_model(case.model, case.seed)
    path = RUN / f"{case.data}_{case.epochs}_{case.moved}_{case.seed}.npz"
    if path.exists():
        load_weights(network, path)
    else:
        train(network, images, case.epochs, case.seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_weights(network, path)
    return trace(network.eval(), images.shape, case.data, images.sparse), images


def _moved(images: Dataset, every: int) -> Dataset:
    if not every:
        return images
    away = np.arange(len(images.train_x)) % every == 0
    return dataclasses.replace(
        images,
        train_x=images.train_x[~away],
        train_y=images.train_y[~away],
        test_x=np.concatenate([images.test_x, images.train_x[away]]),
        test_y=np.concatenate([images.test_y, images.train_y[away]]),
    )


def measured(
    case: Case, plan: FloatPlan, images: Dataset, assignments: Assignments, epochs: int
) -> dict[str, np.ndarray]:
    """Of each network its ``accuracy``, the share of test images, and ``loss``, the mean cross-entropy over them."""
    store, scales, results = Store(RUN), Calibration(plan, images), []
    for assignment in assignments:
        inputs = {**dataclasses.asdict(case), "quantized": epochs, "assignment": assignment}
        result = store.get("network", inputs)
        if result is None:
            result = _run(quantize(plan, images, assignment, scales, epochs, case.seed), images)
            store.put("network", inputs, result)
        results.append(result)
    return {kind: np.array([result[kind] for result in results]) for kind in ("accuracy", "loss")}


def _run(network: nn.Module, images: Dataset) -> dict[str, float]:
    y = torch.from_numpy(images.test_y).long()
    with torch.no_grad():
        logits = network(torch.from_numpy(images.test_x))
    right = int((logits.argmax(dim=1) == y).sum())
    return {"accuracy": right / len(y), "loss": float(F.cross_entropy(logits.double(), y))}


def compared(
    assignments: Assignments, sensitivities: Mapping[str, Sensitivity], found: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Rank correlations over networks held out: mean over the splits and standard deviation."""
    rows = _rows(sensitivities, assignments)
    sums = {kind: _sums(sensitivity, assignments) for kind, sensitivity in sensitivities.items()}
    figures: dict[str, Any] = {}
    for measure, good in (("accuracy", found["accuracy"]), ("loss", -np.log(found["loss"]))):
        splits = _splits(len(assignments))
        of_sums = {
            f"summed sensitivity, {kind}": [_ranks(-values[held], good[held]) for _, held in splits]
            for kind, values in sums.items()
        }
        ranks = {**of_sums, **learned(rows, good)}
        figures[f"order by {measure}"] = {name: _spread(values) for name, values in ranks.items()}
    return figures


def learned(rows: np.ndarray, good: np.ndarray) -> dict[str, list[tuple[float, float]]]:
    """By predictor, and how many networks it learned from, its rank correlations in each split."""
    ranks: dict[str, list[tuple[float, float]]] = {}
    for known, held in _splits(len(rows)):
        for name, make in PREDICTORS.items():
            for count in (FEW, len(known)):
                expected = make().fit(rows[known[:count]], good[known[:count]]).predict(rows[held])
                ranks.setdefault(f"{name}, learned from {count}", []).append(_ranks(expected, good[held]))
    return ranks


def _rows(sensitivities: Mapping[str, Sensitivity], assignments: Assignments) -> np.ndarray:
    """What is learned from: each layer's loss, and the logarithms of both sums."""
    return np.hstack(
        [features(sensitivities["loss"], assignments), features(sensitivities["hessian"], assignments)[:, -1:]]
    )


def _sums(sensitivity: Sensitivity, assignments: Assignments) -> np.ndarray:
    return np.array([total(sensitivity, assignment) for assignment in assignments])


def _splits(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    orders = [np.random.default_rng(seed).permutation(count) for seed in range(SPLITS)]
    return [(order[HELD:], order[:HELD]) for order in orders]


def _ranks(expected: np.ndarray, good: np.ndarray) -> tuple[float, float]:
    tau: Any = kendalltau(expected, good)  # scipy's types do not name what the results are
    rho: Any = spearmanr(expected, good)
    return float(tau.statistic), float(rho.statistic)


def _spread(ranks: Sequence[tuple[float, float]]) -> dict[str, list[float]]:
    return {
        kind: [round(float(np.mean(values)), 3), round(float(np.std(values)), 3)]
        for kind, values in zip(("Kendall tau", "Spearman"), zip(*ranks, strict=True), strict=True)
    }


def of_architectures() -> dict[str, Any]:
    """The same for the architectures that the search's benchmark has evaluated, by what describes them."""
    built = {choice: costs for choice, costs in architectures.table().items() if costs is not None}
    rows, missing = architectures.SPACE.features(list(built)), np.array([costs[1] for costs in built.values()])
    ranks = {name: _spread(values) for name, values in learned(rows, -missing).items()}
    return {"architectures": len(built), "order by accuracy": ranks}


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.process_time()
    return work(), round(time.process_time() - begin, 1)


def picture(assignments: Assignments, sensitivities: Mapping[str, Sensitivity], accuracy: np.ndarray) -> Figure:
    """The networks held out in the first split: what is expected of each against its measured accuracy."""
    known, held = _splits(len(assignments))[0]
    rows, percent = _rows(sensitivities, assignments), 100 * accuracy
    panels = [
        (f"summed sensitivity, {kind}", "summed increase of the loss", _sums(own, assignments)[held], True)
        for kind, own in sensitivities.items()
    ]
    for name, make in PREDICTORS.items():
        if make is not gaussian_process:
            expected = make().fit(rows[known], percent[known]).predict(rows[held])
            panels.append((f"{name}, learned from {len(known)}", "predicted, %", expected, False))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 5.4), layout="constrained")
        for axes, (title, label, expected, logarithmic) in zip(figure.subplots(2, 2).flat, panels, strict=True):
            axes.plot(expected, percent[held], "o", color=STEPS, markersize=4, alpha=0.8)
            tau, _ = _ranks(-expected if logarithmic else expected, percent[held])
            if logarithmic:
                axes.set_xscale("log")
                axes.invert_xaxis()
            else:
                axes.axline((percent.max(), percent.max()), slope=1, color=INK, linewidth=0.6)
            axes.set_title(f"{title}: tau {tau:.2f}")
            axes.set_xlabel(label)
            axes.set_ylabel("measured accuracy, %")
            axes.grid(True)
    return figure


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {"networks": NETWORKS, "held out": HELD, "splits": SPLITS, "formats": list(NUMBERS)}
    figures["label"] = "measured: accuracy and loss over the test images"
    for case in CASES:
        plan, images = floating(case)
        assignments = drawn(plan.quantizable_layers, NETWORKS, case.seed)
        loss, of_loss = _timed(lambda plan=plan, images=images: measure_sensitivity(plan, images, NUMBERS))
        hessian, of_hessian = _timed(lambda plan=plan, images=images: hessian_sensitivity(plan, images, NUMBERS))
        sensitivities = {"loss": loss, "hessian": hessian}
        figures[f"{case.data}, CPU seconds of a sensitivity"] = {"loss": of_loss, "hessian": of_hessian}
        for epochs, when in ((0, "after calibration"), (1, "after an epoch of training")):
            found = measured(case, plan, images, assignments, epochs)
            figures[f"{case.data}, {when}"] = {
                "test images": len(images.test_y),
                "accuracy, quartiles": [
                    round(float(q), 4) for q in np.quantile(found["accuracy"], np.linspace(0, 1, 5))
                ],
                **compared(assignments, sensitivities, found),
            }
            if case is CASES[0] and epochs:
                picture(assignments, sensitivities, found["accuracy"]).savefig(PICTURE, metadata={"Software": ""})
    figures["architectures for digits_dvs"] = of_architectures()
    return figures
