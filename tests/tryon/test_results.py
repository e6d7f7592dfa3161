from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from mycloset.errors import OutputError
from mycloset.images import read_picture
from mycloset.tasks.garments import Category
from mycloset.tasks.masks import Mask
from mycloset.tasks.quality import QualityPart, weigh
from mycloset.tryon.result import StepRecord, TryOnResult, save_step_pictures
from mycloset.tryon.state import TryOnState

PHOTO = read_picture(np.full((90, 80, 3), 120, np.uint8))
IMAGE = np.full((90, 80, 3), 33, np.uint8)


def result() -> TryOnResult:
    part = QualityPart("coverage", 99.0, "%", 0.99, 1.0, "nearly all is covered")
    state = TryOnState(
        PHOTO,
        PHOTO,
        category=Category.UPPER,
        cloth_mask=Mask(np.ones((90, 80), np.float32)),
        quality=weigh([part], ["Give a sharper photo."]),
        final=IMAGE,
    )
    info = MappingProxyType({"kind": "embedded", "name": "x", "licence": "Apache-2.0"})
    steps = (
        StepRecord("human_parsing", "embedded", "rules", 0.12345678, 1 / 3, ("a", "b"), dict(info)),
        StepRecord("cloth_warping", "embedded", "splines", 0.5, 1.0, ("b", "c")),
    )
    return TryOnResult(IMAGE, state, steps, "embedded", 1.23456789)


def test_the_dict_is_plain_json_with_everything_but_pixels() -> None:
    found = result().to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found) == {
        "mycloset", "pipeline", "seconds", "cached", "width", "height", "category", "steps",
        "notes", "quality", "measurements",
    }  # fmt: skip
    assert (found["width"], found["height"]) == (80, 90)
    assert found["category"] == "upper"
    assert found["seconds"] == 1.2346
    assert found["steps"][0] == {
        "name": "human_parsing",
        "way": "embedded",
        "used": "rules",
        "seconds": 0.1235,
        "confidence": 0.3333,
        "notes": ["a", "b"],
        "model": {"kind": "embedded", "name": "x", "licence": "Apache-2.0"},
        "wanted": "",
        "reason": "",
        "passed_over": [],
    }
    assert found["quality"]["grade"] == "A"
    assert found["measurements"] is None


def test_a_note_of_two_steps_is_said_once() -> None:
    assert result().notes == ("a", "b", "c")


def test_saving(tmp_path: Path) -> None:
    made = result()
    assert np.array_equal(read_picture(made.save(tmp_path / "a.png")).rgb, IMAGE)
    text = made.save_json(tmp_path / "a.json").read_text("utf-8")
    assert json.loads(text) == made.to_dict()
    assert text.endswith("}\n")


def test_step_pictures_are_written_for_what_is_there(tmp_path: Path) -> None:
    paths = result().save_steps(tmp_path / "deep" / "steps")
    names = {path.name for path in paths}
    assert {"03_cloth_segmentation.png", "07_post_processing.png", "contact_sheet.png"} <= names
    assert {path.name for path in (tmp_path / "deep" / "steps").iterdir()} == names
    for path in paths:
        assert read_picture(path).rgb.std() > 0


def test_nothing_found_makes_no_folder(tmp_path: Path) -> None:
    assert save_step_pictures(TryOnState(PHOTO, PHOTO), tmp_path / "steps") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["missing/a.png", "a.bmp", "folder.png"])
def test_a_result_that_cannot_be_saved_leaves_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError):
        result().save(tmp_path / name)
    with pytest.raises(OutputError):
        result().save_json(tmp_path / "missing" / "a.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        result().save_steps(tmp_path / "file")
    assert {p.name for p in tmp_path.iterdir()} == {"folder.png", "file"}
