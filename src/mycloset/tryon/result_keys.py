"""The key of a try-on: everything that its result depends on, and nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mycloset import __version__
from mycloset.hub.loader import ModelLoader
from mycloset.hub.shelved import ShelvedModel
from mycloset.images import Picture
from mycloset.tryon.outlook import StepOutlook
from mycloset.tryon.people import body_model
from mycloset.tryon.pipeline import Pipeline
from mycloset.tryon.state import TryOnState


def result_key(
    given: TryOnState,
    pipeline: Pipeline,
    outlook: Sequence[StepOutlook],
    models: ModelLoader | None,
) -> str:
    """64 hexadecimal digits (BLAKE2b): equal where the very same try-on is asked for.

    It covers the pictures' pixels as decoded (upright, with alpha; never their names or formats),
    category and figures, the pipeline with all of its options, MyCloset's version, the embedded
    networks by their checksums, and the user's models by what identifies their files (path, size,
    time of change, inode), by what they are, and by how they are run.

    Args:
        given: pictures, category and figures.
        pipeline: what runs.
        outlook: what each of its steps would use.
        models: the user's folders, or None.
    """
    asked = {
        "mycloset": __version__,
        "person": _picture(given.person_picture),
        "garment": _picture(given.garment_picture),
        "category": given.category,
        "figures": dataclasses.asdict(given.figures),
        "pipeline": dataclasses.asdict(pipeline),
        "embedded": [entry.sha256 for entry in body_model().info],
        "ways": [[step.step, step.way] for step in outlook],
        "models": [
            [_model(model) for model in (*step.reachable, *step.models)] for step in outlook
        ],
        "run": None if models is None else [str(models.device), str(models.precision)],
    }
    text = json.dumps(asked, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def _picture(picture: Picture) -> list[Any]:
    """Shape and hash of what a picture shows."""
    alpha = None if picture.alpha is None else _pixels(picture.alpha)
    return [_pixels(picture.rgb), alpha]


def _pixels(array: np.ndarray[Any, np.dtype[Any]]) -> list[Any]:
    found = hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=32)
    return [array.dtype.str, list(array.shape), found.hexdigest()]


def _model(model: ShelvedModel) -> list[Any]:
    """What a model is, and which bytes it consists of."""
    network = model.network
    return [
        network.digest, network.family, network.variant, network.role, network.wrapper,
        network.prefix, model.stamps, _files(model.path),
    ]  # fmt: skip


def _files(path: Path) -> list[Any]:
    """Path, size, time of change and inode of a model's file, or of all in its folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found: list[Any] = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            found.append([str(file), None])
            continue
        found.append([str(file.absolute()), status.st_size, status.st_mtime_ns, status.st_ino])
    return found
