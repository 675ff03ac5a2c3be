"""The figures in README.md and docs: each stands in a block or a citation that is made of a result's file.

A *block* is a table of ``benchmarks.tables`` between two comments, and ends with what it comes from. A *citation*
is a figure within a sentence: a link to the result's file, whose title is the figure's place in there,
``[12,372](reports/results/see_d.json "published frame > cycles a frame")``. Its text keeps its number of decimals; with
`` %`` behind the number it is the figure times 100. ``python -m benchmarks --docs`` writes both anew.
"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

from benchmarks.origin import changed, commit_of

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "reports" / "results"
BLOCK = re.compile(
    r"(?P<begin><!-- benchmarks: (?P<name>\w+)\.(?P<table>\w+) -->\n)(?P<content>.*?)(?P<end><!-- end -->)", re.S
)
CITATION = re.compile(
    r"\[(?P<text>[^\]\[]*)\](?P<link>\((?:\.\./)?reports/results/(?P<name>\w+)\.json \"(?P<place>[^\"]*)\"\))"
)
NUMBER = re.compile(r"-?[\d,]*\d(?:\.(?P<decimals>\d+))?(?P<percent> %)?")


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def differences(write: bool = False) -> list[str]:
    """The blocks and citations of all pages that do not say what their results do; ``write``: and mend them."""
    found: list[str] = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        own = page.relative_to(ROOT)
        for begun in text.split("<!-- benchmarks: ")[1:]:
            if "<!-- end -->" not in begun.partition("<!-- benchmarks: ")[0]:
                raise ValueError(f"{own}: no <!-- end --> follows <!-- benchmarks: {begun.partition(' -->')[0]} -->")

        def block(match: re.Match[str], own: Path = own) -> str:
            content = block_content(match["name"], match["table"])
            if content != match["content"]:
                found.append(f"{own}: the block {match['name']}.{match['table']}")
            return match["begin"] + content + match["end"]

        def citation(match: re.Match[str], own: Path = own) -> str:
            shown = cited(match["name"], match["place"], match["text"])
            if shown != match["text"]:
                found.append(f"{own}: {match['text']} is {shown} by {match['name']}.json, {match['place']}")
            return f"[{shown}]{match['link']}"

        mended = CITATION.sub(citation, BLOCK.sub(block, text))
        if write and mended != text:
            page.write_text(mended, encoding="utf-8")
    return found


def block_content(name: str, table: str) -> str:
    """What stands in a block: the table, and what it comes from."""
    make = getattr(importlib.import_module(f"benchmarks.tables.{name}"), table)
    if not (RESULTS / f"{name}.json").is_file():
        return f"*To be measured by `python -m benchmarks {name}`: there is no result yet.*\n"
    result = _result(name)
    made = result.get("origin")
    try:
        shown = make(result["figures"])
    except KeyError as error:
        if made is not None and not changed(result):
            raise
        return f"*To be measured by `python -m benchmarks {name}`: the last result has no figure called {error}.*\n"
    when = f"at commit {commit_of(made)}, {made['date']}" if made else "before results carried their commit"
    return f"{shown.markdown()}\n\n*{shown.label}; `python -m benchmarks {name}` {when}.*\n"


def cited(name: str, place: str, text: str) -> str:
    """The figure at a place of a result, with as many decimals as a text has; a figure that is a word as it is."""
    where = f"{name}.json, {place!r}"
    value: Any = _result(name)["figures"]
    for key in place.split(" > "):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError):
            there = ", ".join(map(repr, value)) if isinstance(value, dict) else "none"
            raise ValueError(f"{where}: there is no {key!r}; there are {there}") from None
    if isinstance(value, str):
        return value
    form = NUMBER.fullmatch(text)
    if form is None or not isinstance(value, (int, float)):
        raise ValueError(f"{where}: {text!r} and {value!r} are not both numbers")
    share = 100 if form["percent"] else 1
    return f"{share * value:,.{len(form['decimals'] or '')}f}{form['percent'] or ''}"


def _result(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        raise ValueError(f"{path}: there is no such result; `python -m benchmarks {name}` makes it")
    return json.loads(path.read_text(encoding="utf-8"))
