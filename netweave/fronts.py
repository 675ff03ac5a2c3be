"""``load_front``: a front.json as other stages take it, its figures possible and its names those of folders."""

from __future__ import annotations

import math
from pathlib import Path

from dse.front import Front, FrontError, FrontPoint
from hw.generate.emit import MAPPING_FILE
from models.ir.names import NAME_RULE, is_name

FIGURES = ("estimated", "bottleneck", "utilisation")


def load_front(path: Path) -> Front:
    """The front in ``path``, or all designs beside it; raises FrontError, which names file, field and value."""
    front = Front.load(path)
    if not (math.isfinite(front.clock_mhz) and front.clock_mhz > 0):
        raise FrontError(f"{path}, field 'clock_mhz': {front.clock_mhz!r} must be a number above 0")
    if not front.points:
        raise FrontError(f"{path}, field 'points': is empty; a front has at least one")
    names = [point.name for point in front.points]
    for number, point in enumerate(front.points):
        if point.name in names[:number]:
            raise FrontError(f"{path}, field 'points[{number}].name': {point.name!r} is listed twice")
        _check(point, f"{path}, field 'points[{number}].")
    return front


def _check(point: FrontPoint, where: str) -> None:
    def error(field: str, valid: str) -> FrontError:
        return FrontError(f"{where}{field}': {getattr(point, field)!r} must be {valid}")

    if not is_name(point.name):
        raise error("name", NAME_RULE)
    if point.mapping != f"{point.name}/{MAPPING_FILE}":
        raise error("mapping", repr(f"{point.name}/{MAPPING_FILE}"))
    if type(point.total) is not int or point.total < 1:
        raise error("total", "an integer of 1 or more")
    if type(point.correct) is not int or not 0 <= point.correct <= point.total:
        raise error("correct", f"an integer of 0 to {point.total}")
    for field, part, what in (("assignment", str, "texts"), ("resources", int, "integers")):
        values = getattr(point, field)
        if not isinstance(values, dict) or not all(type(value) is part for value in values.values()):
            raise error(field, f"an object of {what}")
    for field in (*FIGURES, *(() if point.simulated is None else ("simulated",))):
        value = getattr(point, field)
        if type(value) not in (int, float) or not math.isfinite(value) or value <= 0:
            raise error(field, "a number above 0")
