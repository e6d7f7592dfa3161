from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.tasks.canvas import (
    PAPER,
    blend,
    checkerboard,
    fit,
    frame,
    pill,
    shorten,
    text_size,
    unit,
    wrap,
)
from mycloset.tasks.drawing import LEFT, OUTLINE, RIGHT, draw_mask, draw_parsing, draw_pose
from mycloset.tasks.masks import Mask
from mycloset.tasks.parsing import ATR_18, HumanParsing
from mycloset.tasks.poses import Pose, Skeleton

SKELETON = Skeleton(
    "test",
    ("left_shoulder", "left_elbow", "right_shoulder", "right_elbow"),
    (("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow")),
)


def a_pose(confidence: float) -> Pose:
    points = np.array([[150, 40], [150, 120], [50, 40], [50, 120]], np.float32)
    return Pose(SKELETON, points, np.full(4, confidence, np.float32), 1.0)


def white(height: int = 200, width: int = 200) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def test_left_and_right_limbs_have_their_own_colours() -> None:
    drawn = draw_pose(white(), a_pose(1.0))
    assert drawn.shape == (200, 200, 3)
    assert tuple(drawn[80, 150]) == LEFT
    assert tuple(drawn[80, 50]) == RIGHT


def test_an_unsure_limb_is_paler_and_an_unseen_one_is_not_drawn() -> None:
    sure, unsure, unseen = (draw_pose(white(), a_pose(c))[80, 150] for c in (1.0, 0.3, 0.01))
    assert np.linalg.norm(unsure - 255.0) < np.linalg.norm(sure - 255.0)
    assert tuple(unseen) == (255, 255, 255)


def test_joints_outside_of_the_picture_are_no_error() -> None:
    pose = a_pose(1.0)
    far = Pose(SKELETON, pose.points * 40 - 3000, pose.confidence, 1.0)
    assert draw_pose(white(), far).shape == (200, 200, 3)


def test_drawing_leaves_the_picture_alone() -> None:
    picture = white()
    draw_pose(picture, a_pose(1.0))
    draw_mask(picture, Mask(np.ones((200, 200), np.float32)))
    assert (picture == 255).all()


def test_parsing_shows_each_class_in_its_colour_and_a_legend_beside_it() -> None:
    labels = np.zeros((200, 150), np.uint8)
    labels[50:150, 20:120] = ATR_18.index("dress")
    drawn = draw_parsing(white(200, 150), HumanParsing(labels, ATR_18))
    assert drawn.shape[0] == 200
    assert drawn.shape[1] > 150
    color = np.array(ATR_18.colors[ATR_18.index("dress")], float)
    inside = drawn[100, 70].astype(float)
    assert np.linalg.norm(inside - color) < np.linalg.norm(inside - 255.0)
    legend = drawn[:, 150:].reshape(-1, 3)
    assert (legend == color).all(axis=1).any()
    assert tuple(drawn[10, 10]) == (255, 255, 255)


def test_a_legend_of_all_classes_fits_a_low_picture() -> None:
    labels = np.arange(18, dtype=np.uint8).repeat(4)[:, None].repeat(90, axis=1)
    drawn = draw_parsing(white(72, 90), HumanParsing(labels, ATR_18))
    assert drawn.shape[0] == 72


def test_a_mask_is_cut_out_on_a_checkerboard_with_an_outline() -> None:
    alpha = np.zeros((200, 200), np.float32)
    alpha[50:150, 50:150] = 1.0
    picture = np.full((200, 200, 3), (10, 120, 30), np.uint8)
    drawn = draw_mask(picture, Mask(alpha))
    assert tuple(drawn[100, 100]) == (10, 120, 30)
    assert set(np.unique(drawn[:40, :40])) == {214, 240}
    assert (drawn.reshape(-1, 3) == OUTLINE).all(axis=1).any()


@given(st.text("abcdefg hij", max_size=80), st.integers(60, 300))
@settings(max_examples=40)
def test_wrapping_keeps_the_words_and_the_width(text: str, width: int) -> None:
    lines = wrap(text, 14, width)
    assert " ".join(lines).split() == text.split()
    assert all(text_size(line, 14)[0] <= width or " " not in line for line in lines)


def test_shortening_ends_within_the_width() -> None:
    short = shorten("a rather long title for so narrow a picture", 20, 120)
    assert short.endswith("...")
    assert text_size(short, 20)[0] <= 120


def test_signs_that_the_font_lacks_are_written_with_others() -> None:
    assert wrap("ΔE00 – 3 × 4", 14, 1000) == ["dE00 - 3 x 4"]


@pytest.mark.parametrize("size", [(400, 300), (1024, 768), (2000, 1500)])
def test_margins_and_letters_scale_with_the_picture(size: tuple[int, int]) -> None:
    framed = frame(np.zeros((*size, 3), np.uint8), "Title", "a note")
    margin = round(20 * unit(*size))
    assert framed.shape[1] == size[1] + 2 * margin
    assert (framed[-margin:] == PAPER).all()
    assert (framed[-margin - 1, margin:-margin] == 0).all()
    title = framed[: framed.shape[0] - size[0] - margin]
    assert title.min() < 60


def test_a_pill_is_filled_round_and_smooth() -> None:
    paper = white(40, 40)
    pill(paper, (5, 5, 35, 35), 15, (0, 0, 0))
    assert tuple(paper[20, 20]) == (0, 0, 0)
    assert tuple(paper[6, 6]) == (255, 255, 255)
    assert ((paper > 0) & (paper < 255)).any()
    assert np.count_nonzero(255 - paper[..., 0]) == pytest.approx(np.pi * 15**2, rel=0.1)
    pill(paper, (100, 100, 130, 130), 15, (9, 9, 9))
    assert not (paper == 9).any()


@given(st.floats(0, 1))
def test_blending_by_a_number_or_by_an_array_agrees(alpha: float) -> None:
    below, above = white(4, 4), np.full((4, 4, 3), 17, np.uint8)
    plain = blend(below, above, alpha).astype(int)
    arrays = blend(below, above, np.full((4, 4), alpha, np.float32)).astype(int)
    assert np.abs(plain - arrays).max() <= 1


def test_fit_keeps_proportions_and_checkerboard_alternates() -> None:
    assert fit(white(100, 50), 40, 40).shape == (40, 20, 3)
    board = checkerboard(8, 8, 4)
    assert board[0, 0, 0] != board[0, 4, 0]
    assert board[0, 0, 0] == board[4, 4, 0]
