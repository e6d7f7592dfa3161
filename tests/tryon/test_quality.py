from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_try_on import BODICE, SLEEVES, area, made_state, with_final

from mycloset.errors import StepError
from mycloset.tasks.quality import QualityReport
from mycloset.tryon.embedded.quality import MEASURES, assess
from mycloset.tryon.state import TryOnState, WarpedGarment


@pytest.fixture(scope="module")
def good() -> TryOnState:
    return made_state()


@pytest.fixture(scope="module")
def report(good: TryOnState) -> QualityReport:
    return assess(good)


def score(state: TryOnState, part: str) -> float:
    found = assess(state).part(part).score
    assert found is not None
    return found


def value(state: TryOnState, part: str) -> float:
    found = assess(state).part(part).value
    assert found is not None
    return found


def test_weights_sum_to_one() -> None:
    assert sum(measure.weight for measure in MEASURES) == pytest.approx(1.0)


def test_a_faithful_try_on_is_graded_a_and_every_part_is_measured(report: QualityReport) -> None:
    assert report.grade == "A"
    assert all(part.score is not None for part in report.parts)
    assert report.recommendations == ()


def test_report_survives_json(report: QualityReport) -> None:
    back = json.loads(json.dumps(report.to_dict()))
    assert back["grade"] == report.grade
    assert [part["name"] for part in back["parts"]] == [part.name for part in report.parts]


def test_one_altered_pixel_outside_is_found(good: TryOnState) -> None:
    assert good.final is not None
    final = good.final.copy()
    final[3, 5] ^= 64
    part = assess(with_final(good, final)).part("identity")
    assert part.value is not None
    assert part.value < 100.0
    assert "1 pixels" in part.meaning
    assert "64 of 255" in part.meaning


def test_identity_lost_everywhere_caps_the_grade(good: TryOnState) -> None:
    assert good.final is not None
    report = assess(with_final(good, cv2.add(good.final, 12)))
    assert report.part("identity").score == 0.0
    assert report.grade == "F"
    assert any("differs from the photo" in advice for advice in report.recommendations)


def repainted(state: TryOnState, change: np.ndarray) -> TryOnState:
    """Other colours where the new garment is seen."""
    assert state.fitted is not None
    alpha = state.fitted.garment[..., None]
    final = state.fitted.rgb + alpha * (change.astype(np.float32) - state.fitted.rgb)
    return with_final(state, np.clip(final, 0, 255).astype(np.uint8))


def test_other_hue_costs_tone_but_darker_light_does_not(good: TryOnState) -> None:
    assert good.final is not None
    darker = (good.final.astype(np.float32) * 0.75).astype(np.uint8)
    swapped = good.final[..., ::-1]
    assert score(repainted(good, darker), "colour_tone") > 0.8
    assert value(repainted(good, darker), "colour") > value(good, "colour")
    assert score(repainted(good, swapped), "colour_tone") < 0.3


def test_shading_barely_moves_the_texture_but_a_shifted_pattern_does(good: TryOnState) -> None:
    assert good.final is not None
    shifted = np.roll(good.final, 8, axis=0)
    assert value(good, "texture") > 0.85
    assert value(made_state(shaded=False), "texture") > 0.9
    assert value(repainted(good, shifted), "texture") < 0.4


def test_a_plain_garment_has_no_texture_to_judge() -> None:
    part = assess(made_state(plain=True)).part("texture")
    assert part.value is None
    assert part.score is None
    assert "plain" in part.meaning


def test_blur_costs_sharpness(good: TryOnState) -> None:
    assert good.final is not None
    blurred = repainted(good, cv2.GaussianBlur(good.final, (0, 0), 3.0))
    assert value(blurred, "sharpness") < 0.6 * value(good, "sharpness")
    assert value(blurred, "sharpness_photo") < value(good, "sharpness_photo")


def test_old_garment_that_stays_is_a_remnant_and_costs_coverage(good: TryOnState) -> None:
    assert good.warped is not None
    assert good.fitted is not None
    assert good.final is not None
    y = np.arange(good.final.shape[0])[:, None] * np.ones((1, good.final.shape[1]))
    shown = np.where(y < 200, good.fitted.garment, 0.0).astype(np.float32)
    changed = np.where(y < 200, good.fitted.changed, 0.0).astype(np.float32)
    final = np.where((y < 200)[..., None], good.final, good.person_picture.rgb)
    state = replace(good, final=final, fitted=replace(good.fitted, garment=shown, changed=changed))
    report = assess(state)
    assert report.part("remnants").score == 0.0
    assert report.part("coverage").score == pytest.approx(0.0, abs=0.2)
    assert any("old garment" in advice for advice in report.recommendations)


def test_a_white_rim_is_a_fringe(good: TryOnState) -> None:
    assert good.fitted is not None
    assert good.final is not None
    inside = (good.fitted.garment >= 0.5).astype(np.uint8)
    rim = (cv2.dilate(inside, np.ones((5, 5))) - inside)[..., None] > 0
    final = np.where(rim, np.uint8(255), good.final)
    assert value(with_final(good, final), "seams") > value(good, "seams") + 3.0


def test_a_flat_garment_lacks_the_photos_light(good: TryOnState) -> None:
    assert value(good, "light") > 0.6
    assert value(made_state(shaded=False), "light") < 0.15


def test_a_garment_beside_the_body_hangs_in_the_air(good: TryOnState) -> None:
    assert score(good, "body_fit") == 1.0
    assert score(made_state(shift=(70, 0)), "body_fit") < 0.4


def replaced_parts(state: TryOnState, **parts: np.ndarray) -> TryOnState:
    assert state.warped is not None
    return replace(state, warped=replace(state.warped, parts={**state.warped.parts, **parts}))


def test_a_sleeve_that_leaves_its_arm_is_named(good: TryOnState) -> None:
    away = area(SLEEVES["sleeve_left"] + np.array([60, -70], np.float32))
    report = assess(replaced_parts(good, sleeve_left=away))
    part = report.part("sleeves")
    assert part.score is not None
    assert part.score < 0.6
    assert any("sleeve" in advice for advice in report.recommendations)


def test_uneven_sleeves_name_the_short_side(good: TryOnState) -> None:
    stub = area(SLEEVES["sleeve_right"] * 0.4 + SLEEVES["sleeve_right"][0] * 0.6)
    report = assess(replaced_parts(good, sleeve_right=stub))
    assert report.part("sleeves").score == pytest.approx(0.5, abs=0.5)
    assert "right" in report.part("sleeves").meaning
    assert value(replaced_parts(good, sleeve_right=stub), "sleeves") > value(good, "sleeves")


def test_an_unseen_arm_is_not_judged(good: TryOnState) -> None:
    assert good.pose is not None
    unsure = good.pose.confidence.copy()
    for joint in ("left_elbow", "right_elbow"):
        unsure[good.pose.skeleton.index(joint)] = 0.1
    state = replace(good, pose=replace(good.pose, confidence=unsure))
    part = assess(state).part("sleeves")
    assert part.value is None
    assert part.score is None
    assert "no arm" in part.meaning


def test_a_slanting_hem_is_measured_in_degrees(good: TryOnState) -> None:
    slanted = BODICE.copy()
    slanted[2, 1] -= 30
    slanted[3, 1] += 30
    angle = float(np.degrees(np.arctan2(60, BODICE[2, 0] - BODICE[3, 0])))
    state = replaced_parts(good, torso=area(slanted))
    assert value(good, "hem") < 2.0
    assert value(state, "hem") == pytest.approx(angle, abs=3.0)
    assert score(state, "hem") < 0.3


def regridded(state: TryOnState, grid: np.ndarray) -> TryOnState:
    assert state.warped is not None
    return replace(state, warped=replace(state.warped, grid=grid.astype(np.float32)))


def test_a_mirrored_patch_counts_as_folded(good: TryOnState) -> None:
    assert good.warped is not None
    grid = good.warped.grid.copy()
    grid[140:240, 150:200] = grid[140:240, 150:200][:, ::-1]
    assert value(good, "warp_regularity") == 0.0
    assert value(regridded(good, grid), "warp_regularity") > 10.0


def test_a_squashed_garment_loses_its_proportions(good: TryOnState) -> None:
    assert good.warped is not None
    grid = good.warped.grid * np.array([1.0, 0.5], np.float32)
    assert value(good, "proportions") == pytest.approx(1.0, abs=0.02)
    assert value(regridded(good, grid), "proportions") == pytest.approx(2.0, abs=0.05)


def test_what_cannot_be_measured_without_pose_and_parsing_is_none_and_its_weight_is_shared(
    good: TryOnState,
) -> None:
    report = assess(replace(good, pose=None, parsing=None, person=None, matching=None))
    unknown = {part.name for part in report.parts if part.value is None}
    assert {"remnants", "light", "body_fit", "sleeves", "hem"} <= unknown
    known = [part for part in report.parts if part.score is not None]
    weights = sum(part.weight for part in known)
    mean = sum((part.score or 0.0) * part.weight for part in known) / weights
    assert report.score == pytest.approx(mean)


def test_a_garment_seen_nowhere_is_reported_not_invented(good: TryOnState) -> None:
    assert good.warped is not None
    assert good.fitted is not None
    nothing = np.zeros_like(good.warped.alpha)
    warped = WarpedGarment(good.warped.rgb, nothing, {}, np.full_like(good.warped.grid, np.nan))
    fitted = replace(good.fitted, rgb=good.person_picture.rgb, changed=nothing, garment=nothing)
    report = assess(replace(good, warped=warped, fitted=fitted, final=good.person_picture.rgb))
    assert report.part("colour").value is None
    assert report.part("texture").value is None
    assert report.part("coverage").score == 0.0
    assert report.grade == "F"


def test_missing_steps_are_named(good: TryOnState) -> None:
    with pytest.raises(StepError, match="warped, final"):
        assess(replace(good, warped=None, final=None))


def test_pictures_of_other_sizes_are_refused(good: TryOnState) -> None:
    assert good.final is not None
    with pytest.raises(StepError, match="the result is 180x240"):
        assess(replace(good, final=np.ascontiguousarray(good.final[::2, ::2])))


def test_assessment_changes_nothing(good: TryOnState) -> None:
    assert good.warped is not None
    before = [a.copy() for a in (good.person_picture.rgb, good.warped.grid, good.warped.alpha)]
    assess(good)
    after = [good.person_picture.rgb, good.warped.grid, good.warped.alpha]
    assert all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(before, after, strict=True)
    )


def test_a_larger_copy_gets_nearly_the_same_score(good: TryOnState) -> None:
    person = cv2.resize(good.person_picture.rgb, None, fx=2.5, fy=2.5)
    assert good.warped is not None
    assert good.pose is not None
    assert good.parsing is not None
    labels = cv2.resize(good.parsing.labels, None, fx=2.5, fy=2.5, interpolation=cv2.INTER_NEAREST)
    grid = cv2.resize(good.warped.grid, None, fx=2.5, fy=2.5, interpolation=cv2.INTER_LINEAR)
    warped = WarpedGarment(
        cv2.resize(good.warped.rgb, None, fx=2.5, fy=2.5),
        cv2.resize(good.warped.alpha, None, fx=2.5, fy=2.5),
        {k: cv2.resize(v, None, fx=2.5, fy=2.5) for k, v in good.warped.parts.items()},
        grid,
    )
    assert good.fitted is not None
    big = {k: cv2.resize(getattr(good.fitted, k), None, fx=2.5, fy=2.5)
           for k in ("rgb", "changed", "garment")}  # fmt: skip
    big["rgb"] = np.where((big["changed"] <= 0)[..., None], person, big["rgb"])
    state = replace(
        good,
        person_picture=replace(good.person_picture, rgb=person),
        pose=replace(good.pose, points=good.pose.points * 2.5),
        person=None,
        parsing=replace(good.parsing, labels=labels),
        warped=warped,
        fitted=replace(good.fitted, **big),
        final=big["rgb"],
    )
    for name in ("colour", "colour_tone", "hem", "sleeves", "proportions", "coverage"):
        assert score(state, name) == pytest.approx(score(good, name), abs=0.1), name
