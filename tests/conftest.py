"""Which cases `make test` runs: those that are not marked ``whole`` or ``slow``; the markers are explained in
``pyproject.toml``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import settings

from tests.support.selection import pairwise, spread

pytest_plugins = ["pytester"]
# how long a case takes says nothing on a machine that is shared
settings.register_profile("netweave", deadline=None)
settings.load_profile("netweave")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks ``whole`` what ``few`` and ``pairwise`` leave out of a test's cases; cases that are slow do not count."""
    tests: defaultdict[str, list[pytest.Function]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and not item.get_closest_marker("slow"):
            tests[item.nodeid.partition("[")[0]].append(item)
    for cases in tests.values():
        for case, chosen in zip(cases, _chosen(cases), strict=True):
            if not chosen:
                case.add_marker("whole")


def _chosen(cases: Sequence[pytest.Function]) -> list[bool]:
    """Of each case of one test whether `make test` runs it."""
    few = cases[0].get_closest_marker("few")
    if few:
        places = spread(len(cases), *few.args)
    elif cases[0].get_closest_marker("pairwise"):
        places = pairwise([tuple(map(repr, case.callspec.params.values())) for case in cases])
    else:
        return [True] * len(cases)
    return [place in places for place in range(len(cases))]
