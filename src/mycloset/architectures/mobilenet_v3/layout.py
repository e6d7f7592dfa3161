"""What MobileNet v3 files look like: torchvision's names, and timm's for the same networks."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.mobile import Plan, Step, eighths, read_plan, tensors

Row = tuple[int, int, int, bool]
"""Kernel, hidden and given channels of a block, and whether it weighs its channels."""

_LARGE: tuple[Row, ...] = (
    (3, 16, 16, False),
    (3, 64, 24, False),
    (3, 72, 24, False),
    (5, 72, 40, True),
    (5, 120, 40, True),
    (5, 120, 40, True),
    (3, 240, 80, False),
    (3, 200, 80, False),
    (3, 184, 80, False),
    (3, 184, 80, False),
    (3, 480, 112, True),
    (3, 672, 112, True),
    (5, 672, 160, True),
    (5, 960, 160, True),
    (5, 960, 160, True),
)
_SMALL: tuple[Row, ...] = (
    (3, 16, 16, True),
    (3, 72, 24, False),
    (3, 88, 24, False),
    (5, 96, 40, True),
    (5, 240, 40, True),
    (5, 240, 40, True),
    (5, 120, 48, True),
    (5, 144, 48, True),
    (5, 288, 96, True),
    (5, 576, 96, True),
    (5, 576, 96, True),
)
_SIZES = {"large": (_LARGE, 960, 1280), "small": (_SMALL, 576, 1024)}
"""Blocks, channels of the last convolution, and width before the classifier."""


def read(shapes: Shapes) -> Claim:
    """What a MobileNet v3 table is.

    Raises:
        NotThisError: it lacks its blocks, or what follows them is another network's.
    """
    plan = read_plan(shapes)
    require(plan.weighed > 0, "none of its blocks weighs its channels")
    require(plan.fused <= 1, "its blocks are not depthwise")
    expanding = sum(sum(not step.squeeze for step in block) == 3 for _, block in plan.blocks)
    require(2 * expanding > len(plan.blocks), "most of its blocks do not widen their channels")
    if plan.layout == "timm":
        require(plan.biased, "`conv_head.bias` is not there: an EfficientNet")
    else:
        require(plan.layout == "torchvision", "its names are those of EfficientNet-PyTorch")
        nested = plan.blocks[0][0].count(".") > 2
        require(not nested, "`features.1.0.block.0.0.weight` is there: an EfficientNet")
    return _claim(plan)


def examples() -> Iterator[Claim]:
    """The published networks, and their features."""
    for name in _SIZES:
        yield _claim(standard(name, 1000))
        yield _claim(standard(name, 0))


def standard(name: str, classes: int) -> Plan:
    """The large or the small network of width 1, under torchvision's names."""
    rows, last, hidden = _SIZES[name]
    blocks = []
    inp = 16
    for place, row in enumerate(rows, 1):
        blocks.append((f"features.{place}.", _block(inp, row)))
        inp = row[2]
    after = len(rows) + 1
    return Plan(
        layout="torchvision",
        inputs=3,
        stem=Step(("features.0.0", "features.0.1"), 16, 3),
        blocks=tuple(blocks),
        head=Step((f"features.{after}.0", f"features.{after}.1"), last, 1),
        biased=False,
        linears=(("classifier.0", hidden), ("classifier.3", classes)) if classes else (),
    )


def _block(inp: int, row: Row) -> tuple[Step, ...]:
    kernel, hidden, out, weighs = row
    kinds: list[tuple[int, int, bool, int]] = []
    if hidden != inp:
        kinds.append((hidden, 1, False, 0))
    kinds.append((hidden, kernel, True, 0))
    if weighs:
        kinds.append((hidden, 0, False, eighths(hidden // 4)))
    kinds.append((out, 1, False, 0))
    steps = []
    for place, (width, size, deep, squeeze) in enumerate(kinds):
        ends = ("fc1", "fc2") if squeeze else ("0", "1")
        names = (f"block.{place}.{ends[0]}", f"block.{place}.{ends[1]}")
        steps.append(Step(names, width, size, deep, squeeze))
    return tuple(steps)


def _claim(plan: Plan) -> Claim:
    classes = plan.classes
    outs = tuple(block[-1].out for _, block in plan.blocks)
    name = next(
        (
            f"mobilenet_v3_{size}"
            for size, (rows, _, _) in _SIZES.items()
            if outs[: len(rows)] == tuple(row[2] for row in rows)
        ),
        "mobilenet_v3_custom",
    )
    kind = name.removeprefix("mobilenet_v3_")
    known = kind != "custom"
    head = f"classifier of {classes} classes" if classes else "features alone"
    return Claim(
        variant=name,
        title=f"MobileNet v3 {kind}, {head}"
        if known
        else f"network of MobileNet v3's blocks, {head}",
        config={
            "size": kind,
            "widths": list(outs),
            "kernels": list(plan.kernels),
            "weighed": plan.weighed,
            "stem": plan.stem.out,
            "features": plan.features,
            "hidden": plan.linears[0][1] if len(plan.linears) > 1 else None,
            "num_classes": classes or None,
            "input_channels": plan.inputs,
        },
        tensors=tensors(plan),
        layout=plan.layout,
        evidence=(
            f"{len(plan.blocks)} inverted residual blocks (`{plan.blocks[1][0]}…`)",
            f"{plan.weighed} of them weigh their channels",
            *((f"`{plan.linears[-1][0]}.weight` has {classes} rows",) if classes else ()),
        ),
        undecidable=(
            *(() if classes == 1000 else ("what it was trained on",)),
            *(() if known else ("which network it is: several searched ones have such blocks",)),
        ),
        task="image classification" if classes else "image features",
        input_channels=plan.inputs,
        output_channels=classes or plan.features,
        licence="BSD-3-Clause" if plan.layout == "torchvision" else "Apache-2.0",
        confidence=1.0 if known else 0.5,
    )


FAMILY = Family(
    name="mobilenet_v3",
    title="MobileNet v3",
    task="image classification",
    steps=(),
    markers=(
        ("features.0.0.weight", "features.1.block.0.0.weight", "features.4.block.2.fc1.weight"),
        ("features.0.1.weight", "features.1.block.0.1.weight", "features.4.block.2.fc2.weight"),
        ("conv_stem.weight", "conv_head.bias", "blocks.0.0.conv_dw.weight"),
        ("bn1.weight", "conv_head.weight", "blocks.0.0.bn1.weight", "blocks.1.0.bn3.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("mobilenet_v3_large-8738ca79.pth", "mobilenet_v3_large", "8738ca79"),
        Published("mobilenet_v3_large-5c1a4163.pth", "mobilenet_v3_large", "5c1a4163"),
        Published("mobilenet_v3_small-047dcff4.pth", "mobilenet_v3_small", "047dcff4"),
    ),
    licence="BSD-3-Clause",
    source=(
        "pytorch/vision, torchvision/models/mobilenetv3.py;"
        " huggingface/pytorch-image-models, timm/models/mobilenetv3.py"
    ),
    aliases=("mobilenet_v3", "mobilenetv3"),
)
