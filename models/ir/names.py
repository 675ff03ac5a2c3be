"""Names that become those of folders and files, as every device, board, run and design has one; and near misses."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

NAME_RULE = "at most 100 letters, digits, '.', '_', '+' and '-', of which the first is a letter or a digit"
"""What a name must be, for an error's text."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def is_name(value: object) -> bool:
    """Whether a value follows ``NAME_RULE``. As a path it then stays in its folder, on every system.

    Parameters
        value      what may be a name
    """
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def near(value: object, valid: Iterable[str]) -> str:
    """``did you mean 'a'? `` where a valid name is close to a value, and nothing otherwise.

    Parameters
        value      the wrong name
        valid      the valid names
    """
    close = difflib.get_close_matches(str(value), list(valid), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}? " if close else ""


def did_you_mean(value: object, valid: Iterable[str]) -> str:
    """``valid are a, b, c``, after ``did you mean 'a'? `` where one of them is close to a value.

    Parameters
        value      the wrong name
        valid      the valid names
    """
    names = list(valid)
    return f"{near(value, names)}valid are {', '.join(names)}"
