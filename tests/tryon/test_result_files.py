"""A stored try-on is the whole try-on: every field of every intermediate result comes back."""

from __future__ import annotations

import dataclasses
import enum
import io
import json
import types
import typing
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import try_on_files
from mycloset.images import RGB, read_picture
from mycloset.tryon import InferenceEngine, TryOnResult
from mycloset.tryon import state as states
from mycloset.tryon.drawings import step_pictures
from mycloset.tryon.result import StepRecord
from mycloset.tryon.result_files import CLASSES, GIVEN, REREAD, DamagedError, from_bytes, to_bytes
from mycloset.tryon.state import BodyFigures, TryOnState
from mycloset.wardrobe import demo_garment, draw_garment


@pytest.fixture(scope="module")
def result(
    tmp_path_factory: pytest.TempPathFactory, astronaut_photo: RGB, embedded_models: list[Path]
) -> TryOnResult:
    """A try-on by VITON-HD's networks, so that every field holds something."""
    folder = tmp_path_factory.mktemp("viton_hd")
    try_on_files.seg(folder / "a.pth")
    try_on_files.gmm(folder / "b.pth", try_on_files.GMM._replace(person=7))
    try_on_files.generator(folder / "c.pth")
    cloth = draw_garment(demo_garment("emblem_tee")).rgb
    engine = InferenceEngine(models=[folder])
    return engine.run_virtual_try_on(astronaut_photo, cloth, figures=BodyFigures(height_cm=170))


def test_every_field_comes_back(result: TryOnResult) -> None:
    found = from_bytes(to_bytes(result, "key"), "key", result.state)
    assert (
        set(found.state.filled())
        == set(result.state.filled())
        == {item.name for item in dataclasses.fields(TryOnState)}
    )
    assert_same(found.state, result.state, "state")
    assert_same(found.steps, result.steps, "steps")
    assert found.image is found.state.final
    assert found.pipeline == result.pipeline


def test_what_comes_back_can_be_drawn_and_told(result: TryOnResult) -> None:
    found = from_bytes(to_bytes(result, "key"), "key", result.state)
    drawn, expected = step_pictures(found.state), step_pictures(result.state)
    assert list(drawn) == list(expected)
    assert all((drawn[name] == expected[name]).all() for name in drawn)
    told = found.to_dict() | {"seconds": 0, "cached": 0}
    assert told == result.to_dict() | {"seconds": 0, "cached": 0}


def test_whatever_a_state_may_hold_can_be_stored() -> None:
    held = {
        made
        for name, hint in typing.get_type_hints(TryOnState, namespace()).items()
        if name not in (*GIVEN, *REREAD)
        for made in classes_in(hint)
    }
    assert {made.__name__ for made in held | set(classes_in(StepRecord))} <= set(CLASSES)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"arrays": [["|O", [1]]]},
        {"arrays": [["|u1", [7, 7]]]},
        {"arrays": []},
        {"state": {}},
        {"state": {"final": {"class": "Popen", "fields": {"args": "true"}}}},
        {"state": {"person_picture": None, "final": {"array": 0}}},
        {"state": 5},
    ],
)
def test_what_is_no_stored_result_is_refused(changes: Mapping[str, Any]) -> None:
    photo = np.full((80, 70, 3), 9, np.uint8)
    state = TryOnState(*(picture(photo) for _ in range(2)), final=photo)
    data = to_bytes(TryOnResult(photo, state, (), "p", 1.0), "key")
    assert from_bytes(data, "key", state).image.shape == photo.shape
    with pytest.raises(DamagedError):
        from_bytes(changed(data, changes), "key", state)


def test_a_file_that_unpacks_to_more_than_its_pictures_allow_is_refused_unread() -> None:
    photo = np.full((80, 70, 3), 9, np.uint8)
    state = TryOnState(*(picture(photo) for _ in range(2)), final=photo)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("result.json", b" " * (1 << 27))
    with pytest.raises(DamagedError, match="more than such pictures give"):
        from_bytes(buffer.getvalue(), "key", state)


def picture(rgb: RGB) -> Any:
    return read_picture(rgb)


def changed(data: bytes, changes: Mapping[str, Any]) -> bytes:
    """The file with other fields in its JSON."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "result.json":
                content = json.dumps(json.loads(content) | changes).encode()
            new.writestr(name, content)
    return buffer.getvalue()


def namespace() -> dict[str, Any]:
    """What the annotations of a state need; `Figure` is not among what is stored."""
    return vars(states) | {"Figure": int}


def classes_in(hint: Any) -> Iterator[type[Any]]:
    """The data classes and enumerations that a type is made of, however deep."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is not None:
        for part in typing.get_args(hint):
            yield from classes_in(part)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        yield hint
    elif dataclasses.is_dataclass(hint):
        yield hint  # type: ignore[misc]
        for part in typing.get_type_hints(hint).values():
            yield from classes_in(part)


def assert_same(found: Any, expected: Any, where: str) -> None:
    """Of the same class, with the same content; arrays bit by bit."""
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype, where
        assert np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f"), where
    elif dataclasses.is_dataclass(expected) or hasattr(expected, "_mask"):
        assert type(found) is type(expected), where
        for name, value in vars(expected).items():
            assert_same(vars(found)[name], value, f"{where}.{name}")
    elif isinstance(expected, Mapping):
        assert list(found) == list(expected), where
        for name, value in expected.items():
            assert_same(found[name], value, f"{where}.{name}")
    elif isinstance(expected, tuple | list):
        assert len(found) == len(expected), where
        for number, value in enumerate(expected):
            assert_same(found[number], value, f"{where}[{number}]")
    else:
        assert found == expected, where
