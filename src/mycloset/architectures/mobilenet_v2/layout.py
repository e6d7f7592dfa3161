"""What MobileNet v2 files look like: torchvision's and timm's names, any width and classes."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.mobile import Plan, Step, eighths, read_plan, tensors

_DEPTHS = (1, 2, 3, 4, 3, 3, 1)
_WIDTHS = (16, 24, 32, 64, 96, 160, 320)
_MULTIPLIERS = (1.0, 0.1, 0.25, 0.35, 0.5, 0.75, 1.1, 1.2, 1.3, 1.4)


def read(shapes: Shapes) -> Claim:
    """What a MobileNet v2 table is.

    Raises:
        NotThisError: it lacks its blocks, or they weigh their channels.
    """
    plan = read_plan(shapes)
    require(plan.weighed == 0, "its blocks weigh their channels")
    require(plan.fused == 0, "its blocks are not depthwise")
    require(set(plan.kernels) <= {3}, "its blocks have other kernels than 3x3")
    return _claim(plan)


def examples() -> Iterator[Claim]:
    """The published networks of width 1, and their features."""
    for layout in ("torchvision", "timm"):
        whole = standard(layout, 1000)
        yield _claim(whole)
        yield _claim(whole._replace(linears=()))


def standard(layout: str, classes: int) -> Plan:
    """The network of width 1."""
    timm = layout == "timm"
    blocks = []
    inp, place = 32, 1
    for stage, (width, depth) in enumerate(zip(_WIDTHS, _DEPTHS, strict=True)):
        for number in range(depth):
            start = f"blocks.{stage}.{number}." if timm else f"features.{place}."
            blocks.append((start, _block(timm, inp, width, 1 if place == 1 else 6)))
            inp, place = width, place + 1
    stem = ("conv_stem", "bn1") if timm else ("features.0.0", "features.0.1")
    head = ("conv_head", "bn2") if timm else ("features.18.0", "features.18.1")
    return Plan(
        layout=layout,
        inputs=3,
        stem=Step(stem, 32, 3),
        blocks=tuple(blocks),
        head=Step(head, 1280, 1),
        biased=False,
        linears=(("classifier" if timm else "classifier.1", classes),),
    )


def _block(timm: bool, inp: int, out: int, factor: int) -> tuple[Step, ...]:
    hidden = inp * factor
    if factor == 1:
        names = (
            (("conv_dw", "bn1"), ("conv_pw", "bn2"))
            if timm
            else (("conv.0.0", "conv.0.1"), ("conv.1", "conv.2"))
        )
        return Step(names[0], inp, 3, True), Step(names[1], out, 1)
    first, second, third = (
        (("conv_pw", "bn1"), ("conv_dw", "bn2"), ("conv_pwl", "bn3"))
        if timm
        else (("conv.0.0", "conv.0.1"), ("conv.1.0", "conv.1.1"), ("conv.2", "conv.3"))
    )
    return Step(first, hidden, 1), Step(second, hidden, 3, True), Step(third, out, 1)


def _outs(multiplier: float) -> tuple[int, ...]:
    """Channels that each block gives, by the rule of its authors."""
    return tuple(
        eighths(width * multiplier)
        for width, depth in zip(_WIDTHS, _DEPTHS, strict=True)
        for _ in range(depth)
    )


def _claim(plan: Plan) -> Claim:
    classes = plan.classes
    outs = tuple(block[-1].out for _, block in plan.blocks)
    widths = [width for width, _ in plan.stages]
    multiplier = next((m for m in _MULTIPLIERS if outs == _outs(m)), None)
    name = f"mobilenet_v2_{multiplier}" if multiplier else "mobilenet_v2_custom"
    if multiplier == 1.0:
        name = "mobilenet_v2"
    head = f"classifier of {classes} classes" if classes else "features alone"
    start = plan.blocks[1][0]
    return Claim(
        variant=name,
        title=f"MobileNet v2, {head}",
        config={
            "width_mult": multiplier,
            "widths": list(outs),
            "stem": plan.stem.out,
            "features": plan.features,
            "num_classes": classes or None,
            "input_channels": plan.inputs,
        },
        tensors=tensors(plan),
        layout=plan.layout,
        evidence=(
            f"{len(plan.blocks)} inverted residual blocks of 3x3 (`{start}…`)",
            f"stages of {', '.join(map(str, widths))} channels",
            *((f"`{plan.linears[-1][0]}.weight` has {classes} rows",) if classes else ()),
        ),
        undecidable=() if classes == 1000 else ("what it was trained on",),
        task="image classification" if classes else "image features",
        input_channels=plan.inputs,
        output_channels=classes or plan.features,
        licence="BSD-3-Clause" if plan.layout == "torchvision" else "Apache-2.0",
        confidence=1.0 if multiplier else 0.8,
    )


FAMILY = Family(
    name="mobilenet_v2",
    title="MobileNet v2",
    task="image classification",
    steps=(),
    markers=(
        ("features.0.0.weight", "features.1.conv.0.0.weight", "features.2.conv.2.weight"),
        ("features.0.1.weight", "features.1.conv.0.1.weight", "features.2.conv.3.weight"),
        ("conv_stem.weight", "blocks.0.0.conv_dw.weight", "blocks.1.0.conv_pwl.weight"),
        ("bn1.weight", "blocks.0.0.bn1.weight", "blocks.1.0.bn3.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("mobilenet_v2-b0353104.pth", "mobilenet_v2", "b0353104"),
        Published("mobilenet_v2-7ebf99e0.pth", "mobilenet_v2", "7ebf99e0"),
    ),
    licence="BSD-3-Clause",
    source=(
        "pytorch/vision, torchvision/models/mobilenetv2.py;"
        " huggingface/pytorch-image-models, timm/models/efficientnet.py"
    ),
    aliases=("mobilenet_v2", "mobilenetv2"),
)
