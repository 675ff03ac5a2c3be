"""A network that is quantized already, from its folder to a front; and what does not go together with one."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.rtl.design import Cosim
from dse.front import Front
from hw.fpga.mapping import Mapping
from models.data import Dataset, load
from models.frontend.esda_network import load_esda, with_classifier
from models.ir import golden
from models.ir.graph import Graph
from models.ir.ops.input import Input
from models.ir.serialize import load as load_graph
from models.ir.serialize import save
from netweave import flow
from netweave.config import Config, ConfigError, UnsuitableError
from netweave.config import load as load_config
from netweave.finetune import FINETUNED
from netweave.workers import Pool
from reports.artifact import ArtifactError, read_json
from reports.schema import Label
from tests.models.frontend.esda_files import write_network
from tests.models.frontend.onnx_files import File, by_qonnx

CLASSES = 3
SEED = 0
"""Of a network that gives each of them now and then."""
WRONG = 7
"""Test images whose label is none of golden's answers."""


def network(folder: Path) -> Graph:
    rng = np.random.default_rng(SEED)
    return with_classifier(load_esda(write_network(folder, rng))[0], rng.integers(-127, 128, (CLASSES, 4)))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a network in ``graph/`` and images in ``data.npz``, which it gets right but for ``WRONG`` test images."""
    folder, rng = tmp_path_factory.mktemp("imported"), np.random.default_rng(4)
    graph = network(folder / "published")
    save(graph, folder / "graph")
    arrays: dict[str, Any] = {"sparse": 1}
    for split, count in (("train", 30), ("test", 20)):
        x = rng.integers(-2, 3, (count, 2, 5, 7)) * (rng.random((count, 1, 5, 7)) < 0.4)
        arrays |= {f"x_{split}": x, f"y_{split}": np.arange(count) % CLASSES}
    np.savez(folder / "data.npz", **arrays)
    images = load(str(folder / "data.npz"))
    for split in ("train", "test"):
        frames = replace(images, test_x=arrays[f"x_{split}"].astype(np.float32), test_y=arrays[f"y_{split}"]).frames()
        arrays[f"y_{split}"] = np.array([golden.run(graph, frame)["fc"].features[0].argmax() for frame in frames])
    arrays["y_test"][:WRONG] = (arrays["y_test"][:WRONG] + 1) % CLASSES
    np.savez(folder / "data.npz", **arrays)
    return folder


def config(home: Path, text: str = "", model: str = "graph:graph") -> Config:
    path = home / "net.toml"
    device = '[explore]\nbudgets = 1\npoints = 1\n[[device]]\nname = "zu3eg"\nutilisation = 0.3\n'
    path.write_text(f'model = "{model}"\ndata = "data.npz"\n{text}\n{device}')
    return load_config(path)


@pytest.fixture(scope="module")
def explored(home: Path) -> Path:
    run, wanted = home / "run", config(home)
    flow.train(wanted, run)
    flow.quantize(wanted, run)
    flow.explore(wanted, run, pool=Pool(count=1))
    return run


def test_it_is_measured_and_explored_as_it_is(home: Path, explored: Path) -> None:
    images, given = load(str(home / "data.npz")), load_graph(home / "graph")
    reached = read_json(explored / "train" / "train.json", "train", "train")
    validation = len(images.validation_y)
    assert reached["test"] == [20 - WRONG, 20]
    assert reached["validation"] == [validation, validation]
    (point,) = Front.load(explored / "explore" / "zu3eg" / "front.json").points
    assert (point.correct, point.total) == (validation, validation)
    assert set(point.assignment) == {node.name for node in given.nodes if not isinstance(node, Input)}
    built = load_graph(explored / "explore" / "zu3eg" / point.name)
    assert built.stats, "the activity of training images"
    assert built.nodes[0].op == "input"
    for split in ("train", "test"):
        for frame in images.frames(split, 5):
            wanted = golden.run(given, frame)
            assert all(found == wanted[name] for name, found in golden.run(built, frame).items())


def test_other_weights_are_another_network(home: Path, explored: Path) -> None:
    wanted, before = config(home), (explored / "train" / "stamp.json").read_text()
    flow.train(wanted, explored)
    assert (explored / "train" / "stamp.json").read_text() == before
    graph = load_graph(home / "graph")
    linear = graph["fc"]
    other = graph.replace(nodes=(*graph.nodes[:-1], replace(linear, weight=-linear.weight)))  # type: ignore[attr-defined]
    save(other, home / "other")
    flow.train(config(home, model="graph:other"), home / "run_other")
    changed = home / "changed"
    save(graph, changed)
    flow.train(config(home, model="graph:changed"), home / "run_other")
    first = read_json(home / "run_other" / "train" / "train.json", "train", "train")
    save(other, changed)
    flow.train(config(home, model="graph:changed"), home / "run_other")
    assert read_json(home / "run_other" / "train" / "train.json", "train", "train") != first


def test_another_tool_s_file_is_taken_as_it_is(home: Path, tmp_path: Path) -> None:
    """A file of ONNX in the place of a network; its images are the integers that it takes."""
    file = File((1, 2, 5, 7))
    x = file.node("Flatten", file.quant("x", 1.0, 3))
    w = file.quant(file.constant(np.random.default_rng(0).normal(size=(70, CLASSES))), 0.5, 4)
    path = file.save(tmp_path / "net.onnx", file.node("MatMul", x, w))
    arrays = dict(np.load(home / "data.npz"))
    np.savez(tmp_path / "data.npz", **{**arrays, "sparse": 0})
    flow.train(config(tmp_path, model="net.onnx"), tmp_path / "run")
    reached = read_json(tmp_path / "run" / "train" / "train.json", "train", "train")
    answers = [by_qonnx(path)(x[None].astype(np.float32)).argmax() for x in arrays["x_test"]]
    assert reached["test"] == [int((answers == arrays["y_test"]).sum()), 20]
    assert [node.op for node in load_graph(tmp_path / "run" / "train").nodes] == ["input", "linear"]


@pytest.mark.parametrize(
    ("text", "model", "says"),
    [
        ("[train]\nepochs = 1", "graph:graph", r"net.toml: train: model 'graph:.*' is quantized already"),
        ('[quantize]\nformats = ["int8"]', "graph:graph", r"quantize: model 'graph:.*' is quantized already"),
        ("", "nowhere.onnx", r"model: 'nowhere.onnx': there is no file .*nowhere.onnx"),
        ("", "graph:nowhere", r"model: 'graph:nowhere': there is no file .*nowhere/graph.json"),
    ],
)
def test_what_does_not_go_together_with_it(home: Path, text: str, model: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        config(home, text, model)


def test_a_second_format_does_not_go_together_with_it(home: Path) -> None:
    content = {"name": "net", "model": f"graph:{home / 'graph'}", "device": [{"name": "zu3eg"}]}
    with pytest.raises(ValueError, match=r"explore.max_errors, explore.speedups: model 'graph:.*leave them out"):
        Config.model_validate({**content, "explore": {"speedups": [2.0], "max_errors": [0.1]}})


def changed(images: Dataset, folder: Path, **arrays: Any) -> None:
    content = {"x_train": images.train_x, "y_train": images.train_y, "x_test": images.test_x, "y_test": images.test_y}
    np.savez(folder / "data.npz", **{**content, "sparse": 1, **arrays})


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        (lambda d: {"x_train": d.train_x[..., 1:], "x_test": d.test_x[..., 1:]}, "5x7x2; .* must take those of 5x6x2"),
        (lambda d: {"y_test": d.test_y + 1}, "gives 1x1x3 outputs; for data .* it must give 1x1x4, one a class"),
        (
            lambda d: {"x_train": abs(d.train_x) * 127, "x_test": abs(d.test_x)},
            "takes numbers of int8; for data .* must take those of uint8",
        ),
    ],
    ids=["shape", "classes", "numbers"],
)
def test_data_that_do_not_fit_it(home: Path, tmp_path: Path, arrays: Any, says: str) -> None:
    images = load(str(home / "data.npz"))
    changed(images, tmp_path, **arrays(images))
    save(load_graph(home / "graph"), tmp_path / "graph")
    with pytest.raises(UnsuitableError, match=says):
        flow.train(config(tmp_path), tmp_path / "run")


def test_sparse_images_do_not_fit_a_dense_network(home: Path, tmp_path: Path) -> None:
    graph = load_graph(home / "graph")
    dense = replace(graph.input, sparse=False)
    save(graph.replace(nodes=(dense, *graph.nodes[1:])), tmp_path / "graph")
    changed(load(str(home / "data.npz")), tmp_path)
    with pytest.raises(UnsuitableError, match=r"takes dense images; .* it must take sparse ones"):
        flow.train(config(tmp_path), tmp_path / "run")


def test_it_is_not_trained_further(home: Path, explored: Path) -> None:
    with pytest.raises(UnsuitableError, match=r"model 'graph:.*' is quantized already; there is nothing"):
        flow.finetune(config(home), explored, ["fastest"], 1)
    assert not list(explored.rglob(FINETUNED))


def test_a_report_before_generation_has_what_golden_says_and_what_will_be_built(home: Path, explored: Path) -> None:
    flow.report(config(home), explored)
    (target,) = flow.load_report(explored).targets
    design, images = target.design, load(str(home / "data.npz"))
    graph = load_graph(explored / "explore" / "zu3eg" / design.point)
    counts = [[0] * CLASSES for _ in range(CLASSES)]
    for frame, label in zip(images.frames("test"), images.test_y, strict=True):
        counts[label][int(golden.run(graph, frame)[graph.output].features[0].argmax())] += 1
    assert design.confusion == counts
    assert design.test.correct == 20 - WRONG == sum(row[own] for own, row in enumerate(counts))
    assert [own.stage for own in target.missing] == ["generate", "cosim"]
    assert design.check is None
    assert {*design.latency} == {Label.ESTIMATED, Label.SIMULATED}
    assert {*design.resources} == {Label.ESTIMATED}
    page = (explored / "report" / "index.html").read_text()
    assert "<code>netweave generate CONFIG.toml</code>" in page
    assert "<code>netweave cosim CONFIG.toml</code>" in page
    mapping = Mapping.load(explored / "explore" / "zu3eg" / design.point / "mapping.json")
    assert mapping.queues.items() <= {(f"{own.producer}->{own.consumer}", own.depth) for own in design.queues}


def test_classes_that_are_none_of_the_data_set_are_refused(home: Path, explored: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(explored, run, ignore=shutil.ignore_patterns("report"))
    (path,) = (run / "explore" / "zu3eg").glob("*/accuracy.json")
    content = json.loads(path.read_text())
    content["predicted"] = " ".join(["3", *content["predicted"].split()[1:]])
    path.write_text(json.dumps(content))
    with pytest.raises(
        ArtifactError, match=r"field 'predicted': '3 .*'\.\.\. must be a class of 0 to 2 for each of the 20"
    ):
        flow.report(config(home), run, force=True)


@pytest.mark.slow
def test_from_its_folder_to_the_report(home: Path, tmp_path: Path) -> None:
    wanted = config(home, "[cosim]\nimages = 3\nlayers = false")
    flow.run(wanted, tmp_path / "run")
    assert Cosim.load(tmp_path / "run" / "cosim" / "zu3eg" / "cosim.json").equal
    report = flow.load_report(tmp_path / "run")
    assert report.reference == "imported"
    assert (report.targets[0].design.test.correct, report.test.correct) == (20 - WRONG, 20 - WRONG)
    assert "imported accuracy" in (tmp_path / "run" / "report" / "index.html").read_text()
