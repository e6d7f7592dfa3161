from __future__ import annotations

import math

import numpy as np
import pytest

from mycloset.architectures.blazeface import processing as faces
from mycloset.architectures.face_mesh import processing as meshes
from mycloset.architectures.face_mesh.layout import OVAL, VERTICES
from mycloset.architectures.regions import Region
from mycloset.architectures.selfie_segmentation import processing as selfie


def test_a_face_gets_a_region_along_its_eyes() -> None:
    regressors = np.zeros((896, 16), np.float32)
    logits = np.full((896, 1), -80, np.float32)
    shift = 64 - 128 * 7.5 / 8
    regressors[-1, :4] = (shift, shift, 32, 32)
    regressors[-1, 4:8] = (shift - 8, shift - 8, shift + 8, shift + 8)
    logits[-1] = 3
    (face,) = faces.read({"regressors": regressors, "scores": logits}, Region.letterbox(256, 256))
    assert face.box == pytest.approx([95.5, 95.5, 159.5, 159.5], abs=0.01)
    assert face.rotation == pytest.approx(math.pi / 4, abs=1e-5)
    assert face.mesh_region.width == pytest.approx(96, abs=0.01)
    assert face.mesh_region.rotation == face.rotation


def test_mesh_vertices_are_brought_to_the_picture() -> None:
    vertices = np.zeros((468, 3), np.float32)
    vertices[:] = (96, 48, 5)
    reading = meshes.read(
        {"vertices": vertices.reshape(1, 1, -1), "presence": np.full((1, 1, 1), 700.0)},
        Region(300, 200, 192, 192),
    )
    assert reading.points.shape == (VERTICES, 2)
    assert reading.points[7] == pytest.approx((300, 152), abs=1e-3)
    assert reading.presence == 1


def test_the_outline_names_each_vertex_once() -> None:
    assert len(set(OVAL)) == len(OVAL) == 36
    assert max(OVAL) < VERTICES


def test_selfie_probabilities_stay_within_bounds() -> None:
    raw = np.full((256, 256, 1), 1.02, np.float32)
    assert selfie.read({"probability": raw}).max() == 1
    seen = selfie.prepare(np.full((90, 70, 3), 255, np.uint8), Region.whole(90, 70))
    assert seen.shape == (256, 256, 3)
    assert seen.max() == pytest.approx(1)
