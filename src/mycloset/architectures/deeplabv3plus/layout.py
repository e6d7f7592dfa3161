"""What DeepLabv3+ files look like, on a ResNet of any depth and of any class count."""

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
    branches: int
    width: int
    joined: int
    low: int
    decoder: tuple[int, int]
    classes: int


_PUBLISHED = _Sizes(
    trunk=standard((3, 4, 23, 3), deep=True),
    branches=4,
    width=256,
    joined=256,
    low=48,
    decoder=(256, 256),
    classes=21,
)


def read(shapes: Shapes) -> Claim:
    """What a DeepLabv3+ table is.

    Raises:
        NotThisError: it is none, or its backbone is no ResNet.
    """
    lead, last = "backbone.", "decoder.last_conv."
    trunk = read_trunk(shapes, lead)
    require(len(trunk.stages) == 4, f"{len(trunk.stages)} residual stages below `{lead}`, not 4")
    branches = numbered(shapes, "aspp.aspp", most=_MOST_CONVOLUTIONS + 1) - 1
    require(branches > 0, "no `aspp.aspp1.atrous_conv.weight`")
    return _claim(
        _Sizes(
            trunk=trunk,
            branches=branches,
            width=size(shapes, ("aspp.aspp1.atrous_conv.weight", 0), ("aspp.aspp1.bn.weight", 0)),
            joined=size(shapes, ("aspp.conv1.weight", 0), ("aspp.bn1.weight", 0)),
            low=size(shapes, ("decoder.conv1.weight", 0), ("decoder.bn1.weight", 0)),
            decoder=(
                size(shapes, (f"{last}0.weight", 0), (f"{last}1.weight", 0)),
                size(shapes, (f"{last}4.weight", 0), (f"{last}5.weight", 0)),
            ),
            classes=size(shapes, (f"{last}8.weight", 0), (f"{last}8.bias", 0)),
        )
    )


def examples() -> Iterator[Claim]:
    """The published network."""
    yield _claim(_PUBLISHED)


def _claim(sizes: _Sizes) -> Claim:
    trunk = sizes.trunk
    backbone = name_of(trunk)
    classes = sizes.classes
    deep = trunk.out
    return Claim(
        variant=backbone,
        title=f"DeepLabv3+ on {backbone}, {classes} classes",
        config={
            "num_classes": classes,
            "backbone": backbone,
            **config_of(trunk),
            "aspp_branches": sizes.branches,
            "aspp_channels": sizes.width,
            "aspp_out_channels": sizes.joined,
            "low_level_channels": sizes.low,
            "decoder_channels": list(sizes.decoder),
        },
        tensors=_tensors(sizes),
        evidence=(
            f"`decoder.last_conv.8.weight` is {[classes, sizes.decoder[1], 1, 1]}:"
            f" {classes} classes" + (", as many as Pascal VOC has" if classes == 21 else ""),
            f"`decoder.conv1.weight` is {[sizes.low, trunk.stages[0].out, 1, 1]}: a decoder with"
            " early features, which DeepLabv3 has not",
            f"`aspp.aspp1.atrous_conv.weight` is {[sizes.width, deep, 1, 1]}: a pyramid on"
            f" {backbone}",
        ),
        undecidable=(
            "the output stride, and with it the dilations (16: 6, 12, 18; 8: 12, 24, 36)",
        ),
        input_channels=trunk.inputs,
        output_channels=classes,
    )


def _tensors(sizes: _Sizes) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    put_trunk(found, sizes.trunk, "backbone.")
    deep = sizes.trunk.out
    for number in range(1, sizes.branches + 1):
        place, kernel = f"aspp.aspp{number}.", 1 if number == 1 else 3
        found |= conv_batch_norm(f"{place}atrous_conv", f"{place}bn", sizes.width, deep, kernel)
    found |= conv_batch_norm("aspp.global_avg_pool.1", "aspp.global_avg_pool.2", sizes.width, deep)
    found |= conv_batch_norm(
        "aspp.conv1", "aspp.bn1", sizes.joined, (sizes.branches + 1) * sizes.width
    )
    found |= conv_batch_norm("decoder.conv1", "decoder.bn1", sizes.low, sizes.trunk.stages[0].out)
    first, second = sizes.decoder
    last = "decoder.last_conv."
    found |= conv_batch_norm(f"{last}0", f"{last}1", first, sizes.joined + sizes.low, 3)
    found |= conv_batch_norm(f"{last}4", f"{last}5", second, first, 3)
    found |= conv(f"{last}8", sizes.classes, second)
    return found


FAMILY = Family(
    name="deeplabv3plus",
    title="DeepLabv3+",
    task="semantic segmentation",
    steps=("human_parsing",),
    markers=(
        ("aspp.aspp1.atrous_conv.weight", "decoder.last_conv.8.weight"),
        ("backbone.conv1.weight", "aspp.global_avg_pool.1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("deeplab-resnet.pth.tar", "resnet101"),
        Published("deeplab-resnet.pth", "resnet101"),
    ),
    licence="MIT",
    source="jfzhang95/pytorch-deeplab-xception@9135e10, modeling/{deeplab,aspp,decoder}.py",
    aliases=("deeplabv3plus", "deeplabv3+", "deeplab-resnet"),
)
