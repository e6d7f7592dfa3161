"""What is said of a drawn figure is true of its picture."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.errors import OptionError
from mycloset.wardrobe import (
    BROAD_MAN,
    POSES,
    SLIM_WOMAN,
    FigureSpec,
    Framing,
    HairStyle,
    Looks,
    Outfit,
    Scenery,
    demo_garment,
    draw_figure,
    draw_garment,
    face_only,
    nobody,
    paired_cases,
    two_people,
)
from mycloset.wardrobe.patches import Frame
from mycloset.wardrobe.solids import Stack, Tube, ellipsoid

SIZE = (256, 192)
COCO = {"nose"} | {
    f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
}
CASUAL = Outfit(demo_garment("striped_tee"), demo_garment("blue_jeans"))


def test_a_figure_has_the_seventeen_joints_and_left_is_on_the_right() -> None:
    figure = draw_figure(FigureSpec(), CASUAL, SIZE)
    assert set(figure.joints) == COCO
    for joint in ("ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        assert figure.joints[f"left_{joint}"][0] > figure.joints[f"right_{joint}"][0]


@pytest.mark.parametrize("pose", POSES)
def test_joints_lie_on_the_person(pose: str) -> None:
    figure = draw_figure(FigureSpec(pose=POSES[pose]), CASUAL, SIZE)
    for name, (x, y) in figure.joints.items():
        row, column = round(y), round(x)
        window = figure.person[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        assert window.max() > 0.5, name


def test_parts_lie_where_their_names_say() -> None:
    figure = draw_figure(FigureSpec(SLIM_WOMAN), CASUAL, SIZE)
    center = {
        name: np.mean(np.nonzero(figure.where(name)), axis=1)
        for name in ("hair", "face", "upper-clothes", "pants", "left-arm", "right-arm", "left-shoe")
    }
    assert center["hair"][0] < center["face"][0] < center["upper-clothes"][0] < center["pants"][0]
    assert center["pants"][0] < center["left-shoe"][0]
    assert center["left-arm"][1] > center["right-arm"][1]
    assert not figure.where("dress", "skirt").any()


def test_labels_and_coverage_agree() -> None:
    figure = draw_figure(FigureSpec(), CASUAL, SIZE)
    assert set(figure.coverage) == {"upper", "lower"}
    for name, parts in (("upper", ("upper-clothes",)), ("lower", ("pants", "skirt"))):
        assert (figure.coverage[name][figure.where(*parts)] > 0).all()
    assert (figure.person[~figure.where("background")] > 0).all()
    assert (figure.coverage["upper"] + figure.coverage["lower"] <= figure.person + 1e-5).all()


def test_the_same_figure_is_drawn_the_same_twice() -> None:
    spec = FigureSpec(pose=POSES["hand_on_hip"], looks=Looks(style=HairStyle.LONG), seed=5)
    first, second = (draw_figure(spec, CASUAL, SIZE) for _ in range(2))
    np.testing.assert_array_equal(first.rgb, second.rgb)
    np.testing.assert_array_equal(first.labels, second.labels)


def test_another_garment_changes_only_what_is_near_it() -> None:
    spec = FigureSpec(BROAD_MAN, framing=Framing.HALF, scenery=Scenery.BRICKS)
    other = replace(CASUAL, upper=demo_garment("emblem_tee"))
    before, after = draw_figure(spec, CASUAL, SIZE), draw_figure(spec, other, SIZE)
    worn = np.maximum(before.coverage["upper"], after.coverage["upper"]) > 0
    away = ~cv2.dilate(worn.astype(np.uint8), np.ones((9, 9))).astype(bool)
    np.testing.assert_array_equal(before.rgb[away], after.rgb[away])
    assert np.abs(before.rgb[worn].astype(int) - after.rgb[worn]).mean() > 15


@pytest.mark.parametrize(
    ("category", "garment", "pose"),
    [
        ("upper", "striped_tee", "relaxed"),
        ("upper", "breton_shirt", "arms_out"),
        ("dress", "sailor_dress", "leaning"),
        ("lower", "tartan_skirt", "relaxed"),
        ("lower", "checked_trousers", "walking"),
    ],
)
def test_the_known_map_brings_the_flat_picture_onto_the_figure(
    category: str, garment: str, pose: str
) -> None:
    spec = demo_garment(garment)
    outfit = Outfit(dress=spec) if category == "dress" else replace(CASUAL, **{category: spec})
    size = (512, 384)
    figure = draw_figure(FigureSpec(SLIM_WOMAN, POSES[pose]), outfit, size)
    flat = draw_garment(spec, (768, 576))
    at = flat.to_pixels(figure.cloth_at[category])
    known = np.isfinite(at[..., 0])
    assert known.sum() > 0.9 * (figure.coverage[category] > 0.5).sum()
    assert not known[~(figure.coverage[category] > 0)].any()
    warped = cv2.remap(flat.rgb, np.nan_to_num(at), None, cv2.INTER_LINEAR)
    shown, expected = figure.rgb[known].mean(axis=1), warped[known].mean(axis=1)
    assert np.corrcoef(shown, expected)[0, 1] > 0.6


def test_a_sleeveless_garment_shows_the_arms_that_a_sleeve_covers() -> None:
    bare = draw_figure(FigureSpec(), replace(CASUAL, upper=demo_garment("ochre_tank")), SIZE)
    covered = draw_figure(FigureSpec(), replace(CASUAL, upper=demo_garment("sage_sweater")), SIZE)
    assert bare.where("left-arm").sum() > 3 * covered.where("left-arm").sum() > 0


def test_long_hair_falls_before_the_garment() -> None:
    def hair_below_shoulders(style: HairStyle) -> int:
        figure = draw_figure(FigureSpec(SLIM_WOMAN, looks=Looks(style=style)), CASUAL, SIZE)
        below = round(float(figure.joints["left_shoulder"][1])) + 4
        return int(figure.where("hair")[below:].sum())

    assert hair_below_shoulders(HairStyle.LONG) > 30
    assert hair_below_shoulders(HairStyle.SHORT) == 0


def test_an_arm_before_the_trunk_hides_the_garment() -> None:
    figure = draw_figure(FigureSpec(pose=POSES["arm_across"]), CASUAL, SIZE)
    x, y = figure.joints["right_wrist"]
    assert figure.where("right-arm", "upper-clothes")[round(y), round(x)]
    trunk = (figure.joints["left_shoulder"] + figure.joints["right_hip"]) / 2
    assert figure.where("right-arm")[:, round(float(trunk[0])) - 8 : round(float(trunk[0]))].any()


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"upper": "striped_tee"},
        {"upper": "striped_tee", "dress": "sailor_dress"},
        {"upper": "blue_jeans", "lower": "striped_tee"},
    ],
)
def test_an_outfit_that_nobody_can_wear_is_refused(parts: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        Outfit(**{name: demo_garment(garment) for name, garment in parts.items()})


def test_there_are_twelve_cases_of_every_category_and_their_answers_wear_the_garment() -> None:
    cases = paired_cases()
    assert len(cases) == 12
    assert len({case.name for case in cases}) == 12
    assert {case.category for case in cases} == {"upper", "lower", "dress"}
    for case in cases:
        assert getattr(case.after, case.category) == case.garment
        assert case.before != case.after


def test_a_case_draws_its_pictures_and_the_region_that_changes() -> None:
    drawn = paired_cases()[0].draw(SIZE)
    assert drawn.person.rgb.shape == drawn.garment.rgb.shape == drawn.truth.rgb.shape == (*SIZE, 3)
    different = np.abs(drawn.person.rgb.astype(int) - drawn.truth.rgb).max(axis=2) > 40
    assert different[drawn.changed].mean() > 0.3
    assert different[~drawn.changed].mean() < 0.01


def test_awkward_pictures_show_what_they_are_named_after() -> None:
    room, pair, face = nobody(SIZE), two_people(SIZE), face_only(SIZE)
    assert room.shape == pair.shape == face.shape == (*SIZE, 3)
    middle = SIZE[1] // 2
    # Two people stand left and right; between their heads is the paper behind them.
    assert pair[40, middle].min() > 200
    assert (pair[:, :middle].min(axis=2) < 120).any()
    assert (pair[:, middle:].min(axis=2) < 120).any()


SCALE = 4.0
FRAME = Frame((160, 160), SCALE, (80.0, 80.0))


@settings(max_examples=30, deadline=None)
@given(angle=st.floats(0, 360), forward=st.floats(-60, 60), radius=st.floats(1.5, 4.0))
def test_a_tube_is_as_thick_as_its_radius_and_its_ends_are_where_its_joints_are(
    angle: float, forward: float, radius: float
) -> None:
    a, f = np.deg2rad(angle), np.deg2rad(forward)
    way = np.array([np.cos(a) * np.cos(f), np.sin(a) * np.cos(f), np.sin(f)]) * 12.0
    joints = np.stack([np.zeros(3), way]).astype(np.float32)
    patch = Tube(joints, lambda t: np.full_like(t, radius)).seen(FRAME)
    assert patch is not None
    x, y = patch.window.grid()
    end = joints[1, :2]
    share = np.clip((x * end[0] + y * end[1]) / (end @ end), 0, 1)
    off = np.hypot(x - share * end[0], y - share * end[1])
    assert patch.there[off < radius - 0.3].all()
    assert not patch.there[off > radius + 0.3].any()
    norm = np.sqrt(patch.nx**2 + patch.ny**2 + patch.nz**2)[patch.there]
    np.testing.assert_allclose(norm, 1.0, atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(yaw=st.floats(-40, 40), lean=st.floats(-20, 20))
def test_a_turned_stack_shows_its_own_coordinates_where_it_places_them(
    yaw: float, lean: float
) -> None:
    stack = Stack(
        (0.0, -10.0, 0.0), lean, yaw, 0.0, 20.0,
        lambda v: np.full_like(v, 8.0), lambda v: np.full_like(v, 5.0), camera=(0.0, 1e9),
    )  # fmt: skip
    patch = stack.seen(FRAME)
    assert patch is not None
    turn = 0.3
    across, depth = 8.0 * np.sin(turn), 5.0 * np.cos(turn)
    x, y, z = stack.place(across, 10.0, depth)
    row = round(float(y) * SCALE + 80) - patch.window.rows.start
    column = round(float(x) * SCALE + 80) - patch.window.columns.start
    assert patch.z[row, column] == pytest.approx(z, abs=0.4)
    assert patch.across[row, column] == pytest.approx(across, abs=0.4)
    assert patch.along[row, column] == pytest.approx(10.0, abs=0.3)
    assert patch.turn[row, column] == pytest.approx(turn, abs=0.08)


def test_an_ellipsoid_outside_the_picture_gives_nothing() -> None:
    assert ellipsoid(FRAME, (500.0, 0.0, 0.0), (2.0, 2.0, 2.0)) is None
