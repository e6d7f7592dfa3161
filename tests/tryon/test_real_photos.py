"""The whole try-on, by its embedded ways, on the two photographs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image

from mycloset import TryOnResult
from mycloset.errors import StepError, StepInputError
from mycloset.images import RGB
from mycloset.tasks.garments import Category
from mycloset.tryon import InferenceEngine
from mycloset.tryon.state import BodyFigures
from mycloset.wardrobe import demo_garment, draw_garment

pytestmark = pytest.mark.usefixtures("embedded_models")


@pytest.fixture(scope="module")
def engine() -> InferenceEngine:
    return InferenceEngine()


@pytest.fixture(scope="module")
def tee() -> RGB:
    return draw_garment(demo_garment("emblem_tee"), size=(384, 320)).rgb


@pytest.fixture(scope="module")
def dressed(engine: InferenceEngine, astronaut_photo: RGB, tee: RGB) -> TryOnResult:
    return engine.run_virtual_try_on(astronaut_photo, tee, figures=BodyFigures(height_cm=170))


def as_png(picture: RGB) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["astronaut_photo", "hopper_photo"])
def test_pixels_outside_of_the_changed_region_are_the_photo(
    name: str, engine: InferenceEngine, tee: RGB, request: pytest.FixtureRequest
) -> None:
    photo: RGB = request.getfixturevalue(name)
    result = engine.run_virtual_try_on(photo, tee)
    assert result.image.shape == photo.shape
    assert result.state.fitted is not None
    outside = result.state.fitted.changed == 0
    assert np.array_equal(result.image[outside], photo[outside])
    assert 0.2 < outside.mean() < 0.9


def test_the_garment_is_seen_on_the_person(dressed: TryOnResult, astronaut_photo: RGB) -> None:
    assert dressed.state.fitted is not None
    seen = dressed.state.fitted.garment > 0.9
    assert seen.mean() > 0.1
    # The suit is orange, the T-shirt a dark blue.
    assert astronaut_photo[seen].mean(axis=0)[0] > 150
    assert dressed.image[seen].mean(axis=0)[0] < 120


def test_every_step_tells_what_it_did(dressed: TryOnResult) -> None:
    assert [step.name for step in dressed.steps] == [
        "human_parsing", "pose_estimation", "cloth_segmentation", "geometric_matching",
        "cloth_warping", "virtual_fitting", "post_processing", "quality_assessment",
    ]  # fmt: skip
    for step in dressed.steps:
        assert step.way == step.model["kind"] == "embedded"
        assert step.used
        assert 0 <= step.confidence <= 1
        assert step.seconds >= 0
    assert dressed.state.category is Category.UPPER
    assert any("read as upper" in note for note in dressed.notes)


def test_the_story_is_json(dressed: TryOnResult) -> None:
    found = dressed.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["quality"]["grade"] in "ABCDEF"
    heights = [i for i in found["measurements"]["items"] if i["name"] == "height"]
    assert [item["cm"] for item in heights] == [170]


def test_every_way_to_give_the_pictures_gives_the_same_result(
    engine: InferenceEngine, dressed: TryOnResult, astronaut_photo: RGB, tee: RGB, tmp_path: Path
) -> None:
    path = tmp_path / "person.png"
    path.write_bytes(as_png(astronaut_photo))
    pairs: list[tuple[Any, Any]] = [
        (astronaut_photo, tee),
        (path, as_png(tee)),
        (path.read_bytes(), Image.fromarray(tee)),
        (Image.open(path), tee.astype(np.float32) / 255),
    ]
    for person, garment in pairs:
        again = engine.run_virtual_try_on(person, garment)
        assert np.array_equal(again.image, dressed.image), (type(person), type(garment))


def test_rotated_cmyk_and_16_bit_photos_give_an_upright_result(
    engine: InferenceEngine, dressed: TryOnResult, hopper_photo: RGB, tee: RGB
) -> None:
    photo = Image.fromarray(hopper_photo)
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    sideways = photo.transpose(Image.Transpose.ROTATE_90).convert("CMYK")
    sideways.save(buffer, "JPEG", quality=95, exif=exif)
    result = engine.run_virtual_try_on(buffer.getvalue(), tee)
    assert result.image.shape == hopper_photo.shape
    deep = hopper_photo.astype(np.uint16) * 257
    assert engine.run_virtual_try_on(deep, tee).image.shape == hopper_photo.shape


def test_a_pipeline_may_estimate_the_pose_before_parsing(
    dressed: TryOnResult, astronaut_photo: RGB, tee: RGB, tmp_path: Path
) -> None:
    path = tmp_path / "pose_first.yaml"
    steps = [step.name for step in dressed.steps]
    steps[:2] = reversed(steps[:2])
    path.write_text("name: pose first\nsteps:\n" + "".join(f"  - step: {s}\n" for s in steps))
    result = InferenceEngine(path).run_virtual_try_on(astronaut_photo, tee)
    assert np.array_equal(result.image, dressed.image)
    assert result.steps[0].used == "BlazePose"
    assert result.pipeline == "pose first"


def test_a_pipeline_that_lacks_a_step_names_what_is_missing_and_keeps_the_rest(
    astronaut_photo: RGB, tee: RGB, tmp_path: Path
) -> None:
    path = tmp_path / "short.yaml"
    path.write_text("name: short\nsteps: [{step: human_parsing}, {step: cloth_warping}]\n")
    with pytest.raises(StepError, match=r"cloth_warping: .* has written matching") as caught:
        InferenceEngine(path).run_virtual_try_on(astronaut_photo, tee)
    assert caught.value.partial["parsing"].where("face").any()


def test_nobody_in_the_photo(engine: InferenceEngine, tee: RGB) -> None:
    with pytest.raises(StepInputError, match="nobody is seen") as caught:
        engine.run_virtual_try_on(skimage.data.coffee(), tee)
    assert caught.value.exit_code == 2


def test_only_a_face_in_the_photo(engine: InferenceEngine, astronaut_photo: RGB, tee: RGB) -> None:
    face = np.asarray(Image.fromarray(astronaut_photo[60:190, 160:290]).resize((300, 300)))
    with pytest.raises(StepInputError, match="only a face") as caught:
        engine.run_virtual_try_on(face, tee)
    assert caught.value.exit_code == 2


def test_of_several_people_the_largest_is_dressed_and_the_result_says_so(
    engine: InferenceEngine, astronaut_photo: RGB, hopper_photo: RGB, tee: RGB
) -> None:
    both = np.full((620, 1100, 3), 128, np.uint8)
    both[:600, :512] = hopper_photo[:600, :512]
    both[200:600, 620:1020] = np.asarray(Image.fromarray(astronaut_photo).resize((400, 400)))
    result = engine.run_virtual_try_on(both, tee)
    assert any("2 people are in the photo; the largest" in note for note in result.notes)
    assert np.array_equal(result.image[:, 560:], both[:, 560:])


@pytest.mark.parametrize("shade", [0, 255])
def test_a_garment_picture_without_a_garment(
    shade: int, engine: InferenceEngine, astronaut_photo: RGB
) -> None:
    empty = np.full((400, 400, 3), shade, np.uint8)
    with pytest.raises(StepInputError, match="cloth_segmentation") as caught:
        engine.run_virtual_try_on(astronaut_photo, empty)
    assert caught.value.exit_code == 2


def test_a_garment_for_what_is_not_seen(
    engine: InferenceEngine, hopper_photo: RGB, tee: RGB
) -> None:
    with pytest.raises(StepInputError, match="the hips are not seen"):
        engine.run_virtual_try_on(hopper_photo, tee, category="lower")
