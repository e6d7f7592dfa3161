"""HRNet files in three layouts, of any width, depth and number of joints."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import NotThisError
from mycloset.architectures.hrnet_pose.layout import FAMILY
from mycloset.architectures.hrnet_pose.tensors import Backbone, Head, Stage, tensors
from mycloset.architectures.reading import renamed

GOLDEN = "hrnet_pose/w48_coco_256x192"


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        (GOLDEN, "original"),
        ("hrnet_pose/w48_coco_384x288", "original"),
        ("hrnet_pose/hrnet_w48_coco_256x192_mmpose", "mmpose-0.x"),
    ],
)
def test_a_published_layout_is_generated_tensor_by_tensor(name: str, layout: str) -> None:
    claim = family_checks.read_golden(FAMILY, name)
    assert (claim.variant, claim.layout) == ("w48", layout)
    published = golden_files.manifest(name)["config"]
    assert {key: claim.config[key] for key in published if key != "input"} == {
        key: value for key, value in published.items() if key != "input"
    }


def test_newer_mmpose_files_name_the_head_otherwise() -> None:
    older = golden_files.shapes("hrnet_pose/hrnet_w48_coco_256x192_mmpose")
    newer = renamed(older, [(r"^keypoint_head\.", "head.")])
    assert family_checks.read_back(FAMILY, newer).layout == "mmpose-1.x"


def test_the_input_size_stays_open() -> None:
    assert "256x192 and 384x288" in FAMILY.read(golden_files.shapes(GOLDEN)).undecidable[0]


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_any_width_depth_and_number_of_joints_is_read_from_shapes(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 40), "width")
    joints = data.draw(st.integers(1, 140), "joints")
    kernel = data.draw(st.sampled_from([1, 3]), "kernel")
    modules = data.draw(st.tuples(*[st.integers(1, 5)] * 3), "modules")
    depth = data.draw(st.integers(1, 4), "depth")
    stages = tuple(
        Stage(
            modules=number,
            kind="BASIC",
            blocks=(depth,) * branches,
            channels=tuple(width << branch for branch in range(branches)),
            rows=1 if branches == 4 else branches,
        )
        for branches, number in zip((2, 3, 4), modules, strict=True)
    )
    backbone = Backbone(3, (64, 64), ("BOTTLENECK", depth, 16), stages)
    table = tensors(backbone, Head(joints=joints, kernel=kernel), "", "final_layer")
    config = family_checks.read_back(FAMILY, table).config
    assert (config["width"], config["num_joints"]) == (width, joints)
    assert config["final_conv_kernel"] == kernel
    assert config["stages"]["STAGE3"]["NUM_MODULES"] == modules[1]
    assert config["stages"]["STAGE4"]["NUM_BLOCKS"] == [depth] * 4


def test_a_classifier_is_called_a_classifier() -> None:
    classifier = next(claim for claim in FAMILY.examples() if claim.task is not None)
    assert classifier.variant == "w18_classifier"
    assert classifier.steps == ()


def test_a_backbone_alone_is_no_pose_network() -> None:
    headless = {
        key: shape
        for key, shape in golden_files.shapes(GOLDEN).items()
        if not key.startswith("final_layer")
    }
    claim = family_checks.read_back(FAMILY, headless)
    assert (claim.variant, claim.steps) == ("w48_backbone", ())


@given(lost=st.sampled_from(list(golden_files.shapes(GOLDEN))))
@settings(max_examples=60, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, golden_files.shapes(GOLDEN), lost)


def test_a_resnet_is_refused() -> None:
    with pytest.raises(NotThisError, match="stage2"):
        FAMILY.read({"conv1.weight": (64, 3, 7, 7), "layer1.0.conv1.weight": (64, 64, 1, 1)})


def test_a_prefix_that_other_software_added_is_not_taken_for_mmpose_s() -> None:
    prefixed = {f"backbone.{key}": shape for key, shape in golden_files.shapes(GOLDEN).items()}
    with pytest.raises(NotThisError, match="before the head"):
        FAMILY.read(prefixed)
