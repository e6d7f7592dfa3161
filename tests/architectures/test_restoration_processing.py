"""Pictures through restoration networks: sides, tiles, luma, faces put back where they were."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mycloset.architectures.face_restoration import FFHQ_POINTS, FaceRestoration, similarity
from mycloset.architectures.restoration import Restoration
from mycloset.errors import ImageError, ModelFileError, OptionError
from mycloset.images import RGB

Arrays = dict[str, NDArray[Any]]


def photo(height: int, width: int, seed: int = 3) -> RGB:
    rough = np.random.default_rng(seed).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def blurring(factor: int = 2, reach: int = 5) -> Any:
    """A network that blurs by a few pixels and repeats each: it sees `reach` pixels far."""

    def forward(method: str = "forward", /, **inputs: Any) -> Arrays:
        image = inputs["image"][0]
        side = 2 * reach + 1
        planes = [cv2.blur(plane, (side, side), borderType=cv2.BORDER_CONSTANT) for plane in image]
        return {"output": np.kron(np.stack(planes), np.ones((factor, factor), np.float32))[None]}

    return forward


def noting(seen: list[tuple[int, ...]], factor: int = 1) -> Any:
    def forward(method: str = "forward", /, **inputs: Any) -> Arrays:
        image = inputs["image"]
        seen.append(image.shape)
        return {"output": np.kron(image, np.ones((1, 1, factor, factor), np.float32))}

    return forward


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 330),
    st.integers(1, 330),
    st.integers(64, 200),
    st.integers(15, 24),
    st.sampled_from([1, 2, 8]),
)
def test_tiles_meet_unseen(height: int, width: int, tile: int, overlap: int, multiple: int) -> None:
    picture = photo(height, width)
    processing = Restoration(scale=2, multiple=multiple)

    whole = processing(blurring(), picture, tile=0).rgb
    tiled = processing(blurring(), picture, tile=tile, overlap=overlap).rgb

    assert whole.shape == (2 * height, 2 * width, 3)
    assert np.abs(whole.astype(int) - tiled).max() <= 1


@pytest.mark.parametrize("size", [(1, 1000), (700, 3), (1, 1), (65, 64)])
@pytest.mark.parametrize("mirror", ["reflect", "symmetric"])
def test_every_size_comes_back(size: tuple[int, int], mirror: Any) -> None:
    picture = photo(*size)
    processing = Restoration(scale=1, multiple=8, mirror=mirror, beyond=True, tile=128)
    assert np.array_equal(processing(noting([]), picture).rgb, picture)


def test_no_tile_is_larger_than_said() -> None:
    seen: list[tuple[int, ...]] = []
    Restoration(scale=1, multiple=8)(noting(seen), photo(500, 300), tile=130, overlap=20)
    assert len(seen) > 4
    assert max(max(shape[2:]) for shape in seen) <= 130
    assert all(side % 8 == 0 for shape in seen for side in shape[2:])


def test_sides_become_multiples_and_one_more_where_asked() -> None:
    seen: list[tuple[int, ...]] = []
    for beyond in (False, True):
        Restoration(scale=1, multiple=8, beyond=beyond)(noting(seen), photo(64, 70))
    assert seen == [(1, 3, 64, 72), (1, 3, 72, 72)]


def test_a_result_is_resized_to_the_scale_asked_for() -> None:
    made = Restoration(scale=4)(noting([], 4), photo(40, 30), scale=2)
    assert made.rgb.shape == (80, 60, 3)
    assert made.scale == 2


def test_luma_networks_leave_colours() -> None:
    picture = photo(64, 80)
    seen: list[tuple[int, ...]] = []
    made = Restoration(scale=1, channels=1)(noting(seen), picture)
    assert seen == [(1, 1, 64, 80)]
    assert np.abs(made.rgb.astype(int) - picture).max() <= 3


@pytest.mark.parametrize(
    "options",
    [{"tile": 10}, {"tile": -1}, {"overlap": -1}, {"overlap": 300}, {"scale": 0.0}],
)
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Restoration(scale=1)(noting([]), photo(64, 64), **options)


def test_numbers_that_are_none_are_an_error() -> None:
    def forward(method: str = "forward", /, **inputs: Any) -> Arrays:
        return {"output": np.full_like(inputs["image"], np.nan)}

    with pytest.raises(ModelFileError, match="NaN"):
        Restoration(scale=1)(forward, photo(64, 64))


def face_network(shape: list[tuple[int, ...]], color: float | None = None) -> Any:
    def forward(method: str = "forward", /, **inputs: Any) -> Arrays:
        shape.append(inputs["image"].shape)
        image = inputs["image"]
        return {"output": image if color is None else np.full_like(image, color)}

    return forward


def test_similarity_finds_the_turn_that_was_made() -> None:
    turn = np.array([[0.3, -0.4], [0.4, 0.3]])
    points = FFHQ_POINTS @ turn.T + (12, -7)
    found = similarity(points, FFHQ_POINTS)
    assert np.allclose(points @ found[:, :2].T + found[:, 2], FFHQ_POINTS)


def test_an_aligned_face_is_brought_to_the_networks_size() -> None:
    seen: list[tuple[int, ...]] = []
    made = FaceRestoration(side=128)(face_network(seen), photo(256, 256))
    assert seen == [(1, 3, 128, 128)]
    assert made.rgb.shape == (128, 128, 3)


def test_a_picture_that_is_no_aligned_face_is_refused() -> None:
    with pytest.raises(ImageError, match="aligned"):
        FaceRestoration(side=128)(face_network([]), photo(300, 200))


@pytest.mark.parametrize("scale", [1.0, 2.0, 0.5])
@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_faces_go_back_where_they_were(scale: float, angle: float) -> None:
    picture = photo(400, 300)
    turn = 0.3 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (FFHQ_POINTS - 256) @ turn.T + (150, 200)

    made = FaceRestoration(side=512)(face_network([]), picture, landmarks=points, scale=scale)

    size = (round(300 * scale), round(400 * scale))
    plain = cv2.resize(picture, size, interpolation=cv2.INTER_LANCZOS4)
    assert made.faces == 1
    assert np.abs(made.rgb.astype(int) - plain).max() <= 6


def test_what_is_beside_a_face_stays() -> None:
    picture = photo(400, 300)
    points = (FFHQ_POINTS - 256) * 0.2 + (150, 200)
    made = FaceRestoration(side=512)(face_network([], -1.0), picture, landmarks=points)
    assert (made.rgb[200, 150] == 0).all()
    changed = (made.rgb != picture).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert abs(float(rows.mean()) - 200) < 1.5
    assert abs(float(columns.mean()) - 150) < 1.5
    assert max(np.ptp(rows), np.ptp(columns)) < 0.2 * 512


@pytest.mark.parametrize("landmarks", [[[1, 2]], np.zeros((1, 5, 2)), np.full((5, 2), np.nan)])
def test_landmarks_that_are_none_are_refused(landmarks: Any) -> None:
    with pytest.raises(OptionError):
        FaceRestoration(side=128)(face_network([]), photo(64, 64), landmarks=landmarks)
