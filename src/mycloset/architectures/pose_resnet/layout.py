"""What SimpleBaseline files look like: a ResNet and transposed convolutions, in three layouts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import basic_block, batch_norm, bottleneck, conv, conv_norm, put
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

_DEPTHS: dict[tuple[bool, tuple[int, ...]], int] = {
    (False, (2, 2, 2, 2)): 18,
    (False, (3, 4, 6, 3)): 34,
    (True, (3, 4, 6, 3)): 50,
    (True, (3, 4, 23, 3)): 101,
    (True, (3, 8, 36, 3)): 152,
}
_PLANES = (64, 128, 256, 512)
_SETS = {14: "CrowdPose", 16: "MPII", 17: "COCO", 21: "hand", 133: "COCO-WholeBody"}

_LAYOUTS = {
    "original": ("", ""),
    "mmpose-0.x": ("backbone.", "keypoint_head."),
    "mmpose-1.x": ("backbone.", "head."),
}
"""Layout -> what stands before the ResNet's keys and before the others."""


class Network(NamedTuple):
    """A whole network.

    Attributes:
        deep: whether its blocks are bottlenecks.
        blocks: blocks of the ResNet's layers.
        deconvs: outputs and kernel of each transposed convolution.
        biased: whether the transposed convolutions have a bias.
        joints: number of heatmaps.
        kernel: kernel of the last convolution.
    """

    deep: bool
    blocks: tuple[int, ...]
    deconvs: tuple[tuple[int, int], ...]
    biased: bool
    joints: int
    kernel: int


def read(shapes: Shapes) -> Claim:
    """What a SimpleBaseline table is.

    Raises:
        NotThisError: it lacks the ResNet or the transposed convolutions.
    """
    for layout, (lead, head) in _LAYOUTS.items():
        deconv = f"{head}deconv_layers."
        if f"{deconv}0.weight" in shapes or f"{deconv}1.weight" in shapes:
            return _claim(_read(shapes, lead, head), layout)
    raise NotThisError("no `deconv_layers.0.weight`")


def examples() -> Iterator[Claim]:
    """The published networks."""
    for (deep, blocks), depth in _DEPTHS.items():
        layout = "mmpose-0.x" if depth == 18 else "mmpose-1.x" if depth == 34 else "original"
        yield _claim(Network(deep, blocks, ((256, 4),) * 3, False, 17, 1), layout)


def _read(shapes: Shapes, lead: str, head: str) -> Network:
    deconv = f"{head}deconv_layers."
    deconvs: list[tuple[int, int]] = []
    while len(deconvs) < 16:
        place = f"{deconv}{3 * len(deconvs)}.weight"
        norm = f"{deconv}{3 * len(deconvs) + 1}.weight"
        if place not in shapes and norm not in shapes:
            break
        deconvs.append((size(shapes, (norm, 0), (place, 1)), size(shapes, (place, 2), default=4)))
    blocks = tuple(
        extent(
            shapes,
            f"{lead}layer{layer}.{{}}.conv1.weight",
            f"{lead}layer{layer}.{{}}.conv2.weight",
        )
        for layer in range(1, 5)
    )
    require(min(blocks) > 0, f"no `{lead}layer1.0.conv1.weight` … `{lead}layer4.0.conv1.weight`")
    final = f"{head}final_layer."
    return Network(
        deep=any(f"{lead}layer1.0.{name}.weight" in shapes for name in ("conv3", "bn3")),
        blocks=blocks,
        deconvs=tuple(deconvs),
        biased=f"{deconv}0.bias" in shapes,
        joints=size(shapes, (f"{final}weight", 0), (f"{final}bias", 0)),
        kernel=size(shapes, (f"{final}weight", 2), default=1),
    )


def _claim(network: Network, layout: str) -> Claim:
    depth = _DEPTHS.get((network.deep, network.blocks))
    name = str(depth) if depth else "x".join(map(str, network.blocks))
    joints = " ".join((str(network.joints), _SETS.get(network.joints, ""))).strip()
    _, head = _LAYOUTS[layout]
    return Claim(
        variant=f"resnet{name}",
        title=f"SimpleBaseline on ResNet-{name}, {joints} joints",
        config={
            "num_layers": depth,
            "blocks": list(network.blocks),
            "block": "BOTTLENECK" if network.deep else "BASIC",
            "num_joints": network.joints,
            "num_deconv_layers": len(network.deconvs),
            "num_deconv_filters": [out for out, _ in network.deconvs],
            "num_deconv_kernels": [kernel for _, kernel in network.deconvs],
            "deconv_with_bias": network.biased,
            "final_conv_kernel": network.kernel,
        },
        tensors=tensors(network, layout),
        layout=layout,
        evidence=(
            f"`{head}final_layer.weight` has {network.joints} rows: {network.joints} joints",
            f"layers of {', '.join(map(str, network.blocks))} blocks",
            f"{len(network.deconvs)} transposed convolutions",
        ),
        undecidable=("the input size: 256x192 and 384x288 have the same tensors",),
        input_channels=3,
        output_channels=network.joints,
        licence="MIT" if layout == "original" else "Apache-2.0",
    )


def tensors(network: Network, layout: str) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    lead, head = _LAYOUTS[layout]
    found: dict[str, Shape] = {}
    put(found, lead, conv_norm(64, 3, 7, ("conv1", "bn1")))
    make = bottleneck if network.deep else basic_block
    width = 64
    for layer, (blocks, planes) in enumerate(zip(network.blocks, _PLANES, strict=True), 1):
        out = 4 * planes if network.deep else planes
        for block in range(blocks):
            down = block == 0 and (layer > 1 or width != out)
            put(found, f"{lead}layer{layer}.{block}.", make(width, planes, down=down))
            width = out
    for number, (out, kernel) in enumerate(network.deconvs):
        place = f"{head}deconv_layers.{3 * number}"
        # A transposed convolution has its inputs first.
        found[f"{place}.weight"] = (width, out, kernel, kernel)
        if network.biased:
            found[f"{place}.bias"] = (out,)
        found |= batch_norm(f"{head}deconv_layers.{3 * number + 1}", out)
        width = out
    return found | conv(f"{head}final_layer", network.joints, width, network.kernel)


FAMILY = Family(
    name="pose_resnet",
    title="SimpleBaseline",
    task="pose estimation",
    steps=("pose_estimation",),
    markers=tuple(
        group
        for lead, head in _LAYOUTS.values()
        for group in (
            (f"{lead}layer1.0.conv1.weight", f"{head}deconv_layers.0.weight"),
            (f"{lead}layer4.0.conv2.weight", f"{head}deconv_layers.1.weight"),
        )
    ),
    read=read,
    examples=examples,
    published=tuple(
        Published(f"pose_resnet_{depth}_{size}.pth*", f"resnet{depth}")
        for depth in (50, 101, 152)
        for size in ("256x192", "384x288", "256x256", "384x384")
    ),
    licence="MIT",
    source="microsoft/human-pose-estimation.pytorch, lib/models/pose_resnet.py",
    aliases=("pose_resnet", "simple_baseline", "simplebaseline"),
)
