"""Drawn frames hold the activity asked for, counted from the frames alone."""

from __future__ import annotations

import numpy as np
import pytest

from models.data.synthetic_masks import clustered_frames, clustered_mask, downsampled, mean_window_sites, resolutions


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_every_resolution_has_its_sites(seed: int, share: float) -> None:
    height, width, densities = 37, 50, (0.05, 0.12, 0.3, 0.6)
    mask = clustered_mask(np.random.default_rng(seed), height, width, densities, share)
    for (rows, columns), density in zip(resolutions(height, width, len(densities)), densities, strict=True):
        assert mask.shape == (rows, columns)
        assert mask.sum() == round(density * rows * columns)
        mask = downsampled(mask)


def test_a_share_that_cells_do_not_allow_is_held_to_what_they_do() -> None:
    rng = np.random.default_rng(0)
    assert clustered_mask(rng, 8, 8, (0.9, 0.25), 0.5).sum() == 4 * 4
    assert clustered_mask(rng, 8, 8, (0.01, 0.25), 0.5).sum() == 4
    assert clustered_mask(rng, 8, 8, (1.0, 1.0), 0.5).all()
    assert not clustered_mask(rng, 8, 8, (0.0, 0.0), 0.5).any()


def test_smooth_noise_makes_clusters_and_the_share_is_found() -> None:
    densities = (0.1, 0.2, 0.4)

    def window_sites(masks: list[np.ndarray]) -> float:
        return float(np.mean([mean_window_sites(downsampled(mask)) for mask in masks]))

    scattered, smooth = (
        window_sites([clustered_mask(np.random.default_rng(n), 64, 64, densities, share) for n in range(8)])
        for share in (0.0, 1.0)
    )
    assert scattered < 3.5 < 4.5 < smooth
    frames = clustered_frames(np.random.default_rng(1), 64, 64, densities, 4.0, 8)
    assert abs(window_sites(frames) - 4) < 0.1


def test_windows_count_themselves_and_their_neighbors() -> None:
    mask = np.zeros((5, 6), dtype=bool)
    mask[1:3, 1:4] = True
    brute = [mask[y - 1 : y + 2, x - 1 : x + 2].sum() for y, x in np.argwhere(mask)]
    assert mean_window_sites(mask) == np.mean(brute)
    assert mean_window_sites(np.zeros((3, 3), dtype=bool)) == 0


def test_a_share_out_of_range_is_named() -> None:
    with pytest.raises(ValueError, match=r"share: 1.5 must be 0 to 1"):
        clustered_mask(np.random.default_rng(0), 4, 4, (0.5,), 1.5)
