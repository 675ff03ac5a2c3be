"""Networks that are quantized already: ``model = "graph:FOLDER"``, a folder that ``models.ir.serialize.save`` wrote, or
``model = "network.onnx"``, a file of another tool.

Importers (``models.frontend``) or any other program make them. Nothing is trained and nothing
quantized; the stages of these names check that the data set fits, and run golden on its images.
"""

from __future__ import annotations

import shutil
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from models import data
from models.data.dataset import Dataset
from models.frontend.importers import import_file
from models.ir import golden
from models.ir.activity import with_activity
from models.ir.graph import Graph
from models.ir.serialize import GRAPH_FILE, WEIGHTS_FILE, load, save
from netweave.config import NETWORK_FILES, Config, UnsuitableError, quantized_network
from netweave.listener import Progress
from netweave.networks import ACCURACY, ACTIVITY_FRAMES, MEASURED, Measured, measured_on, read_measured
from reports.artifact import counts, read_json, write_json

FORMAT = "imported"
"""What stands for the formats of such a network, whatever they are: the one family that an exploration has."""


class Imported:
    """Stands for ``Networks``: there is one assignment, and its network is what ``train`` wrote."""

    def __init__(self, config: Config, trained: Path) -> None:
        self.config, self.trained = config, trained

    @cached_property
    def data(self) -> Dataset:
        return data.load(self.config.data)

    def measure(self, assignment: dict[str, str]) -> Measured:
        return read_measured(self.trained, self.trained / ACCURACY, "train")


def train(config: Config, progress: Progress, folder: Path) -> None:
    """Write the graph with its activity on training images, and its accuracy on validation and test images."""
    source = quantized_network(config.model)
    assert source is not None, "only for a network that is quantized already"
    graph = import_file(source).graph if source.suffix in NETWORK_FILES else load(source)
    images = data.load(config.data, progress)
    _check(config, graph, images)
    if graph.input.sparse:
        sample = images.sample("train", ACTIVITY_FRAMES)
        graph = graph.replace(stats=with_activity(graph, sample, partial(progress, "activity")).stats)
    save(graph, folder)
    result = measured_on(images, {split: predicted(graph, images, split, progress) for split in MEASURED})
    assignment = {node.name: FORMAT for node in graph.nodes if node.owns_format}
    write_json(folder / ACCURACY, "accuracy", {"assignment": assignment, **result})
    write_json(folder / "train.json", "train", {**{split: result[split] for split in MEASURED}, "reference": FORMAT})


def quantize(trained: Path, progress: Progress, folder: Path) -> None:
    """Write the graph where those of formats stand, and ``quantize.json``, in which no format costs anything."""
    (folder / FORMAT).mkdir()
    for file in (GRAPH_FILE, WEIGHTS_FILE):
        shutil.copy(trained / file, folder / FORMAT)
    content = read_json(trained / ACCURACY, "accuracy", "train")
    accuracies = dict.fromkeys(("post_training", "trained"), counts(trained / ACCURACY, content, "validation"))
    written = {"choices": list(content["assignment"]), "uniform": {FORMAT: accuracies}, "sensitivity": {}}
    write_json(folder / "quantize.json", "quantize", written)


def predicted(graph: Graph, images: Dataset, split: str, progress: Progress = lambda *_: None) -> np.ndarray:
    """int64 ``[n]``: for each image of a split the class of golden's largest output."""
    frames = images.frames(split)
    classes = np.zeros(len(frames), dtype=np.int64)
    for number, frame in enumerate(frames):
        progress(f"{split} images", number, len(frames))
        classes[number] = golden.run(graph, frame)[graph.output].features[0].argmax()
    return classes


def _check(config: Config, graph: Graph, images: Dataset) -> None:
    """Raise where the network does not take the data set's images, or does not tell its classes apart."""
    node, output, numbers = graph.input, graph.shapes[graph.output], images.input_dtype.values()
    if node.shape != images.shape:
        raise _unsuitable(config, f"takes images of {node.shape}", f"must take those of {images.shape}")
    if output != (1, 1, images.classes):
        raise _unsuitable(config, f"gives {output} outputs", f"must give 1x1x{images.classes}, one a class")
    if images.sparse and not node.sparse:
        raise _unsuitable(config, "takes dense images", "must take sparse ones")
    if not np.array_equal(node.dtype.nearest_value(numbers), numbers):
        raise _unsuitable(config, f"takes numbers of {node.dtype}", f"must take those of {images.input_dtype}")


def _unsuitable(config: Config, has: str, why: str) -> UnsuitableError:
    return UnsuitableError(f"model {config.model!r} {has}; for data {config.data!r} it {why}")
