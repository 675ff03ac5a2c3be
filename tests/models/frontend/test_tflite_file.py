"""TensorFlow Lite files on disk: what they hold, and files that are none, cut short or changed anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.frontend.tflite_file import MOST_BYTES, TfliteError, read_tflite

NETWORK = DATA / "tflite" / "resnet8_int8.tflite"
real = pytest.mark.skipif(not NETWORK.is_file(), reason=f"{NETWORK} is not there")


@real
def test_tensors_and_operators_are_read() -> None:
    content = read_tflite(NETWORK)
    assert [operator.kind for operator in content.operators[:4]] == ["CONV_2D"] * 3 + ["ADD"]
    source = content.tensors[content.inputs[0]]
    assert (source.shape, source.kind, source.zero_point.tolist(), source.data) == (
        (1, 32, 32, 3),
        "INT8",
        [-128],
        None,
    )
    weights = content.tensors[content.operators[0].inputs[1]]
    assert weights.data is not None
    assert (weights.data.shape, len(weights.scale)) == ((16, 3, 3, 3), 16)
    assert content.operators[4].options["StrideH"] == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no TensorFlow Lite file: its bytes 4 to 7 must be TFL3"),
        (b"x" * 100, "is no TensorFlow Lite file"),
        (b"\x00\x00\x00\x40TFL3" + b"\x00" * 50, "is damaged: "),
    ],
)
def test_what_is_no_such_file_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(content)
    with pytest.raises(TfliteError, match=rf"net\.tflite: {message}"):
        read_tflite(path)


def test_a_file_that_is_not_there_or_too_large_is_named(tmp_path: Path) -> None:
    with pytest.raises(TfliteError, match="cannot be read: No such file"):
        read_tflite(tmp_path / "none.tflite")
    large = tmp_path / "large.tflite"
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(TfliteError, match=f"has {MOST_BYTES + 1} bytes; at most {MOST_BYTES} are taken"):
        read_tflite(large)


@real
@pytest.mark.parametrize("part", range(4))
def test_a_changed_file_is_read_or_named(part: int, tmp_path: Path) -> None:
    """50 files: cut short, or with bytes changed where its tables are."""
    rng, content = np.random.default_rng(part), NETWORK.read_bytes()
    path = tmp_path / "net.tflite"
    for _ in range(50):
        changed = bytearray(content)
        if rng.integers(4) == 0:
            changed = changed[: int(rng.integers(len(changed)))]
        else:
            places = rng.choice([rng.integers(8, 4000, 8), rng.integers(len(changed) - 20_000, len(changed), 8)])
            for place in places.tolist():
                changed[place] = int(rng.integers(256))
        path.write_bytes(changed)
        said = complaint(path)
        assert said is None or said.startswith(f"{path}: ")


def complaint(path: Path) -> str | None:
    """The message of a file that is refused; None for one that is read."""
    try:
        read_tflite(path)
    except TfliteError as error:
        return str(error)
    return None
