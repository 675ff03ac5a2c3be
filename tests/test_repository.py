"""Rules that hold between files: which folder may import which, what loads torch, and what is packaged."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP = ("models", "hw", "dse", "cosim", "reports", "netweave")
# design.md's table; every folder may also import from itself
MAY_IMPORT = {
    "models.ir": (),
    "models": ("models.ir",),
    "hw": ("models.ir",),
    "dse": ("models.ir", "hw"),
    "cosim": ("models.ir", "hw"),
    "reports": ("models.ir",),
    "netweave": ("models.ir", "models", "hw", "dse", "cosim", "reports"),
}
WITHOUT_TORCH = ("models", "models.ir", "models.data", "hw", "dse", "cosim", "reports", "netweave")


def folder_of(module: str) -> str | None:
    """The row of the table that a module belongs to; None for what is not ours."""
    parts = module.split(".")
    if parts[:2] == ["models", "ir"]:
        return "models.ir"
    return parts[0] if parts[0] in TOP else None


def sources() -> list[Path]:
    return sorted(path for top in TOP for path in (ROOT / top).rglob("*.py"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where they lead"
            assert node.module is not None
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module in TOP}
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    own = folder_of(module_of(path))
    assert own is not None
    for name in imports(path):
        other = folder_of(name)
        # `from models import ir` names models first, then models.ir
        if other is None or other == own or (name == "models" and "models.ir" in MAY_IMPORT[own]):
            continue
        assert other in MAY_IMPORT[own], f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_torch_stays_in_models(path: Path) -> None:
    uses = {name for name in imports(path) if name.split(".")[0] == "torch"}
    assert not uses or folder_of(module_of(path)) == "models", f"{path.relative_to(ROOT)} imports {uses}"


def test_integer_side_needs_numpy_alone() -> None:
    allowed = {"numpy", "models", "__future__", *sys.stdlib_module_names}
    for path in (ROOT / "models" / "ir").rglob("*.py"):
        others = {name.split(".")[0] for name in imports(path)} - allowed
        assert not others, f"{path.relative_to(ROOT)} imports {others}"


def test_torch_loads_only_where_it_is_needed() -> None:
    modules = [module_of(path) for path in sources() if folder_of(module_of(path)) not in ("models", None)]
    skip = {"cosim.rtl.harness.bench", "netweave.__main__"}  # run inside a simulator, and as a program
    names = [name for name in (*WITHOUT_TORCH, *modules) if name not in skip]
    check = " importlib.import_module(n)\n assert 'torch' not in sys.modules, n"
    program = f"import importlib, sys\nfor n in {names!r}:\n{check}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", TOP)
def test_no_package_is_shadowed(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None, f"{name} is a namespace: its __init__.py is missing"
    assert Path(spec.origin).parent == ROOT / name, f"{name} is {spec.origin}"


def test_no_installed_distribution_has_our_names() -> None:
    taken = importlib.metadata.packages_distributions()
    for name in TOP:
        assert set(taken.get(name, ["netweave"])) == {"netweave"}, f"{name} also comes from {taken[name]}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "benchmarks").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_benchmarks_import_nothing_of_the_tests(path: Path) -> None:
    """Tests import what benchmarks are made of, ``benchmarks.inputs`` above all, and never the other way."""
    assert not {name for name in imports(path) if name.split(".")[0] == "tests"}


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    for folder in folders:
        assert (folder / "__init__.py").is_file(), f"{folder.relative_to(ROOT)} has no __init__.py"


def test_every_package_is_distributed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {module_of(path) for path in sources() if path.name == "__init__.py"}
    holding = {module_of(path.parent / "__init__.py") for path in sources()}
    assert found == holding, "folders without __init__.py"
    assert set(listed) == found


def test_every_dependency_is_declared_and_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    declared = {re.split(r"[<>=!~;\[ ]", line)[0].lower() for line in requirements}
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    assert declared <= pinned
    distribution = importlib.metadata.packages_distributions()
    ours = {*TOP, "tests", "benchmarks", "__future__", *sys.stdlib_module_names}
    used = {name.split(".")[0] for path in sources() for name in imports(path)} - ours
    undeclared = {name for name in used if not {d.lower() for d in distribution.get(name, [name])} & declared}
    assert not undeclared, "imported but in no requirement"
