"""Files of other tools, by their endings: their networks as graphs, and what of them can be imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.frontend.tflite import check_tflite, import_tflite
from models.frontend.verdict import Verdict
from models.ir.graph import Graph


class UnknownFileError(ValueError):
    """A file that no importer takes; the message names it and what would be taken."""


@dataclass(frozen=True)
class ImportedNetwork:
    """A network of another tool.

    Parameters
        graph    the integer graph
        notes    sentences on what was left out
    """

    graph: Graph
    notes: tuple[str, ...]


def _tflite(path: Path) -> ImportedNetwork:
    network = import_tflite(path)
    return ImportedNetwork(network.graph, network.notes)


IMPORTERS: dict[str, Callable[[Path], ImportedNetwork]] = {".tflite": _tflite}
CHECKS: dict[str, Callable[[Path], list[Verdict]]] = {".tflite": check_tflite}


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in IMPORTERS:
        raise UnknownFileError(f"{path}: ends in {ending or 'nothing'}; possible are {', '.join(IMPORTERS)}")
    return ending


def import_file(path: Path) -> ImportedNetwork:
    """The network of a file.

    Parameters
        path       the file
    Raises         ValueError: no importer takes it, it is damaged, or it cannot be imported exactly
    """
    return IMPORTERS[_ending(path)](path)


def check_file(path: Path) -> list[Verdict]:
    """What becomes of each operator of a file.

    Parameters
        path       the file
    Raises         ValueError: no importer takes it, or it is damaged
    """
    return CHECKS[_ending(path)](path)
