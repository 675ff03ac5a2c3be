"""The ``netweave`` command."""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dse.front import Front
from dse.proof import PROOF, ProofError
from dse.proof import verify as prove
from hw.boards.board import BOARDS
from hw.device import DEVICES
from netweave import __version__, flow
from netweave import config as configuration
from netweave.errors import is_user_error
from netweave.fronts import load_front
from netweave.watch import watching
from netweave.workers import Pool

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

DEBUG = "--debug"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="""Weave a trained neural network into a verified FPGA accelerator.

    [bold]netweave run examples/digits_dvs.toml[/]      the whole way, with a report at the end

    [bold]netweave explore examples/digits_dvs.toml[/]  one stage, from the files of those before it

    [bold]netweave devices[/]                       the devices that can be named

    Everything goes into runs/NAME, a folder a stage. What is there and still fits is kept.""",
)

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="what to build, and for which devices")]
RunFolder = Annotated[
    Path | None, typer.Option("--out", "-o", file_okay=False, help="the run's folder; runs/NAME where left out")
]
Force = Annotated[
    bool, typer.Option("--force", help="take the folders of earlier stages as they are, whatever was changed in them")
]

Count = Annotated[
    int | None, typer.Option("--workers", min=1, help="processes that explore; as many as processors where left out")
]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="a running Dask scheduler whose workers explore instead, tcp://host:8786"),
]


def main() -> None:
    """Run the command line: exit code 2 and one message for what a user can mend, 1 for a bug of netweave."""
    # anywhere in the line, so that it can be put behind a command that failed
    debug, arguments = DEBUG in sys.argv, [word for word in sys.argv[1:] if word != DEBUG]
    try:
        app(arguments)
    except Exception as error:
        if debug:
            traceback.print_exc()
        if is_user_error(error):
            err.print(f"[bold red]error:[/] {escape(str(error) or type(error).__name__)}", soft_wrap=True)
            sys.exit(2)
        err.print(f"[bold red]bug:[/] {escape(f'{type(error).__name__}: {error}')}", soft_wrap=True)
        err.print(
            f"This is a bug of netweave {__version__}, none of your files. Please report it to those you have it from, "
            f"with this command and the traceback {'above' if debug else f'that {DEBUG} shows'}.",
            soft_wrap=True,
        )
        sys.exit(1)


def _version(asked: bool) -> None:
    if asked:
        out.print(f"netweave {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version")]
Debug = Annotated[bool, typer.Option(DEBUG, help="show the traceback of any error")]


@app.callback()
def options(version: Version = False, debug: Debug = False) -> None:
    """Options of every command; ``main`` has taken ``--debug`` out of the line before."""


def _stage(name: str, path: Path, out_folder: Path | None, **choices: Any) -> None:
    config = configuration.load(path)
    folder = out_folder or Path("runs") / config.name
    with watching(folder, out, err) as watcher:
        flow.STAGES[name](config, folder, watcher, **choices)


@app.command()
def run(config: ConfigFile, out_folder: RunFolder = None, workers: Count = None, cluster: Cluster = None) -> None:
    """All stages, from training to the report; what is done already is kept.

    [bold]netweave run examples/digits_dvs.toml[/]
    """
    loaded = configuration.load(config)
    folder = out_folder or Path("runs") / loaded.name
    with watching(folder, out, err) as watcher:
        flow.run(loaded, folder, watcher, Pool(cluster, workers))
    _summary(folder)
    _bitstreams(folder, loaded)
    _verdict(loaded, folder)


def _summary(folder: Path) -> None:
    report = flow.load_report(folder)
    table = Table(box=None, header_style="bold")
    for title in ("device", "front", "chosen", "accuracy", "µs a frame", "frames/s", "RTL = golden"):
        table.add_column(title, justify="left" if title == "device" else "right")
    for target in report.targets:
        design = target.design
        point = next(point for point in target.points if point.name == design.point)
        label, cycles = list(design.latency.items())[-1]
        pace = list(design.bottleneck.values())[-1]
        check = design.check
        table.add_row(
            target.device,
            f"{sum(point.front for point in target.points)} designs",
            point.name,
            f"{point.accuracy.percent:.2f} %",
            f"{cycles / target.clock_mhz:.1f} {label}",
            f"{1e6 * target.clock_mhz / pace:,.0f}",
            "-" if check is None else f"{'NO' if check.mismatches else 'yes'}, {check.images} images",
        )
    out.print(
        f"\n[bold]{report.name}[/]: {report.model} on {report.data}, float accuracy {report.accuracy.percent:.2f} %\n"
    )
    out.print(table)
    out.print()
    for target in report.targets:
        out.print(f"Verilog  {folder / 'generate' / target.device / 'design' / 'netweave.v'}", soft_wrap=True)
    out.print(f"report   [bold]{folder / 'report' / 'index.html'}[/]", soft_wrap=True)


def _verdict(config: configuration.Config, folder: Path) -> None:
    """Exit code 1, and where the first difference is, when any RTL differs from golden."""
    wrong = {name: result for name, result in flow.load_cosim(config, folder).items() if not result.equal}
    for name, result in wrong.items():
        alone = (f"; {layer.mismatch}" for layer in result.layers.values() if layer.mismatch)
        err.print(f"[bold red]{name}: RTL differs from golden:[/] {result.check}{''.join(alone)}", soft_wrap=True)
    if wrong:
        raise typer.Exit(1)


@app.command()
def train(config: ConfigFile, out_folder: RunFolder = None) -> None:
    """Train the float network: writes train/network.npz."""
    _stage("train", config, out_folder)


@app.command()
def quantize(config: ConfigFile, out_folder: RunFolder = None, force: Force = False) -> None:
    """Quantize at each format, and measure each layer's sensitivity: writes quantize/FORMAT/graph.json."""
    _stage("quantize", config, out_folder, force=force)


@app.command()
def explore(
    config: ConfigFile, out_folder: RunFolder = None, workers: Count = None, cluster: Cluster = None,
    force: Force = False,
) -> None:  # fmt: skip
    """Find each device's Pareto front: writes explore/DEVICE/front.json, and front.html to look at.

    Every finished evaluation is kept in evaluations/: what was killed goes on where it was.

    [bold]netweave explore examples/digits_dvs.toml --cluster tcp://host:8786[/]
    """
    loaded = configuration.load(config)
    folder = out_folder or Path("runs") / loaded.name
    with watching(folder, out, err) as watcher:
        flow.explore(loaded, folder, watcher, Pool(cluster, workers), force)
    for device in loaded.device:
        _front(flow.load_front(folder, device.target.name), loaded.explore.grain)
        out.print(f"to look at: [bold]{folder / 'explore' / device.target.name / 'front.html'}[/]", soft_wrap=True)


def _front(front: Front, grain: float) -> None:
    """The points of a front, how far each is proven, and what has no point."""
    table = Table(box=None, header_style="bold", title=f"{front.device}, {front.clock_mhz:g} MHz", title_justify="left")
    for title in ("design", "µs a frame", "accuracy", "of the device", "proven to"):
        table.add_column(title, justify="left" if title == "design" else "right")
    for point in front.points:
        table.add_row(
            point.name,
            f"{1000 * front.milliseconds(point):.2f} {'simulated' if point.simulated is not None else 'estimated'}",
            f"{100 * point.accuracy:.2f} %",
            f"{100 * point.utilisation:.1f} %",
            f"{100 * point.solver.gap:.1f} %",
        )
    out.print(table)
    worst = max(point.solver.gap for point in front.points)
    out.print(
        f"Each is within {100 * worst:.1f} % of the best there is for its formats, its summed error or its cycles in "
        f"its share of the device, by the program's estimate; mixed designs lie about {100 * grain:g} % of the largest "
        "summed error apart.",
        style="dim",
    )
    for family, why in front.unmet.items():
        err.print(f"[yellow]{front.device}: no design for {family}:[/] {escape(why)}", soft_wrap=True)


@app.command()
def verify(front: Annotated[Path, typer.Argument(help="a front.json that explore or finetune wrote")]) -> None:
    """Check what a front says of its designs: that none of them could be better, as far as stated.

    Each design's proof holds its problem, its choice and a certificate, whole numbers with which labels along the graph
    show that no choice has less. They are run again here; no solver is asked.

    [bold]netweave verify runs/digits_dvs/explore/zu3eg/front.json[/]
    """
    for point in load_front(front).points:
        begin = time.perf_counter()
        report = prove(front.parent / Path(point.mapping).parent / PROOF)
        if report != point.solver:
            raise ProofError(f"{front}, point {point.name!r}: its proof says {report}, the front {point.solver}")
        out.print(
            f"[green]✓[/] {point.name}: {point.minimised} {report.objective:.6g}, {report.status}; "
            f"none has less than {report.bound:.6g} [dim]{time.perf_counter() - begin:.1f} s[/]",
            soft_wrap=True,
        )


@app.command()
def finetune(
    config: ConfigFile,
    points: Annotated[list[str], typer.Argument(metavar="POINT...", help="of the fronts: names, or rules as `knee`")],
    epochs: Annotated[int, typer.Option(min=1, help="of quantization-aware training, from the float network")],
    out_folder: RunFolder = None,
    force: Force = False,
) -> None:
    """Train points of the fronts for longer, as they are built: writes finetune/DEVICE/front.json.

    The stages after take that front in place of explore/DEVICE/front.json. It has the points of this call trained, so
    name all that are kept; what was trained before is not trained again.

    [bold]netweave finetune examples/digits_dvs.toml knee "fastest-above 97" --epochs 20[/]
    """
    loaded = configuration.load(config)
    folder = out_folder or Path("runs") / loaded.name
    with watching(folder, out, err) as watcher:
        changes = flow.finetune(loaded, folder, points, epochs, watcher, force)
    for device, trained in changes.items():
        for name, change in trained.items():
            before, after = (f"{100 * right / change['total']:.2f} %" for right in (change["before"], change["after"]))
            out.print(f"{device} {name}: {before} before, {after} after", soft_wrap=True)


@app.command()
def search(config: ConfigFile, out_folder: RunFolder = None, workers: Count = None, cluster: Cluster = None) -> None:
    """Find the backbones worth having, of all that [[search]] allows: writes search/DEVICE/search.json.

    Each is trained, quantized, run on the test split and folded for the device. What it finds is a `model` and `data`
    for a configuration of its own.

    [bold]netweave search examples/search_dvs.toml[/]
    """
    loaded = configuration.load(config)
    folder = out_folder or Path("runs") / loaded.name
    with watching(folder, out, err) as watcher:
        flow.search(loaded, folder, watcher, Pool(cluster, workers))
    for device in loaded.device:
        found = flow.load_search(folder, device.target.name)
        front = sorted((row for row in found["networks"] if row["front"]), key=lambda row: row["cycles"])
        table = Table(box=None, header_style="bold")
        for title in ("model", "data", "format", "accuracy", "cycles", "µs a frame"):
            table.add_column(title, justify="left" if title in ("model", "data", "format") else "right")
        for row in front:
            accuracy, micros = 100 * row["correct"] / row["total"], row["cycles"] / found["clock_mhz"]
            figures = f"{accuracy:.2f} %", f"{row['cycles']:,.0f}", f"{micros:.1f}"
            table.add_row(row["model"], row["data"], row["format"], *figures)
        of = f"{len(found['networks'])} of {found['space']} networks"
        out.print(f"\n[bold]{device.target.name}[/]: {len(front)} that no other of {of} beats; cycles are estimated\n")
        out.print(table)


@app.command()
def generate(config: ConfigFile, out_folder: RunFolder = None, force: Force = False) -> None:
    """Generate and synthesize the chosen design of each device: writes generate/DEVICE/design/netweave.v."""
    _stage("generate", config, out_folder, force=force)


@app.command()
def cosim(config: ConfigFile, out_folder: RunFolder = None, force: Force = False) -> None:
    """Run test images through each design's RTL and compare with golden: writes cosim/DEVICE/cosim.json."""
    _stage("cosim", config, out_folder, force=force)
    loaded = configuration.load(config)
    _verdict(loaded, out_folder or Path("runs") / loaded.name)


@app.command()
def build(config: ConfigFile, out_folder: RunFolder = None, force: Force = False) -> None:
    """Make the bitstream of each device whose config names a board: writes build/DEVICE/board.bit (or .bin).

    [bold]netweave build examples/digits_dvs_ulx3s.toml[/]
    """
    loaded = configuration.load(config)
    if all(device.board is None for device in loaded.device):
        why = f"is named by no [[device]]; `board = ...` names one: {', '.join(BOARDS)}, or the path of a .toml file"
        raise configuration.ConfigError(config, "board", why)
    _stage("build", config, out_folder, force=force)
    _bitstreams(out_folder or Path("runs") / loaded.name, loaded)


def _bitstreams(folder: Path, config: configuration.Config) -> None:
    """Where each bitstream lies, and how fast it may be clocked."""
    for device in config.device:
        if device.board is not None:
            made = flow.load_build(folder, device.target.name)
            out.print(
                f"bitstream {folder / 'build' / device.target.name / made['bitstream']}   {made['clock_mhz']:g} MHz on "
                f"{made['board']}, routed for {made['fmax_mhz']:.1f}; [bold]make program[/] there loads it",
                soft_wrap=True,
            )


@app.command()
def report(config: ConfigFile, out_folder: RunFolder = None, force: Force = False) -> None:
    """Make the page, the tables and the pictures of a run: writes report/index.html."""
    _stage("report", config, out_folder, force=force)


@app.command()
def devices() -> None:
    """The devices there are; your own is a TOML file with the same fields."""
    table = Table(box=None, header_style="bold")
    for title in ("name", "device", "LUT", "FF", "BRAM", "DSP", "MHz", "synthesis"):
        table.add_column(title, justify="right" if title in ("LUT", "FF", "BRAM", "DSP", "MHz") else "left")
    for device in DEVICES.values():
        counts = (f"{getattr(device, kind):,}" for kind in ("lut", "ff", "bram", "dsp"))
        table.add_row(device.name, device.title, *counts, f"{device.clock_mhz:g}", device.synth)
    out.print(table)
    out.print("\nBRAM in the smallest blocks that the device hands out: 18 Kb, on iCE40 4 Kb.", style="dim")


@app.command()
def boards() -> None:
    """The boards that a bitstream can be made for; your own is a TOML file with the same fields."""
    table = Table(box=None, header_style="bold")
    for title in ("name", "board", "device", "oscillator MHz"):
        table.add_column(title, justify="right" if title.endswith("MHz") else "left")
    for board in BOARDS.values():
        table.add_row(board.name, board.title, board.device, f"{board.clock_mhz:g}")
    out.print(table)


@app.command()
def models() -> None:
    """The networks and data sets there are; your own is "file.py:function"."""
    from models import data, zoo

    table = Table(box=None, header_style="bold")
    table.add_column("kind")
    table.add_column("name")
    table.add_column("what it is")
    for name in (*zoo.MODELS, *zoo.TRAINED):
        table.add_row("model", name, zoo.about(name))
    for name, make in data.DATASETS.items():
        text = sys.modules[make.__module__].__doc__ or ""
        table.add_row("data", name, text.strip().partition("\n")[0])
    out.print(table)
    out.print(
        "\nbackbone:w0.5-d2.1-k3-e2 is a backbone by its numbers, see docs/search.md; digits_dvs@16 has 16 rows.",
        style="dim",
    )
    out.print("n_mnist:FOLDER reads the recordings of N-MNIST in a folder with Train/ and Test/.", style="dim")


@app.command()
def ops() -> None:
    """The operations that have hardware."""
    from hw.registry import OPS

    table = Table(box=None, header_style="bold")
    table.add_column("op")
    table.add_column("what it is")
    for node, kind in OPS.items():
        about = sys.modules[kind.__module__].__doc__ or ""
        table.add_row(node.op, about.strip().partition("\n")[0])
    out.print(table)
