"""OpenPose files: body, hand and face networks under caffe's names or module names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import NotThisError
from mycloset.architectures.openpose.layout import FAMILY, examples

BODY = "openpose/body_pose_model"
HAND = "openpose/hand_pose_model"


@pytest.mark.parametrize(("name", "variant"), [(BODY, "coco"), (HAND, "hand")])
def test_a_published_layout_is_generated_tensor_by_tensor(name: str, variant: str) -> None:
    claim = family_checks.read_golden(FAMILY, name)
    assert (claim.variant, claim.layout) == (variant, "caffe")
    published = golden_files.manifest(name)["config"]
    assert {key: claim.config[key] for key in published} == published


@pytest.mark.parametrize(("name", "variant"), [(BODY, "coco"), (HAND, "hand")])
def test_module_names_are_the_second_layout(name: str, variant: str) -> None:
    keymap = golden_files.manifest(name)["keymap"]
    table = {keymap[key]: shape for key, shape in golden_files.shapes(name).items()}
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.layout) == (variant, "pytorch")


@given(joints=st.integers(1, 60), limbs=st.integers(1, 60), stages=st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_other_joints_limbs_and_stages_are_read_from_shapes(
    joints: int, limbs: int, stages: int
) -> None:
    changed = _changed(golden_files.shapes(BODY), 38, 2 * limbs, 19, joints + 1, stages)
    claim = FAMILY.read(changed)
    assert claim.tensors == changed
    assert claim.config["keypoints"] == joints
    assert claim.config["paf_channels"] == 2 * limbs
    assert claim.config["stages"] == stages


def _changed(
    shapes: dict[str, tuple[int, ...]],
    old_limbs: int,
    limbs: int,
    old_maps: int,
    maps: int,
    stages: int,
) -> dict[str, tuple[int, ...]]:
    """The body network's table with other outputs and number of stages."""
    sizes = {old_limbs: limbs, old_maps: maps, 128 + old_limbs + old_maps: 128 + limbs + maps}
    first = {
        key: tuple(sizes.get(size, size) if axis < 2 else size for axis, size in enumerate(shape))
        for key, shape in shapes.items()
        if "stage" not in key
    }
    later = {
        key.replace("stage2", f"stage{stage}"): tuple(
            sizes.get(size, size) if axis < 2 else size for axis, size in enumerate(shape)
        )
        for stage in range(2, stages + 1)
        for key, shape in shapes.items()
        if "stage2" in key
    }
    return first | later


def test_parameters_are_those_of_the_published_body_25() -> None:
    body = next(claim for claim in examples() if claim.variant == "body_25")
    assert len(body.tensors) == 327
    assert body.tensors["Mconv1_stage1_L1_0.weight"] == (128, 128 + 26 + 52, 3, 3)


@pytest.mark.parametrize("number", range(len(list(examples()))))
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(number: int, data: st.DataObject) -> None:
    whole = list(examples())[number].tensors
    assert family_checks.recovers(FAMILY, whole, data.draw(st.sampled_from(list(whole))))


def test_a_vgg_under_flat_names_is_refused() -> None:
    with pytest.raises(NotThisError):
        FAMILY.read({"conv1_1.weight": (64, 3, 3, 3), "fc6.weight": (4096, 25088)})
