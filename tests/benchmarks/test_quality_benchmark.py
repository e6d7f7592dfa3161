"""The quality benchmark's measures are zero where nothing differs and fall where something does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import tryon_quality
import tryon_rivals
from mycloset.tasks.garments import Category, GarmentShape, SleeveLength
from mycloset.tasks.poses import BLAZEPOSE_33, Pose
from mycloset.wardrobe import DrawnCase, paired_cases


@pytest.fixture(scope="module")
def drawn() -> DrawnCase:
    return paired_cases()[6].draw((256, 192))


def true_wear(drawn: DrawnCase, shift_cm: float = 0.0) -> tryon_rivals.Worn:
    """The truth as if a method had made it, its cloth said to lie `shift_cm` lower."""
    category = drawn.case.category
    place = drawn.truth.cloth_at[category] + np.array([0.0, shift_cm], np.float32)
    cover = drawn.truth.coverage[category]
    return tryon_rivals.Worn(drawn.truth.rgb, cover, drawn.garment.to_pixels(place))


def test_the_truth_itself_scores_best(drawn: DrawnCase) -> None:
    scores = tryon_quality.score_all(
        drawn,
        {
            "truth": true_wear(drawn),
            "photo": tryon_rivals.Worn(
                drawn.person.rgb, np.zeros((256, 192), np.float32), true_wear(drawn).grid
            ),
        },
    )
    assert scores["truth"].ssim_in == pytest.approx(1.0)
    assert scores["truth"].psnr_in == pytest.approx(100.0)
    assert scores["truth"].iou == 1.0
    assert scores["truth"].off_cm == pytest.approx(0.0, abs=1e-3)
    assert scores["photo"].ssim_in < 0.8
    assert scores["photo"].ssim_in < scores["photo"].ssim < 1.0
    assert scores["photo"].iou == 0.0
    assert scores["photo"].off_cm is None


def test_misplaced_cloth_is_measured_in_cm(drawn: DrawnCase) -> None:
    scores = tryon_quality.score_all(drawn, {"low": true_wear(drawn, shift_cm=3.0)})
    assert scores["low"].off_cm == pytest.approx(3.0, abs=1e-3)


def test_the_region_holds_what_any_method_changed(drawn: DrawnCase) -> None:
    photo, truth = drawn.person.rgb, drawn.truth.rgb
    other = photo.copy()
    other[:8, :8] ^= 1
    region = tryon_quality.changed_region(photo, truth, [other])
    assert region[:8, :8].all()
    assert not region[20:40, :8].any()
    strongly = cv2.absdiff(photo, truth).max(axis=2) >= 60
    assert region[cv2.erode(strongly.astype(np.uint8), np.ones((3, 3))) > 0].all()


def test_the_report_names_cases_means_gains_and_failures() -> None:
    ours = tryon_quality.Score(0.7, 20.0, 0.9, 30.0, 0.9, 1.0)
    rival = tryon_quality.Score(0.5, 17.5, 0.8, 28.0, 0.7, None)
    scores = {tryon_quality.OURS: ours} | dict.fromkeys(tryon_rivals.RIVALS, rival)
    results = [
        tryon_quality.CaseResult("a tee", "upper", scores, None, {}),
        tryon_quality.CaseResult("a skirt", "lower", {}, "StepError: why", {}),
    ]
    text = tryon_quality.report(results)
    for column in tryon_quality.HEADER:
        assert column in text
    assert text.count("+0.200") == 3 * len(tryon_rivals.RIVALS)
    assert text.count("+2.50") == 3 * len(tryon_rivals.RIVALS)
    assert "upper (1)" in text
    assert "failed: a skirt: StepError: why" in text
    assert tryon_quality.as_dict(results)["cases"][1]["failure"] == "StepError: why"


@pytest.mark.parametrize("rival", tryon_rivals.RIVALS)
def test_a_rival_lays_the_torso_between_shoulders_and_hips(rival: str) -> None:
    given = upright()
    worn = tryon_rivals.RIVALS[rival](given)
    assert worn.cover[150, 100] > 0.99
    assert (worn.rgb[150, 100] == (200, 30, 40)).all()
    assert np.isfinite(worn.grid[150, 100]).all()
    assert worn.cover[:60].max() == 0
    assert worn.cover[240:].max() == 0
    untouched = worn.cover == 0
    assert (worn.rgb[untouched] == given.photo[untouched]).all()


def upright() -> tryon_rivals.Given:
    """A person who stands upright in a grey picture, and a sleeveless red garment."""
    joints = {
        "left_shoulder": (130, 100), "right_shoulder": (70, 100), "left_elbow": (140, 150),
        "right_elbow": (60, 150), "left_wrist": (145, 200), "right_wrist": (55, 200),
        "left_hip": (118, 195), "right_hip": (82, 195),
    }  # fmt: skip
    points = np.zeros((len(BLAZEPOSE_33.joints), 2), np.float32)
    for name, place in joints.items():
        points[BLAZEPOSE_33.index(name)] = place
    mask = np.zeros((200, 160), np.float32)
    mask[20:180, 30:130] = 1.0
    corners = {
        "collar_left": (100, 20), "collar_right": (60, 20), "neck_front": (80, 30),
        "shoulder_left": (130, 20), "shoulder_right": (30, 20), "armpit_left": (130, 70),
        "armpit_right": (30, 70), "hem_left": (130, 180), "hem_right": (30, 180),
    }  # fmt: skip
    marks = {name: np.array(place, np.float32) for name, place in corners.items()}
    return tryon_rivals.Given(
        np.full((300, 200, 3), 128, np.uint8),
        np.full((200, 160, 3), (200, 30, 40), np.uint8),
        mask,
        GarmentShape(Category.UPPER, marks, SleeveLength.NONE, False, 1.0),
        Pose(BLAZEPOSE_33, points, np.ones(len(points), np.float32), 1.0),
    )
