"""What files of SRVGGNetCompact look like: a plain chain of convolutions and a pixel shuffle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mycloset.architectures.blocks import conv
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import numbered, root, shape_of, size

_MOST = 512


@dataclass(frozen=True)
class Sizes:
    """What a chain is built of.

    Attributes:
        features: of each convolution.
        convolutions: between the first and the last.
        scale: by how much the result is larger.
        channels: of the picture, and of the result, which adds the enlarged picture.
        learned: whether activations have a learned slope for each feature (PReLU).
    """

    features: int
    convolutions: int
    scale: int
    channels: int = 3
    learned: bool = True


def read(shapes: Shapes) -> Claim:
    """The network that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    first = shape_of(shapes, "body.0.weight", dims=4)
    require(first[2:] == (3, 3), f"`body.0.weight` is {list(first)}, no 3x3 convolution")
    channels = first[1]
    last = numbered(shapes, "body.", most=_MOST) - 1
    require(last >= 2 and last % 2 == 0, f"its last layer is `body.{last}`")
    given = size(shapes, (f"body.{last}.bias", 0), (f"body.{last}.weight", 0))
    scale = root(given // channels) if channels and given % channels == 0 else None
    if scale is None:
        require(False, f"`body.{last}.bias` has {given} values: no square of pixels")
        scale = 1
    slope = shapes.get("body.1.weight")
    require(slope is None or len(slope) == 1, "`body.1.weight` is no slope of an activation")
    sizes = Sizes(
        features=size(shapes, ("body.0.weight", 0)),
        convolutions=last // 2 - 1,
        scale=scale,
        channels=channels,
        learned=slope is not None or "body.3.weight" in shapes,
    )
    return _claim(sizes)


def examples() -> Iterator[Claim]:
    """The published networks."""
    yield _claim(Sizes(64, 32, 4))
    yield _claim(Sizes(64, 16, 4))


def _claim(sizes: Sizes) -> Claim:
    last = 2 * sizes.convolutions + 2
    out = sizes.channels * sizes.scale**2
    undecidable = ["how strongly it denoises (the general network comes in two strengths)"]
    if not sizes.learned:
        undecidable.append("whether it activates by ReLU or LeakyReLU (taken for LeakyReLU)")
    known = {
        Sizes(64, 32, 4): ("realesr-general-x4v3", "Real-ESRGAN general x4 v3"),
        Sizes(64, 16, 4): ("realesr-animevideov3", "Real-ESRGAN for drawn films x4 v3"),
    }
    variant, title = known.get(
        sizes,
        (
            f"compact_x{sizes.scale}_{sizes.convolutions}c{sizes.features}f",
            f"SRVGGNetCompact x{sizes.scale}, {sizes.convolutions} convolutions of"
            f" {sizes.features} features",
        ),
    )
    return Claim(
        variant=variant,
        title=title,
        config={
            "num_in_ch": sizes.channels,
            "num_out_ch": sizes.channels,
            "num_feat": sizes.features,
            "num_conv": sizes.convolutions,
            "upscale": sizes.scale,
            "act_type": "prelu" if sizes.learned else "leakyrelu",
        },
        tensors=tensors(sizes),
        layout="basicsr",
        evidence=(
            f"`body.{last}.weight` is {[out, sizes.features, 3, 3]}: {sizes.channels} channels for"
            f" {sizes.scale} x {sizes.scale} pixels",
            f"{sizes.convolutions} convolutions of {sizes.features} features lie between the first"
            " and the last",
        ),
        undecidable=tuple(undecidable),
        input_channels=sizes.channels,
        output_channels=sizes.channels,
    )


def tensors(sizes: Sizes) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    features = sizes.features
    told = conv("body.0", features, sizes.channels, 3)
    for number in range(sizes.convolutions + 1):
        if number:
            told.update(conv(f"body.{2 * number}", features, features, 3))
        if sizes.learned:
            told[f"body.{2 * number + 1}.weight"] = (features,)
    last = 2 * sizes.convolutions + 2
    return told | conv(f"body.{last}", sizes.channels * sizes.scale**2, features, 3)


FAMILY = Family(
    name="srvgg",
    title="SRVGGNetCompact",
    task="super-resolution",
    steps=("post_processing",),
    markers=(("body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias"),),
    read=read,
    examples=examples,
    published=(
        Published(
            "realesr-general-x4v3.pth",
            "realesr-general-x4v3",
            "8dc7edb9ac80ccdc30c3a5dca6616509367f05fbc184ad95b731f05bece96292",
        ),
        Published("realesr-general-wdn-x4v3.pth", "realesr-general-x4v3"),
        Published("realesr-animevideov3.pth", "realesr-animevideov3"),
    ),
    licence="BSD-3-Clause",
    source="xinntao/Real-ESRGAN, realesrgan/archs/srvgg_arch.py",
    aliases=("realesr", "realesrgan", "srvgg", "compact"),
)
