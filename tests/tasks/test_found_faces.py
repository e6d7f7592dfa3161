from __future__ import annotations

import json

import numpy as np
import pytest

from mycloset.tasks.faces import POINTS, Faces


def _faces(count: int, *, points: bool = True) -> Faces:
    corners = np.arange(count, dtype=np.float32)[:, None] * 40 + (10, 20)
    boxes = np.concatenate([corners, corners + 60], 1).astype(np.float32)
    inside = np.array([[18, 22], [42, 22], [30, 34], [20, 46], [40, 46]], np.float32)
    landmarks = (corners[:, None] + inside[None]).astype(np.float32)
    return Faces(
        boxes, np.linspace(0.9, 0.5, count, dtype=np.float32), landmarks if points else None
    )


def test_each_face_tells_its_box_score_and_points_by_name() -> None:
    (face,) = json.loads(json.dumps(_faces(1).to_dict()))["faces"]
    assert face["box"] == [10, 20, 70, 80]
    assert face["score"] == pytest.approx(0.9)
    assert list(face["landmarks"]) == list(POINTS)
    assert face["landmarks"]["nose"] == [40, 54]


def test_faces_without_points_tell_none() -> None:
    assert "landmarks" not in _faces(1, points=False).to_dict()["faces"][0]


@pytest.mark.parametrize("count", [0, 1, 4])
@pytest.mark.parametrize("points", [True, False])
def test_a_drawing_has_the_pictures_size_and_leaves_it_alone(count: int, points: bool) -> None:
    picture = np.full((150, 130, 3), 127, np.uint8)
    drawn = _faces(count, points=points).draw(picture)
    assert drawn.shape == picture.shape
    assert (picture == 127).all()
    assert (drawn != picture).any() == (count > 0)
