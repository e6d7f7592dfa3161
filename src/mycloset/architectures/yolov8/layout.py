"""What YOLOv8 files look like: detectors, pose, mask, oriented-box and class networks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.reading import extent, size
from mycloset.architectures.yolov8.tensors import Head, Network, tensors
from mycloset.architectures.yolov8.topology import (
    CLASSIFIER,
    CLASSIFIER_SCALES,
    DETECTORS,
    SCALES,
    Layer,
    Topology,
)

_TASKS = {
    "detect": ("", "object detection", ()),
    "pose": ("-pose", "pose estimation", ("pose_estimation",)),
    "segment": ("-seg", "instance segmentation", ()),
    "obb": ("-obb", "oriented object detection", ()),
    "classify": ("-cls", "image classification", ()),
}
"""Task -> what the published names end in, in words, the try-on steps it serves."""

_CONV = ("conv.weight", "bn.weight", "conv.bias")
"""Tensors that tell a convolution's outputs; the last only where batch norms are fused."""

_HIDDEN = 1280
"""Features of the published classifiers."""


def read(shapes: Shapes) -> Claim:
    """What a YOLOv8 table is; keys begin "model.0." or, without the outer module, "0.".

    Raises:
        NotThisError: its layers or its head are none of YOLOv8's.
    """
    lead = "model." if _any(shapes, "model.{}.conv.weight", (0, 1, 3)) else ""
    topology = _topology(shapes, lead)
    require(f"{lead}2.cv3.conv.weight" not in shapes, f"`{lead}2.cv3` is there: YOLOv5's blocks")
    scale = f"{lead}{len(topology.layers)}.cv4.0.logit_scale"
    require(scale not in shapes, f"`{scale}` is there: YOLO-World")
    outs, repeats = zip(
        *(
            _layer(shapes, f"{lead}{number}.", layer)
            for number, layer in enumerate(topology.layers)
        ),
        strict=True,
    )
    place = f"{lead}{len(topology.layers)}."
    network = Network(
        topology=topology,
        outs=outs,
        repeats=repeats,
        head=_head(shapes, place, topology),
        inputs=size(shapes, (f"{lead}0.conv.weight", 1), default=3),
        fused=_any(shapes, f"{lead}{{}}.conv.bias", (0, 1, 3))
        and not _any(shapes, f"{lead}{{}}.bn.weight", (0, 1, 3)),
    )
    return _claim(network, lead)


def examples() -> Iterator[Claim]:
    """The published networks of every scale and task."""
    for scale in SCALES:
        for task in _TASKS:
            yield _claim(_published(scale, task), "model.")
    yield _claim(_published("n", "detect", fused=True), "model.")
    yield _claim(_published("x", "detect", DETECTORS[2]), "model.")


def _any(shapes: Shapes, pattern: str, numbers: tuple[int, ...]) -> bool:
    return any(pattern.format(number) in shapes for number in numbers)


def _topology(shapes: Shapes, lead: str) -> Topology:
    """Which list of layers it is, by the number of the last."""
    for topology in DETECTORS:
        last = f"{lead}{len(topology.layers)}."
        if any(f"{last}{branch}.0.2.weight" in shapes for branch in ("cv2", "cv3")):
            return topology
    last = f"{lead}{len(CLASSIFIER.layers)}."
    require(
        f"{last}linear.weight" in shapes or f"{last}linear.bias" in shapes,
        f"no head at `{lead}22.cv2`, `{lead}28.cv2`, `{lead}30.cv2` or `{last}linear`",
    )
    return CLASSIFIER


def _layer(shapes: Shapes, place: str, layer: Layer) -> tuple[int, int]:
    """Outputs and bottlenecks of a layer."""
    if layer.kind == "conv":
        return size(shapes, *((f"{place}{key}", 0) for key in _CONV)), 0
    if layer.kind in ("up", "cat"):
        return 0, 0
    out = size(shapes, *((f"{place}cv2.{key}", 0) for key in _CONV))
    if layer.kind == "sppf":
        return out, 0
    return out, extent(shapes, f"{place}m.{{}}.cv1.conv.weight", f"{place}m.{{}}.cv2.conv.weight")


def _head(shapes: Shapes, place: str, topology: Topology) -> Head:
    if topology is CLASSIFIER:
        return Head(
            task="classify",
            classes=size(shapes, (f"{place}linear.weight", 0), (f"{place}linear.bias", 0)),
            hidden=size(shapes, (f"{place}linear.weight", 1), (f"{place}conv.conv.weight", 0)),
        )

    def hidden(branch: str) -> int:
        keys = (f"{place}{branch}.{level}.1.conv.weight" for level in range(3))
        return size(shapes, *((key, 0) for key in keys))

    def outputs(branch: str) -> int:
        keys = (f"{place}{branch}.{level}.2.weight" for level in range(3))
        return size(shapes, *((key, 0) for key in keys))

    task = "detect"
    extra = masks = (0, 0)
    if _any(shapes, f"{place}cv4.{{}}.2.weight", (0, 1, 2)):
        extra = hidden("cv4"), outputs("cv4")
        task = "obb" if extra[1] == 1 else "pose"
    if f"{place}proto.cv1.conv.weight" in shapes or f"{place}proto.cv3.conv.weight" in shapes:
        proto = f"{place}proto."
        masks = (
            size(shapes, (f"{proto}cv1.conv.weight", 0), (f"{proto}cv3.conv.weight", 1)),
            size(shapes, (f"{proto}cv3.conv.weight", 0), (f"{place}cv4.0.2.weight", 0)),
        )
        task = "segment"
    return Head(
        task=task,
        classes=outputs("cv3"),
        bins=max(1, outputs("cv2") // 4),
        box=hidden("cv2"),
        hidden=hidden("cv3"),
        extra=extra,
        masks=masks,
    )


@cache
def _published(
    scale: str, task: str, topology: Topology = DETECTORS[0], *, fused: bool = False
) -> Network:
    """A network as its configuration file and a scale's letter define it."""
    if task == "classify":
        multiples = CLASSIFIER_SCALES[scale]
        topology = CLASSIFIER
    else:
        multiples = SCALES[scale]
    outs = tuple(multiples.channels(layer) for layer in topology.layers)
    repeats = tuple(multiples.repeats(layer) for layer in topology.layers)
    if task == "classify":
        return Network(topology, outs, repeats, Head(task, 1000, hidden=_HIDDEN), fused=fused)
    finest = outs[topology.taken[0]]
    classes, outputs = {"detect": (80, 0), "segment": (80, 32), "pose": (1, 51), "obb": (15, 1)}[
        task
    ]
    head = Head(
        task=task,
        classes=classes,
        box=max(16, finest // 4, 64),
        hidden=max(finest, min(classes, 100)),
        extra=(max(finest // 4, outputs), outputs) if outputs else (0, 0),
        masks=(_prototypes(scale), 32) if task == "segment" else (0, 0),
    )
    return Network(topology, outs, repeats, head, fused=fused)


def _prototypes(scale: str) -> int:
    return SCALES[scale].channels(Layer("conv", 256))


def _scale(network: Network) -> str | None:
    """The published scale whose layers these are."""
    classifier = network.topology is CLASSIFIER
    for name, multiples in (CLASSIFIER_SCALES if classifier else SCALES).items():
        layers = network.topology.layers
        if network.outs == tuple(map(multiples.channels, layers)) and network.repeats == tuple(
            map(multiples.repeats, layers)
        ):
            return name
    return None


def _claim(network: Network, lead: str) -> Claim:
    head = network.head
    topology = network.topology
    scale = _scale(network)
    ending, task, steps = _TASKS[head.task]
    pyramid = f"-{topology.name}" if topology.name in ("p2", "p6") else ""
    variant = f"yolov8{scale or ''}{pyramid}{ending}"
    place = f"{lead}{len(topology.layers)}."
    config: dict[str, Any] = {
        "scale": scale,
        "nc": head.classes,
        "channels": [out for out in network.outs if out],
        "repeats": [number for number in network.repeats if number],
        "input_channels": network.inputs,
        "topology": topology.name,
        "head": {
            "task": head.task,
            "box": head.box,
            "hidden": head.hidden,
            "extra": list(head.extra),
            "masks": list(head.masks),
        },
        "fused": network.fused,
        "bn_eps": 0.001,
        "activation": "SiLU",
    }
    if scale is not None:
        multiples = (CLASSIFIER_SCALES if topology is CLASSIFIER else SCALES)[scale]
        config |= {
            "depth_multiple": multiples.depth,
            "width_multiple": multiples.width,
            "max_channels": multiples.most,
        }
    undecidable = ["the activation (SiLU in published files)"]
    classes = "1 class" if head.classes == 1 else f"{head.classes} classes"
    if head.task == "classify":
        evidence = [f"`{place}linear.weight` has {head.classes} rows: {classes}"]
        title = f"{_name(variant)}, {classes}"
    else:
        config |= {"reg_max": head.bins, "strides": list(topology.strides)}
        evidence = [
            f"`{place}cv3.0.2.weight` is {[head.classes, head.hidden, 1, 1]}: {classes}",
            f"`{place}cv2.0.2.weight` has {4 * head.bins} rows: {head.bins} bins a box side",
        ]
        title = f"{_name(variant)}, {classes}"
    if head.task == "pose":
        points = _points(head.extra[1])
        config["kpt_shape"] = points
        evidence.insert(
            0,
            f"`{place}cv4.0.2.weight` has {head.extra[1]} rows: {points[0]} points of {points[1]}",
        )
        title = f"{_name(variant)}, {points[0]} points"
        if head.extra[1] % 6 == 0:
            undecidable.append(
                f"whether its points are {head.extra[1] // 3} with a visibility"
                f" or {head.extra[1] // 2} without"
            )
    if head.task == "segment":
        config |= {"npr": head.masks[0], "nm": head.masks[1]}
        evidence.insert(0, f"`{place}proto.cv3.conv.weight` gives {head.masks[1]} masks")
    if network.fused:
        evidence.append(f"`{lead}0.conv.bias` instead of a batch norm: fused")
    return Claim(
        variant=variant,
        title=title,
        config=config,
        tensors=tensors(network, lead),
        layout="ultralytics" if lead else "sequential",
        evidence=tuple(evidence),
        undecidable=tuple(undecidable),
        task=task,
        steps=steps,
        input_channels=network.inputs,
        output_channels=head.classes,
    )


def _name(variant: str) -> str:
    return variant.replace("yolo", "YOLO", 1)


def _points(outputs: int) -> list[int]:
    """Points and values per point (x, y and mostly a visibility)."""
    return [outputs // 3, 3] if outputs % 3 == 0 or outputs % 2 else [outputs // 2, 2]


FAMILY = Family(
    name="yolov8",
    title="YOLOv8",
    task="object detection",
    steps=("pose_estimation",),
    markers=tuple(
        group
        for lead in ("model.", "")
        for group in (
            (f"{lead}2.m.0.cv1.conv.weight", f"{lead}22.cv2.0.2.weight"),
            (f"{lead}0.conv.weight", f"{lead}22.cv3.1.2.weight"),
            (f"{lead}2.m.0.cv1.conv.weight", f"{lead}28.cv2.0.2.weight"),
            (f"{lead}2.m.0.cv1.conv.weight", f"{lead}30.cv2.0.2.weight"),
            (f"{lead}4.cv2.conv.weight", f"{lead}28.cv3.1.2.weight"),
            (f"{lead}4.cv2.conv.weight", f"{lead}30.cv3.1.2.weight"),
            (f"{lead}2.m.0.cv1.conv.weight", f"{lead}9.linear.weight"),
            (f"{lead}4.cv2.conv.weight", f"{lead}9.linear.bias"),
        )
    ),
    read=read,
    examples=examples,
    published=tuple(
        Published(f"yolov8{scale}{ending}.pt", f"yolov8{scale}{ending}")
        for scale in SCALES
        for ending, _, _ in _TASKS.values()
    ),
    licence="AGPL-3.0",
    source="ultralytics 8.2.103: nn/tasks.py, nn/modules/, cfg/models/v8/",
    aliases=("yolov8", "yolo8", "ultralytics"),
)
