"""ESDA's trained N-MNIST network: its integers against the published logits."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.esda_n_mnist import FOLDER, RECORDINGS, checkpoint, network, software_logits
from models.ir import golden
from models.ir.frame import Frame

real = pytest.mark.skipif(
    not (FOLDER.is_dir() and RECORDINGS.is_dir()), reason=f"{FOLDER} or {RECORDINGS} is not there"
)
EVERY = 10
"""Of the published recordings, every so-many-th is looked at."""


@real
def test_integers_give_every_published_logit_and_golden_every_answer() -> None:
    """By the rules of the software that the logits were published of; golden has the accelerators'."""
    graph, state = network(), checkpoint()
    with np.load(FOLDER / "golden_test60.npz") as published:
        histograms, logits = published["histogram"][::EVERY], published["int_logits"][::EVERY]
    assert len(logits) == 6
    for histogram, wanted in zip(histograms, logits, strict=True):
        frame = Frame.from_dense(histogram.transpose(1, 2, 0).astype(int), histogram.any(axis=0))
        assert software_logits(graph, state, frame).tolist() == wanted.tolist()
        frames = golden.run(graph, frame)
        assert frames["fc"].features[0].argmax() == wanted.argmax()
        assert np.array_equal(
            frames["fc"].features[0], state["fc.weight_integer"].astype(int) @ frames["sum"].features[0]
        )
