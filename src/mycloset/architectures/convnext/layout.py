"""What ConvNeXt files look like: torchvision's, timm's and its authors' names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import conv, linear, norm, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import extent, size

_SIZES: dict[tuple[tuple[int, ...], tuple[int, ...]], str] = {
    ((2, 2, 6, 2), (40, 80, 160, 320)): "atto",
    ((2, 2, 6, 2), (48, 96, 192, 384)): "femto",
    ((2, 2, 6, 2), (64, 128, 256, 512)): "pico",
    ((2, 2, 8, 2), (80, 160, 320, 640)): "nano",
    ((3, 3, 9, 3), (96, 192, 384, 768)): "tiny",
    ((3, 3, 27, 3), (96, 192, 384, 768)): "small",
    ((3, 3, 27, 3), (128, 256, 512, 1024)): "base",
    ((3, 3, 27, 3), (192, 384, 768, 1536)): "large",
    ((3, 3, 27, 3), (256, 512, 1024, 2048)): "xlarge",
    ((3, 3, 27, 3), (352, 704, 1408, 2816)): "huge",
}
"""Blocks and widths of the stages -> the network's size."""


class _Names(NamedTuple):
    """What a layout calls its parts; `{}` is a stage's number, counted from 0."""

    stem: tuple[str, str]
    stage: str
    down: tuple[str, str]
    scale: str
    deep: str
    norm: str
    wide: str
    response: tuple[str, str]
    narrow: str
    last: str
    head: str


_LAYOUTS = {
    "timm": _Names(
        stem=("stem.0", "stem.1"),
        stage="stages.{}.blocks.",
        down=("stages.{}.downsample.0", "stages.{}.downsample.1"),
        scale="gamma",
        deep="conv_dw",
        norm="norm",
        wide="mlp.fc1",
        response=("mlp.grn.weight", "mlp.grn.bias"),
        narrow="mlp.fc2",
        last="head.norm",
        head="head.fc",
    ),
    "original": _Names(
        stem=("downsample_layers.0.0", "downsample_layers.0.1"),
        stage="stages.{}.",
        down=("downsample_layers.{}.0", "downsample_layers.{}.1"),
        scale="gamma",
        deep="dwconv",
        norm="norm",
        wide="pwconv1",
        response=("grn.gamma", "grn.beta"),
        narrow="pwconv2",
        last="norm",
        head="head",
    ),
    "torchvision": _Names(
        stem=("features.0.0", "features.0.1"),
        stage="features.{}.",
        down=("features.{}.0", "features.{}.1"),
        scale="layer_scale",
        deep="block.0",
        norm="block.2",
        wide="block.3",
        response=("block.4.weight", "block.4.bias"),
        narrow="block.5",
        last="classifier.0",
        head="classifier.2",
    ),
}


class Network(NamedTuple):
    """A whole network.

    Attributes:
        layout: whose names the keys have.
        inputs: channels of the picture.
        patch: kernel of the first convolution.
        widths: channels of each stage.
        depths: blocks of each stage.
        kernel: kernel of the depthwise convolutions.
        scaled: whether each block is scaled (the first version).
        responding: whether responses are normalised (the second version).
        flat: whether a block's wide layers are linear rather than 1x1 convolutions.
        last: whether a norm follows the stages.
        classes: labels; 0 without a head.
    """

    layout: str
    inputs: int
    patch: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    kernel: int
    scaled: bool
    responding: bool
    flat: bool
    last: bool
    classes: int


def read(shapes: Shapes) -> Claim:
    """What a ConvNeXt table is.

    Raises:
        NotThisError: it lacks the first stage.
    """
    if "features.1.0.block.0.weight" in shapes or "features.1.0.block.5.weight" in shapes:
        layout = "torchvision"
    elif "downsample_layers.0.0.weight" in shapes or "stages.0.0.pwconv1.weight" in shapes:
        layout = "original"
    else:
        layout = "timm"
    names = _LAYOUTS[layout]
    widths: list[int] = []
    depths: list[int] = []
    for stage in range(12):
        start = _start(layout, stage)
        depth = extent(
            shapes, f"{start}{{}}.{names.deep}.weight", f"{start}{{}}.{names.narrow}.weight"
        )
        if depth == 0:
            break
        depths.append(depth)
        widths.append(
            size(shapes, (f"{start}0.{names.deep}.weight", 0), (f"{start}0.{names.norm}.weight", 0))
        )
    first = _start(layout, 0) + "0."
    require(bool(depths), f"no `{first}{names.deep}.weight`")
    told = (first, _start(layout, 1) + "0.")  # Either may have lost a tensor.
    wide = shapes.get(f"{first}{names.wide}.weight") or shapes.get(f"{first}{names.narrow}.weight")
    head = f"{names.head}.weight"
    classes = 0
    if head in shapes or f"{names.head}.bias" in shapes:
        classes = size(shapes, (head, 0), (f"{names.head}.bias", 0))
    return _claim(
        Network(
            layout=layout,
            inputs=size(shapes, (f"{names.stem[0]}.weight", 1), default=3),
            patch=size(shapes, (f"{names.stem[0]}.weight", 2), default=4),
            widths=tuple(widths),
            depths=tuple(depths),
            kernel=size(shapes, (f"{first}{names.deep}.weight", 2), default=7),
            scaled=any(f"{block}{names.scale}" in shapes for block in told),
            responding=any(f"{first}{key}" in shapes for key in names.response),
            flat=wide is None or len(wide) != 4,
            # A head of somebody's own may stand in the norm's place.
            last=len(shapes.get(f"{names.last}.weight", (0,))) == 1
            and (f"{names.last}.weight" in shapes or f"{names.last}.bias" in shapes),
            classes=classes,
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks, first version under three names and second under two."""
    for (depths, widths), name in _SIZES.items():
        plain = Network("timm", 3, 4, widths, depths, 7, True, False, True, True, 1000)
        if name in ("tiny", "small", "base", "large"):
            yield _claim(plain)
            yield _claim(plain._replace(layout="torchvision"))
            yield _claim(plain._replace(layout="original"))
        second = plain._replace(scaled=False, responding=True)
        if name in ("atto", "femto", "pico", "nano"):
            yield _claim(second._replace(flat=False))
        yield _claim(second._replace(layout="original"))


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    layout, widths = network.layout, network.widths
    names = _LAYOUTS[layout]
    found = conv(names.stem[0], widths[0], network.inputs, network.patch)
    found |= norm(names.stem[1], widths[0])
    if layout == "original":
        for stage in range(1, len(widths)):
            _put_down(found, layout, stage, widths)
    for stage, (width, depth) in enumerate(zip(widths, network.depths, strict=True)):
        if stage and layout != "original":
            _put_down(found, layout, stage, widths)
        start = _start(layout, stage)
        block = _block(
            layout, width, network.kernel, network.scaled, network.responding, network.flat
        )
        for number in range(depth):
            put(found, f"{start}{number}.", block)
    if network.last:
        found |= norm(names.last, widths[-1])
    if network.classes:
        found |= linear(names.head, network.classes, widths[-1])
    return found


def _start(layout: str, stage: int) -> str:
    # In torchvision's, stages and what leads to them take turns.
    place = 2 * stage + 1 if layout == "torchvision" else stage
    return _LAYOUTS[layout].stage.format(place)


def _put_down(found: dict[str, Shape], layout: str, stage: int, widths: tuple[int, ...]) -> None:
    place = 2 * stage if layout == "torchvision" else stage
    before, after = _LAYOUTS[layout].down
    found |= norm(before.format(place), widths[stage - 1])
    found |= conv(after.format(place), widths[stage], widths[stage - 1], 2)


@lru_cache(maxsize=128)
def _block(
    layout: str, width: int, kernel: int, scaled: bool, responding: bool, flat: bool
) -> Mapping[str, Shape]:
    names = _LAYOUTS[layout]
    hidden = 4 * width
    found: dict[str, Shape] = {}
    if scaled:
        found[names.scale] = (width, 1, 1) if layout == "torchvision" else (width,)
    found |= conv(names.deep, width, width, kernel, groups=width) | norm(names.norm, width)
    layer = linear if flat else conv
    found |= layer(names.wide, hidden, width)
    if responding:
        shape = (1, 1, 1, hidden) if layout == "original" else (hidden,)
        found |= dict.fromkeys(names.response, shape)
    return MappingProxyType(found | layer(names.narrow, width, hidden))


def _claim(network: Network) -> Claim:
    known = _SIZES.get((network.depths, network.widths))
    version = "convnextv2" if network.responding else "convnext"
    name = f"{version}_{known or 'custom'}"
    classes = network.classes
    names = _LAYOUTS[network.layout]
    first = _start(network.layout, 0) + f"0.{names.deep}.weight"
    kernel = network.kernel
    head = f"classifier of {classes} classes" if classes else "features alone"
    return Claim(
        variant=name,
        title=f"ConvNeXt{' v2' if network.responding else ''} {known or 'custom'}, {head}",
        config={
            "depths": list(network.depths),
            "dims": list(network.widths),
            "kernel_size": kernel,
            "patch_size": network.patch,
            "layer_scale": network.scaled,
            "use_grn": network.responding,
            "num_classes": classes or None,
            "input_channels": network.inputs,
        },
        tensors=tensors(network),
        layout=network.layout,
        evidence=(
            f"stages of {', '.join(map(str, network.depths))} blocks"
            f" and {', '.join(map(str, network.widths))} channels",
            f"`{first}` is {[network.widths[0], 1, kernel, kernel]}",
            *((f"`{names.head}.weight` has {classes} rows",) if classes else ()),
        ),
        undecidable=("what it was trained on",),
        task="image classification" if classes else "image features",
        input_channels=network.inputs,
        output_channels=classes or network.widths[-1],
        confidence=1.0 if known else 0.9,
    )


_FILES = {
    "tiny": "983f1562",
    "small": "0c510722",
    "base": "6075fbad",
    "large": "ea097f82",
}
"""Size -> how the SHA-256 of torchvision's file begins, as its name says."""

FAMILY = Family(
    name="convnext",
    title="ConvNeXt",
    task="image classification",
    steps=(),
    markers=(
        ("features.0.0.weight", "features.1.0.block.0.weight", "features.1.0.block.5.weight"),
        ("features.0.1.weight", "features.1.0.block.5.bias", "features.3.0.block.0.bias"),
        ("stem.0.weight", "stages.0.blocks.0.conv_dw.weight", "stages.0.blocks.0.mlp.fc1.weight"),
        ("stem.1.weight", "stages.0.blocks.0.conv_dw.bias", "stages.0.blocks.0.mlp.fc2.weight"),
        ("downsample_layers.0.0.weight", "stages.0.0.dwconv.weight"),
        ("downsample_layers.1.0.weight", "stages.0.0.pwconv1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        *(
            Published(f"convnext_{name}-{start}.pth", f"convnext_{name}", start)
            for name, start in _FILES.items()
        ),
        *(Published(f"convnext_{name}_1k_224*.pth", f"convnext_{name}") for name in _FILES),
    ),
    licence="MIT",
    source=(
        "facebookresearch/ConvNeXt, models/convnext.py; pytorch/vision,"
        " torchvision/models/convnext.py; huggingface/pytorch-image-models, timm/models/convnext.py"
    ),
    aliases=("convnext",),
)
