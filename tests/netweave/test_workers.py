"""Evaluations: each once, kept, in the order asked for, whoever makes them, and whatever happens to them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from netweave.store import Store
from netweave.workers import ClusterError, Pool, Task
from tests.netweave.evaluations import deadly, evaluated, square, telling


def tasks(marks: Path, count: int = 8, evaluate: Callable[..., int] = square) -> list[Task]:
    marks.mkdir(exist_ok=True)
    return [Task("square", {"x": x}, evaluate, {"x": x, "marks": marks}) for x in range(count)]


def test_a_result_is_kept_and_given_again(tmp_path: Path) -> None:
    steps = []
    for _ in range(2):
        with Pool(count=1).open(Store(tmp_path / "store")) as pool:
            assert pool.run(tasks(tmp_path / "marks"), "squares", lambda *step: steps.append(step)) == [
                x * x for x in range(8)
            ]
    assert evaluated(tmp_path / "marks") == dict.fromkeys(range(8), 1)
    assert steps[0] == ("squares", 0, 8)
    assert steps[-1] == ("squares", 8, 8)


@pytest.mark.few(1)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_number_of_workers_gives_the_same(count: int, tmp_path: Path) -> None:
    with Pool(count=count).open(Store(tmp_path / "store")) as pool:
        assert pool.run(tasks(tmp_path / "marks"), "squares", lambda *_: None) == [x * x for x in range(8)]
    assert evaluated(tmp_path / "marks") == dict.fromkeys(range(8), 1)


@pytest.mark.few(1)
@pytest.mark.parametrize("count", [1, 2])
def test_what_an_evaluation_tells_is_heard(count: int, tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    with Pool(count=count).open(Store(tmp_path / "store")) as workers:
        workers.run(tasks(tmp_path, 2, telling), "squares", lambda *told: heard.append(told))
    said = {what for what, _, total in heard if total == 2}
    assert said == {"squares", "squares (at 0)", "squares (at 1)"}


def test_a_lost_worker_s_task_goes_to_another(tmp_path: Path) -> None:
    with Pool(count=2).open(Store(tmp_path / "store")) as pool:
        assert pool.run(tasks(tmp_path / "marks", evaluate=deadly), "squares", lambda *_: None) == [
            x * x for x in range(8)
        ]
    assert evaluated(tmp_path / "marks")[3] == 2


KILLED = """
import sys
from pathlib import Path
from netweave.store import Store
from netweave.workers import Pool
from tests.netweave.test_workers import tasks
folder = Path(sys.argv[1])
with Pool(count=1).open(Store(folder / "store")) as pool:
    pool.run(tasks(folder / "marks", 2000), "squares", lambda *_: None)
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    marks, store = tmp_path / "marks", tmp_path / "store" / "square"
    run = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)])
    while not store.is_dir() or len(list(store.glob("*.json"))) < 20:
        assert run.poll() is None
        time.sleep(0.01)
    run.kill()
    run.wait()
    finished = {json.loads(path.read_text(encoding="utf-8"))["inputs"]["x"] for path in store.glob("[!.]*.json")}
    with Pool(count=1).open(Store(tmp_path / "store")) as pool:
        assert pool.run(tasks(marks, 2000), "squares", lambda *_: None) == [x * x for x in range(2000)]
    assert 20 <= len(finished) < 2000
    assert all(evaluated(marks)[x] == 1 for x in finished)


@pytest.mark.whole
def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(ClusterError, match=r"cluster 'tcp://127\.0\.0\.1:9': no Dask scheduler answers there"),
        Pool("tcp://127.0.0.1:9").open(Store(tmp_path / "store")) as pool,
    ):
        pool.run(tasks(tmp_path / "marks"), "squares", lambda *_: None)
