"""Compiled functions as Python runs them, so that parts of the cycle simulator can be called without compiling them."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

from numba.core.registry import CPUDispatcher

_globals: dict[str, dict[str, Any]] = {}


def interpreted(function: Any) -> Any:
    """The Python function behind a compiled one; what it calls is interpreted as well."""
    python = function.py_func
    return FunctionType(python.__code__, _of(python.__module__), python.__name__, python.__defaults__)


def _of(module: str) -> dict[str, Any]:
    """The names of a module, its compiled functions interpreted."""
    if module not in _globals:
        names = _globals[module] = dict(vars(sys.modules[module]))
        for name, value in names.items():
            if isinstance(value, CPUDispatcher):
                names[name] = interpreted(value)
    return _globals[module]
