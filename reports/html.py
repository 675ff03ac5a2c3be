"""One HTML page with everything in it: styles inline, images embedded."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

import pandas as pd

from reports import hover, plots, tables
from reports.designs import Designs
from reports.model_error import model_error
from reports.schema import AccuracyEntry, Label, Report
from reports.style import templates
from reports.undecided import undecided

REPORT = "report.json"


def _number(value: float | int | None) -> str:
    """Thousands apart; two decimals of a small number that has any; a dash for what was not measured."""
    if value is None or value != value:
        return "–"
    return f"{value:,.0f}" if value >= 1000 or float(value).is_integer() else f"{value:,.2f}"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "●" if value else ""
    return "–" if value is None or value != value else escape(str(value))


def _accuracy(accuracy: AccuracyEntry) -> str:
    low, high = accuracy.interval
    return f"{accuracy.percent:.2f} % ({low:.2f} to {high:.2f})"


def _table(frame: pd.DataFrame) -> str:
    """An HTML table: numbers to the right, a label's name set apart under the column's own."""
    columns = []
    for name in frame.columns:
        words = str(name)
        for label in Label:
            words = words.replace(str(label), f'<span class="label {label}">{label}</span>')
        columns.append(words)
    numeric = [pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in frame.dtypes]
    align = [" class=n" if right else "" for right in numeric]
    head = "".join(f"<th{side}>{name}</th>" for name, side in zip(columns, align, strict=True))
    body = []
    for row in frame.itertuples(index=False):
        texts = [_number(value) if right else _word(value) for value, right in zip(row, numeric, strict=True)]
        cells = [f"<td{side}>{text}</td>" for text, side in zip(texts, align, strict=True)]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"


def render(report: Report, images: dict[str, Path]) -> str:
    """The page; ``images`` are PNG files by the names of ``plots.write``."""
    environment = templates()
    environment.filters.update(number=_number, accuracy=_accuracy, table=_table, summary=tables.summary)
    embedded = {
        name: "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode() for name, path in images.items()
    }
    return environment.get_template("report.html.j2").render(
        report=report,
        images=embedded,
        tables=tables,
        Label=Label,
        percent=lambda part, whole: 100 * part / whole,
        model_error=model_error,
        undecided=lambda target: undecided(Designs.of(target).staircase),
    )


def write_page(report: Report, folder: Path) -> None:
    """``index.html`` with everything in it, and beside it ``report.json``, the CSV files, the PNGs, and for each device
    ``front_DEVICE.html`` to hover over."""
    report.save(folder / REPORT)
    tables.write(report, folder)
    page = render(report, plots.write(report, folder))
    (folder / "index.html").write_text(page, encoding="utf-8")
    for target in report.targets:
        (folder / f"front_{target.device}.html").write_text(hover.page(Designs.of(target)), encoding="utf-8")
