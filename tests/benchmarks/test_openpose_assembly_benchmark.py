"""The assembly benchmark compares like with like: both ways give the same people."""

from __future__ import annotations

import numpy as np
import pytest

import openpose_assembly


@pytest.mark.parametrize("seed", range(3))
def test_both_ways_give_the_same_people(seed: int) -> None:
    heatmaps, fields, truth = openpose_assembly.crowd(4, seed=seed)
    stream = np.random.default_rng(seed)
    # False peaks and weak fields, so that there is something to decide.
    heatmaps[:, stream.integers(0, 300, 6), stream.integers(0, heatmaps.shape[2], 6)] = 0.4
    fields += stream.normal(0, 0.15, fields.shape).astype(np.float32)
    peaks = openpose_assembly.peaks_of(heatmaps)

    ours = openpose_assembly.ours(peaks, fields)

    assert len(ours) >= len(truth) - 1
    assert openpose_assembly.same(ours, openpose_assembly.plain(peaks, fields))
