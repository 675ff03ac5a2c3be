"""A result says what it rests on, and is stale as soon as that has changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import origin


def git(folder: Path, *arguments: str) -> str:
    own = ("-c", "user.name=n", "-c", "user.email=e")
    return subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A benchmark that imports one file inside a function, and another by way of that; a third file stands beside."""
    files = {
        "benchmarks/__init__.py": "",
        "benchmarks/speed.py": "import json\n\n\ndef measure():\n    from solver import search\n    return {}\n",
        "solver/__init__.py": "",
        "solver/search.py": "from solver.labels import led\n",
        "solver/labels.py": "led = 1\n",
        "solver/other.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    monkeypatch.setattr(origin, "ROOT", tmp_path)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    return tmp_path


def kept(repository: Path) -> dict[str, Any]:
    path = command.write("speed", {"cycles": 1}, 2.5)
    assert path == repository / "results" / "speed.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_result_names_its_commit_and_every_file_it_imports(repository: Path) -> None:
    made = kept(repository)["origin"]
    assert made["commit"] == git(repository, "rev-parse", "HEAD").strip()
    assert not made["dirty"]
    assert (made["command"], made["seconds"]) == ("python -m benchmarks speed", 2.5)
    assert made["rests on"] == [
        "benchmarks/__init__.py",
        "benchmarks/speed.py",
        "solver/__init__.py",
        "solver/labels.py",
        "solver/search.py",
    ]


def test_it_holds_until_one_of_them_changes(repository: Path) -> None:
    result = kept(repository)
    assert origin.changed(result) == []
    assert command.state("speed")[0]
    (repository / "solver" / "other.py").write_text("beside = 1\n", encoding="utf-8")
    assert origin.changed(result) == []
    (repository / "solver" / "labels.py").write_text("led = 2\n", encoding="utf-8")
    assert origin.changed(result) == ["solver/labels.py"]
    git(repository, "commit", "-q", "-a", "-m", "two")
    assert origin.changed(result) == ["solver/labels.py"]
    holds, words = command.state("speed")
    assert not holds
    assert "solver/labels.py changed" in words


def test_it_is_stale_where_it_was_measured_with_uncommitted_changes(repository: Path) -> None:
    (repository / "solver" / "labels.py").write_text("led = 2\n", encoding="utf-8")
    assert kept(repository)["origin"]["dirty"]
    assert command.state("speed") == (False, "stale: measured with uncommitted changes")


def test_it_is_stale_without_a_commit_that_is_known(repository: Path) -> None:
    result = kept(repository)
    assert origin.changed({**result, "origin": {**result["origin"], "commit": "0" * 40}}) is None
    assert origin.changed({"benchmark": "speed", "figures": {}}) is None
    assert command.state("nothing") == (False, "never measured")


def test_every_benchmark_rests_on_itself() -> None:
    for name in command.names():
        paths = origin.sources(f"benchmarks.{name}")
        assert {f"benchmarks/{name}.py", f"benchmarks/{name}/__init__.py"} & set(paths)
