"""What the commands do with their arguments, and what they show of what came of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from dse.front import Front
from dse.program import Program
from dse.proof import PROOF, ProofError, load
from dse.proof import verify as prove
from hw.boards.board import BOARDS
from models.ir.requant import Requant
from netweave import config as configuration
from netweave import flow
from netweave.console import err, out
from netweave.fronts import load_front
from netweave.watch import watching
from netweave.workers import Pool
from reports.designs import read
from reports.undecided import undecided


def stage(name: str, path: Path, out_folder: Path | None, **choices: Any) -> None:
    """One stage of the configuration at ``path``."""
    config = configuration.load(path)
    folder = out_folder or Path("runs") / config.name
    with watching(folder, out, err) as watcher:
        flow.STAGES[name](config, folder, watcher, **choices)


def run(path: Path, out_folder: Path | None, workers: int | None, cluster: str | None) -> None:
    """All stages, and what came of them."""
    loaded = configuration.load(path)
    folder = out_folder or Path("runs") / loaded.name
    with watching(folder, out, err) as watcher:
        flow.run(loaded, folder, watcher, Pool(cluster, workers))
    _summary(folder)
    _bitstreams(folder, loaded)
    _verdict(loaded, folder)


def import_network(file: Path, to: Path | None) -> None:
    """The network of another tool's file as a graph in a folder, and what its nodes are."""
    from models.frontend.importers import import_file
    from models.ir.serialize import save

    imported, folder = import_file(file), to or file.with_suffix("")
    save(imported.graph, folder)
    table = Table(box=None, header_style="bold")
    for title in ("node", "op", "output", "numbers", "sums become numbers by"):
        table.add_column(title, overflow="fold")
    for node in imported.graph.nodes:
        rule = getattr(node, "requant", None) or getattr(node, "total", None)
        by = "" if rule is None else "multiplication and shift" if isinstance(rule, Requant) else "levels"
        table.add_row(node.name, node.op, str(imported.graph.shapes[node.name]), str(node.dtype), by)
    out.print(table)
    for note in imported.notes:
        out.print(f"note: {escape(note)}", style="dim", soft_wrap=True)
    out.print(
        f'\nwritten: [bold]{_shown(folder)}[/]; a configuration takes it as model = "graph:{folder}"', soft_wrap=True
    )


def check_network(file: Path) -> None:
    """A line for each operator of another tool's file; exit code 1 where one is refused."""
    from models.frontend.importers import check_file

    verdicts = check_file(file)
    table = Table(box=None, header_style="bold")
    for title in ("operator", "becomes", "why not"):
        table.add_column(title, overflow="fold")
    for verdict in verdicts:
        style = "bold red" if verdict.refused else "dim" if not verdict.node else ""
        table.add_row(verdict.operator, verdict.node or "-", escape(verdict.why), style=style)
    out.print(table)
    refused = sum(verdict.refused for verdict in verdicts)
    out.print(
        f"\n{len(verdicts)} operators, {refused} refused" if refused else f"\n{len(verdicts)} operators, none refused"
    )
    if refused:
        raise typer.Exit(1)


def _summary(folder: Path) -> None:
    report = flow.load_report(folder)
    table = Table(box=None, header_style="bold")
    for title in ("device", "front", "chosen", "test accuracy", "µs a frame", "frames/s", "RTL = golden"):
        table.add_column(title, justify="left" if title == "device" else "right", overflow="fold")
    for target in report.targets:
        design = target.design
        point = next(point for point in target.points if point.name == design.point)
        label = design.usual
        cycles, pace, check = design.latency[label], design.bottleneck[label], design.check
        table.add_row(
            target.device,
            f"{sum(point.front for point in target.points)} designs",
            point.name,
            f"{design.test.percent:.2f} %",
            f"{cycles / target.clock_mhz:.1f} {label}",
            f"{1e6 * target.clock_mhz / pace:,.0f}",
            "-" if check is None else f"{'NO' if check.mismatches else 'yes'}, {check.images} images",
        )
    out.print(
        f"\n[bold]{report.name}[/]: {report.model} on {report.data}, {report.reference} test accuracy "
        f"{report.test.percent:.2f} %\n"
    )
    out.print(table)
    for target in report.targets:
        out.print(f"{target.device}: at {target.clock_mhz:g} MHz, {target.clock}", style="dim")
    out.print()
    for target in report.targets:
        out.print(f"Verilog  {_shown(folder / 'generate' / target.device / 'design' / 'netweave.v')}", soft_wrap=True)
    out.print(f"report   [bold]{_shown(folder / 'report' / 'index.html')}[/]", soft_wrap=True)


def _verdict(config: configuration.Config, folder: Path) -> None:
    """Exit code 1, and where the first difference is, when any RTL differs from golden."""
    wrong = {name: result for name, result in flow.load_cosim(config, folder).items() if not result.equal}
    for name, result in wrong.items():
        alone = (f"; {layer.mismatch}" for layer in result.layers.values() if layer.mismatch)
        err.print(f"[bold red]{name}: RTL differs from golden:[/] {result.check}{''.join(alone)}", soft_wrap=True)
    if wrong:
        raise typer.Exit(1)


def explore(
    path: Path, out_folder: Path | None, workers: int | None, cluster: str | None, force: bool, write_lp: bool
) -> None:
    """The stage, and each device's front; ``write_lp``: and the integer program of each design, to look at."""
    loaded = configuration.load(path)
    folder = out_folder or Path("runs") / loaded.name
    with watching(folder, out, err) as watcher:
        flow.explore(loaded, folder, watcher, Pool(cluster, workers), force)
    for device in loaded.device:
        _front(flow.load_front(folder, device.target.name), loaded.explore.error_step)
        _undecided(folder / "explore" / device.target.name)
        page = folder / "explore" / device.target.name / "front.html"
        out.print(f"to look at: [bold]{_shown(page)}[/]", soft_wrap=True)
        if write_lp:
            _write_lp(folder, device.target.name)


def _write_lp(folder: Path, device: str) -> None:
    """The integer program of each design of a front, outside of the stage's folder, which stays as it was made."""
    for point in flow.load_front(folder, device).points:
        problem, objective = load(folder / "explore" / device / point.name / PROOF)
        program = Program(problem)
        path = folder / "lp" / device / f"{point.name}.lp"
        program.write(path, program.constrained(objective))
        out.print(f"integer program: {_shown(path)}", soft_wrap=True)


def _front(front: Front, error_step: float) -> None:
    """The points of a front, how far each is proven, and what has no point."""
    title = f"{front.device}, {front.clock_mhz:g} MHz (assumed clock)"
    table = Table(box=None, header_style="bold", title=title, title_justify="left")
    for column in ("design", "µs a frame", "validation accuracy", "of the device", "proven to"):
        table.add_column(column, justify="left" if column == "design" else "right", overflow="fold")
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
        f"its share of the device, by the program's estimate; mixed designs lie about {100 * error_step:g} % of the "
        "largest summed error apart.",
        style="dim",
    )
    for family, why in front.infeasible.items():
        err.print(f"[yellow]{front.device}: no design for {family}:[/] {escape(why)}", soft_wrap=True)


def _undecided(explored: Path) -> None:
    """Designs that are more accurate than a faster one, but not by more than chance may do."""
    pairs = undecided(read(explored).staircase)
    if pairs:
        listed = "; ".join(f"{own.slower} over {own.faster} (p = {own.probability:.2f})" for own in pairs)
        out.print(f"Validation images do not tell apart, by McNemar's paired test at 5 %: {listed}", style="dim")


def verify(front: Path, force: bool) -> None:
    """Each point's proof, checked; a front that lies in a run must be as its stage wrote it, unless ``force``."""
    if front.absolute().parent.parent.name in ("explore", "finetune"):
        with watching(front.parent, out, err) as watcher:
            flow.needed(front.parent, watcher, force)
    for point in load_front(front).points:
        begin = time.perf_counter()
        path = front.parent / point.name / PROOF
        try:
            report = prove(path)
        except (ArithmeticError, AttributeError, RecursionError) as error:
            raise ProofError(f"{path}: missing or bad field: {error}") from error
        if report != point.solver:
            raise ProofError(f"{front}, point {point.name!r}: its proof says {report}, the front {point.solver}")
        out.print(
            f"[green]✓[/] {point.name}: {point.minimised} {report.objective:.6g}, {report.status}; "
            f"none has less than {report.bound:.6g} [dim]{time.perf_counter() - begin:.1f} s[/]",
            soft_wrap=True,
        )


def finetune(path: Path, points: list[str], epochs: int, out_folder: Path | None, force: bool) -> None:
    """Points trained for longer, and what it changed."""
    loaded = configuration.load(path)
    folder = out_folder or Path("runs") / loaded.name
    with watching(folder, out, err) as watcher:
        changes = flow.finetune(loaded, folder, points, epochs, watcher, force)
    for device, trained in changes.items():
        for name, change in trained.items():
            before, after = (f"{100 * right / change['total']:.2f} %" for right in (change["before"], change["after"]))
            out.print(f"{device} {name}: {before} of the validation images before, {after} after", soft_wrap=True)


def search(path: Path, out_folder: Path | None, workers: int | None, cluster: str | None) -> None:
    """The search, and the networks that no other beats."""
    loaded = configuration.load(path)
    folder = out_folder or Path("runs") / loaded.name
    with watching(folder, out, err) as watcher:
        flow.search(loaded, folder, watcher, Pool(cluster, workers))
    for device in loaded.device:
        content = flow.load_search(folder, device.target.name)
        front = sorted((row for row in content["networks"] if row["front"]), key=lambda row: row["cycles"])
        table = Table(box=None, header_style="bold")
        for title in ("model", "data", "format", "validation accuracy", "cycles", "µs a frame"):
            justify = "left" if title in ("model", "data", "format") else "right"
            table.add_column(title, justify=justify, overflow="fold")
        for row in front:
            accuracy, micros = 100 * row["correct"] / row["total"], row["cycles"] / content["clock_mhz"]
            figures = f"{accuracy:.2f} %", f"{row['cycles']:,.0f}", f"{micros:.1f}"
            table.add_row(row["model"], row["data"], row["format"], *figures)
        of = f"{len(content['networks'])} of {content['space']} networks"
        out.print(f"\n[bold]{device.target.name}[/]: {len(front)} that no other of {of} beats; cycles are estimated\n")
        out.print(table)


def cosim(path: Path, out_folder: Path | None, force: bool) -> None:
    """The stage, and its verdict."""
    stage("cosim", path, out_folder, force=force)
    config = configuration.load(path)
    _verdict(config, out_folder or Path("runs") / config.name)


def build(path: Path, out_folder: Path | None, force: bool) -> None:
    """The stage where a board is named, and where each bitstream lies."""
    loaded = configuration.load(path)
    if all(device.board is None for device in loaded.device):
        why = f"is named by no [[device]]; `board = ...` names one: {', '.join(BOARDS)}, or the path of a .toml file"
        raise configuration.ConfigError(path, "board", why)
    stage("build", path, out_folder, force=force)
    _bitstreams(out_folder or Path("runs") / loaded.name, loaded)


def _bitstreams(folder: Path, config: configuration.Config) -> None:
    """Where each bitstream lies, and how fast it may be clocked."""
    for device in config.device:
        if device.board is not None:
            result = flow.load_build(folder, device.target.name)
            path = _shown(folder / "build" / device.target.name / result["bitstream"])
            out.print(
                f"bitstream {path}   {result['clock_mhz']:g} MHz on {result['board']}, "
                f"routed for {result['fmax_mhz']:.1f}; "
                "[bold]make program[/] there loads it",
                soft_wrap=True,
            )


def _shown(path: Path) -> str:
    """A path as text without markup, whatever is in its name."""
    return escape(str(path))
