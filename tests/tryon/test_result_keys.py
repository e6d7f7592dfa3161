"""The key of a try-on: two people never share one; the same pixels do, in whatever file."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import try_on_files
from mycloset.hub.loader import ModelLoader
from mycloset.images import ImageSource, read_picture
from mycloset.tryon import InferenceEngine
from mycloset.tryon.pipeline import Pipeline, StepPlan, load_pipeline
from mycloset.tryon.result_keys import result_key
from mycloset.tryon.state import BodyFigures, TryOnState

NOISE = np.random.default_rng(5).integers(0, 256, (70, 66, 4), np.uint8)
PERSON, GARMENT = NOISE[..., :3], NOISE[::-1, ::-1, :3]
EMBEDDED = load_pipeline("embedded")


def key(
    person: ImageSource = PERSON,
    garment: ImageSource = GARMENT,
    pipeline: Pipeline = EMBEDDED,
    **fields: Any,
) -> str:
    pictures = read_picture(person), read_picture(garment)
    return result_key(TryOnState(*pictures, **fields), pipeline, (), None)


def encoded(array: NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


@given(
    row=st.integers(0, 69),
    column=st.integers(0, 65),
    channel=st.integers(0, 2),
    other=st.integers(0, 255),
    which=st.sampled_from(["person", "garment"]),
)
def test_one_different_pixel_is_another_try_on(
    row: int, column: int, channel: int, other: int, which: str
) -> None:
    pictures = {"person": PERSON, "garment": GARMENT}
    changed = pictures[which].copy()
    same = changed[row, column, channel] == other
    changed[row, column, channel] = other
    assert (key(**{which: changed}) == key()) == same


def test_pixels_behind_full_transparency_and_alpha_itself_count() -> None:
    clear = NOISE.copy()
    clear[..., 3] = 255
    clear[3, 4, 3] = 254
    other = clear.copy()
    other[3, 4, 3] = 253
    assert len({key(garment=picture) for picture in (clear, other, clear[..., :3])}) == 3


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_the_same_pixels_in_another_file_are_the_same_try_on(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"anybody.{kind.lower()}"
    path.write_bytes(encoded(PERSON, kind))
    assert key(person=path) == key(person=encoded(PERSON, kind)) == key()


def test_a_picture_that_its_file_says_to_turn_is_the_turned_one() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    turned = encoded(np.ascontiguousarray(np.rot90(PERSON)), "PNG", exif=exif)
    assert key(person=turned) == key()


def test_pictures_that_change_places_are_another_try_on() -> None:
    assert key(GARMENT, PERSON) != key()


def test_pictures_of_the_same_bytes_and_another_shape_are_another_try_on() -> None:
    assert key(person=PERSON.reshape(66, 70, 3)) != key()


@pytest.mark.parametrize(
    "fields", [{"category": "upper"}, {"figures": BodyFigures(170)}, {"figures": BodyFigures(171)}]
)
def test_what_is_asked_for_counts(fields: dict[str, Any]) -> None:
    assert key(**fields) != key()


def test_every_option_and_way_of_the_pipeline_counts() -> None:
    def of(*steps: StepPlan, name: str = "mine") -> str:
        return key(pipeline=Pipeline(name, "", steps))

    keys = [
        of(StepPlan("post_processing", ("embedded",))),
        of(StepPlan("post_processing", ("embedded",), {"sharpen": 0.5})),
        of(StepPlan("post_processing", ("embedded",), {"sharpen": 0.4})),
        of(StepPlan("post_processing", ("rrdb", "embedded"))),
        of(StepPlan("post_processing", ("embedded",)), name="yours"),
    ]
    assert len(set(keys)) == len(keys)


def test_the_users_models_count_by_their_files_and_how_they_run(tmp_path: Path) -> None:
    path = try_on_files.gmm(tmp_path / "gmm.pth")

    def now(**options: Any) -> str:
        loader = ModelLoader([tmp_path], **options)
        engine = InferenceEngine("learned", models=loader)
        pictures = read_picture(PERSON), read_picture(GARMENT)
        return result_key(TryOnState(*pictures), engine.pipeline, engine.outlook(), loader)

    first = now()
    assert now() == first
    assert now(precision="float16") != first
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    touched = now()
    assert touched != first
    # The same bytes as another file, which could be changed without the first one being so.
    other = tmp_path / "new"
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    other.replace(path)
    assert now() != touched


def test_the_version_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    first = key()
    monkeypatch.setattr("mycloset.tryon.result_keys.__version__", "999")
    assert key() != first
