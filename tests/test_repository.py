"""Rules that hold between files: which folder may import which, what loads torch, names, sizes, what is packaged."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOP = ("models", "hw", "dse", "cosim", "reports", "netweave")
MAY_IMPORT = {
    "models.ir": (),
    "models": ("models.ir",),
    "hw": ("models.ir",),
    "dse": ("models.ir", "hw"),
    "cosim": ("models.ir", "hw"),
    "reports": ("models.ir",),
    "netweave": ("models.ir", "models", "hw", "dse", "cosim", "reports"),
}
"""What each folder may import from, beside itself."""
LONGEST = 400
"""The most lines of a file."""
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


def test_imports_run_one_way() -> None:
    wrong = []
    for path in sources():
        own = folder_of(module_of(path))
        assert own is not None
        for name in imports(path):
            other = folder_of(name)
            # `from models import ir` names models first, then models.ir
            within = other in (None, own) or (name == "models" and "models.ir" in MAY_IMPORT[own])
            if not within and other not in MAY_IMPORT[own]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_torch_stays_in_models() -> None:
    uses = {path for path in sources() if any(name.split(".")[0] == "torch" for name in imports(path))}
    assert not [path for path in uses if folder_of(module_of(path)) != "models"]


def test_no_two_classes_have_one_name() -> None:
    found: dict[str, list[str]] = {}
    for path in sources():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert not {name: paths for name, paths in found.items() if len(paths) > 1}


def test_no_file_is_long() -> None:
    every = [path for top in (*TOP, "benchmarks", "tests", "examples") for path in (ROOT / top).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in every}
    assert not {path: length for path, length in lengths.items() if length > LONGEST}


def test_documents_name_files_that_are_there() -> None:
    """Every file of ours that README and docs name with its folder, and every one that they link to.

    What a benchmark measured is of its own commit, and may name files of that.
    """
    missing = []
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        text = re.sub(r"<!-- benchmarks: .*?<!-- end -->", "", page.read_text(encoding="utf-8"), flags=re.S)
        links = [(page.parent, name) for name in re.findall(r"\]\(([\w./-]+)\)", text)]
        ours = "|".join((*TOP, "benchmarks", "tests", "examples", "docs", "reports"))
        links += [(ROOT, name) for name in re.findall(rf"`((?:{ours})/[\w/.-]+\.\w+)`", text)]
        missing += [
            f"{page.name}: {name}"
            for at, name in links
            if not re.search("NAME|DEVICE", name) and not (at / name).exists()
        ]
    assert not missing


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


def test_no_package_is_shadowed() -> None:
    for name in TOP:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None, f"{name} is a namespace: its __init__.py is missing"
        assert Path(spec.origin).parent == ROOT / name, f"{name} is {spec.origin}"


def test_no_installed_distribution_has_our_names() -> None:
    taken = importlib.metadata.packages_distributions()
    for name in TOP:
        assert set(taken.get(name, ["netweave"])) == {"netweave"}, f"{name} also comes from {taken[name]}"


def test_benchmarks_import_nothing_of_the_tests() -> None:
    """Tests import what benchmarks are made of, ``benchmarks.inputs`` above all, and never the other way."""
    paths = (ROOT / "benchmarks").rglob("*.py")
    assert not [path for path in paths if any(name.split(".")[0] == "tests" for name in imports(path))]


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    for folder in folders:
        assert (folder / "__init__.py").is_file(), f"{folder.relative_to(ROOT)} has no __init__.py"


def test_every_module_has_a_test_file_in_its_room() -> None:
    """Of its name; ``__main__`` is tested by the command that it is."""
    modules = (path.relative_to(ROOT) for top in TOP for path in sorted((ROOT / top).rglob("*.py")))
    without = [
        str(path)
        for path in modules
        if not path.stem.startswith("__") and not (ROOT / "tests" / path.parent / f"test_{path.stem}.py").is_file()
    ]
    assert not without


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
