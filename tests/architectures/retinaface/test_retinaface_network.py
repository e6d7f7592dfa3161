from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mycloset.architectures.face_detection import suppressed
from mycloset.architectures.retinaface.network import RetinaFace
from mycloset.architectures.retinaface.priors import (
    decoded_boxes,
    decoded_points,
    default_sizes,
    priors,
)
from mycloset.architectures.retinaface.processing import RetinaFaceProcessing
from mycloset.errors import OptionError
from network_trials import ODD_SIZES, apart, built_at_once, filled, image, loaded, outputs
from network_trials import picture as drawn

MOBILE: dict[str, Any] = {
    "input_channels": 3,
    "stages": [[4, 8, 8, 12, 12, 16], [20, 24], [28]],
    "halving": [0, 2, 4],
    "body_channels": [16, 24, 28],
}
PLAIN: dict[str, Any] = {
    "input_channels": 3,
    "stem": 8,
    "blocks": [1, 2, 1, 1],
    "planes": [8, 12, 16, 20],
    "deep": False,
    "body_channels": [12, 16, 20],
}
DEEP = {**PLAIN, "deep": True, "body_channels": [48, 64, 80]}


@pytest.mark.parametrize("body", [MOBILE, PLAIN, DEEP], ids=["mobilenet", "plain", "bottleneck"])
@pytest.mark.parametrize(("width", "anchors"), [(16, 2), (72, 3)])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_unseen_bodies_and_widths_load(
    body: dict[str, Any], width: int, anchors: int, prefix: str, tmp_path: Path
) -> None:
    network = filled(RetinaFace(config=body, width=width, anchors=anchors))
    state = {prefix + key: value for key, value in network.state_dict().items()}
    model = loaded(state, tmp_path)
    odd = image(75, width=102)
    assert apart(outputs(network, odd), outputs(model.network, odd)) < 1e-6


def test_several_threads_build_it_on_the_meta_device() -> None:
    found = built_at_once(lambda: RetinaFace(config=MOBILE, width=16, anchors=2))
    assert found == [{"meta"}] * 4


@pytest.mark.parametrize(
    "config", [{"min_sizes": [[16, 32]]}, {"halving": [0, 2]}, {"halving": [0, 2, 9]}]
)
def test_choices_that_cannot_be_are_refused(config: dict[str, Any], tmp_path: Path) -> None:
    network = filled(RetinaFace(config=MOBILE, width=16, anchors=2))
    with pytest.raises(OptionError, match=next(iter(config))):
        loaded(network.state_dict(), tmp_path, config=config)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    network = filled(RetinaFace(config=MOBILE, width=16, anchors=2))
    return loaded(network.state_dict(), tmp_path_factory.mktemp("retinaface"))


@pytest.mark.parametrize("size", ODD_SIZES)
def test_any_size_of_picture_is_searched(model: Any, size: tuple[int, int]) -> None:
    found = model(drawn(*size), score=0.3)
    count = len(found)
    assert (found.boxes.shape, found.landmarks.shape) == ((count, 4), (count, 5, 2))
    assert (np.diff(found.scores) <= 0).all()


def test_published_anchors_are_the_default() -> None:
    assert default_sizes(2) == [[16, 32], [64, 128], [256, 512]]


def _seen(picture: Any, place: int, score: float = 0.9, **options: Any) -> Any:
    """What the processing makes of one anchor that sees a face and all others none."""

    def forward(method: str = "forward", /, **given: Any) -> dict[str, Any]:
        count = len(priors(*given["image"].shape[2:], default_sizes(2)))
        conf = np.zeros((1, count, 2), np.float32)
        conf[0, place, 1] = score
        return {
            "conf": conf,
            "loc": np.zeros((1, count, 4), np.float32),
            "landms": np.zeros((1, count, 10), np.float32),
        }

    return RetinaFaceProcessing(default_sizes(2))(forward, picture, **options)


def test_an_anchor_that_sees_a_face_gives_its_own_box() -> None:
    found = _seen(drawn(80, 160), 2 * (3 * 20 + 5) + 1)
    np.testing.assert_allclose(found.boxes, [[44 - 16, 28 - 16, 44 + 16, 28 + 16]], atol=1e-3)
    np.testing.assert_allclose(found.landmarks, [[[44, 28]] * 5], atol=1e-3)


def test_a_smaller_copy_gives_boxes_of_the_whole_picture() -> None:
    found = _seen(drawn(160, 320), 2 * (3 * 20 + 5) + 1, longest=160)
    np.testing.assert_allclose(found.boxes, [[56, 24, 120, 88]], atol=1e-3)


def test_a_face_that_is_less_sure_than_asked_is_left_out() -> None:
    assert len(_seen(drawn(80, 160), 0, score=0.5)) == 0


@pytest.mark.parametrize("option", [{"score": 2}, {"overlap": -1}, {"longest": 0}])
def test_options_out_of_range_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(option))):
        RetinaFaceProcessing(default_sizes(2))(_seen, drawn(64, 64), **option)


@given(arrays(np.float32, (6, 4), elements=st.floats(-50, 50, width=32)))
def test_decoded_numbers_are_finite_and_boxes_are_upright(loc: Any) -> None:
    anchors = priors(8, 8, default_sizes(2))[:6]
    boxes = decoded_boxes(loc, anchors, 8, 8)
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] >= boxes[:, :2]).all()
    assert np.isfinite(decoded_points(np.tile(loc, 3)[:, :10], anchors, 8, 8)).all()


_BOXES = arrays(np.float32, (12, 2, 2), elements=st.integers(0, 40).map(float))


def _share(one: Any, other: Any) -> float:
    """Intersection over union, the last pixel counted."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = np.prod(np.maximum(high - low + 1, 0))
    areas = [np.prod(box[2:] - box[:2] + 1) for box in (one, other)]
    return float(shared / (sum(areas) - shared))


@given(_BOXES, arrays(np.float32, 12, elements=st.floats(0, 1, width=32)))
def test_what_stays_is_apart_and_what_goes_overlaps_something_surer(
    corners: Any, scores: Any
) -> None:
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1)
    kept = suppressed(boxes, scores, 0.4)
    for number in range(12):
        surer = [k for k in kept if k != number and scores[k] >= scores[number]]
        worst = max((_share(boxes[number], boxes[k]) for k in surer), default=0.0)
        if number not in kept:
            assert worst > 0.4 - 1e-6
    for place, one in enumerate(kept):
        for other in kept[:place]:
            assert _share(boxes[one], boxes[other]) <= 0.4 + 1e-6
