"""Cloth segmentation on drawn garments whose masks are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn_garments import LONG_SLEEVE, SIZE, T_SHIRT, TROUSERS, drawn_mask, overlap, painted

from mycloset.errors import GarmentError
from mycloset.images import Picture
from mycloset.tryon.embedded.cloth_mask import segment_cloth


@pytest.mark.parametrize(
    ("color", "ground"),
    [
        ((40, 70, 140), (255, 255, 255)),
        ((20, 20, 22), (200, 200, 202)),
        ((255, 255, 255), (243, 243, 243)),
        ((246, 246, 246), (255, 255, 255)),
        ((250, 246, 236), (235, 226, 215)),
    ],
    ids=["blue on white", "black on grey", "white on light grey", "grey on white", "cream on sand"],
)
@pytest.mark.parametrize("half", [T_SHIRT, LONG_SLEEVE, TROUSERS], ids=["tee", "long", "trousers"])
def test_garment_on_a_plain_ground_is_found_to_the_pixel(
    half: dict[str, tuple[int, int]],
    color: tuple[int, int, int],
    ground: tuple[int, int, int],
) -> None:
    alpha = drawn_mask(half)
    mask, _ = segment_cloth(painted(alpha, color, ground))
    assert mask.alpha.shape == SIZE
    assert mask.alpha.dtype == np.float32
    assert overlap(mask.alpha, alpha) > 0.97


def test_edges_are_soft_and_sub_pixel_where_colours_differ() -> None:
    alpha = drawn_mask(T_SHIRT)
    mask, _ = segment_cloth(painted(alpha, (180, 30, 40), (255, 255, 255)))
    edge = (alpha > 0.2) & (alpha < 0.8)
    assert np.abs(mask.alpha - alpha)[edge].mean() < 0.15


def test_light_that_falls_off_and_noise_do_not_disturb() -> None:
    alpha = drawn_mask(T_SHIRT)
    ys, xs = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    light = 225 - 25 * xs / SIZE[1] - 20 * ys / SIZE[0]
    ground = np.repeat(light[..., None], 3, axis=2).astype(np.uint8)
    mask, _ = segment_cloth(painted(alpha, (150, 60, 70), ground, noise=3.0))
    assert overlap(mask.alpha, alpha) > 0.97


def test_a_soft_shadow_is_no_garment() -> None:
    alpha = drawn_mask(T_SHIRT)
    shadow = cv2.GaussianBlur(np.roll(alpha, (14, 10), axis=(0, 1)), (0, 0), 14)
    ground = np.repeat((240 - 30 * shadow)[..., None], 3, axis=2).astype(np.uint8)
    mask, _ = segment_cloth(painted(alpha, (30, 110, 80), ground))
    assert overlap(mask.alpha, alpha) > 0.96


def test_garment_on_a_ground_of_stripes_is_cut_out_and_said_so() -> None:
    alpha = drawn_mask(T_SHIRT)
    xs = np.arange(SIZE[1])
    wood = np.where((xs // 9 % 2 == 0)[:, None], (150, 104, 66), (186, 140, 92)).astype(np.uint8)
    ground = np.broadcast_to(wood, (*SIZE, 3))
    mask, notes = segment_cloth(painted(alpha, (40, 60, 130), ground, noise=4.0))
    assert overlap(mask.alpha, alpha) > 0.93
    assert any("GrabCut" in note for note in notes)


def test_a_gap_beside_the_sleeve_stays_open_and_a_white_print_is_filled() -> None:
    alpha = drawn_mask(LONG_SLEEVE)
    # The cuff touches the hem: the gap between sleeve and body is a hole.
    joined = alpha.copy()
    joined[440:452, 100:380] = 1.0
    picture = painted(joined, (120, 40, 60), (255, 255, 255)).rgb.copy()
    cv2.circle(picture, (240, 260), 22, (255, 255, 255), -1)
    mask, _ = segment_cloth(Picture(picture, None, "drawn garment"))
    assert mask.alpha[260, 240] == 1.0
    assert mask.alpha[400, 240 + 145] < 0.1
    assert mask.alpha[400, 240 - 145] < 0.1


def test_transparency_is_taken_as_it_is() -> None:
    alpha = drawn_mask(T_SHIRT)
    byte = np.round(alpha * 255).astype(np.uint8)
    mask, notes = segment_cloth(Picture(np.zeros((*SIZE, 3), np.uint8), byte, "png"))
    assert np.abs(mask.alpha - alpha).max() < 0.01
    assert mask.confidence == 1.0
    assert len(notes) == 1


def test_a_garment_that_runs_out_of_the_picture_is_found_and_said_so() -> None:
    alpha = drawn_mask(T_SHIRT)[:460]
    mask, notes = segment_cloth(painted(alpha, (60, 90, 150), (255, 255, 255)))
    assert overlap(mask.alpha, alpha) > 0.97
    assert any("bottom" in note for note in notes)


def test_a_faint_garment_is_less_sure_than_a_clear_one() -> None:
    alpha = drawn_mask(T_SHIRT)
    clear, _ = segment_cloth(painted(alpha, (60, 90, 150), (255, 255, 255)))
    faint, _ = segment_cloth(painted(alpha, (249, 249, 249), (255, 255, 255)))
    assert 0.0 < faint.confidence < clear.confidence <= 1.0


def test_a_picture_of_nothing_is_refused_with_what_to_do() -> None:
    empty = Picture(np.full((*SIZE, 3), 255, np.uint8), None, "nothing.png")
    with pytest.raises(GarmentError, match=r"nothing\.png") as caught:
        segment_cloth(empty)
    assert caught.value.hint


@pytest.mark.parametrize("level", [0, 127])
def test_a_picture_that_is_transparent_all_over_is_refused(level: int) -> None:
    clear = np.full(SIZE, level, np.uint8)
    with pytest.raises(GarmentError):
        segment_cloth(Picture(np.zeros((*SIZE, 3), np.uint8), clear, "clear.png"))
