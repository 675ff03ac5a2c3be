"""The stages that train: the float network, and its quantized ones. Torch loads here only."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.data.dataset import Dataset
from models.frontend.source import SourceError, is_function
from models.ir.activity import with_activity
from models.ir.graph import Graph
from models.ir.serialize import GRAPH_FILE, WEIGHTS_FILE, load, save
from netweave.config import NETWORK_FILES, Config, UnsuitableError, quantized_network
from netweave.listener import Progress
from netweave.stamp import digest, make
from reports.artifact import counts, read_json, write_json
from reports.paired import pack_bits
from reports.schema import AccuracyEntry

CHECKED_IMAGES = 8
ACTIVITY_FRAMES = 256
"""Training images, evenly spread, whose active sites say how much a sparse network has to do."""
ACCURACY = "accuracy.json"
MEASURED = ("validation", "test")
SUFFIXES = (".npz", ".py", ".toml")
"""Of a user's own files of data, models, devices and boards."""


def train(config: Config, note: Callable[[str], None], progress: Progress, folder: Path) -> None:
    """Write ``network.npz``, the trained weights, and ``train.json``, their accuracy on validation and test images.

    ``note`` is told what was decided of the data and the model.
    """
    from models import train, zoo
    from models.evaluate import accuracy
    from models.quant.qat import plan_for
    from models.verify import refuse_overflow
    from models.weights import save_weights

    images = load_images(config, progress)
    for text in images.notes:
        note(text)
    network = zoo.load_model(config.model, config.train.seed)
    others = {parameter.dtype for parameter in network.parameters() if str(parameter.dtype) != "torch.float32"}
    if others:
        raise UnsuitableError(f"model {config.model!r} has weights of {others.pop()}; they must be of torch.float32")
    # names what cannot be quantized before any time is spent on it
    plan = plan_for(network, images, config.name)
    for text in plan.notes:
        note(text)
    refuse_overflow(plan, images)
    epochs = config.train.epochs
    if epochs and not any(parameter.requires_grad for parameter in network.parameters()):
        why = "has no parameter that training may change, as none has requires_grad; with 0 it is taken as it is"
        raise UnsuitableError(f"train.epochs: {epochs}, but model {config.model!r} {why}")
    try:
        train.train(network, images, epochs, config.train.seed, progress, plan.ending)
    except Exception as error:
        if is_function(config.model):  # its code is the user's
            raise SourceError(f"{config.model!r}: fails in training: {type(error).__name__}: {error}") from error
        raise
    refuse_overflow(plan_for(network, images, config.name), images)
    save_weights(network, folder / "network.npz")
    accuracies = {split: accuracy(network, images, split) for split in MEASURED}
    write_json(folder / "train.json", "train", {split: [own.correct, own.total] for split, own in accuracies.items()})


def load_images(config: Config, progress: Progress) -> Dataset:
    """The data set. Where it is normalized, a network that is trained here is trained on that; any other is not."""
    from models import data

    images = data.load(config.data, progress)
    if images.normalization is None:
        return images
    note = "as train.epochs is 0, the network takes the numbers as they were given, and its first layer the scales in"
    if config.train.epochs:
        note = "the network is trained on the numbers so scaled; with train.epochs = 0 it would take them as given"
    return replace(images, restored=not config.train.epochs, notes=(*images.notes, note))


def quantize(config: Config, trained: Path, cache_folder: Path, progress: Progress, folder: Path) -> None:
    """Write a graph for every format and ``quantize.json``: accuracies, and each layer's sensitivity."""
    from models.evaluate import accuracy
    from models.quant import hessian_sensitivity, measure_sensitivity

    networks = Networks(config, trained, cache_folder, progress)
    uniform = {}
    for name in config.quantize.formats:
        measured = networks.measure(dict.fromkeys(networks.plan.quantizable_layers, name))
        before = measured.accuracy
        if config.quantize.epochs:
            before = accuracy(networks.quantized(name, epochs=0), networks.data, "validation")
        save(load(measured.folder), folder / name)
        uniform[name] = {
            "post_training": [before.correct, before.total],
            "trained": [measured.accuracy.correct, measured.accuracy.total],
        }
    sensitivity_by = {"loss": measure_sensitivity, "hessian": hessian_sensitivity}[config.quantize.sensitivity]
    sensitivity = sensitivity_by(
        networks.plan, networks.data, config.quantize.formats, calibration=networks.scales, progress=progress
    )
    content = {"choices": list(networks.plan.quantizable_layers), "uniform": uniform, "sensitivity": sensitivity}
    write_json(folder / "quantize.json", "quantize", content)


@dataclass(frozen=True)
class Measured:
    """A quantized network: the folder of its graph, its accuracy over the whole validation split, and which of these
    images are ``right``, packed."""

    folder: Path
    accuracy: AccuracyEntry
    right: str


def read_measured(folder: Path, path: Path, made_by: str) -> Measured:
    """The network in ``folder``, of which ``path`` says what it gets right."""
    content = read_json(path, "accuracy", made_by)
    correct, total = counts(path, content, "validation")
    return Measured(folder, AccuracyEntry(correct=correct, total=total), content["right"])


class Networks:
    """The trained float network, and quantized ones made from it on demand.

    ``cache_folder`` holds every assignment that was measured, under a name that follows from it and from all
    else its accuracy depends on.
    """

    def __init__(self, config: Config, trained: Path, cache_folder: Path, progress: Progress) -> None:
        from models import zoo
        from models.quant.calibrate import Calibration
        from models.quant.qat import plan_for
        from models.verify import refuse_overflow
        from models.weights import load_weights

        self.config, self.cache_folder, self.progress = config, cache_folder, progress
        self.data = load_images(config, progress)
        network = zoo.load_model(config.model, config.train.seed)
        load_weights(network, trained / "network.npz")
        network.eval()
        self.plan = plan_for(network, self.data, config.name)
        refuse_overflow(self.plan, self.data)
        self.scales = Calibration(self.plan, self.data, config.quantize.calibration)
        self._stats: dict[str, dict] | None = None
        self._origin = origin(config, trained)

    def _activity(self, graph: Graph) -> dict[str, dict]:
        """What the training split leaves in the graph; the same at every format, and therefore counted once."""
        if self._stats is None:
            sample = self.data.sample("train", ACTIVITY_FRAMES)
            self._stats = with_activity(graph, sample, partial(self.progress, "activity")).stats
        return self._stats

    def quantized(self, assignment: dict[str, str] | str, epochs: int) -> Any:
        from models.quant import quantize

        return quantize(
            self.plan,
            self.data,
            assignment,
            self.scales,
            epochs,
            self.config.train.seed,
            self.progress,
            self.config.quantize.reconstruction,
        )

    def measure(self, assignment: dict[str, str]) -> Measured:
        """The exact integer network with these formats, run on the whole validation split, and on the test split for
        whoever picks it."""
        inputs = {**self._origin, "assignment": assignment}
        folder = self.cache_folder / hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
        make(folder, inputs, partial(self._write, assignment))
        return read_measured(folder, folder / ACCURACY, "quantize")

    def _write(self, assignment: dict[str, str], folder: Path) -> None:
        from models.evaluate import predicted
        from models.verify import compare_with_golden

        network = self.quantized(assignment, self.config.quantize.epochs)
        graph = network.export()
        compare_with_golden(network, graph, self.data, CHECKED_IMAGES)
        if graph.input.sparse:
            graph = graph.replace(stats=self._activity(graph))
        save(graph, folder)
        answers = {split: predicted(network, self.data, split) for split in MEASURED}
        write_json(folder / ACCURACY, "accuracy", {"assignment": assignment, **measured_on(self.data, answers)})


def measured_on(images: Dataset, answers: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """What ``accuracy.json`` says of a network: by split how many images of how many it gets right, which of the
    validation images these are, and the class that it gives each test image.

    Parameters
        images     the data set, which has the true classes
        answers    the classes that the network gives the images of each of the ``MEASURED`` splits
    """
    hits = {split: answers[split] == images.split(split)[1] for split in MEASURED}
    counts = {split: [int(own.sum()), len(own)] for split, own in hits.items()}
    predicted = " ".join(map(str, answers["test"].tolist()))
    return {**counts, "right": pack_bits(hits["validation"]), "predicted": predicted}


def origin(config: Config, trained: Path) -> dict[str, object]:
    """What a quantized network depends on besides its assignment."""
    return {"trained": digest(trained), **settings(config)}


def settings(config: Config) -> dict[str, object]:
    """What a quantized network depends on besides the trained one and its assignment."""
    return {
        "calibration": config.quantize.calibration,
        "reconstruction": config.quantize.reconstruction,
        "epochs": config.quantize.epochs,
        "seed": config.train.seed,
        "data": source(config.data),
    }


def source(spec: str) -> str:
    """A built-in name as it is; a user's own file, or network quantized already, with the hash of its content."""
    if (folder := quantized_network(spec)) is not None:
        files = [folder] if folder.suffix in NETWORK_FILES else [folder / GRAPH_FILE, folder / WEIGHTS_FILE]
        return " ".join([spec, *map(digest, files)])
    path = Path(spec.partition(".py:")[0] + ".py") if ".py:" in spec else Path(re.sub(r"@\d+$", "", spec))
    return f"{spec} {digest(path)}" if path.suffix in SUFFIXES and path.is_file() else spec
