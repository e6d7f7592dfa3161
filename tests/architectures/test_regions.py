from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.architectures.regions import Region, wrap_angle

regions = st.builds(
    Region,
    st.floats(-500, 1500),
    st.floats(-500, 1500),
    st.floats(20, 2000),
    st.floats(20, 2000),
    st.floats(-math.pi, math.pi),
)
unit_points = st.lists(st.tuples(st.floats(-1, 2), st.floats(-1, 2)), min_size=1, max_size=6).map(
    np.array
)


@settings(max_examples=60, deadline=None)
@given(region=regions, points=unit_points)
def test_points_come_back_through_a_region(region: Region, points: np.ndarray) -> None:
    back = region.to_unit(region.to_picture(points))
    assert np.allclose(back, points, atol=2e-3)


@settings(max_examples=60, deadline=None)
@given(height=st.integers(64, 3000), width=st.integers(64, 3000))
def test_a_letterbox_keeps_aspect_and_centre(height: int, width: int) -> None:
    square = Region.letterbox(height, width)
    assert square.width == square.height == max(height, width)
    corners = square.to_unit([[-0.5, -0.5], [width - 0.5, height - 0.5]])
    assert np.allclose(corners.sum(axis=0), 1, atol=1e-4)
    spans = corners[1] - corners[0]
    assert math.isclose(spans[0] / spans[1], width / height, rel_tol=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    x=st.floats(0, 1000),
    y=st.floats(0, 1000),
    angle=st.floats(-math.pi, math.pi),
    length=st.floats(10, 500),
)
def test_an_upright_region_has_its_end_point_straight_up(
    x: float, y: float, angle: float, length: float
) -> None:
    end = (x + length * math.cos(angle), y + length * math.sin(angle))
    region = Region.upright((x, y), end, scale=1.25)
    assert math.isclose(region.width, 2.5 * length, rel_tol=1e-5)
    assert np.allclose(region.to_unit([(x, y), end]), [[0.5, 0.5], [0.5, 0.1]], atol=1e-3)


@given(angle=st.floats(-50, 50))
def test_wrapped_angles_point_the_same_way(angle: float) -> None:
    wrapped = wrap_angle(angle)
    assert -math.pi <= wrapped <= math.pi
    assert math.isclose(math.cos(wrapped), math.cos(angle), abs_tol=1e-9)
    assert math.isclose(math.sin(wrapped), math.sin(angle), abs_tol=1e-9)


def test_a_crop_shows_what_lies_there() -> None:
    rows, columns = np.mgrid[0:200, 0:300]
    picture = np.stack([columns * 0.8, rows, np.zeros_like(rows)], axis=2).astype(np.uint8)
    region = Region(150.5, 99.5, 100, 100, math.pi / 2)
    cut = region.crop(picture, (50, 50), extend=True)
    for row, column in ((5, 5), (10, 40), (44, 20)):
        x, y = region.to_picture([[(column + 0.5) / 50, (row + 0.5) / 50]])[0]
        assert np.allclose(cut[row, column, :2], (x * 0.8, y), atol=2)


def test_outside_is_black_or_goes_on() -> None:
    picture = np.full((100, 60, 3), 200, np.uint8)
    square = Region.letterbox(100, 60)
    black = square.crop(picture, (50, 50), extend=False)
    assert black[:, :8].max() == 0
    assert black[25, 25].min() == 200
    assert square.crop(picture, (50, 50), extend=True).min() == 200


def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    cut = Region.whole(1024, 1024).crop(stripes, (64, 64), extend=True)
    assert abs(float(cut.mean()) - 127.5) < 2
    assert cut.std() < 5


@settings(max_examples=20, deadline=None)
@given(angle=st.floats(-math.pi, math.pi), x=st.floats(60, 140), y=st.floats(60, 140))
def test_a_pasted_map_lies_where_it_was_cut(angle: float, x: float, y: float) -> None:
    region = Region(x, y, 80, 80, angle)
    rows, columns = np.mgrid[0:40, 0:40].astype(np.float32)
    blob = np.exp(-((columns - 27) ** 2 + (rows - 11) ** 2) / 18).astype(np.float32)
    pasted = region.paste(blob, (200, 200), outside=0.0)
    top = np.unravel_index(int(pasted.argmax()), pasted.shape)
    expected = region.to_picture([[27.5 / 40, 11.5 / 40]])[0]
    assert np.hypot(top[1] - expected[0], top[0] - expected[1]) < 2
    assert pasted[0, 0] == 0
