"""Image: what it tells, draws and writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mycloset.images import RGB, read_picture
from mycloset.tasks.pictures import Image


def picture(side: int, value: int) -> RGB:
    return np.full((side, side, 3), value, np.uint8)


def test_left_is_before_and_right_is_after() -> None:
    drawn = Image(picture(400, 200), 4.0).draw(picture(100, 50))
    assert drawn.shape == (400, 400, 3)
    assert (drawn[10, 10] == 50).all()
    assert (drawn[10, 390] == 200).all()


def test_a_small_picture_is_drawn_without_words() -> None:
    drawn = Image(picture(64, 200)).draw(picture(64, 50))
    assert set(np.unique(drawn)) == {50, 200, 255}


def test_its_values_are_json() -> None:
    told = json.loads(json.dumps(Image(picture(64, 1), 2.0, "net").to_dict()))
    assert told == {"height": 64, "width": 64, "scale": 2.0, "made_by": "net", "faces": 0}


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    path = Image(picture(80, 7)).save(tmp_path / "made.png")
    assert (read_picture(path, role="picture").rgb == 7).all()
