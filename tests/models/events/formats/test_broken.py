"""What libraries raise over a broken file becomes an error that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.events import EventError
from models.events.formats.broken import reading_errors


class Panic(BaseException):
    """What a library in Rust raises: no Exception."""


@pytest.mark.parametrize("error", [OSError("no block 7"), KeyError("x"), Panic("no block 7")])
def test_any_error_names_the_file(error: BaseException) -> None:
    with pytest.raises(EventError) as caught, reading_errors(Path("a.h5"), "HDF5 file"):
        raise error
    assert str(caught.value) == f"a.h5: is not a readable HDF5 file: {error}"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [EventError("event 3: x is 9"), KeyboardInterrupt(), SystemExit(2)])
def test_what_is_no_fault_of_the_file_is_left_as_it_is(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, reading_errors(Path("a.h5"), "HDF5 file"):
        raise error
    assert caught.value is error
