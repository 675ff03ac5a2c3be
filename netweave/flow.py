"""The whole way, one stage after another; each reads files, and writes its own folder of a run.

::

    train/      network.npz train.json          the float network
                or graph.json weights.npz       the network itself, where it is quantized already
    networks/   graph.json weights.npz ...      every quantized network that was measured
    evaluations/                                what explorations have finished, each under all it depends on
    quantize/   quantize.json <format>/         one format for all layers; each layer's sensitivity
    explore/    <device>/front.json             the Pareto front
    finetune/   <device>/front.json             that front, its kept points trained for longer
    generate/   <device>/design/ ...            the chosen design: Verilog, manifest, synthesis
    cosim/      <device>/cosim.json             its RTL against golden
    search/     <device>/search.json            which backbones are worth training, where that is asked
    build/      <device>/board.bit build.json   its bitstream, where a board is named
    report/     index.html report.json ...      all of it to look at
    logs/ simulators/                           what Yosys said; simulators that were built

A stage is skipped when what it reads is what it was made from. One that fails or is stopped leaves
what stood there before. ``cosim`` and ``report`` read nothing but files and load no torch. A stage refuses a folder in
which a file is not as the stage before wrote it; ``force`` takes the folder as it is. ``report`` takes a run from its
fronts on, and says what is missing of the stages after them. One process works in a run's folder at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cosim.rtl.design import Cosim
from dse.front import Front
from hw.streams.manifest import VERSION as MANIFEST_VERSION
from netweave import __version__, architectures, designs, exploration, front_search, fronts, imported, networks
from netweave import finetune as finetuning
from netweave.config import Config, UnsuitableError, quantized_network
from netweave.config import DeviceConfig as Target
from netweave.job import Job, run_jobs
from netweave.listener import Listener, Progress
from netweave.lock import alone
from netweave.stamp import altered, digest, outdated
from netweave.store import Store
from netweave.workers import Pool
from reports.artifact import VERSION, ArtifactError, read_json
from reports.collect import StageFolders
from reports.designs import FRONT
from reports.html import REPORT
from reports.schema import Missing, Report

Stage = Callable[..., None]
SILENT, HERE = Listener(), Pool()
GIVES = {
    "generate": "the Verilog, and the resources that Yosys counts in it",
    "cosim": "the RTL against golden on test images, and the RTL's cycles",
    "build": "the bitstream, and the resources and the clock of the routed design",
}
"""What a report has of the stages that it can do without."""


@alone
def train(config: Config, run: Path, listener: Listener = SILENT) -> None:
    """Train the float network, or see what one that is quantized already is worth."""
    inputs = {"model": networks.source(config.model), "data": networks.source(config.data), **config.train.model_dump()}
    if quantized_network(config.model) is None:
        write = partial(networks.train, config, listener.note)
    else:
        write = partial(imported.train, config)
    _job(run / "train", inputs, write).run(listener)


@alone
def quantize(config: Config, run: Path, listener: Listener = SILENT, force: bool = False) -> None:
    """Quantize it at each format, and measure what each layer suffers from each; unless it is quantized already."""
    trained = needed(run / "train", listener, force)
    inputs = {"trained": digest(trained), **networks.settings(config), "formats": config.quantize.formats}
    inputs["sensitivity"] = config.quantize.sensitivity
    write: Callable[[Progress, Path], None] = partial(networks.quantize, config, trained, run / "networks")
    if quantized_network(config.model) is not None:
        write = partial(imported.quantize, trained)
    _job(run / "quantize", inputs, write).run(listener)


@alone
def explore(config: Config, run: Path, listener: Listener = SILENT, pool: Pool = HERE, force: bool = False) -> None:
    """Find each device's front, the accuracy of every point measured."""
    trained, quantized = (needed(run / stage, listener, force) for stage in ("train", "quantize"))
    inputs = {"quantized": digest(quantized), **networks.settings(config), **config.explore.model_dump()}
    with pool.open(Store(run / "evaluations")) as workers:
        for target in config.device:
            device = exploration.Exploration(config, target, trained, quantized, run / "networks")
            write = partial(front_search.explore, device, workers)
            _job(run / "explore" / target.target.name, {**inputs, **_settings(target)}, write).run(listener)


@alone
def finetune(
    config: Config, run: Path, points: Sequence[str], epochs: int, listener: Listener = SILENT, force: bool = False
) -> dict[str, dict[str, finetuning.Change]]:
    """Train points of the fronts, by name or by rule, for so many epochs; ``generate`` then takes the fronts with them.

    What came of it, by device and point.
    """
    if quantized_network(config.model) is not None:
        raise UnsuitableError(f"model {config.model!r} is quantized already; there is nothing of it to be trained")
    trained, quantized = (needed(run / stage, listener, force) for stage in ("train", "quantize"))
    names = [target.target.name for target in config.device]
    folders = {name: needed(run / "explore" / name, listener, force) for name in names}
    loaded = {device: fronts.load_front(folder / FRONT) for device, folder in folders.items()}
    selection = finetuning.select_points(loaded, points)
    longer = config.model_copy(update={"quantize": config.quantize.model_copy(update={"epochs": epochs})})
    changes = {}
    for target in config.device:
        device = target.target.name
        if device in selection:
            explored = folders[device]
            inputs = {"explored": digest(explored), **networks.settings(longer), "points": selection[device]}
            own = exploration.Exploration(longer, target, trained, quantized, run / "networks")
            write = partial(finetuning.finetune, own, explored, selection[device])
            _job(run / "finetune" / device, {**inputs, **_settings(target)}, write).run(listener)
            changes[device] = finetuning.changes(run / "finetune" / device)
    return changes


@alone
def search(config: Config, run: Path, listener: Listener = SILENT, pool: Pool = HERE) -> None:
    """Find which backbones are worth having on each device; no stage, as what it finds is a ``model`` for others."""
    with pool.open(Store(run / "evaluations")) as workers:
        for target in config.device:
            inputs = {
                **networks.settings(config), **config.search.model_dump(), "formats": config.quantize.formats,
                "train": config.train.model_dump(), "explore": config.explore.model_dump(), **_settings(target),
            }  # fmt: skip
            write = partial(architectures.search, config, target, workers)
            _job(run / "search" / target.target.name, inputs, write).run(listener)


@alone
def generate(config: Config, run: Path, listener: Listener = SILENT, force: bool = False) -> None:
    """Pick a point of each front; its Verilog, and what Yosys makes of it."""
    trained, jobs = needed(run / "train", listener, force), []
    for target in config.device:
        explored = needed(_front(run, target.target.name, listener, force), listener, force)
        jobs.append(_generation(config, run, target, trained, explored))
    run_jobs(jobs, listener)


def _generation(config: Config, run: Path, target: Target, trained: Path, explored: Path) -> Job:
    inputs = {"explored": digest(explored), "probes": config.cosim.probes, **_settings(target)}
    inputs["manifest"] = MANIFEST_VERSION
    if target.board is not None:
        inputs |= {"board": networks.source(target.board), "data": networks.source(config.data)}
    write = partial(designs.generate, config, target, trained, explored, run / "logs")
    return _job(run / "generate" / target.target.name, inputs, write)


@alone
def cosim(config: Config, run: Path, listener: Listener = SILENT, force: bool = False) -> None:
    """Test images through the RTL of each design, every output compared with golden."""
    jobs = []
    for target in config.device:
        generated = needed(run / "generate" / target.target.name, listener, force)
        jobs.append(_comparison(config, run, target, generated))
    run_jobs(jobs, listener)


def _comparison(config: Config, run: Path, target: Target, generated: Path) -> Job:
    inputs = {"design": digest(generated), "data": networks.source(config.data), **config.cosim.model_dump()}
    write = partial(designs.cosim, config, generated, run / "simulators")
    return _job(run / "cosim" / target.target.name, inputs, write)


@alone
def build(config: Config, run: Path, listener: Listener = SILENT, force: bool = False) -> None:
    """The bitstream of each device with a board: synthesis, place and route, packing."""
    jobs = []
    for target in config.device:
        if target.board is not None:
            generated = needed(run / "generate" / target.target.name, listener, force)
            jobs.append(_routing(run, target, generated, target.board))
    run_jobs(jobs, listener)


def _routing(run: Path, target: Target, generated: Path, board: str) -> Job:
    inputs = {"project": digest(generated), "board": networks.source(board), "seeds": target.seeds}
    write = partial(designs.build, target, generated, run / "logs")
    return _job(run / "build" / target.target.name, inputs, write)


@alone
def report(config: Config, run: Path, listener: Listener = SILENT, force: bool = False) -> None:
    """Tables, pictures and the page, of a run that has come as far as its fronts, or further."""
    trained, quantized = (needed(run / stage, listener, force) for stage in ("train", "quantize"))
    inputs: dict[str, object] = {"train": digest(trained), "quantize": digest(quantized)}
    stages = {}
    for target in config.device:
        name = target.target.name
        stages[name] = own = _progress(config, run, target, trained, listener, force)
        folders = own.explored, own.generated, own.cosim, own.build
        inputs |= {str(folder.relative_to(run)): digest(folder) for folder in folders if folder is not None}
        if own.generated is None:
            # the stage then makes itself what `generate` would have left of the picked design
            inputs[name] = {**_settings(target), "images": config.cosim.images, "activity": config.explore.activity}
    inputs |= {"name": config.name, "model": config.model, "data": networks.source(config.data)}
    _job(run / "report", inputs, partial(designs.report, config, run, trained, stages)).run(listener)


def _progress(
    config: Config, run: Path, target: Target, trained: Path, listener: Listener, force: bool
) -> StageFolders:
    """What of a device's stages from its front on is there, each made from what the one before has left."""
    explored = needed(_front(run, target.target.name, listener, force), listener, force)

    def folder(job: Job) -> Path | None:
        there = job.folder.is_dir() and not outdated(needed(job.folder, listener, force), job.inputs)
        return job.folder if there else None

    generated, compared, routed = folder(_generation(config, run, target, trained, explored)), None, None
    if generated is not None:
        compared = folder(_comparison(config, run, target, generated))
        routed = folder(_routing(run, target, generated, target.board)) if target.board is not None else None
    stages = {"generate": generated, "cosim": compared, **({"build": routed} if target.board is not None else {})}
    missing = [Missing(stage=stage, gives=GIVES[stage]) for stage, own in stages.items() if own is None]
    return StageFolders(explored, generated, compared, routed, missing)


STAGES: Mapping[str, Stage] = {
    "train": train,
    "quantize": quantize,
    "explore": explore,
    "generate": generate,
    "cosim": cosim,
    "build": build,
    "report": report,
}


@alone
def run(config: Config, folder: Path, listener: Listener = SILENT, pool: Pool = HERE) -> None:
    """All stages, into ``folder``; those whose inputs are as before are kept as they are."""
    stages = {**STAGES, "explore": partial(explore, pool=pool)}
    for stage in stages.values():
        stage(config, folder, listener)


def _job(folder: Path, inputs: Mapping[str, object], write: Callable[[Progress, Path], None]) -> Job:
    stage = folder.name if folder.name in STAGES else f"{folder.parent.name} {folder.name}"
    return Job(stage, folder, {**inputs, "netweave": __version__, "artifacts": VERSION}, write)


def needed(folder: Path, listener: Listener = SILENT, force: bool = False) -> Path:
    """``folder``, if the stage that makes it has run and every file in it is as it was written, or ``force``."""
    stage = folder.name if folder.name in STAGES else folder.parent.name
    if not folder.is_dir():
        raise ArtifactError(f"{folder}: is not there; `netweave {stage} CONFIG.toml` makes it")
    change = altered(folder)
    if change is not None:
        path, how = change
        why = f"{path}: {how} since `netweave {stage}` made the folder"
        if not force:
            raise ArtifactError(f"{why}; `netweave {stage} CONFIG.toml` makes it again, --force takes it as it is")
        listener.warn(f"{why}; it is taken as it is")
    return folder


def _front(run: Path, device: str, listener: Listener = SILENT, force: bool = False) -> Path:
    """The folder of a device's front: with points that were fine-tuned, where that was after its exploration."""
    explored, finetuned = run / "explore" / device, run / "finetune" / device
    if finetuned.is_dir() and finetuning.follows(needed(finetuned, listener, force), explored):
        return finetuned
    return explored


def _settings(target: Target) -> dict[str, object]:
    return {"device": networks.source(target.name), **target.model_dump(exclude={"board", "seeds"})}


def load_report(run: Path) -> Report:
    """The report that a run ended with."""
    return Report.load(run / "report" / REPORT)


def load_front(run: Path, device: str) -> Front:
    """What came of a device's exploration."""
    return fronts.load_front(run / "explore" / device / FRONT)


def load_build(run: Path, device: str) -> dict[str, Any]:
    """What came of the bitstream of a device."""
    return read_json(run / "build" / device / designs.BUILD, "build", "build")


def load_cosim(config: Config, run: Path) -> dict[str, Cosim]:
    """What the RTL of each device's design did, by the device's name."""
    names = [target.target.name for target in config.device]
    return {name: Cosim.load(run / "cosim" / name / designs.COSIM) for name in names}


def load_search(run: Path, device: str) -> dict[str, Any]:
    """What came of a device's architecture search."""
    return read_json(run / "search" / device / architectures.RESULT, "search", "search")
