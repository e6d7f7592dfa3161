"""YOLOv8 files of every task, scale and pyramid, fused or not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import NotThisError, Shapes
from mycloset.architectures.reading import renamed
from mycloset.architectures.yolov8.layout import FAMILY, examples
from mycloset.architectures.yolov8.tensors import Head, Network, tensors
from mycloset.architectures.yolov8.topology import CLASSIFIER, DETECTORS

POSE = "yolov8_pose/yolov8m-pose"
DETECT = "yolov8_pose/yolov8n"

WIDTHS = st.integers(2, 40).map(lambda half: 2 * half)


@pytest.mark.parametrize(("name", "variant"), [(POSE, "yolov8m-pose"), (DETECT, "yolov8n")])
def test_a_published_layout_is_generated_tensor_by_tensor(name: str, variant: str) -> None:
    claim = family_checks.read_golden(FAMILY, name)
    assert claim.variant == variant
    published = golden_files.manifest(name)["config"]
    assert {key: claim.config[key] for key in published} == published


def test_only_pose_networks_serve_the_pose_step() -> None:
    assert FAMILY.read(golden_files.shapes(POSE)).steps == ("pose_estimation",)
    assert FAMILY.read(golden_files.shapes(DETECT)).steps == ()


def test_the_outer_module_may_be_missing() -> None:
    bare = renamed(golden_files.shapes(DETECT), [(r"^model\.", "")])
    assert family_checks.read_back(FAMILY, bare).layout == "sequential"


@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("yolov8n", 3_157_200),
        ("yolov8s", 11_166_560),
        ("yolov8m", 25_902_640),
        ("yolov8l", 43_691_520),
        ("yolov8x", 68_229_648),
        ("yolov8n-pose", 3_295_470),
        ("yolov8m-pose", 26_464_462),
    ],
)
def test_scales_have_their_published_number_of_parameters(variant: str, parameters: int) -> None:
    claim = next(claim for claim in examples() if claim.variant == variant)
    assert _parameters(claim.tensors) == parameters


def test_the_published_fused_p6_network_has_its_number_of_parameters() -> None:
    claim = next(claim for claim in examples() if claim.variant == "yolov8x-p6")
    folded = {key: shape for key, shape in claim.tensors.items() if not key.endswith("bn.weight")}
    assert _parameters(folded) == 97_382_352


def _parameters(shapes: Shapes) -> int:
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    return sum(math.prod(shape) for key, shape in shapes.items() if not key.endswith(buffers))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_width_depth_and_head_is_read_from_shapes(data: st.DataObject) -> None:
    topology = data.draw(st.sampled_from([*DETECTORS, CLASSIFIER]), "topology")
    network = Network(
        topology=topology,
        outs=tuple(
            0 if layer.kind in ("up", "cat") else data.draw(WIDTHS) for layer in topology.layers
        ),
        repeats=tuple(
            data.draw(st.integers(1, 4)) if layer.repeats else 0 for layer in topology.layers
        ),
        head=_head(data, "classify" if topology is CLASSIFIER else None),
        inputs=data.draw(st.sampled_from([1, 3, 4])),
        fused=data.draw(st.booleans()),
    )
    lead = data.draw(st.sampled_from(["", "model."]))
    claim = family_checks.read_back(FAMILY, tensors(network, lead))
    assert claim.config["nc"] == network.head.classes
    assert claim.config["fused"] == network.fused
    if network.head.task != "classify":
        assert claim.config["reg_max"] == network.head.bins
    if network.head.task == "pose":
        assert math.prod(claim.config["kpt_shape"]) == network.head.extra[1]


def _head(data: st.DataObject, task: str | None) -> Head:
    if task is None:
        task = data.draw(st.sampled_from(["detect", "pose", "segment", "obb"]))
    points = data.draw(st.integers(2, 60)) * data.draw(st.sampled_from([2, 3]))
    outputs = {"pose": points, "segment": data.draw(WIDTHS), "obb": 1}.get(task, 0)
    return Head(
        task=task,
        classes=data.draw(st.integers(1, 1000)),
        bins=data.draw(st.integers(1, 32)),
        box=data.draw(WIDTHS),
        hidden=data.draw(WIDTHS),
        extra=(data.draw(WIDTHS), outputs) if outputs else (0, 0),
        masks=(data.draw(WIDTHS), outputs) if task == "segment" else (0, 0),
    )


@pytest.mark.parametrize("variant", ["yolov8n-seg", "yolov8n-cls", "yolov8x-p6"])
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(variant: str, data: st.DataObject) -> None:
    whole = next(claim.tensors for claim in examples() if claim.variant == variant)
    assert family_checks.recovers(FAMILY, whole, data.draw(st.sampled_from(list(whole))))


def test_a_later_generation_is_refused() -> None:
    later = renamed(golden_files.shapes(DETECT), [(r"^model\.22\.", "model.23.")])
    with pytest.raises(NotThisError, match="no head"):
        FAMILY.read(later)


@pytest.mark.parametrize(
    ("key", "reason"),
    [("model.22.cv4.0.logit_scale", "YOLO-World"), ("model.2.cv3.conv.weight", "YOLOv5")],
)
def test_relatives_are_refused(key: str, reason: str) -> None:
    with pytest.raises(NotThisError, match=reason):
        FAMILY.read(golden_files.shapes(DETECT) | {key: (1,)})
