"""What is said of a flat garment is true of its picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.errors import OptionError
from mycloset.wardrobe import (
    DEMO_GARMENTS,
    Fabric,
    GarmentKind,
    GarmentSpec,
    Ground,
    Neckline,
    Pattern,
    cut_garment,
    demo_garment,
    demo_names,
    draw_garment,
)

SIZE = (256, 192)
UPPER = {"collar_left", "collar_right", "neck_front", "shoulder_left", "shoulder_right",
         "armpit_left", "armpit_right", "hem_left", "hem_right"}  # fmt: skip
SLEEVES = {"cuff_outer_left", "cuff_outer_right", "cuff_inner_left", "cuff_inner_right"}
LOWER = {"waist_left", "waist_right", "hem_outer_left", "hem_outer_right"}
LANDMARKS = {
    "striped_tee": UPPER | SLEEVES,
    "college_sweater": UPPER | SLEEVES,
    "ochre_tank": UPPER,
    "dotted_dress": UPPER | {"waist_left", "waist_right"},
    "raspberry_dress": UPPER | SLEEVES | {"waist_left", "waist_right"},
    "blue_jeans": LOWER | {"crotch", "hem_inner_left", "hem_inner_right"},
    "tartan_skirt": LOWER,
}


@pytest.mark.parametrize(("name", "expected"), LANDMARKS.items())
def test_every_kind_has_the_landmarks_of_its_kind(name: str, expected: set[str]) -> None:
    assert set(draw_garment(demo_garment(name), SIZE).landmarks) == expected


@pytest.mark.parametrize("name", LANDMARKS)
def test_landmarks_lie_on_the_edge_of_the_mask(name: str) -> None:
    garment = draw_garment(demo_garment(name), (512, 384))
    solid = garment.mask >= 0.5
    for landmark, (x, y) in garment.landmarks.items():
        around = solid[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4]
        assert around.any(), landmark
        # Behind the front neckline the back shows, and legs and sleeves part only slowly.
        if landmark.startswith(("neck_front", "armpit", "crotch")):
            continue
        assert not around.all(), landmark


def test_legs_part_below_the_crotch_and_not_above_it() -> None:
    garment = draw_garment(demo_garment("blue_jeans"), (512, 384))
    x, y = (round(float(v)) for v in garment.landmarks["crotch"])
    assert garment.mask[y - 4, x] == 1.0
    assert garment.mask[y + 40, x] == 0.0


@pytest.mark.parametrize("name", LANDMARKS)
def test_the_wearers_left_is_the_pictures_right(name: str) -> None:
    marks = draw_garment(demo_garment(name), SIZE).landmarks
    pairs = [n for n in marks if n.endswith("_left")]
    assert pairs
    for left in pairs:
        right = marks[left.replace("_left", "_right")]
        assert marks[left][0] > right[0]
        np.testing.assert_allclose(marks[left][0] + right[0], SIZE[1] - 1, atol=0.01)
        np.testing.assert_allclose(marks[left][1], right[1], atol=0.01)


def test_the_same_garment_is_drawn_the_same_twice() -> None:
    first, second = (draw_garment(demo_garment("emblem_tee"), SIZE) for _ in range(2))
    np.testing.assert_array_equal(first.rgb, second.rgb)
    np.testing.assert_array_equal(first.mask, second.mask)


def test_the_seed_changes_the_folds_and_not_the_outline() -> None:
    fabric = Fabric((90, 120, 160))
    one, other = (
        draw_garment(GarmentSpec(GarmentKind.T_SHIRT, fabric, seed=seed), SIZE) for seed in (1, 2)
    )
    np.testing.assert_array_equal(one.mask, other.mask)
    inside = one.mask > 0.99
    assert np.abs(one.rgb[inside].astype(int) - other.rgb[inside]).mean() > 1.0


def test_a_plain_ground_is_near_white_and_the_garment_has_its_own_colour() -> None:
    garment = draw_garment(demo_garment("plain_tee"), SIZE)
    assert garment.rgb[:6].min() > 225
    middle = np.median(garment.rgb[garment.mask > 0.99], axis=0)
    np.testing.assert_allclose(middle, demo_garment("plain_tee").fabric.color, atol=28)


@pytest.mark.parametrize("ground", list(Ground))
def test_the_ground_changes_nothing_of_the_mask(ground: Ground) -> None:
    garment = draw_garment(demo_garment("striped_tee"), SIZE, ground=ground)
    np.testing.assert_array_equal(
        garment.mask, draw_garment(demo_garment("striped_tee"), SIZE).mask
    )
    plain = draw_garment(demo_garment("striped_tee"), SIZE).rgb
    inside = garment.mask > 0.999
    assert np.abs(garment.rgb[inside].astype(int) - plain[inside]).max() < 14


def test_stripes_run_across_the_body_and_along_the_period() -> None:
    fabric = Fabric((255, 255, 255), Pattern.STRIPES, (0, 0, 0), period_cm=8.0, share=0.5)
    garment = draw_garment(GarmentSpec(GarmentKind.T_SHIRT, fabric), (1024, 768))
    column = garment.rgb[:, 384, 0].astype(float)
    top = garment.to_pixels([0.0, 20.0])[1]
    bottom = garment.to_pixels([0.0, 60.0])[1]
    dark = column[round(top) : round(bottom)] < 110
    edges = np.count_nonzero(np.diff(dark.astype(int)))
    assert edges == 10  # five repeats of 8 cm in 40 cm, two edges each


def test_alpha_channel_is_the_mask() -> None:
    garment = draw_garment(demo_garment("ochre_tank"), SIZE)
    assert garment.rgba.shape == (*SIZE, 4)
    np.testing.assert_array_equal(garment.rgba[..., 3] >= 128, garment.mask >= 0.5)


def test_catalogue_names_are_unique_and_cover_every_kind() -> None:
    names = [garment.name for garment in DEMO_GARMENTS]
    assert len(set(names)) == len(names)
    assert {garment.kind for garment in DEMO_GARMENTS} == set(GarmentKind)
    assert set(demo_names()) == set(names)
    assert set(demo_names("lower")) < set(names)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match="striped_tee"):
        demo_garment("ball_gown")


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(list(GarmentKind)),
    neckline=st.sampled_from(list(Neckline)),
    width=st.floats(0.85, 1.2),
    flare=st.floats(0.0, 12.0),
    sleeve=st.sampled_from([None, 0.0, 20.0, 40.0, 60.0]),
)
def test_every_cut_is_symmetric_and_its_landmarks_lie_within_its_bounds(
    kind: GarmentKind, neckline: Neckline, width: float, flare: float, sleeve: float | None
) -> None:
    sleeve_cm = sleeve if kind is GarmentKind.DRESS else None
    spec = GarmentSpec(
        kind, Fabric((9, 9, 9)), neckline=neckline, width=width, flare_cm=flare, sleeve_cm=sleeve_cm
    )
    cut = cut_garment(spec)
    left, top, right, bottom = cut.bounds
    assert left == pytest.approx(-right, abs=1e-3)
    for x, y in cut.landmarks.values():
        assert left - 1e-3 <= x <= right + 1e-3
        assert top - 1e-3 <= y <= bottom + 1e-3


@settings(max_examples=60, deadline=None)
@given(x=st.floats(0, 60), y=st.floats(0, 80), length=st.sampled_from([18.0, 30.0, 60.0]))
def test_a_place_on_a_sleeve_comes_back_from_the_sleeves_own_frame(
    x: float, y: float, length: float
) -> None:
    spec = GarmentSpec(GarmentKind.LONG_SLEEVE, Fabric((9, 9, 9)), sleeve_cm=length)
    sleeve = cut_garment(spec).sleeve
    assert sleeve is not None
    across, along = sleeve.to_local(np.float32(x), np.float32(y))
    back = sleeve.to_flat(across, along)
    np.testing.assert_allclose(back, (x, y), atol=1e-3)
