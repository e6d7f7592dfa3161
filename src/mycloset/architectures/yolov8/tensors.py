"""The tensors of a YOLOv8 of given widths, depths and head."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import conv, conv_batch_norm, linear, put
from mycloset.architectures.family import Shape
from mycloset.architectures.yolov8.topology import Topology


class Head(NamedTuple):
    """What the last layer finds.

    Attributes:
        task: "detect", "pose", "segment", "obb" or "classify".
        classes: rows of the class branch.
        bins: values per box side, whose expectation is the side; 1 means none.
        box: hidden channels of the box branch.
        hidden: hidden channels of the class branch (of the classifier: its features).
        extra: hidden channels and outputs of the fourth branch, if there is one.
        masks: hidden channels and number of mask prototypes, for "segment".
    """

    task: str
    classes: int
    bins: int = 16
    box: int = 64
    hidden: int = 0
    extra: tuple[int, int] = (0, 0)
    masks: tuple[int, int] = (0, 0)


class Network(NamedTuple):
    """A whole network: outputs and bottlenecks of every layer (0 where it has none)."""

    topology: Topology
    outs: tuple[int, ...]
    repeats: tuple[int, ...]
    head: Head
    inputs: int = 3
    fused: bool = False
    """Batch norms are folded into the convolutions, which then have a bias."""


def tensors(network: Network, lead: str) -> dict[str, Shape]:
    """Every tensor; `lead` stands before the layers' numbers ("model.")."""
    found: dict[str, Shape] = {}
    fused = network.fused
    given: list[int] = []
    """What each layer gives, with what "cat" and "up" pass on."""
    inp = network.inputs
    for number, layer in enumerate(network.topology.layers):
        out = network.outs[number]
        place = f"{lead}{number}."
        if layer.kind == "conv":
            put(found, place, _conv(out, inp, 3, fused))
        elif layer.kind in ("c2f", "c2"):
            dense = layer.kind == "c2f"
            put(found, place, _joined(out, inp, network.repeats[number], dense, fused))
        elif layer.kind == "sppf":
            put(found, f"{place}cv1.", _conv(inp // 2, inp, 1, fused))
            put(found, f"{place}cv2.", _conv(out, inp // 2 * 4, 1, fused))
        elif layer.kind == "cat":
            out = inp + given[layer.joined]
        else:
            out = inp
        given.append(out)
        inp = out
    place = f"{lead}{len(given)}."
    head = network.head
    if head.task == "classify":
        put(found, f"{place}conv.", _conv(head.hidden, inp, 1, fused))
        put(found, place, linear("linear", head.classes, head.hidden))
        return found
    widths = [given[number] for number in network.topology.taken]
    _put_branch(found, f"{place}cv2.", widths, head.box, 4 * head.bins, fused)
    _put_branch(found, f"{place}cv3.", widths, head.hidden, head.classes, fused)
    if head.bins > 1:
        found[f"{place}dfl.conv.weight"] = (1, head.bins, 1, 1)
    if head.task == "segment":
        hidden, masks = head.masks
        put(found, f"{place}proto.cv1.", _conv(hidden, widths[0], 3, fused))
        put(found, f"{place}proto.", conv("upsample", hidden, hidden, 2))
        put(found, f"{place}proto.cv2.", _conv(hidden, hidden, 3, fused))
        put(found, f"{place}proto.cv3.", _conv(masks, hidden, 1, fused))
    if head.extra[1]:
        _put_branch(found, f"{place}cv4.", widths, *head.extra, fused)
    return found


def _put_branch(
    found: dict[str, Shape], place: str, widths: list[int], hidden: int, outputs: int, fused: bool
) -> None:
    """Two 3x3 convolutions and a plain 1x1 at every stride."""
    for number, inp in enumerate(widths):
        put(found, f"{place}{number}.0.", _conv(hidden, inp, 3, fused))
        put(found, f"{place}{number}.1.", _conv(hidden, hidden, 3, fused))
        put(found, f"{place}{number}.", conv("2", outputs, hidden))


@lru_cache(maxsize=512)
def _conv(out: int, inp: int, kernel: int, fused: bool) -> Mapping[str, Shape]:
    if fused:
        return MappingProxyType(conv("conv", out, inp, kernel))
    return MappingProxyType(conv_batch_norm("conv", "bn", out, inp, kernel))


@lru_cache(maxsize=512)
def _joined(out: int, inp: int, repeats: int, dense: bool, fused: bool) -> Mapping[str, Shape]:
    """Two halves, one through bottlenecks; `dense` joins every bottleneck's output (C2f)."""
    hidden = out // 2
    parts = 2 + repeats if dense else 2
    found: dict[str, Shape] = {}
    put(found, "cv1.", _conv(2 * hidden, inp, 1, fused))
    put(found, "cv2.", _conv(out, parts * hidden, 1, fused))
    for number in range(repeats):
        put(found, f"m.{number}.cv1.", _conv(hidden, hidden, 3, fused))
        put(found, f"m.{number}.cv2.", _conv(hidden, hidden, 3, fused))
    return MappingProxyType(found)
