"""Pixels of real numbers, channel by channel, and normalizations that are none."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.normalization import Normalization


def test_each_channel_has_its_own_zero_and_unit() -> None:
    own = Normalization((32.0, -5.0), (1.8, 0.5))
    real = np.array([[32.0, -5.0], [212.0, -4.5], [-40.0, 0.0]])
    assert own.pixels(real) == pytest.approx(np.array([[0, 0], [100, 1], [-40, 10]]))
    assert own.pixels(real.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize(
    ("offset", "unit", "message"),
    [
        ((0.0,), (), r"1 offsets and 0 units: must be one each a channel"),
        ((0.0,), (0.0,), r"offset (0.0,), unit (0.0,): must be finite, and units above 0"),
        ((0.0, 0.0), (1.0, -1.0), r"offset (0.0, 0.0), unit (1.0, -1.0): must be finite, and units above 0"),
        ((float("inf"),), (1.0,), r"offset (inf,), unit (1.0,): must be finite, and units above 0"),
        ((0.0,), (float("nan"),), r"offset (0.0,), unit (nan,): must be finite, and units above 0"),
    ],
)
def test_what_is_no_normalization_is_refused(offset: tuple[float, ...], unit: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match="must be") as error:
        Normalization(offset, unit)
    assert str(error.value) == message
