"""What HRNet files look like: pose networks in three layouts, ImageNet classifiers, backbones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.hrnet_pose.tensors import Backbone, Head, Kind, Stage, tensors
from mycloset.architectures.reading import extent, size

_SETS = {14: "CrowdPose", 16: "MPII", 17: "COCO", 21: "hand", 133: "COCO-WholeBody"}
"""Published sets of joints, by their number."""

_MOST_MODULES = 32
_MOST_BRANCHES = 6
_MOST_BLOCKS = 32

_LAYOUTS = {
    "original": ("", "final_layer"),
    "mmpose-0.x": ("backbone.", "keypoint_head.final_layer"),
    "mmpose-1.x": ("backbone.", "head.final_layer"),
    "openmmlab": ("backbone.", ""),
}
"""Layout -> what stands before the backbone's keys, and the last convolution's name."""


def read(shapes: Shapes) -> Claim:
    """What an HRNet table is.

    Raises:
        NotThisError: it holds no stage of parallel branches.
    """
    lead = "backbone." if "conv2.weight" not in shapes and _has_backbone(shapes) else ""
    # A pose network within some "backbone": its keys are asked again without that prefix.
    within = any(f"{lead}{head}.weight" in shapes for head in ("final_layer", "classifier"))
    require(not (lead and within), f"`{lead}` stands before the head, too")
    backbone = _read_backbone(shapes, lead)
    for layout, (start, final) in _LAYOUTS.items():
        weight = shapes.get(f"{final}.weight", ())
        bias = shapes.get(f"{final}.bias", ())
        if start == lead and len(weight) == 4:
            return _claim(backbone, Head(joints=weight[0], kernel=weight[2]), layout)
        if start == lead and not weight and len(bias) == 1:
            return _claim(backbone, Head(joints=bias[0]), layout)
    if "classifier.weight" in shapes or "incre_modules.0.0.conv1.weight" in shapes:
        return _claim(backbone, _read_classifier(shapes), "original")
    return _claim(backbone, Head(), "openmmlab" if lead else "original")


def examples() -> Iterator[Claim]:
    """The published networks, once each (their layouts have the same shapes)."""
    for width in (32, 48):
        for joints in (17, 16):
            yield _claim(_standard(width), Head(joints=joints), "original")
    yield _claim(_standard(48), Head(joints=17), "mmpose-0.x")
    yield _claim(_standard(48), Head(joints=133), "mmpose-1.x")
    for width in (18, 30, 32, 40, 44, 48, 64):
        yield _claim(
            _standard(width, all_rows=True),
            Head(classes=1000, incre=(32, 64, 128, 256)),
            "original",
        )


def _has_backbone(shapes: Shapes) -> bool:
    return any(
        key in shapes
        for key in (
            "backbone.conv2.weight",
            "backbone.stage2.0.branches.0.0.conv1.weight",
            "backbone.stage4.0.branches.0.0.conv1.weight",
        )
    )


def _read_backbone(shapes: Shapes, lead: str) -> Backbone:
    stages: list[Stage] = []
    for number in range(2, 10):
        start = f"{lead}stage{number}.0.branches.0."
        if f"{start}0.conv1.weight" not in shapes and f"{start}0.conv2.weight" not in shapes:
            break
        stages.append(_read_stage(shapes, f"{lead}stage{number}."))
    require(bool(stages), f"no `{lead}stage2.0.branches.0.0.conv1.weight`")
    layer = f"{lead}layer1."
    kind = _kind(shapes, f"{layer}0.")
    return Backbone(
        inputs=size(shapes, (f"{lead}conv1.weight", 1), default=3),
        stem=(
            size(shapes, (f"{lead}conv1.weight", 0), (f"{lead}conv2.weight", 1)),
            size(shapes, (f"{lead}conv2.weight", 0), (f"{layer}0.conv1.weight", 1)),
        ),
        first=(
            kind,
            extent(shapes, f"{layer}{{}}.conv1.weight", f"{layer}{{}}.conv2.weight"),
            size(shapes, (f"{layer}0.conv1.weight", 0), (f"{layer}0.bn1.weight", 0)),
        ),
        stages=tuple(stages),
    )


def _read_stage(shapes: Shapes, stage: str) -> Stage:
    modules = extent(
        shapes,
        f"{stage}{{}}.branches.0.0.conv1.weight",
        f"{stage}{{}}.branches.0.0.conv2.weight",
        limit=_MOST_MODULES,
    )
    branches = f"{stage}0.branches."
    number = extent(
        shapes,
        f"{branches}{{}}.0.conv1.weight",
        f"{branches}{{}}.0.conv2.weight",
        limit=_MOST_BRANCHES,
    )
    last = f"{stage}{modules - 1}.fuse_layers."
    return Stage(
        modules=modules,
        kind=_kind(shapes, f"{branches}0.0."),
        blocks=tuple(
            extent(
                shapes,
                f"{branches}{branch}.{{}}.conv1.weight",
                f"{branches}{branch}.{{}}.conv2.weight",
                limit=_MOST_BLOCKS,
            )
            for branch in range(number)
        ),
        channels=tuple(
            size(
                shapes,
                (f"{branches}{branch}.0.conv1.weight", 0),
                (f"{branches}{branch}.0.bn1.weight", 0),
            )
            for branch in range(number)
        ),
        rows=1 + extent(shapes, f"{last}{{}}.0.0.0.weight", f"{last}{{}}.0.0.1.weight", start=1),
    )


def _kind(shapes: Shapes, block: str) -> Kind:
    third = any(f"{block}{name}.weight" in shapes for name in ("conv3", "bn3"))
    return "BOTTLENECK" if third else "BASIC"


def _read_classifier(shapes: Shapes) -> Head:
    number = extent(
        shapes, "incre_modules.{}.0.conv1.weight", "incre_modules.{}.0.downsample.0.weight"
    )
    return Head(
        classes=size(shapes, ("classifier.weight", 0), ("classifier.bias", 0)),
        incre=tuple(
            size(
                shapes,
                (f"incre_modules.{branch}.0.conv1.weight", 0),
                (f"incre_modules.{branch}.0.bn1.weight", 0),
            )
            for branch in range(number)
        ),
        features=size(shapes, ("classifier.weight", 1), ("final_layer.0.weight", 0)),
    )


def _standard(width: int, *, all_rows: bool = False) -> Backbone:
    """A published network's backbone: 1, 4 and 3 modules of 2, 3 and 4 branches."""
    stages = tuple(
        Stage(
            modules=modules,
            kind="BASIC",
            blocks=(4,) * branches,
            channels=tuple(width << branch for branch in range(branches)),
            rows=branches,
        )
        for branches, modules in ((2, 1), (3, 4), (4, 3))
    )
    if not all_rows:
        stages = (*stages[:-1], stages[-1]._replace(rows=1))
    return Backbone(3, (64, 64), ("BOTTLENECK", 4, 64), stages)


def _claim(backbone: Backbone, head: Head, layout: str) -> Claim:
    width = backbone.width
    lead, final = _LAYOUTS[layout]
    config: dict[str, Any] = {
        "width": width,
        "input_channels": backbone.inputs,
        "stem_channels": list(backbone.stem),
        "stages": _stages_as_published(backbone),
        "stage_outputs": [stage.rows for stage in backbone.stages],
    }
    last = len(backbone.stages) + 1
    evidence = [
        f"`{lead}stage{last}.0.branches.0.0.conv1.weight` has {width} channels: W{width}",
        f"{' + '.join(str(stage.modules) for stage in backbone.stages)} modules of"
        f" {', '.join(str(len(stage.channels)) for stage in backbone.stages)} branches",
    ]
    if head.joints:
        config |= {"num_joints": head.joints, "final_conv_kernel": head.kernel}
        joints = f"{head.joints} {_SETS[head.joints]}" if head.joints in _SETS else str(head.joints)
        shape = [head.joints, backbone.stages[-1].widths[0], head.kernel, head.kernel]
        return Claim(
            variant=f"w{width}",
            title=f"HRNet-W{width}, {joints} joints",
            config=config,
            tensors=tensors(backbone, head, lead, final),
            layout=layout,
            evidence=(f"`{final}.weight` is {shape}: {head.joints} joints", *evidence),
            undecidable=(
                "the input size: 256x192 and 384x288 have the same tensors",
                "how heatmaps are decoded: plain, DARK and UDP training have the same tensors",
            ),
            input_channels=backbone.inputs,
            output_channels=head.joints,
            licence="MIT" if layout == "original" else "Apache-2.0",
        )
    if head.classes:
        return Claim(
            variant=f"w{width}_classifier",
            title=f"HRNet-W{width}, classifier of {head.classes} classes",
            config=config
            | {
                "num_classes": head.classes,
                "head_channels": list(head.incre),
                "head_features": head.features,
            },
            tensors=tensors(backbone, head, lead, final),
            layout=layout,
            evidence=(f"`classifier.weight` has {head.classes} rows", *evidence),
            task="image classification",
            steps=(),
            input_channels=backbone.inputs,
            output_channels=head.classes,
        )
    return Claim(
        variant=f"w{width}_backbone",
        title=f"HRNet-W{width}, backbone without a pose head",
        config=config,
        tensors=tensors(backbone, head, lead, final),
        layout=layout,
        evidence=tuple(evidence),
        undecidable=("what its features were trained for",),
        task="image features",
        steps=(),
        input_channels=backbone.inputs,
        output_channels=sum(backbone.stages[-1].widths[: backbone.stages[-1].rows]),
    )


def _stages_as_published(backbone: Backbone) -> dict[str, Any]:
    """The stages with the names that the authors' YAML files use."""
    kind, blocks, planes = backbone.first
    told: dict[str, Any] = {
        "STAGE1": {"NUM_BLOCKS": [blocks], "NUM_CHANNELS": [planes], "BLOCK": kind}
    }
    for number, stage in enumerate(backbone.stages, 2):
        told[f"STAGE{number}"] = {
            "NUM_MODULES": stage.modules,
            "NUM_BRANCHES": len(stage.channels),
            "BLOCK": stage.kind,
            "NUM_BLOCKS": list(stage.blocks),
            "NUM_CHANNELS": list(stage.channels),
            "FUSE_METHOD": "SUM",
        }
    return told


_OPENMMLAB = (
    ("hrnet_w32_coco_256x192-c78dce93_20200708.pth", "w32"),
    ("hrnet_w32_coco_384x288-d9f0d786_20200708.pth", "w32"),
    ("hrnet_w48_coco_256x192-b9e0b3ab_20200708.pth", "w48"),
    ("hrnet_w48_coco_384x288-314c8528_20200708.pth", "w48"),
    ("td-hm_hrnet-w32_8xb64-210e_coco-256x192-81c58e40_*.pth", "w32"),
    ("td-hm_hrnet-w32_8xb64-210e_coco-384x288-ca5956af_*.pth", "w32"),
    ("td-hm_hrnet-w48_8xb32-210e_coco-256x192-0e67c616_*.pth", "w48"),
    ("td-hm_hrnet-w48_8xb32-210e_coco-384x288-c161b7de_*.pth", "w48"),
)
"""OpenMMLab's files; the eight digits in a name begin its SHA-256."""

FAMILY = Family(
    name="hrnet_pose",
    title="HRNet",
    task="pose estimation",
    steps=("pose_estimation",),
    markers=(
        ("conv2.weight", "stage2.0.branches.0.0.conv1.weight"),
        ("transition1.0.0.weight", "stage4.0.branches.3.0.conv1.weight"),
        ("layer1.0.conv1.weight", "stage3.0.fuse_layers.0.1.0.weight"),
        ("backbone.conv2.weight", "backbone.stage2.0.branches.0.0.conv1.weight"),
        ("backbone.transition1.0.0.weight", "backbone.stage4.0.branches.3.0.conv1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        *(
            Published(f"pose_hrnet_w{width}_{size}.pth", f"w{width}")
            for width in (32, 48)
            for size in ("256x192", "384x288", "256x256")
        ),
        *(
            Published(file, variant, file.replace("_", "-").split("-")[-2])
            for file, variant in _OPENMMLAB
        ),
        Published("hrnet_w32_coco_*.pth", "w32"),
        Published("hrnet_w48_coco_*.pth", "w48"),
        Published("hrnet_w32-36af842e.pth", "w32_classifier", "36af842e"),
        Published("hrnet_w48-8ef0771d.pth", "w48_classifier", "8ef0771d"),
    ),
    licence="MIT",
    source=(
        "leoxiaobin/deep-high-resolution-net.pytorch, lib/models/pose_hrnet.py;"
        " HRNet/HRNet-Image-Classification, lib/models/cls_hrnet.py;"
        " open-mmlab/mmpose, mmpose/models/backbones/hrnet.py"
    ),
    aliases=("hrnet", "pose_hrnet", "higher_hrnet", "td-hm_hrnet"),
)
