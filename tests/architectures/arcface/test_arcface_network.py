from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mycloset.architectures.arcface.network import Ir, IResNet
from mycloset.architectures.face_recognition import (
    aligned_face,
    similarity_transform,
    template,
)
from mycloset.errors import OptionError
from network_trials import ODD_SIZES, apart, built_at_once, filled, image, loaded, outputs
from network_trials import picture as drawn

TINY: dict[str, Any] = {
    "input_channels": 3,
    "layers": (1, 2, 3, 1),
    "widths": (8, 8, 12, 16, 20),
    "embedding": 24,
    "flat": 20 * 16,
}
SQUEEZED = {**TINY, "squeeze": (2, 3, 4, 5)}


@pytest.mark.parametrize(
    ("make", "sizes", "layout"),
    [
        (IResNet, TINY, "insightface"),
        (Ir, TINY, "insightface_pytorch"),
        (Ir, SQUEEZED, "insightface_pytorch"),
    ],
)
def test_unseen_depths_and_widths_load_under_every_layout(
    make: Any, sizes: dict[str, Any], layout: str, tmp_path: Path
) -> None:
    network = filled(make(**sizes))
    model = loaded(network.state_dict(), tmp_path)
    assert model.info.layout == layout
    assert apart(outputs(network, image(64)), outputs(model.network, image(64))) < 1e-6
    assert model(drawn(100, 90)).vector.shape == (24,)


@pytest.mark.parametrize("make", [IResNet, Ir])
def test_several_threads_build_it_on_the_meta_device(make: Any) -> None:
    assert built_at_once(lambda: make(**TINY)) == [{"meta"}] * 4


def test_the_older_network_gives_embeddings_of_length_1() -> None:
    found = outputs(filled(Ir(**SQUEEZED)), image(64))["embedding"]
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))


@given(st.floats(0.05, 20), st.floats(-3.1, 3.1), st.floats(-900, 900), st.floats(-900, 900))
def test_a_turned_scaled_and_shifted_face_is_brought_back(
    scale: float, angle: float, x: float, y: float
) -> None:
    points = template(112)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = points @ turn.T + (x, y)
    matrix = similarity_transform(moved, points)
    np.testing.assert_allclose(moved @ matrix[:, :2].T + matrix[:, 2], points, atol=1e-6)


def test_the_template_of_128_pixels_has_the_face_in_the_middle() -> None:
    np.testing.assert_allclose(template(128), template(112) + np.array([8, 0]))


def test_a_face_on_the_template_stays_as_it_is() -> None:
    face = drawn(112, 112)
    np.testing.assert_array_equal(aligned_face(face, template(112)), face)


@pytest.mark.parametrize("landmarks", [np.zeros((5, 2)), np.ones((4, 2)), np.full((5, 2), np.nan)])
def test_points_that_are_no_face_are_refused(landmarks: Any) -> None:
    with pytest.raises(OptionError, match="landmarks"):
        aligned_face(drawn(112, 112), landmarks)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return loaded(filled(IResNet(**TINY)).state_dict(), tmp_path_factory.mktemp("arcface"))


@pytest.mark.parametrize("size", ODD_SIZES)
def test_any_size_of_picture_gets_an_embedding(model: Any, size: tuple[int, int]) -> None:
    assert np.isfinite(model(drawn(*size)).vector).all()


def test_the_face_alone_counts_where_it_is_pointed_out(model: Any) -> None:
    whole = drawn(300, 300)
    other = 255 - whole
    other[90:220, 90:220] = whole[90:220, 90:220]
    points = template(112) * 0.9 + 100
    first, second = (model(picture, landmarks=points) for picture in (whole, other))
    np.testing.assert_array_equal(first.vector, second.vector)


def test_a_box_cuts_the_face_out(model: Any) -> None:
    whole = drawn(300, 200)
    found = model(whole, box=(20.0, 30.0, 120.0, 160.0))
    np.testing.assert_array_equal(found.vector, model(whole[30:160, 20:120]).vector)


def test_a_box_beyond_the_picture_is_refused(model: Any) -> None:
    with pytest.raises(OptionError, match="box"):
        model(drawn(100, 100), box=(200, 0, 300, 50))


def test_the_flip_test_does_not_tell_a_face_from_its_mirror_image(model: Any) -> None:
    face = drawn(64, 64)
    mirrored = np.ascontiguousarray(face[:, ::-1])
    one, other = model(face, flip=True), model(mirrored, flip=True)
    np.testing.assert_allclose(one.vector, other.vector, rtol=1e-3, atol=1e-3)


def test_a_list_gives_what_each_picture_gives(model: Any) -> None:
    pictures = [drawn(*size) for size in ODD_SIZES]
    for one, picture in zip(model(pictures), pictures, strict=True):
        np.testing.assert_allclose(one.vector, model(picture).vector, rtol=1e-3, atol=1e-3)
