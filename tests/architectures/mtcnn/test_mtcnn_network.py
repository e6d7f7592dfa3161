from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from mycloset.architectures.mtcnn.network import Mtcnn, Stage
from mycloset.architectures.mtcnn.processing import MtcnnProcessing, area_resized
from mycloset.errors import OptionError
from network_trials import ODD_SIZES, built_at_once, filled, image, loaded
from network_trials import picture as drawn


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return loaded(filled(Mtcnn()).state_dict(), tmp_path_factory.mktemp("mtcnn"))


def _alone(whole: Any, stage: str, folder: Path) -> Any:
    return loaded(whole.network.get_submodule(stage).state_dict(), folder)


def test_several_threads_build_it_on_the_meta_device() -> None:
    assert built_at_once(Mtcnn) == [{"meta"}] * 4


@pytest.mark.parametrize("size", ODD_SIZES)
def test_any_size_of_picture_is_searched(whole: Any, size: tuple[int, int]) -> None:
    found = whole(drawn(*size), smallest=40, scores=(0.6, 0.4, 0.3))
    assert found.landmarks.shape == (len(found), 5, 2)
    assert np.isfinite(found.boxes).all()


def test_the_three_alone_do_what_all_in_one_do(whole: Any, tmp_path: Path) -> None:
    picture = drawn(90, 120)
    scores = (0.5, 0.4, 0.3)
    proposed = _alone(whole, "pnet", tmp_path)(picture, scores=scores)
    refined = _alone(whole, "rnet", tmp_path)(picture, boxes=proposed.boxes, scores=scores)
    found = _alone(whole, "onet", tmp_path)(picture, boxes=refined.boxes, scores=scores)
    wanted = whole(picture, scores=scores)
    assert len(wanted) > 0
    np.testing.assert_array_equal(found.boxes, wanted.boxes)
    np.testing.assert_array_equal(found.landmarks, wanted.landmarks)


@pytest.mark.parametrize(
    ("before", "after"), [((31, 47), (24, 24)), ((9, 13), (48, 48)), ((64, 64), (12, 20))]
)
def test_pictures_are_resized_as_by_adaptive_pooling(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    picture = drawn(*before)
    planes = torch.from_numpy(picture).permute(2, 0, 1)[None].double()
    wanted = functional.interpolate(planes, after, mode="area")[0].permute(1, 2, 0)
    np.testing.assert_allclose(area_resized(picture, *after), wanted.numpy(), atol=1e-4)


def _pnet(place: tuple[int, int]) -> Any:
    """A PNet that is sure of one place of the first picture that it sees, and of no other."""
    seen = []

    def forward(method: str = "forward", /, **given: Any) -> dict[str, Any]:
        height, width = given["image"].shape[2:]
        rows, columns = (height - 10 + 1) // 2, (width - 10 + 1) // 2
        prob = np.zeros((1, 2, rows, columns), np.float32)
        if not seen:
            prob[0, 1, place[0], place[1]] = 0.9
        seen.append(method)
        return {"prob": prob, "reg": np.zeros((1, 4, rows, columns), np.float32)}

    return forward


def test_a_place_that_sees_a_face_gives_its_window() -> None:
    found = MtcnnProcessing("pnet")(_pnet((3, 5)), drawn(100, 100), smallest=12)
    np.testing.assert_array_equal(found.boxes, [[11, 7, 22, 18]])


def test_a_picture_without_faces_gives_none(whole: Any) -> None:
    found = whole(drawn(70, 70), scores=(1.0, 1.0, 1.0))
    assert (len(found), found.landmarks.shape) == (0, (0, 5, 2))


@pytest.mark.parametrize("option", [{"scores": (2, 0, 0)}, {"smallest": 3}, {"boxes": [[0] * 4]}])
def test_options_that_cannot_be_are_refused(whole: Any, option: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(option))):
        whole(drawn(70, 70), **option)


def test_columns_come_before_rows_in_the_dense_layer() -> None:
    stage = filled(Stage(stage="RNet"))
    with torch.inference_mode():
        found = stage(image(24))["prob"]
        turned = stage(image(24).transpose(2, 3))["prob"]
    assert found.shape == (2, 2)
    assert not torch.allclose(found, turned)
