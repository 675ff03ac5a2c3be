"""A result says what it rests on, and is stale as soon as the code of that has changed."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
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
        "solver/search.py": "from solver.labels import led\n\nLIMITS = 'limits.toml'\n",
        "solver/labels.py": "led = 1\n",
        "solver/other.py": "",
        "examples/limits.toml": "seconds = 1\n",
        "examples/other.toml": "seconds = 2\n",
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
    assert list(made["rests on"]) == [
        "benchmarks/__init__.py",
        "benchmarks/speed.py",
        "examples/limits.toml",
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


def replace(repository: Path, name: str, old: str, new: str) -> None:
    path = repository / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_comments_docstrings_and_order_of_imports_make_nothing_stale(repository: Path) -> None:
    replace(repository, "solver/labels.py", "led = 1", '"""Old."""\nimport json\nimport math\n\nled = 1\n"""Old."""\n')
    git(repository, "commit", "-q", "-a", "-m", "with words")
    result = kept(repository)
    new = '# New.\nimport math\nimport json\nled = (\n    1  # one\n)\n"""New."""\n'
    (repository / "solver" / "labels.py").write_text(new, encoding="utf-8")
    assert origin.changed(result) == []
    replace(repository, "solver/labels.py", "1  #", "2  #")
    assert origin.changed(result) == ["solver/labels.py"]


def test_a_text_that_code_uses_is_no_docstring(repository: Path) -> None:
    result = kept(repository)
    replace(repository, "solver/search.py", "LIMITS = 'limits.toml'", "LIMITS = 'limits.json'")
    assert origin.changed(result) == ["examples/limits.toml", "solver/search.py"]


def test_files_that_are_no_python_count_by_their_bytes_where_code_names_them(repository: Path) -> None:
    result = kept(repository)
    replace(repository, "examples/other.toml", "2", "3")
    assert origin.changed(result) == []
    replace(repository, "examples/limits.toml", "\n", "\n# more\n")
    assert origin.changed(result) == ["examples/limits.toml"]


def test_a_file_that_was_only_moved_makes_nothing_stale(repository: Path) -> None:
    replace(repository, "solver/labels.py", "led = 1", "\n".join(f"led{n} = {n}" for n in range(20)) + "\nled = 1")
    git(repository, "commit", "-q", "-a", "-m", "longer")
    result = kept(repository)
    (repository / "labels").mkdir()
    git(repository, "mv", "solver/labels.py", "labels/led.py")
    (repository / "labels" / "__init__.py").write_text("", encoding="utf-8")
    replace(repository, "solver/search.py", "from solver.labels", "from labels.led")
    replace(repository, "benchmarks/speed.py", "from solver import search", "from solver import search as search")
    git(repository, "add", ".")
    assert origin.changed(result) == []
    (repository / "labels" / "__init__.py").write_text("led = 0\n", encoding="utf-8")
    assert origin.changed(result) == ["labels/__init__.py"]
    git(repository, "rm", "-q", "-f", "labels/__init__.py")
    assert origin.changed(result) == []
    replace(repository, "labels/led.py", "led7 = 7", "led7 = 8")
    assert origin.changed(result) == ["labels/led.py", "solver/labels.py"]


def test_files_that_are_read_without_an_import_count_where_rests_on_names_them(repository: Path) -> None:
    speed = repository / "benchmarks" / "speed.py"
    speed.write_text(
        speed.read_text(encoding="utf-8") + 'RESTS_ON = {"faults": ("solver/other.py",)}\n', encoding="utf-8"
    )
    git(repository, "commit", "-q", "-a", "-m", "more")
    result = kept(repository)
    assert "solver/other.py" in result["origin"]["rests on"]
    assert origin.changed(result) == []
    (repository / "solver" / "other.py").write_text("other = 1\n", encoding="utf-8")
    assert origin.changed(result) == ["solver/other.py"]


def test_it_holds_for_the_code_that_it_was_measured_with_whatever_became_of_its_commit(repository: Path) -> None:
    replace(repository, "solver/labels.py", "1", "2")
    result = kept(repository)
    assert result["origin"]["dirty"]
    assert command.state("speed") == (True, f"holds ({result['origin']['commit'][:7]} with changes, {today()}, 2 s)")
    git(repository, "commit", "-q", "-a", "--amend", "-m", "other")
    assert origin.changed({**result, "origin": {**result["origin"], "commit": "0" * 40}}) == []
    git(repository, "checkout", "-q", "HEAD")
    replace(repository, "solver/labels.py", "2", "1")
    assert origin.changed(result) == ["solver/labels.py"]


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def test_an_import_of_the_same_name_from_another_file_makes_it_stale(repository: Path) -> None:
    replace(repository, "benchmarks/speed.py", "import search", "import search, spare")
    (repository / "solver" / "spare.py").write_text("led = 3\n", encoding="utf-8")
    result = kept(repository)
    replace(repository, "solver/search.py", "from solver.labels", "from solver.spare")
    replace(repository, "benchmarks/speed.py", "import search, spare", "import search, spare, labels")
    changes = origin.changed(result)
    assert changes
    assert "solver/labels.py" not in changes
    replace(repository, "benchmarks/speed.py", "import search, spare, labels", "import search, spare")
    assert origin.changed(result) == ["solver/labels.py"]


def test_a_file_whose_own_code_is_as_it_was_is_named_where_only_its_imports_changed(repository: Path) -> None:
    result = kept(repository)
    replace(repository, "solver/search.py", "import led", "import led\nimport math")
    assert origin.changed(result) == ["solver/search.py"]


def test_a_file_that_it_no_longer_rests_on_is_named(repository: Path) -> None:
    result = kept(repository)
    replace(repository, "solver/search.py", "from solver.labels import led\n", "")
    assert origin.changed(result) == ["solver/labels.py"]


def test_it_is_stale_where_it_does_not_say_what_it_rests_on(repository: Path) -> None:
    result = kept(repository)
    assert origin.changed({"benchmark": "speed", "figures": {}}) is None
    assert origin.changed({**result, "origin": {"commit": "0" * 40, "rests on": ["benchmarks/speed.py"]}}) is None
    assert command.state("nothing") == (False, "never measured")


class Clock:
    """Time that passes only in benchmarks."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic


@pytest.fixture
def measured(repository: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Four benchmarks that take their 40, 30, 20 and 1 minutes; what has run. Of ``d`` the duration is not known."""
    clock, ran = Clock(), list[str]()
    monkeypatch.setattr(command, "time", clock)
    minutes = {"a": 40, "b": 30, "c": 20, "d": 1}
    monkeypatch.setattr(command, "names", lambda: list(minutes))
    monkeypatch.setattr(command, "KEPT", {"b": ("b",)})
    monkeypatch.setattr(command, "RUNS", repository / "runs")
    (repository / "runs" / "b").mkdir(parents=True)

    def module(name: str) -> Any:
        def measure() -> dict[str, Any]:
            clock.now += 60 * minutes[name.removeprefix("benchmarks.")]
            ran.append(name.removeprefix("benchmarks."))
            return {}

        # b is resumed and knows the seconds of its parts
        own = {"measure": measure} | ({"seconds": lambda: 1800.0} if name == "benchmarks.b" else {})
        return type("module", (), {key: staticmethod(value) for key, value in own.items()})

    monkeypatch.setattr(command.importlib, "import_module", module)
    for name in minutes:
        (repository / "benchmarks" / f"{name}.py").write_text("x = 1\n", encoding="utf-8")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "three")
    for name in "abc":
        command.run(name)
    command.write("d", {}, 3, resumed=True)
    ran.clear()
    return ran


def test_what_fits_in_the_time_is_run_and_the_rest_is_named(
    measured: list[str], repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert command.main(["--stale", "--within", "60"]) == 0
    assert (measured, capsys.readouterr().out) == ([], "")
    for name in "abcd":
        replace(repository, f"benchmarks/{name}.py", "1", "2")
    assert command.main(["--stale", "--within", "60"]) == 0
    assert measured == ["a", "c"], "the longest first, and then what still fits"
    left = [line for line in capsys.readouterr().out.splitlines() if line.startswith("left")]
    assert left == [
        "left: b, 30 minutes; goes on where it was ended",
        "left: d, of unknown duration: name it to run it",
    ]
    assert command.main(["--stale", "--within", "1", "b", "d"]) == 0
    assert measured == ["a", "c", "d"]


def test_seconds_are_those_of_all_parts_or_said_not_to_be(measured: list[str]) -> None:
    assert [command.duration(command.result(name)) for name in "abcd"] == [2400, 1800, 1200, None]
    assert " 3 s or more)" in command.state("d")[1]
    old = {"benchmark": "a", "figures": {}, "origin": {"seconds": 5.0}}
    assert command.duration(old) == 5
    assert command.duration({**old, "benchmark": "b"}) is None


def test_every_folder_of_kept_parts_is_one_of_its_benchmarks() -> None:
    for name, folders in command.KEPT.items():
        texts = set[str]()
        for path in origin.sources(f"benchmarks.{name}"):
            if path.startswith(("benchmarks/", "examples/")):
                texts.update(re.findall(r"[\w]+", (origin.ROOT / path).read_text(encoding="utf-8")))
        assert set(folders) <= texts


def test_every_benchmark_rests_on_itself() -> None:
    for name in command.names():
        paths = origin.sources(f"benchmarks.{name}")
        assert {f"benchmarks/{name}.py", f"benchmarks/{name}/__init__.py"} & set(paths)
