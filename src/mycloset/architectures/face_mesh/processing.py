"""The mesh of one face: before and after the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mycloset.architectures.face_mesh.layout import FACE_MESH
from mycloset.architectures.regions import Region
from mycloset.images import RGB

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class MeshReading:
    """What the mesh network says of a region.

    Attributes:
        points: (468, 2) float32, x and y in pixels of the picture.
        presence: 0..1, that there is a face in the region.
    """

    points: Floats
    presence: float


def prepare(picture: RGB, region: Region) -> Floats:
    """(192, 192, 3) float32 0..1; the picture's border goes on outside it."""
    cut = region.crop(picture, FACE_MESH.size, extend=True)
    return cut.astype(np.float32) * np.float32(1 / 255)


def read(outputs: Mapping[str, Floats], region: Region) -> MeshReading:
    """Decode one forward for `region`."""
    vertices = outputs["vertices"].reshape(-1, 3)[:, :2] / FACE_MESH.size[0]
    presence = float(expit(outputs["presence"].reshape(-1)[0]))
    return MeshReading(region.to_picture(vertices), presence)
