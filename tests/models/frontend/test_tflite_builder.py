"""What of a TensorFlow Lite file cannot be imported exactly, by the message that names it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from models.frontend.tflite_file import TfliteError, TfliteFile
from tests.models.frontend.tflite_files import (
    WINDOW,
    acting,
    changed,
    network_of,
    simple,
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (acting(kind="CUMSUM"), "operator 0, CUMSUM: is not supported; supported are CONV_2D, DEPTHWISE_CONV_2D, "),
        (changed(0, shape=(2, 4, 4, 2)), r"input 'x': shape \(2, 4, 4, 2\) must be 1 x H x W x C"),
        (changed(0, kind="FLOAT32"), "input 'x': is of FLOAT32 with 1 scales; must be INT8 or UINT8 with one"),
        (changed(2, zero_point=np.array([300])), "operator 0, CONV_2D, output: has zero point 300; must be"),
        (changed(1, zero_point=np.array([-60]), data=np.full((2, 1, 1, 2), 100, np.int8)), "need more than 8 bits"),
        (changed(1, data=None), "its weights are INT8; must be constants of INT8 or UINT8 with scales"),
        (acting(options={**WINDOW, "StrideH": 7}), r"node 'conv_2d_0', field 'stride': \(7, 1\) must be 1 to 4"),
        (acting(options={**WINDOW, "FusedActivationFunction": 4}), "its fused activation 4 is not supported"),
        (dataclasses.replace(simple(), outputs=(1,)), "net.tflite: no operator computes its output"),
        (dataclasses.replace(simple(), inputs=(0, 2)), "net.tflite: has 2 inputs and 1 outputs; must have one of each"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_exactly_is_named(content: TfliteFile, message: str) -> None:
    with pytest.raises(TfliteError, match=message):
        network_of(content)
