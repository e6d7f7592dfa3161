"""What ResNet files look like: torchvision's classifiers, and trunks without their head."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.blocks import linear
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import ratio, size
from mycloset.architectures.resnet.trunk import (
    NAMED,
    NUMBERED,
    Trunk,
    put_trunk,
    read_trunk,
    standard,
)

_DEPTHS: dict[tuple[bool, tuple[int, ...]], int] = {
    (False, (2, 2, 2, 2)): 18,
    (False, (3, 4, 6, 3)): 34,
    (True, (2, 2, 2, 2)): 26,
    (True, (3, 4, 6, 3)): 50,
    (True, (3, 4, 23, 3)): 101,
    (True, (3, 8, 36, 3)): 152,
    (True, (3, 24, 36, 3)): 200,
}
"""Whether blocks are bottlenecks, and their numbers -> the depth in the network's name."""

_FOREIGN = {
    "conv2.weight": "a stem of several convolutions",
    "prelu.weight": "a face-recognition ResNet",
    "deconv_layers.0.weight": "a pose network on a ResNet",
}
"""Keys beside a ResNet's that show another network."""


def read(shapes: Shapes) -> Claim:
    """What a ResNet table is.

    Raises:
        NotThisError: it lacks the stages, or they belong to another network.
    """
    for key, what in _FOREIGN.items():
        require(key not in shapes, f"`{key}` is there: {what}")
    numbered = "layer1.0.conv1.weight" not in shapes and "layer1.0.conv2.weight" not in shapes
    trunk = read_trunk(shapes, names=NUMBERED if numbered else NAMED)
    require(len(trunk.stages) > 1, "it has one stage only")
    classes = 0
    if "fc.weight" in shapes or "fc.bias" in shapes:
        classes = size(shapes, ("fc.weight", 0), ("fc.bias", 0))
    return _claim(trunk, classes, numbered=numbered)


def examples() -> Iterator[Claim]:
    """The published networks, and trunks of the usual ones."""
    for (deep, layers), depth in _DEPTHS.items():
        yield _claim(standard(layers, deep=deep), 1000)
        if depth != 26:
            yield _claim(standard(layers, deep=deep), 0)
    for layers, groups, base in (
        ((3, 4, 6, 3), 1, 128),
        ((3, 4, 23, 3), 1, 128),
        ((3, 4, 6, 3), 32, 4),
        ((3, 4, 23, 3), 32, 8),
        ((3, 4, 23, 3), 64, 4),
    ):
        yield _claim(standard(layers, deep=True, groups=groups, base=base), 1000)


def name_of(trunk: Trunk) -> str:
    """A trunk's name as torchvision gives it ("resnext50_32x4d"); cut and changed ones by size."""
    depth = _DEPTHS.get((trunk.deep, trunk.layers))
    deeper = 2 + sum(trunk.layers) * (3 if trunk.deep else 2)
    name = str(depth) if depth else f"{deeper}_{'x'.join(map(str, trunk.layers))}"
    first = trunk.stages[0]
    base = base_width(trunk)
    if first.groups > 1:
        name = f"resnext{name}_{first.groups}x{base}d"
    elif trunk.deep and base != 64 and isinstance(base, int) and base % 64 == 0:
        name = f"wide_resnet{name}_{base // 64}"
    else:
        name = f"resnet{name}"
    planes = first.out // 4 if trunk.deep else first.out
    return name if planes == 64 else f"{name}_planes{planes}"


def base_width(trunk: Trunk) -> int | float:
    """Channels of a group, 64 planes given (torchvision's `width_per_group`)."""
    first = trunk.stages[0]
    if not trunk.deep:
        return 64
    return ratio(first.width * 256, max(first.out, 1) * first.groups)


def _claim(trunk: Trunk, classes: int, *, numbered: bool = False) -> Claim:
    name = name_of(trunk)
    names = NUMBERED if numbered else NAMED
    tensors: dict[str, Shape] = {}
    put_trunk(tensors, trunk, names=names)
    if classes:
        tensors |= linear("fc", classes, trunk.out)
    first = trunk.stages[0]
    kind = "bottlenecks" if trunk.deep else "basic blocks"
    width = f"`{names.stages[0]}.0.conv2.weight` has {first.width} channels"
    if first.groups > 1:
        width += f" in {first.groups} groups"
    evidence = [f"stages of {', '.join(map(str, trunk.layers))} {kind}", width]
    head = f"classifier of {classes} classes" if classes else "trunk without a head"
    if classes:
        evidence.insert(0, f"`fc.weight` is {[classes, trunk.out]}: {classes} classes")
    title = name.replace("resnet", "ResNet-").replace("resnext", "ResNeXt-")
    return Claim(
        variant=name,
        title=f"{title.replace('wide_', 'Wide ')}, {head}",
        config={
            "block": trunk.block,
            "layers": list(trunk.layers),
            "num_classes": classes or None,
            "groups": first.groups,
            "width_per_group": base_width(trunk),
            "planes": [s.out // 4 if trunk.deep else s.out for s in trunk.stages],
            "stem_channels": trunk.stem,
            "input_channels": trunk.inputs,
            **({} if trunk.kernel == 7 else {"stem_kernel": trunk.kernel}),
        },
        tensors=tensors,
        layout="torchvision-sequential" if numbered else "torchvision",
        evidence=tuple(evidence),
        undecidable=(
            "where bottlenecks have their stride (1x1 in the paper, 3x3 in torchvision)",
            *(() if classes == 1000 else ("what it was trained on",)),
        )
        if trunk.deep
        else (() if classes == 1000 else ("what it was trained on",)),
        task="image classification" if classes else "image features",
        input_channels=trunk.inputs,
        output_channels=classes or trunk.out,
    )


_HASHES = {
    "resnet18": ("5c106cde", "f37072fd"),
    "resnet34": ("333f7ec4", "b627a593"),
    "resnet50": ("19c8e357", "0676ba61", "11ad3fa6"),
    "resnet101": ("5d3b4d8f", "63fe2227", "cd907fc2"),
    "resnet152": ("b121ed2d", "394f9c45", "f82ba261"),
    "resnext50_32x4d": ("7cdf4587", "1a0047aa"),
    "resnext101_32x8d": ("8ba56ff5", "110c445d"),
    "resnext101_64x4d": ("173b62eb",),
    "wide_resnet50_2": ("95faca4d", "9ba9bcbe"),
    "wide_resnet101_2": ("32ee1156", "d733dc28"),
}
"""Variant -> how the SHA-256 of its published files begin, as their names say."""

FAMILY = Family(
    name="resnet",
    title="ResNet",
    task="image classification",
    steps=("geometric_matching", "cloth_warping"),
    markers=(
        ("conv1.weight", "layer1.0.conv1.weight", "layer2.0.conv1.weight"),
        ("bn1.weight", "layer1.0.conv2.weight", "layer2.0.conv2.weight"),
        ("0.weight", "4.0.conv1.weight", "5.0.conv1.weight"),
        ("1.weight", "4.0.conv2.weight", "5.0.conv2.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        *(
            Published(f"{name}-{start}.pth", name, start)
            for name, starts in _HASHES.items()
            for start in starts
        ),
        *(Published(f"{name}.pth", name) for name in _HASHES),
    ),
    licence="BSD-3-Clause",
    source="pytorch/vision, torchvision/models/resnet.py",
    aliases=("resnet", "resnext", "wide_resnet"),
)
