"""Functions of a user's Python file, named ``file.py:function``."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path


class SourceError(ValueError):
    """A ``file.py:function`` or data file that cannot be used; the message names file and field."""


def is_function(spec: str) -> bool:
    """Whether ``spec`` has the form ``file.py:function``."""
    return ".py:" in spec


def load_function(spec: str) -> Callable[[], object]:
    """Load the function that ``file.py:function`` names. The file can import modules of its folder."""
    file, _, name = spec.rpartition(":")
    path = Path(file).expanduser().resolve()
    if not path.is_file():
        raise SourceError(f"{spec!r}: there is no file {path}")
    module_spec = importlib.util.spec_from_file_location(f"netweave_user_{path.stem}", path)
    if module_spec is None or module_spec.loader is None:
        raise SourceError(f"{spec!r}: {path} is not a Python file")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        module_spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise SourceError(f"{spec!r}: {path} does not import: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.parent))
    function = getattr(module, name, None)
    if not callable(function):
        names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise SourceError(f"{spec!r}: {path} has no function {name!r}; it has {', '.join(names) or 'none'}")
    return function


def call(spec: str) -> object:
    """Call the function that ``file.py:function`` names without arguments, and return its result."""
    function = load_function(spec)
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise SourceError(f"{spec!r}: the function failed: {type(error).__name__}: {error}") from error
