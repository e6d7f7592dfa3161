"""Garments put on drawn people."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from dressed_figures import Drawn, lab_distance, tried_on, wearer

from mycloset.tryon.embedded.colour_models import to_lab
from mycloset.tryon.embedded.finishing import finish
from mycloset.tryon.embedded.fitting import fit
from mycloset.tryon.embedded.scene import read_scene
from mycloset.tryon.state import Fitting
from mycloset.wardrobe import demo_garment, demo_names

SWEATER = wearer("sage_sweater")
CASES = {
    "tee over sweater": ("striped_tee", SWEATER),
    "shirt, arms out": ("breton_shirt", wearer(pose="arms_out")),
    "tank, hand on hip": ("ochre_tank", wearer(pose="hand_on_hip")),
    "trousers under tee": ("chinos", wearer("striped_tee")),
    "dress": (demo_names("dress")[0], wearer()),
}


@cache
def _fitted(name: str) -> Fitting:
    garment, who = CASES[name]
    return fit(tried_on(demo_garment(garment), who))[0]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Fitting, Drawn]:
    return _fitted(request.param), CASES[request.param][1]


def test_what_is_not_changed_is_the_photo_itself(case: tuple[Fitting, Drawn]) -> None:
    fitted, who = case
    still = fitted.changed == 0
    np.testing.assert_array_equal(fitted.rgb[still], who.picture.rgb[still])


def test_something_is_changed(case: tuple[Fitting, Drawn]) -> None:
    assert case[0].changed.mean() > 0.05


def test_hair_and_face_stay_as_they_are(case: tuple[Fitting, Drawn]) -> None:
    fitted, who = case
    head = who.picture.where("hair", "face")
    np.testing.assert_array_equal(fitted.rgb[head], who.picture.rgb[head])


def test_hands_stay_as_they_are(case: tuple[Fitting, Drawn]) -> None:
    fitted, who = case
    x, y = np.round(who.figure.body.joint("right_wrist") + who.figure.body.down * 8).astype(int)
    np.testing.assert_array_equal(fitted.rgb[y, x], who.picture.rgb[y, x])


def test_the_ground_far_from_the_person_stays(case: tuple[Fitting, Drawn]) -> None:
    fitted, who = case
    np.testing.assert_array_equal(fitted.rgb[:, :4], who.picture.rgb[:, :4])


def test_the_old_garments_colour_is_gone() -> None:
    fitted, old = _fitted("tee over sweater"), SWEATER.picture.where("upper-clothes")
    colour = np.median(to_lab(SWEATER.picture.rgb)[old], axis=0)
    left = lab_distance(to_lab(fitted.rgb), colour) < 10
    assert (left & old).sum() < 0.03 * old.sum()


def test_skin_appears_where_long_sleeves_become_short() -> None:
    fitted, body = _fitted("tee over sweater"), SWEATER.figure.body
    for side in ("left", "right"):
        _, elbow, wrist = body.arm(side)
        x, y = np.round(elbow + 0.4 * (wrist - elbow)).astype(int)
        patch = to_lab(fitted.rgb[y - 2 : y + 3, x - 2 : x + 3]).reshape(-1, 3)
        assert lab_distance(np.median(patch, axis=0), SWEATER.figure.tone) < 16


def test_short_sleeves_become_long() -> None:
    who = CASES["shirt, arms out"][1]
    _, elbow, wrist = who.figure.body.arm("left")
    x, y = np.round(elbow + 0.5 * (wrist - elbow)).astype(int)
    assert _fitted("shirt, arms out").garment[y, x] > 0.9


def test_a_sleeveless_garment_bares_the_upper_arm() -> None:
    who = CASES["tank, hand on hip"][1]
    shoulder, elbow, _ = who.figure.body.arm("right")
    x, y = np.round(shoulder + 0.55 * (elbow - shoulder)).astype(int)
    assert _fitted("tank, hand on hip").garment[y, x] < 0.1


def test_a_sleeveless_dress_grows_nothing_onto_the_old_sleeves() -> None:
    fitted, who = _fitted("dress"), CASES["dress"][1]
    shoulder, elbow, _ = who.figure.body.arm("left")
    outer = shoulder + 0.6 * (elbow - shoulder) + 5 * who.figure.body.across
    x, y = np.round(outer).astype(int)
    assert fitted.garment[y - 6 : y + 7, x : x + 6].max() < 0.1


def test_a_top_hangs_over_new_trousers() -> None:
    fitted, who = _fitted("trousers under tee"), CASES["trousers under tee"][1]
    worn = who.picture.where("upper-clothes").astype(np.uint8)
    top = cv2.erode(worn, np.ones((9, 9), np.uint8)) > 0
    np.testing.assert_array_equal(fitted.rgb[top], who.picture.rgb[top])


def test_new_trousers_do_not_stand_out_beside_the_top() -> None:
    fitted, who = _fitted("trousers under tee"), CASES["trousers under tee"][1]
    first = np.flatnonzero(who.picture.where("pants").any(axis=1))[0]
    assert fitted.garment[: first - 10].max() < 0.05


def test_a_dress_covers_the_old_trousers_hips() -> None:
    fitted, who = _fitted("dress"), CASES["dress"][1]
    x, y = np.round(who.figure.body.hips).astype(int)
    assert fitted.garment[y, x] > 0.9


def test_the_garment_is_seen_in_its_own_colours() -> None:
    garment, who = CASES["tank, hand on hip"]
    given = tried_on(demo_garment(garment), who)
    sure = _fitted("tank, hand on hip").garment > 0.98
    new = np.median(to_lab(_fitted("tank, hand on hip").rgb)[sure], axis=0)
    assert lab_distance(new, np.median(to_lab(given.warped.rgb)[sure], axis=0)) < 10


def test_a_scene_keeps_parts_near_the_person() -> None:
    garment, who = CASES["tee over sweater"]
    scene = read_scene(tried_on(demo_garment(garment), who))
    stray = max(float(part[:, :4].max()) for part in scene.parts.values())
    assert stray == 0.0


def test_fitting_changes_none_of_what_it_is_given() -> None:
    garment, who = CASES["tee over sweater"]
    given = tried_on(demo_garment(garment), who)
    before = (given.rgb.copy(), given.warped.alpha.copy(), given.parsing.labels.copy())
    fit(given)
    after = (given.rgb, given.warped.alpha, given.parsing.labels)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("sharpen", [0.0, 1.0])
def test_finishing_leaves_unchanged_pixels_alone(sharpen: float) -> None:
    fitted = _fitted("tee over sweater")
    final = finish(SWEATER.picture.rgb, fitted, sharpen=sharpen, grain=True)
    still = fitted.changed == 0
    np.testing.assert_array_equal(final[still], SWEATER.picture.rgb[still])


def test_finishing_without_options_is_the_fitting() -> None:
    fitted = _fitted("tee over sweater")
    final = finish(SWEATER.picture.rgb, fitted, sharpen=0.0, grain=False)
    np.testing.assert_array_equal(final, fitted.rgb)


def test_sharpening_raises_the_garments_detail() -> None:
    fitted = _fitted("tee over sweater")
    inside = fitted.garment > 0.98
    soft, sharp = (
        finish(SWEATER.picture.rgb, fitted, sharpen=strength, grain=False)[inside].std()
        for strength in (0.0, 0.5)
    )
    assert sharp > soft


def test_nothing_changed_gives_the_photo_back() -> None:
    photo = SWEATER.picture.rgb
    nothing = np.zeros(photo.shape[:2], np.float32)
    final = finish(photo, Fitting(photo, nothing, nothing), sharpen=1.0, grain=True)
    np.testing.assert_array_equal(final, photo)
