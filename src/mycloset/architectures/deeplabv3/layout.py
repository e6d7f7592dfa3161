"""What torchvision's DeepLabv3 files look like, of any backbone depth and class count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import conv, conv_batch_norm
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import numbered, size
from mycloset.architectures.resnet.layout import name_of
from mycloset.architectures.resnet.trunk import Trunk, config_of, put_trunk, read_trunk, standard

_MOST_CONVOLUTIONS = 16


class _Sizes(NamedTuple):
    trunk: Trunk
    dilated: int
    """How many dilated 3x3 convolutions the pyramid has."""
    width: int
    joined: int
    hidden: int
    auxiliary: int
    """Channels of the auxiliary head; 0 where there is none."""
    classes: int


def _published(depths: tuple[int, ...], *, auxiliary: bool = True) -> _Sizes:
    return _Sizes(
        trunk=standard(depths, deep=True),
        dilated=3,
        width=256,
        joined=256,
        hidden=256,
        auxiliary=256 if auxiliary else 0,
        classes=21,
    )


def read(shapes: Shapes) -> Claim:
    """What a DeepLabv3 table is.

    Raises:
        NotThisError: it is none.
    """
    lead, head = "backbone.", "classifier.0."
    trunk = read_trunk(shapes, lead)
    require(len(trunk.stages) == 4, f"{len(trunk.stages)} residual stages below `{lead}`, not 4")
    branches = numbered(shapes, f"{head}convs.", most=_MOST_CONVOLUTIONS)
    require(branches > 1, f"{branches} branches below `{head}convs.`")
    auxiliary = 0
    if any(f"aux_classifier.{part}" in shapes for part in ("0.weight", "1.weight", "4.weight")):
        auxiliary = size(
            shapes,
            ("aux_classifier.0.weight", 0),
            ("aux_classifier.1.weight", 0),
            ("aux_classifier.4.weight", 1),
        )
    return _claim(
        _Sizes(
            trunk=trunk,
            dilated=branches - 2,
            width=size(shapes, (f"{head}convs.0.0.weight", 0), (f"{head}convs.0.1.weight", 0)),
            joined=size(shapes, (f"{head}project.0.weight", 0), (f"{head}project.1.weight", 0)),
            hidden=size(shapes, ("classifier.1.weight", 0), ("classifier.2.weight", 0)),
            auxiliary=auxiliary,
            classes=size(shapes, ("classifier.4.weight", 0), ("classifier.4.bias", 0)),
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks, and the same without the head that only training needs."""
    for depths in ((3, 4, 6, 3), (3, 4, 23, 3)):
        for auxiliary in (True, False):
            yield _claim(_published(depths, auxiliary=auxiliary))


def _claim(sizes: _Sizes) -> Claim:
    trunk = sizes.trunk
    backbone = name_of(trunk)
    classes = sizes.classes
    deep = trunk.out
    return Claim(
        variant=backbone,
        title=f"DeepLabv3 on {backbone}, {classes} classes",
        config={
            "num_classes": classes,
            "backbone": backbone,
            **config_of(trunk),
            "aspp_dilated": sizes.dilated,
            "aspp_channels": sizes.width,
            "aspp_out_channels": sizes.joined,
            "head_channels": sizes.hidden,
            "aux_loss": bool(sizes.auxiliary),
            "aux_channels": sizes.auxiliary or None,
        },
        tensors=_tensors(sizes),
        layout="torchvision",
        evidence=(
            f"`classifier.4.weight` is {[classes, sizes.hidden, 1, 1]}: {classes} classes"
            + (", as many as Pascal VOC has" if classes == 21 else ""),
            f"`classifier.0.convs.0.0.weight` is {[sizes.width, deep, 1, 1]}: a pyramid of"
            f" {sizes.dilated} dilated convolutions on {backbone}",
            "`aux_classifier.0.weight`: an auxiliary head"
            if sizes.auxiliary
            else "no `aux_classifier.0.weight`",
        ),
        undecidable=("the dilations of its pyramid (12, 24, 36 as published)", "the output stride"),
        input_channels=trunk.inputs,
        output_channels=classes,
    )


def _tensors(sizes: _Sizes) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    put_trunk(found, sizes.trunk, "backbone.")
    deep = sizes.trunk.out
    place = "classifier.0.convs."
    for number in range(sizes.dilated + 1):
        kernel = 3 if number else 1
        found |= conv_batch_norm(
            f"{place}{number}.0", f"{place}{number}.1", sizes.width, deep, kernel
        )
    pooled = f"{place}{sizes.dilated + 1}."
    found |= conv_batch_norm(f"{pooled}1", f"{pooled}2", sizes.width, deep)
    branches = (sizes.dilated + 2) * sizes.width
    found |= conv_batch_norm(
        "classifier.0.project.0", "classifier.0.project.1", sizes.joined, branches
    )
    found |= conv_batch_norm("classifier.1", "classifier.2", sizes.hidden, sizes.joined, 3)
    found |= conv("classifier.4", sizes.classes, sizes.hidden)
    if sizes.auxiliary:
        middle = sizes.trunk.stages[2].out
        found |= conv_batch_norm("aux_classifier.0", "aux_classifier.1", sizes.auxiliary, middle, 3)
        found |= conv("aux_classifier.4", sizes.classes, sizes.auxiliary)
    return found


FAMILY = Family(
    name="deeplabv3",
    title="DeepLabv3",
    task="semantic segmentation",
    steps=("cloth_segmentation", "human_parsing"),
    markers=(
        ("backbone.conv1.weight", "classifier.0.convs.0.0.weight"),
        ("backbone.layer4.0.conv1.weight", "classifier.0.project.0.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("deeplabv3_resnet101_coco-586e9e4e.pth", "resnet101", "586e9e4e"),
        Published("deeplabv3_resnet50_coco-cd0a2569.pth", "resnet50", "cd0a2569"),
    ),
    licence="BSD-3-Clause",
    source="torchvision, models/segmentation/deeplabv3.py",
    aliases=("deeplabv3", "deeplab"),
)
