"""Every figure in README.md and docs is that of its result, and none stands there without one."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import docs, tables
from benchmarks.__main__ import main
from benchmarks.tables import Table

UNITS = (
    "cycles? % ms µs s seconds minutes hours LUTs? FF DSP MHz dB frames? points? times images recordings networks "
    "memories evaluations registers"
).replace(" ", "|")
FIGURE = re.compile(
    r"(?<![\w.:/])[±+-]?(?:"
    rf"\d[\d,]*(?:\.\d+)?[ -](?:thousand |million )?(?:{UNITS})(?![\w-])"
    r"|\d+\.\d+(?![\d.]*\w)"
    r"|\d{1,3}(?:,\d{3})+)"
)
"""A number with a unit, or with a fraction, or in thousands."""
NO_PROSE = (
    re.compile(r"```.*?```", re.S),
    docs.BLOCK,
    docs.CITATION,
    re.compile(r"`[^`\n]*`"),
    re.compile(r"!?\[[^\]]*\]\([^)]*\)"),
    re.compile(r"arXiv\s[\d.]+"),
)
CONSTANTS = {
    "README.md": (
        "and 70,000 LUTs", "With 80 % of the LUTs", "The published accelerator takes 0.59 ms", "Python 3.11",
        "Apache-2.0",
    ),
    "accuracy.md": ("tell apart at 5 %", "fine-tuned on 3,000 images", "a third of the 1,000 training recordings"),
    "boards.md": ("held for 20 µs", "1,000,000 by default"),
    "data.md": ("as far out as 99.9 % of",),
    "external_data.md": ("of 1,000 training and 60 test recordings", "CC BY-SA 4.0"),
    "dybit.md": (
        "0, 1, 2 or 3 times the feature", "ResNet-20 for 80 % of a zu3eg", "within 8 % of the least latency",
        "2,000 test images choose designs", "on the other 4,000", "the gap of 8 %",
        "DyBit's authors publish 2.5 to 8.1 times",
    ),
    "events.md": (
        "AEDAT 2.0", "AEDAT 3.1", "AEDAT 4.0", "EVT 2.0 and EVT 3.0", "Python 3.11", "an EVT 3.0 time", "1,797 digits",
        "the first saccade, 100 ms", "supports within 5 ms", "CC BY-SA 4.0", "back, 100 ms each", "alone for 5 ms",
        "clipped at 31.75", "of 1,156 sites", "the first 1,024 events of 200 ms",
    ),
    "exploration.md": (
        "which 99 % of the frames do not exceed", "Bars are 95 % intervals", "with a 95 % interval",
        "two walks of 5,000 evaluations", "every fifth of the 1,000 for training", "at most 30 % of the device",
    ),
    "interface.md": ("leaves 2 cycles after",),
    "proof.md": ("2 x 2 frames",),
    "resources.md": ("5,184 x 3 bits", "Yosys 0.70"),
    "search.md": ("a gap of 5 %", "Hypervolume after 40 evaluations"),
    "solver.md": (
        "at most 12 DSP blocks", "up to 2,000 candidates", "to 0.2 % of the utilisation", "in half, 80 % and all",
        "2 % asked for within 60 s", "asked for to within 2 %", "MobileNetV2 in 100 % shows",
        "as soon as 2 % are proven", "224 x 224 in 80 % of a ZCU102",
    ),
    "sparse.md": (
        "11.7 k parameters", "the 1,000 training recordings", "chosen on 200 recordings", "up to 80 % of the device's",
        "is the published 21 %", "in 93 % of its windows", "60 % of the LUTs of the same ZCU102",
        "right in 99.0 % of the whole", "the 60 recordings",
    ),
}  # fmt: skip
"""What is no measurement of ours: parameters, devices, versions, and figures that others published."""


def test_every_figure_is_that_of_its_result() -> None:
    assert docs.differences() == [], "python -m benchmarks --docs writes them anew"


def prose(page: Path) -> str:
    """A page's text without what is checked elsewhere and what is no prose."""
    text = page.read_text(encoding="utf-8")
    for pattern in NO_PROSE:
        text = pattern.sub(" ", text)
    return " ".join(text.split())


def test_the_page_about_data_names_every_test_that_reads_them() -> None:
    tests = docs.ROOT / "tests"
    reading = {
        str(path.relative_to(docs.ROOT))
        for path in tests.rglob("test_*.py")
        if re.search(r"^from benchmarks\.(inputs\.data|esda_n_mnist) import", path.read_text(encoding="utf-8"), re.M)
    }
    page = (docs.ROOT / "docs" / "external_data.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+(?:/\w+)*\.py)`", page.partition("## What needs which")[2])) == reading


@pytest.mark.parametrize("page", docs.pages(), ids=lambda page: page.name)
def test_no_figure_stands_outside_blocks_and_citations(page: Path) -> None:
    text = prose(page)
    for constant in CONSTANTS.get(page.name, ()):
        assert constant in text, f"{page.name} no longer says {constant!r}"
        text = text.replace(constant, " ")
    found = [text[max(0, match.start() - 30) : match.end() + 20] for match in FIGURE.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "12,372 cycles",
        "routed for 96.3",
        "95.73 %",
        "6.45 µs",
        "1,186 LUT",
        "a 43 % gain",
        "2.5 to 8.1 times",
        "16 points",
    ],
)
def test_a_figure_in_prose_is_seen(text: str) -> None:
    assert FIGURE.search(text)


def test_every_table_stands_in_a_page() -> None:
    shown = {
        (match["name"], match["table"]) for page in docs.pages() for match in docs.BLOCK.finditer(page.read_text())
    }
    made = {
        (module.name, name)
        for module in pkgutil.iter_modules(tables.__path__)
        for name, function in inspect.getmembers(
            importlib.import_module(f"benchmarks.tables.{module.name}"), inspect.isfunction
        )
        if function.__module__ == f"benchmarks.tables.{module.name}" and not name.startswith("_")
    }
    assert shown == made


PAGE = """A queue takes [1,200](reports/results/queue.json "sizes > 1 > cycles") cycles,
[4.0 %](reports/results/queue.json "share") of it [idle](reports/results/queue.json "state").

<!-- benchmarks: queue.sizes -->
old
<!-- end -->
"""


def sizes(figures: dict[str, Any]) -> Table:
    return Table("`simulated`", ("", "cycles"), [(str(own["depth"]), f"{own['cycles']:,}") for own in figures["sizes"]])


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with three citations and a block, and the result that they are of."""
    page = tmp_path / "README.md"
    page.write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "RESULTS", tmp_path)
    fake = type("module", (), {"sizes": staticmethod(sizes)})
    monkeypatch.setitem(sys.modules, "benchmarks.tables.queue", fake)
    keep(tmp_path, cycles=1300, origin={"commit": "0123456789", "dirty": False, "date": "2026-01-31"})
    return page


def keep(folder: Path, cycles: int, origin: dict[str, Any] | None = None) -> None:
    figures = {"sizes": [{"depth": 1, "cycles": 7}, {"depth": 2, "cycles": cycles}], "share": 0.0312, "state": "idle"}
    result = {"benchmark": "queue", "figures": figures} | ({"origin": origin} if origin else {})
    (folder / "queue.json").write_text(json.dumps(result), encoding="utf-8")


def test_a_table_measured_with_uncommitted_changes_says_so(page: Path) -> None:
    keep(page.parent, cycles=1300, origin={"commit": "0123456789", "dirty": True, "date": "2026-01-31"})
    assert main(["--docs"]) == 0
    assert " at commit 0123456 with changes, 2026-01-31.*" in page.read_text(encoding="utf-8")


def test_what_a_new_result_changes_is_named_and_written(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "README.md: the block queue.sizes",
        "README.md: 1,200 is 1,300 by queue.json, sizes > 1 > cycles",
        "README.md: 4.0 % is 3.1 % by queue.json, share",
    ]
    assert page.read_text(encoding="utf-8") == PAGE
    assert main(["--docs"]) == 0
    shown = (
        "|  | cycles |\n| --- | ---: |\n| 1 | 7 |\n| 2 | 1,300 |\n\n"
        "*`simulated`; `python -m benchmarks queue` at commit 0123456, 2026-01-31.*\n"
    )
    assert page.read_text(encoding="utf-8") == PAGE.replace("1,200", "1,300").replace("4.0 %", "3.1 %").replace(
        "old\n", shown
    )
    assert main(["--check"]) == 0


def test_a_table_that_an_old_result_lacks_is_to_be_measured(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = json.loads((tmp_path / "queue.json").read_text())
    del result["figures"]["sizes"]
    (tmp_path / "queue.json").write_text(json.dumps(result))
    with pytest.raises(KeyError, match="sizes"):
        docs.block_content("queue", "sizes")
    with monkeypatch.context() as stale:
        stale.setattr(docs, "changed", lambda result: ["cosim/cycle/simulator.py"])
        assert docs.block_content("queue", "sizes").startswith("*To be measured by `python -m benchmarks queue`")
    del result["origin"]
    (tmp_path / "queue.json").write_text(json.dumps(result))
    assert docs.block_content("queue", "sizes").startswith("*To be measured by `python -m benchmarks queue`")
    (tmp_path / "queue.json").unlink()
    assert "queue`: there is no result yet" in docs.block_content("queue", "sizes")
    keep(tmp_path, cycles=5)
    assert docs.block_content("queue", "sizes").endswith("before results carried their commit.*\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sizes > 1 > cycles", "sizes > 2 > cycles", r"queue.json, 'sizes > 2 > cycles': there is no '2'"),
        ('"share"', '"part"', r"there is no 'part'; there are 'sizes', 'share', 'state'"),
        ("queue.json", "queues.json", r"queues.json: there is no such result; `python -m benchmarks queues` makes it"),
        ("[4.0 %]", "[four]", r"'four' and 0.0312 are not both numbers"),
        ("<!-- end -->", "", r"README.md: no <!-- end --> follows <!-- benchmarks: queue.sizes -->"),
    ],
)
def test_a_page_that_cites_what_is_not_there_is_refused(page: Path, old: str, new: str, message: str) -> None:
    page.write_text(PAGE.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        docs.differences()
