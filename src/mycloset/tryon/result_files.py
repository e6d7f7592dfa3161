"""A finished try-on as bytes, and back: JSON and raw arrays in a zip file, no pickle.

Everything that a TryOnResult holds is in it but the two pictures and the person's figures, which
whoever asks for it has at hand (they are its key), and the body's reading (`state.figure`), which
is made again from the person and the parsing. What is read is checked: only the classes named here
are made, an array has the size that it says, and together they are no larger than the pictures
allow.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.tasks.garments import Category, GarmentShape, SleeveLength
from mycloset.tasks.masks import Mask
from mycloset.tasks.measurements import BodyMeasurements, Measurement, Origin
from mycloset.tasks.parsing import HumanParsing, LabelTable
from mycloset.tasks.people import Face, Person
from mycloset.tasks.poses import Pose
from mycloset.tasks.quality import QualityPart, QualityReport
from mycloset.tasks.skeletons import Skeleton
from mycloset.tasks.warps import DressedParsing, Warp
from mycloset.tryon.chains import figure_of
from mycloset.tryon.embedded.figure import Figure
from mycloset.tryon.result import PassedOver, StepRecord, TryOnResult
from mycloset.tryon.state import Fitting, Matching, PartMatch, TryOnState, WarpedGarment

FORMAT = 1

GIVEN = ("person_picture", "garment_picture", "figures")
"""Fields of the state that are not stored: whoever asks has them."""
REREAD = ("figure",)
"""Fields of the state that are made again."""

CLASSES: Mapping[str, type[Any]] = {
    made.__name__: made
    for made in (
        BodyMeasurements, Category, DressedParsing, Face, Fitting, GarmentShape, HumanParsing,
        LabelTable, Mask, Matching, Measurement, Origin, PartMatch, PassedOver, Person, Pose,
        QualityPart, QualityReport, Skeleton, SleeveLength, StepRecord, Warp, WarpedGarment,
    )
}  # fmt: skip
"""What a stored state is made of; nothing else is ever made of a file."""

_DTYPE = re.compile(r"[|<][biuf][1248]")
_PER_PIXEL = 256
"""Bytes of arrays that a state holds at most for each pixel of its pictures (it needs about 90)."""
_BESIDE = 1 << 26
"""Bytes of arrays whose size is the networks', not the pictures'; and of the JSON."""
_TOLD = "result.json"


class DamagedError(Exception):
    """A file is not the stored result that it should be."""


def to_bytes(result: TryOnResult, key: str) -> bytes:
    """The result as a file's content; `key` is what it is stored under."""
    arrays: list[NDArray[Any]] = []
    places: dict[int, int] = {}
    state = {
        name: _packed(value, arrays, places)
        for name, value in result.state.filled().items()
        if name not in GIVEN + REREAD
    }
    document = {
        "format": FORMAT,
        "key": key,
        "pipeline": result.pipeline,
        "steps": _packed(result.steps, arrays, places),
        "state": state,
        "arrays": [[array.dtype.str, list(array.shape)] for array in arrays],
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr(_TOLD, json.dumps(document))
        for number, array in enumerate(arrays):
            file.writestr(_member(number), array.tobytes())
    return buffer.getvalue()


def from_bytes(data: bytes, key: str, given: TryOnState) -> TryOnResult:
    """The result that is stored, with the pictures and figures of `given`.

    Raises:
        DamagedError: it is not whole, not stored under this key, or not a stored result.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return _read(file, key, given)
    except (
        zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, RuntimeError,
        KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError,
    ) as error:  # fmt: skip
        # Whatever a reader of foreign bytes can meet; a zip's checksums find nearly all of it.
        raise DamagedError(str(error) or type(error).__name__) from error


def _read(file: zipfile.ZipFile, key: str, given: TryOnState) -> TryOnResult:
    pixels = sum(p.width * p.height for p in (given.person_picture, given.garment_picture))
    if sum(info.file_size for info in file.infolist()) > _PER_PIXEL * pixels + _BESIDE:
        raise ValueError("it holds more than such pictures give")
    document = json.loads(file.read(_TOLD))
    if document["format"] != FORMAT or document["key"] != key:
        raise ValueError("it is the result of something else")
    arrays = [
        _array(file.read(_member(number)), dtype, shape)
        for number, (dtype, shape) in enumerate(document["arrays"])
    ]
    fields = {name: _unpacked(value, arrays) for name, value in document["state"].items()}
    if not set(fields) <= _STORED or "final" not in fields:
        raise ValueError("it is no state of a try-on")
    state = TryOnState(
        person_picture=given.person_picture,
        garment_picture=given.garment_picture,
        figures=given.figures,
        **fields,
    )
    if state.final is None or state.final.shape != given.person_picture.rgb.shape:
        raise ValueError("its picture has another size than the photo")
    final = state.final
    state = dataclasses.replace(state, figure=_figure(state))
    steps = _unpacked(document["steps"], arrays)
    return TryOnResult(final, state, steps, str(document["pipeline"]), 0.0, cached=True)


_STORED = {item.name for item in dataclasses.fields(TryOnState)} - {*GIVEN, *REREAD}


def _figure(state: TryOnState) -> Figure | None:
    """The body's reading as the matching step made it; None where no step did."""
    return figure_of(state) if state.matching is not None else None


def _member(number: int) -> str:
    return f"array-{number:03}"


def _array(data: bytes, dtype: str, shape: list[int]) -> NDArray[Any]:
    if not _DTYPE.fullmatch(dtype):
        raise ValueError(f"it holds numbers of the type {dtype!r}")
    if len(data) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise ValueError("an array has another size than it says")
    # A copy, so that it can be written to as one that was just made.
    return np.frombuffer(data, dtype).reshape(shape).copy()


def _packed(value: Any, arrays: list[NDArray[Any]], places: dict[int, int]) -> Any:
    """JSON of a value; arrays go to `arrays`, each once."""
    if isinstance(value, np.ndarray):
        if id(value) not in places:
            places[id(value)] = len(arrays)
            arrays.append(value)
        return {"array": places[id(value)]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Enum):
        return {"enum": type(value).__name__, "value": value.value}
    if dataclasses.is_dataclass(value):
        fields = {
            item.name: _packed(getattr(value, item.name), arrays, places)
            for item in dataclasses.fields(value)
        }
        return {"class": type(value).__name__, "fields": fields}
    if isinstance(value, Mapping):
        return {"map": [[key, _packed(item, arrays, places)] for key, item in value.items()]}
    if isinstance(value, tuple | list):
        return {"tuple": [_packed(item, arrays, places) for item in value]}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"a {type(value).__name__} cannot be stored")


def _unpacked(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "enum" in value:
        return CLASSES[value["enum"]](value["value"])
    if "class" in value:
        fields = {name: _unpacked(item, arrays) for name, item in value["fields"].items()}
        return CLASSES[value["class"]](**fields)
    if "map" in value:
        return {key: _unpacked(item, arrays) for key, item in value["map"]}
    return tuple(_unpacked(item, arrays) for item in value["tuple"])
