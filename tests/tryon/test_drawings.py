from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_try_on import HEIGHT, WIDTH, made_state

from mycloset.tasks.canvas import unit
from mycloset.tasks.quality import QualityPart, weigh
from mycloset.tryon.drawing_matching import ACROSS, draw_matching
from mycloset.tryon.drawings import GREY, contact_sheet, step_pictures
from mycloset.tryon.embedded.quality import MEASURES
from mycloset.tryon.quality_card import GRADE_COLORS, TITLES, quality_card
from mycloset.tryon.state import TryOnState

NAMES = [
    "01_human_parsing",
    "02_pose_estimation",
    "03_cloth_segmentation",
    "04_geometric_matching",
    "05_cloth_warping",
    "06_virtual_fitting",
    "07_post_processing",
    "08_quality_assessment",
]
REPORT = weigh(
    [
        QualityPart("identity", 100.0, "%", 1.0, 0.5, "", True),
        QualityPart("texture", None, "SSIM", None, 0.2, "Not measured: plain."),
        QualityPart("colour", 14.0, "ΔE00", 0.6, 0.3, ""),
    ],
    ["Give a photo in even light, without a colour cast, and stand up straight in front of it."],
)


@pytest.fixture(scope="module")
def state() -> TryOnState:
    return replace(made_state(), quality=REPORT)


def test_every_step_has_its_picture(state: TryOnState) -> None:
    pictures = step_pictures(state)
    assert list(pictures) == NAMES
    for picture in pictures.values():
        assert picture.dtype == np.uint8
        assert picture.ndim == 3


def test_what_is_not_known_is_left_out(state: TryOnState) -> None:
    partial = replace(state, matching=None, warped=None, fitted=None, final=None, quality=None)
    assert list(step_pictures(partial)) == NAMES[:3]


def test_results_are_shown_pixel_for_pixel(state: TryOnState) -> None:
    margin = round(20 * unit(HEIGHT, WIDTH))
    framed = step_pictures(state)["07_post_processing"]
    assert state.final is not None
    top = framed.shape[0] - margin - HEIGHT
    assert np.array_equal(framed[top : top + HEIGHT, margin : margin + WIDTH], state.final)


def test_the_warped_garment_lies_on_grey(state: TryOnState) -> None:
    assert state.warped is not None
    margin = round(20 * unit(HEIGHT, WIDTH))
    framed = step_pictures(state)["05_cloth_warping"]
    inner = framed[framed.shape[0] - margin - HEIGHT : -margin, margin:-margin]
    assert (inner[state.warped.alpha == 0] == GREY).all()
    sure = state.warped.alpha == 1
    assert np.abs(inner[sure].astype(int) - state.warped.rgb[sure]).max() <= 1


def test_the_sheet_holds_inputs_and_steps_and_grows_with_its_columns(state: TryOnState) -> None:
    wide, narrow = (
        contact_sheet(state, columns=5, side=200),
        contact_sheet(state, columns=2, side=200),
    )
    assert wide.shape[1] > narrow.shape[1]
    assert wide.shape[0] < narrow.shape[0]
    empty = TryOnState(state.person_picture, state.garment_picture)
    assert contact_sheet(empty, side=200).shape[0] < wide.shape[0]


def test_the_grid_is_drawn_on_the_person_only_with_a_warp(state: TryOnState) -> None:
    assert state.matching is not None
    person = np.full_like(state.person_picture.rgb, 255)
    garment = np.full_like(state.garment_picture.rgb, 255)
    bare = replace(state.matching, parts=())

    def blue(picture: np.ndarray) -> int:
        half = picture[:, picture.shape[1] * 2 // 3 :].astype(int)
        return int((np.abs(half - ACROSS).sum(axis=2) < 170).sum())

    with_warp = draw_matching(person, garment, bare, state.warped, state.cloth_mask)
    without = draw_matching(person, garment, bare, None, state.cloth_mask)
    assert blue(with_warp) > 100
    assert blue(without) == 0


def test_points_that_are_not_known_are_skipped(state: TryOnState) -> None:
    assert state.matching is not None
    part = state.matching.parts[0]
    lost = replace(part, target=np.full_like(part.target, np.nan))
    matching = replace(state.matching, parts=(lost,))
    picture = draw_matching(state.person_picture.rgb, state.garment_picture.rgb, matching)
    assert picture.shape[2] == 3


def test_the_card_shows_the_grade_in_its_colour_and_grows_with_advice() -> None:
    card = quality_card(REPORT, 768)
    assert card.shape[1] == 768
    assert (card[20:130, 4:20] == GRADE_COLORS[REPORT.grade]).all()
    assert quality_card(weigh(REPORT.parts), 768).shape[0] < card.shape[0]


def test_a_fuller_bar_is_longer() -> None:
    def length(score: float) -> int:
        report = weigh([QualityPart("identity", 1.0, "%", score, 1.0, "")])
        card = quality_card(report, 768)
        bar = card[150 + 24 + 18, 261:614]
        return int((bar.astype(int).max(axis=1) - bar.astype(int).min(axis=1) > 40).sum())

    assert length(0.95) > length(0.5) > length(0.1) > 0


def test_every_measure_has_a_title_on_the_card() -> None:
    assert {measure.name for measure in MEASURES} == set(TITLES)
