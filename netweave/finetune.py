"""Longer quantization-aware training for the points that a user keeps, in the same formats, foldings and memories.

An exploration trains each assignment for ``[quantize] epochs``, enough to tell them apart; what is to be built may have
more. What stands beside the exploration afterwards can be taken in its place.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from dse.front import Front, FrontError, FrontPoint, pick
from dse.proof import PROOF
from hw.fpga.mapping import Mapping as HwMapping
from netweave.exploration import Exploration, measured_point
from netweave.fronts import load_front
from netweave.listener import Progress
from netweave.stamp import STAMP, digest
from reports.artifact import read_json, write_json
from reports.designs import ALL, FRONT
from reports.front import write_front

FINETUNED = "finetune.json"


class Change(TypedDict):
    """Validation images of ``total`` that a point's network got right."""

    before: int
    after: int
    total: int


def select_points(fronts: Mapping[str, Front], selectors: Sequence[str]) -> dict[str, list[str]]:
    """By device, the names of its points that ``selectors`` lists, by name or by a rule.

    Raises FrontError for what no front offers.
    """
    result: dict[str, list[str]] = {}
    for one in selectors:
        errors = []
        for device, front in fronts.items():
            try:
                name = pick(front, one).name
            except FrontError as error:
                errors.append(error)
                continue
            names = result.setdefault(device, [])
            if name not in names:
                names.append(name)
        if len(errors) == len(fronts):
            raise errors[0]
    return result


def changes(folder: Path) -> dict[str, Change]:
    """What ``finetune`` changed of each point."""
    return read_json(folder / FINETUNED, "finetune", "finetune")["points"]


def follows(folder: Path, explored: Path) -> bool:
    """Whether ``folder`` has what ``finetune`` made of this exploration."""
    path = folder / FINETUNED
    return path.exists() and read_json(path, "finetune", "finetune")["explored"] == digest(explored)


def finetune(exploration: Exploration, explored: Path, names: Sequence[str], progress: Progress, folder: Path) -> None:
    """Write what ``explored`` has, the points of these ``names`` trained for the epochs that ``exploration`` says.

    And ``finetune.json``: the exploration that it was made from, and validation images right before and after. A
    network that came out worse is written all the same.
    """
    shutil.copytree(explored, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(STAMP))
    whole, front = load_front(explored / ALL), load_front(explored / FRONT)
    points, changed = list(whole.points), {}
    for place, before in enumerate(whole.points):
        if before.name in names:
            progress("points", len(changed), len(names))
            points[place] = after = _trained(exploration, before, folder)
            changed[before.name] = {"before": before.correct, "after": after.correct, "total": after.total}
    dataclasses.replace(whole, points=tuple(points)).save(folder / ALL)
    Front.of(front.device, front.clock_mhz, points, front.infeasible).save(folder / FRONT)
    write_front(folder)
    epochs = exploration.config.quantize.epochs
    content = {"explored": digest(explored), "epochs": epochs, "points": changed}
    write_json(folder / FINETUNED, "finetune", content)


def _trained(exploration: Exploration, point: FrontPoint, folder: Path) -> FrontPoint:
    """The point with a network trained anew; ``folder`` has its graph in place of the one before."""
    assignment = dict(point.assignment)
    mapping = HwMapping.load(folder / point.mapping)
    proof = (folder / point.name / PROOF).read_bytes()
    shutil.rmtree(folder / point.name)
    solver = {"solver": dataclasses.asdict(point.solver), "minimised": point.minimised}
    solver |= {"tried": point.tried, "gained": point.gained}
    design = {"name": point.name, "assignment": assignment, **solver}
    # the same mapping; what requantizes may take other constants, and so be of another size
    costs = exploration.cycles(assignment, mapping.entry()) | {"program": point.program}
    trained = measured_point(exploration, design, costs, folder / point.name)
    (folder / point.name / PROOF).write_bytes(proof)
    return trained
