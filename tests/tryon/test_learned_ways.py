"""Every step by every family that can serve it, on files with their real layouts.

The weights are filled by a recipe, not trained: what is tried is that files, networks, labels and
pictures go together, not beauty.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import golden_files
import golden_weights
from mycloset.hub.loader import ModelLoader
from mycloset.images import RGB
from mycloset.tryon.engine import InferenceEngine
from mycloset.tryon.pipeline import WAYS, Pipeline, StepPlan

CHAINS = ("viton_hd", "cp_vton")
CHAINED = ("geometric_matching", "cloth_warping", "virtual_fitting")

FILES = {
    "schp": ("schp/atr",),
    "segformer": ("segformer/b2_clothes",),
    "u2net": ("u2net/cloth_segm_u2net_latest",),
    "hrnet_pose": ("hrnet_pose/w48_coco_256x192",),
    "openpose": ("openpose/body_pose_model",),
    "yolov8": ("yolov8_pose/yolov8m-pose",),
    "sam": ("sam/sam_vit_b_01ec64",),
    "mobile_sam": ("mobile_sam/mobile_sam",),
    "deeplabv3": ("deeplabv3plus/deeplabv3_resnet101_coco_torchvision",),
    "cp_vton": ("cp_vton/cp_vton_gmm", "cp_vton/cp_vton_tom"),
    "viton_hd": ("viton_hd/viton_hd_seg", "viton_hd/viton_hd_gmm", "viton_hd/viton_hd_alias"),
    "raft": ("raft/raft_things",),
    "vgg": ("torchvision/vgg16",),
    "densenet": ("torchvision/densenet121",),
    "resnet": ("torchvision/resnet34",),
    "rrdb": ("rrdb/RealESRGAN_x2plus",),
    "srvgg": ("rrdb/realesr-general-x4v3",),
    "swinir": ("swinir/swinir_classical_M_x2",),
    "gfpgan": ("gfpgan/GFPGANv1.4",),
    "lpips": ("lpips/lpips_alex",),
    "clip": ("clip/vit_b32_transformers",),
    "alexnet": ("torchvision/alexnet",),
}
"""Family -> the goldens whose files it needs."""

CASES = [
    (step, way)
    for step, ways in WAYS.items()
    for way in ways
    if way != "embedded" and (way not in CHAINS or step == CHAINED[-1])
]


@pytest.fixture(scope="module")
def garment() -> RGB:
    """A plain shirt on white, 200 pixels wide."""
    rows, columns = np.mgrid[0:240, 0:200]
    body = (abs(columns - 100) < 48) & (rows > 30) & (rows < 215)
    sleeves = (abs(columns - 100) < 92) & (rows > 36) & (rows < 100)
    picture = np.full((240, 200, 3), 255, np.uint8)
    picture[body | (sleeves & (rows - 30 > 0.3 * abs(columns - 100)))] = (40, 90, 160)
    return picture


def plan(step: str, way: str) -> Pipeline:
    """Every step the embedded way, but for one by a family (a whole chain for try-on systems)."""
    given = dict.fromkeys(WAYS, ("embedded",))
    for name in CHAINED if way in CHAINS else (step,):
        given[name] = (way,)
    return Pipeline("one way", "", tuple(StepPlan(name, ways) for name, ways in given.items()))


@pytest.mark.slow
@pytest.mark.usefixtures("embedded_models")
@pytest.mark.parametrize(("step", "way"), CASES)
def test_a_family_serves_its_step(
    step: str, way: str, tmp_path: Path, astronaut_photo: RGB, garment: RGB
) -> None:
    for name in FILES[way]:
        made = golden_weights.checkpoint(golden_files.manifest(name))
        torch.save(made, tmp_path / f"{name.replace('/', '-')}.pth")
    small = np.ascontiguousarray(astronaut_photo[::2, ::2])
    engine = InferenceEngine(plan(step, way), models=ModelLoader([tmp_path], memory="4GB"))

    result = engine.run_virtual_try_on(small, garment, category="upper")

    record = next(record for record in result.steps if record.name == step)
    assert record.way == way
    assert record.model["family"] == way
    assert ".pth" in record.used
    assert result.image.shape == small.shape


def test_every_way_has_its_files() -> None:
    assert {way for _, way in CASES} == set(FILES)
