"""Files of other tools, by their endings: their networks as graphs, and what of them can be imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.frontend.imported import ImportedNetwork, Verdict
from models.frontend.onnx_network import check_onnx, import_onnx
from models.frontend.tflite import check_tflite, import_tflite


class UnknownFileError(ValueError):
    """A file that no importer takes; the message names it and what would be taken."""


IMPORTERS: dict[str, Callable[[Path], ImportedNetwork]] = {".onnx": import_onnx, ".tflite": import_tflite}
CHECKS: dict[str, Callable[[Path], list[Verdict]]] = {".onnx": check_onnx, ".tflite": check_tflite}


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
