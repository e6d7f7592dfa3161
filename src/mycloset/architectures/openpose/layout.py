"""What OpenPose files look like: body (COCO, MPI, BODY_25), hand and face, under caffe's names."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.blocks import conv, put
from mycloset.architectures.family import (
    Claim,
    Family,
    NotThisError,
    Published,
    Shape,
    Shapes,
    require,
)
from mycloset.architectures.reading import extent, size

_VGG = (
    ("conv1_1", 64),
    ("conv1_2", 64),
    ("conv2_1", 128),
    ("conv2_2", 128),
    ("conv3_1", 256),
    ("conv3_2", 256),
    ("conv3_3", 256),
    ("conv3_4", 256),
    ("conv4_1", 512),
    ("conv4_2", 512),
)
"""VGG-19's first ten convolutions, which all variants share."""

_BODIES = {19: ("coco", "18 COCO joints"), 16: ("mpi", "15 MPI joints")}
"""Number of heatmaps (joints and background) -> variant and what it finds."""
_PARTS = {22: ("hand", "21 hand points"), 71: ("face", "70 face points")}

_NON_COMMERCIAL = "CMU OpenPose (academic and non-commercial)"

Layers = list[tuple[str, str, int, int, int]]
"""Module, name, outputs, inputs and kernel of each convolution, in order."""


def read(shapes: Shapes) -> Claim:
    """What an OpenPose table is.

    Raises:
        NotThisError: it lacks the stages that all its variants have.
    """
    layout, flat = _flattened(shapes)
    if any(key in flat for key in ("Mconv7_stage0_L2.weight", "Mconv7_stage0_L1.weight")):
        return _body_25(
            layout,
            limbs=size(flat, ("Mconv7_stage0_L2.weight", 0), ("Mconv7_stage0_L2.bias", 0)),
            maps=size(flat, ("Mconv7_stage0_L1.weight", 0), ("Mconv7_stage0_L1.bias", 0)),
            stages=(
                extent(flat, "Mconv7_stage{}_L2.weight", "Mconv1_stage{}_L2_0.weight", limit=32),
                extent(flat, "Mconv7_stage{}_L1.weight", "Mconv1_stage{}_L1_0.weight", limit=32),
            ),
        )
    if any(key in flat for key in ("conv5_5_CPM_L1.weight", "conv5_5_CPM_L2.weight")):
        return _body(
            layout,
            limbs=size(flat, ("conv5_5_CPM_L1.weight", 0), ("conv5_5_CPM_L1.bias", 0)),
            maps=size(flat, ("conv5_5_CPM_L2.weight", 0), ("conv5_5_CPM_L2.bias", 0)),
            stages=1
            + extent(
                flat, "Mconv7_stage{}_L1.weight", "Mconv1_stage{}_L2.weight", start=2, limit=32
            ),
            features=size(flat, ("conv4_4_CPM.weight", 0), ("conv5_1_CPM_L1.weight", 1)),
        )
    if any(key in flat for key in ("conv6_2_CPM.weight", "conv6_2_CPM.bias")):
        return _part(
            layout,
            maps=size(flat, ("conv6_2_CPM.weight", 0), ("conv6_2_CPM.bias", 0)),
            stages=1
            + extent(flat, "Mconv7_stage{}.weight", "Mconv1_stage{}.weight", start=2, limit=32),
            features=size(flat, ("conv5_3_CPM.weight", 0), ("conv6_1_CPM.weight", 1)),
        )
    raise NotThisError("no `conv5_5_CPM_L1.weight`, `conv6_2_CPM.weight` or `Mconv7_stage0_L2`")


def examples() -> Iterator[Claim]:
    """The published networks."""
    yield _body("caffe", limbs=38, maps=19)
    yield _body("pytorch", limbs=38, maps=19)
    yield _body("caffe", limbs=28, maps=16)
    yield _part("caffe", maps=22)
    yield _part("pytorch", maps=22)
    yield _part("caffe", maps=71)
    yield _body_25("caffe", limbs=52, maps=26)
    yield _body_25("pytorch", limbs=52, maps=26)


def _flattened(shapes: Shapes) -> tuple[str, dict[str, Shape]]:
    """The layout, and the table under caffe's names."""
    flat = {".".join(key.split(".")[-2:]): shape for key, shape in shapes.items()}
    require(len(flat) == len(shapes), "layers of one name lie in several modules")
    caffe = any(key in shapes for key in ("conv1_1.weight", "conv1_1.bias", "conv1_2.weight"))
    return "caffe" if caffe else "pytorch", flat


def body_layers(*, limbs: int, maps: int, stages: int, features: int) -> Layers:
    """The convolutions of a body network, in order."""
    layers = _features("model0", ("conv4_3_CPM", 256), ("conv4_4_CPM", features))
    for branch, outputs in ((1, limbs), (2, maps)):
        end = f"L{branch}"
        layers += [
            (f"model1_{branch}", f"conv5_1_CPM_{end}", 128, features, 3),
            (f"model1_{branch}", f"conv5_2_CPM_{end}", 128, 128, 3),
            (f"model1_{branch}", f"conv5_3_CPM_{end}", 128, 128, 3),
            (f"model1_{branch}", f"conv5_4_CPM_{end}", 512, 128, 1),
            (f"model1_{branch}", f"conv5_5_CPM_{end}", outputs, 512, 1),
        ]
        for stage in range(2, stages + 1):
            layers += _refinement(
                f"model{stage}_{branch}", f"stage{stage}_{end}", features + limbs + maps, outputs
            )
    return layers


def part_layers(*, maps: int, stages: int, features: int) -> Layers:
    """The convolutions of a hand or face network, in order."""
    layers = _features(
        "model1_0",
        ("conv4_3", 512),
        ("conv4_4", 512),
        ("conv5_1", 512),
        ("conv5_2", 512),
        ("conv5_3_CPM", features),
    )
    layers += [
        ("model1_1", "conv6_1_CPM", 512, features, 1),
        ("model1_1", "conv6_2_CPM", maps, 512, 1),
    ]
    for stage in range(2, stages + 1):
        layers += _refinement(f"model{stage}", f"stage{stage}", features + maps, maps)
    return layers


def _body(layout: str, *, limbs: int, maps: int, stages: int = 6, features: int = 128) -> Claim:
    layers = body_layers(limbs=limbs, maps=maps, stages=stages, features=features)
    variant, finds = _BODIES.get(maps, (f"body_{maps - 1}", f"{maps - 1} joints"))
    return Claim(
        variant=variant,
        title=f"OpenPose body, {finds}",
        config={
            "keypoints": maps - 1,
            "paf_channels": limbs,
            "heatmap_channels": maps,
            "stages": stages,
            "features": features,
            "stride": 8,
        },
        tensors=_tensors(layers, layout),
        layout=layout,
        evidence=(
            f"`conv5_5_CPM_L2.weight` has {maps} rows: {maps - 1} joints and background",
            f"`conv5_5_CPM_L1.weight` has {limbs} rows: {limbs // 2} limbs",
            f"{stages} stages",
        ),
        input_channels=3,
        output_channels=limbs + maps,
    )


def _part(layout: str, *, maps: int, stages: int = 6, features: int = 128) -> Claim:
    layers = part_layers(maps=maps, stages=stages, features=features)
    variant, finds = _PARTS.get(maps, (f"points_{maps - 1}", f"{maps - 1} points"))
    return Claim(
        variant=variant,
        title=f"OpenPose {variant}, {finds}" if maps in _PARTS else f"OpenPose, {finds}",
        config={
            "keypoints": maps - 1,
            "heatmap_channels": maps,
            "stages": stages,
            "features": features,
            "stride": 8,
        },
        tensors=_tensors(layers, layout),
        layout=layout,
        evidence=(
            f"`conv6_2_CPM.weight` has {maps} rows: {maps - 1} points and background",
            f"{stages} stages",
        ),
        input_channels=3,
        output_channels=maps,
    )


def _body_25(layout: str, *, limbs: int, maps: int, stages: tuple[int, int] = (4, 2)) -> Claim:
    """The network of 2018: 3x3 convolutions in threes, limbs first; PReLU instead of ReLU."""
    features = 128
    tensors: dict[str, Shape] = {}
    lead = "" if layout == "caffe" else "model0."
    for _, name, out, inp, kernel in _features("", ("conv4_3_CPM", 256), ("conv4_4_CPM", features)):
        put(tensors, lead, conv(name, out, inp, kernel))
        if name in ("conv4_2", "conv4_3_CPM", "conv4_4_CPM"):
            tensors[f"{lead}prelu{name[4:]}.weight"] = (out,)
    for branch, number, outputs in ((2, stages[0], limbs), (1, stages[1], maps)):
        for stage in range(number):
            inp = features
            inp += limbs if (stage or branch == 1) else 0
            inp += maps if (stage and branch == 1) else 0
            width, hidden = (128, 512) if stage else (96, 256)
            _put_dense_stage(
                tensors, layout, f"stage{stage}_L{branch}", inp, width, hidden, outputs
            )
    variant = "body_25" if maps == 26 else f"body_{maps - 1}"
    return Claim(
        variant=variant,
        title=f"OpenPose {variant.upper()}, {maps - 1} joints",
        config={
            "keypoints": maps - 1,
            "paf_channels": limbs,
            "heatmap_channels": maps,
            "paf_stages": stages[0],
            "heatmap_stages": stages[1],
            "stride": 8,
        },
        tensors=tensors,
        layout=layout,
        evidence=(
            f"`Mconv7_stage0_L1.weight` has {maps} rows: {maps - 1} joints and background",
            f"`Mconv7_stage0_L2.weight` has {limbs} rows: {limbs // 2} limbs",
        ),
        input_channels=3,
        output_channels=limbs + maps,
    )


def _put_dense_stage(
    tensors: dict[str, Shape],
    layout: str,
    stage: str,
    inp: int,
    width: int,
    hidden: int,
    outputs: int,
) -> None:
    for number in range(1, 6):
        for step in range(3):
            name = f"{number}_{stage}_{step}"
            lead = "" if layout == "caffe" else f"models.Mconv{number}_{stage}.{step}."
            put(tensors, lead, conv(f"Mconv{name}", width, inp if step == 0 else width, 3))
            tensors[f"{lead}Mprelu{name}.weight"] = (width,)
        inp = 3 * width
    lead = "" if layout == "caffe" else f"models.Mconv6_7_{stage}."
    place = "" if layout == "caffe" else "0."
    put(tensors, lead + place, conv(f"Mconv6_{stage}", hidden, inp))
    tensors[f"{lead}{place}Mprelu6_{stage}.weight"] = (hidden,)
    place = "" if layout == "caffe" else "1."
    put(tensors, lead + place, conv(f"Mconv7_{stage}", outputs, hidden))


def _features(module: str, *more: tuple[str, int]) -> Layers:
    layers: Layers = []
    inp = 3
    for name, out in (*_VGG, *more):
        layers.append((module, name, out, inp, 3))
        inp = out
    return layers


def _refinement(module: str, stage: str, inp: int, outputs: int) -> Layers:
    """One later stage: five 7x7 convolutions and two 1x1."""
    return [
        (module, f"Mconv1_{stage}", 128, inp, 7),
        *((module, f"Mconv{number}_{stage}", 128, 128, 7) for number in range(2, 6)),
        (module, f"Mconv6_{stage}", 128, 128, 1),
        (module, f"Mconv7_{stage}", outputs, 128, 1),
    ]


def _tensors(layers: Layers, layout: str) -> dict[str, Shape]:
    tensors: dict[str, Shape] = {}
    for module, name, out, inp, kernel in layers:
        tensors |= conv(name if layout == "caffe" else f"{module}.{name}", out, inp, kernel)
    return tensors


FAMILY = Family(
    name="openpose",
    title="OpenPose",
    task="pose estimation",
    steps=("pose_estimation",),
    markers=(
        ("conv1_1.weight", "conv5_5_CPM_L1.weight"),
        ("conv5_5_CPM_L2.weight", "Mconv7_stage2_L1.weight"),
        ("conv1_1.weight", "conv6_2_CPM.weight"),
        ("conv6_1_CPM.weight", "Mconv7_stage2.weight"),
        ("conv1_1.weight", "Mconv7_stage0_L2.weight"),
        ("Mconv7_stage0_L1.weight", "Mconv7_stage1_L2.weight"),
        ("model0.conv1_1.weight", "model1_1.conv5_5_CPM_L1.weight"),
        ("model1_2.conv5_5_CPM_L2.weight", "model2_1.Mconv7_stage2_L1.weight"),
        ("model1_0.conv1_1.weight", "model1_1.conv6_2_CPM.weight"),
        ("model1_1.conv6_1_CPM.weight", "model2.Mconv7_stage2.weight"),
        ("model0.conv1_1.weight", "models.Mconv6_7_stage0_L2.1.Mconv7_stage0_L2.weight"),
        ("model0.prelu4_2.weight", "models.Mconv6_7_stage0_L1.1.Mconv7_stage0_L1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("body_pose_model.pth", "coco"),
        Published("hand_pose_model.pth", "hand"),
        Published("facenet.pth", "face"),
        Published("body_25.pth", "body_25"),
    ),
    licence=_NON_COMMERCIAL,
    source=(
        "Hzzone/pytorch-openpose, src/model.py;"
        " CMU-Perceptual-Computing-Lab/openpose, models/pose/*/*.prototxt"
    ),
    aliases=("openpose", "body_pose", "hand_pose", "body_25"),
)
