from __future__ import annotations

import numpy as np
import pytest

from mycloset.images import RGB
from mycloset.tasks.warps import Rendering, Warp

POINTS = np.array([[10, 10], [50, 60]], np.float32)


def _picture() -> RGB:
    return np.random.default_rng(0).integers(0, 256, (80, 60, 3)).astype(np.uint8)


def _warp(shift: float = 0.0, scale: float = 1.0) -> Warp:
    rows, columns = np.indices((80, 60), dtype=np.float32)
    grid = np.stack([columns * scale + shift, rows * scale], axis=-1)
    alpha = np.zeros((80, 60), np.float32)
    alpha[20:60, 10:50] = 1
    return Warp(grid, _picture(), alpha, POINTS, POINTS + 5)


def test_the_identity_gives_the_picture_back() -> None:
    assert (_warp().apply(_picture()) == _picture()).all()


def test_outside_of_the_garments_picture_there_is_the_fill() -> None:
    found = _warp(shift=30.0).apply(np.ones((80, 60), np.float32), fill=7.0)
    assert (found[:, :30] == 1).all()
    assert (found[:, 31:] == 7).all()


def test_what_the_warp_says_nothing_of_is_the_fill() -> None:
    warp = _warp()
    warp.grid[:10] = np.nan
    found = warp.apply(np.ones((80, 60), np.float32))
    assert (found[:10] == 0).all()
    assert (found[10:] == 1).all()


def test_a_garment_that_is_shown_smaller_is_averaged() -> None:
    board = np.indices((320, 240)).sum(axis=0) % 2 * 255
    found = _warp(scale=4.0).apply(board.astype(np.uint8))
    assert np.abs(found[5:-5, 5:-5].astype(int) - 127).max() < 10


def test_a_mirrored_warp_is_folded() -> None:
    warp = _warp()
    assert warp.folded == 0.0
    warp.grid[..., 0] *= -1
    assert warp.folded == 1.0


def test_the_drawing_has_the_pictures_size_and_shows_the_garment() -> None:
    ground = np.full((80, 60, 3), 255, np.uint8)
    drawn = _warp().draw(ground)
    assert drawn.shape == ground.shape
    assert (drawn[25:55, 15:45] != 255).any(axis=2).mean() > 0.9


def test_a_warp_is_told_in_json_values() -> None:
    told = _warp().to_dict()
    assert told["box"] == [10, 20, 50, 60]
    assert told["control_points"][0] == {"garment": [10.0, 10.0], "person": [15.0, 15.0]}
    assert told["share"] == pytest.approx(1600 / 4800, abs=1e-6)


def test_a_rendering_is_told_in_json_values() -> None:
    garment = np.full((80, 60), 0.25, np.float32)
    found = Rendering(_picture(), _picture(), (0, -5, 60, 75), garment, 0.9)
    assert found.to_dict()["box"] == [0, -5, 60, 75]
    assert found.to_dict()["garment_share"] == 0.25
    assert found.draw(_picture()).shape == (80, 120, 3)
