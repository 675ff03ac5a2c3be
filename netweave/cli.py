"""The ``netweave`` command."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from hw.boards.board import BOARDS
from hw.fpga.families.registry import DEVICES
from netweave import __version__
from netweave.console import err, out

DEBUG = "--debug"

app = typer.Typer(
    no_args_is_help=True,
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

WriteLp = Annotated[
    bool,
    typer.Option("--write-lp", help="write each design's integer program to lp/DEVICE/DESIGN.lp, for other solvers"),
]


def main() -> None:
    """Run the command line: exit code 2 and one message for what a user can mend, 1 for a bug of netweave."""
    # anywhere in the line, so that it can be put behind a command that failed
    debug, arguments = DEBUG in sys.argv, [word for word in sys.argv[1:] if word != DEBUG]
    try:
        app(arguments)
    except Exception as error:
        from netweave.errors import is_user_error

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


def _version(show: bool) -> None:
    if show:
        out.print(f"netweave {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version")]
Debug = Annotated[bool, typer.Option(DEBUG, help="show the traceback of any error")]


@app.callback()
def options(version: Version = False, debug: Debug = False) -> None:
    """Options of every command; ``main`` has taken ``--debug`` out of the line before."""


def _commands() -> ModuleType:
    """What the commands do, loaded when one of them runs: help, lists and completion need none of it."""
    from netweave import commands

    return commands


@app.command()
def run(config: ConfigFile, out_folder: RunFolder = None, workers: Count = None, cluster: Cluster = None) -> None:
    """All stages, from training to the report; what is done already is kept.

    [bold]netweave run examples/digits_dvs.toml[/]
    """
    _commands().run(config, out_folder, workers, cluster)


@app.command()
def train(config: ConfigFile, out_folder: RunFolder = None) -> None:
    """Train the float network: writes train/network.npz."""
    _commands().stage("train", config, out_folder)


@app.command()
def quantize(config: ConfigFile, out_folder: RunFolder = None, force: Force = False) -> None:
    """Quantize at each format, and measure each layer's sensitivity: writes quantize/FORMAT/graph.json."""
    _commands().stage("quantize", config, out_folder, force=force)


@app.command()
def explore(
    config: ConfigFile, out_folder: RunFolder = None, workers: Count = None, cluster: Cluster = None,
    force: Force = False, write_lp: WriteLp = False,
) -> None:  # fmt: skip
    """Find each device's Pareto front: writes explore/DEVICE/front.json, and front.html to look at.

    Every finished evaluation is kept in evaluations/: what was killed goes on where it was.

    [bold]netweave explore examples/digits_dvs.toml --cluster tcp://host:8786[/]
    """
    _commands().explore(config, out_folder, workers, cluster, force, write_lp)


@app.command()
def verify(
    front: Annotated[Path, typer.Argument(help="a front.json that explore or finetune wrote")], force: Force = False
) -> None:
    """Check what a front says of its designs: that none of them could be better, as far as stated.

    Each design's proof holds its problem, its choice and a certificate, whole numbers with which labels along the graph
    show that no choice has less. They are run again here; no solver is asked.

    [bold]netweave verify runs/digits_dvs/explore/zu3eg/front.json[/]
    """
    _commands().verify(front, force)


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
    _commands().finetune(config, points, epochs, out_folder, force)


@app.command()
def search(config: ConfigFile, out_folder: RunFolder = None, workers: Count = None, cluster: Cluster = None) -> None:
    r"""Find the backbones worth having, of all that [\[search]] allows: writes search/DEVICE/search.json.

    Each is trained, quantized, run on the validation split and folded for the device. What it finds is a `model` and
    `data` for a configuration of its own.

    [bold]netweave search examples/search_dvs.toml[/]
    """
    _commands().search(config, out_folder, workers, cluster)


@app.command()
def generate(config: ConfigFile, out_folder: RunFolder = None, force: Force = False) -> None:
    """Generate and synthesize the chosen design of each device: writes generate/DEVICE/design/netweave.v."""
    _commands().stage("generate", config, out_folder, force=force)


@app.command()
def cosim(config: ConfigFile, out_folder: RunFolder = None, force: Force = False) -> None:
    """Run test images through each design's RTL and compare with golden: writes cosim/DEVICE/cosim.json."""
    _commands().cosim(config, out_folder, force)


@app.command()
def build(config: ConfigFile, out_folder: RunFolder = None, force: Force = False) -> None:
    """Make the bitstream of each device whose config names a board: writes build/DEVICE/board.bit (or .bin).

    [bold]netweave build examples/digits_dvs_ulx3s.toml[/]
    """
    _commands().build(config, out_folder, force)


@app.command()
def report(config: ConfigFile, out_folder: RunFolder = None, force: Force = False) -> None:
    """Make the page, the tables and the pictures of a run, from explore on: writes report/index.html.

    The page says what is missing of the stages after explore, and which command makes it.
    """
    _commands().stage("report", config, out_folder, force=force)


NetworkFile = Annotated[Path, typer.Argument(metavar="FILE", help="another tool's quantized network: .onnx, .tflite")]


@app.command("import")
def import_network(
    file: NetworkFile,
    to: Annotated[
        Path | None,
        typer.Option("--to", file_okay=False, help="the folder; FILE without its ending where left out"),
    ] = None,
) -> None:
    """Take over a network that is quantized already: writes graph.json and weights.npz, which compute the same.

    A configuration takes the file itself too, [bold]model = "network.onnx"[/]; this shows what becomes of it.
    """
    _commands().import_network(file, to)


@app.command()
def check(file: NetworkFile) -> None:
    """What becomes of each operator of such a file; exit code 1 where one is refused."""
    _commands().check_network(file)


@app.command()
def devices() -> None:
    """The devices there are; your own is a TOML file with the same fields."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("name", "device", "LUT", "FF", "BRAM", "DSP", "MHz"):
        table.add_column(title, justify="left" if title in ("name", "device") else "right", no_wrap=True)
    for device in DEVICES.values():
        counts = (f"{getattr(device, kind):,}" for kind in ("lut", "ff", "bram", "dsp"))
        table.add_row(device.name, device.title, *counts, f"{device.clock_mhz:g}")
    out.print(table)
    out.print("\nBRAM in the smallest blocks that the device hands out: 18 Kb, on iCE40 4 Kb.\n", style="dim")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("family", "devices", "synthesis"):
        table.add_column(title, no_wrap=title != "devices")
    for synth in dict.fromkeys(device.synth for device in DEVICES.values()):
        own = [device for device in DEVICES.values() if device.synth == synth]
        table.add_row(own[0].family, ", ".join(device.name for device in own), synth)
    out.print(table)


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
    for name in (*zoo.MODELS, *zoo.PRETRAINED):
        table.add_row("model", name, zoo.describe(name))
    for name, make in data.DATASETS.items():
        text = sys.modules[make.__module__].__doc__ or ""
        table.add_row("data", name, text.strip().partition("\n")[0])
    out.print(table)
    out.print(
        "\nbackbone:w0.5-d2.1-k3-e2 is a backbone by its numbers, see docs/search.md; digits_dvs@16 has 16 rows.",
        style="dim",
    )
    out.print("n_mnist:FOLDER reads the recordings of N-MNIST in a folder with Train/ and Test/.", style="dim")
    out.print("graph:FOLDER is a network quantized already, in graph.json and weights.npz.", style="dim")


@app.command()
def ops() -> None:
    """The operations that have hardware."""
    from hw.ops.registry import OPS

    table = Table(box=None, header_style="bold")
    table.add_column("op")
    table.add_column("what it is")
    for node, kind in OPS.items():
        about = sys.modules[kind.__module__].__doc__ or ""
        table.add_row(node.op, about.strip().partition("\n")[0])
    out.print(table)
