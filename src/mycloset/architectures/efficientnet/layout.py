"""What EfficientNet files look like: torchvision's, timm's and EfficientNet-PyTorch's names."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.mobile import Plan, Step, eighths, read_plan, tensors

Row = tuple[bool, int, int, int, int]
"""Whether blocks are fused, their expansion, kernel, channels and number."""

_FIRST: tuple[Row, ...] = (
    (False, 1, 3, 16, 1),
    (False, 6, 3, 24, 2),
    (False, 6, 5, 40, 2),
    (False, 6, 3, 80, 3),
    (False, 6, 5, 112, 3),
    (False, 6, 5, 192, 4),
    (False, 6, 3, 320, 1),
)
_SCALES = {
    "b0": (1.0, 1.0),
    "b1": (1.0, 1.1),
    "b2": (1.1, 1.2),
    "b3": (1.2, 1.4),
    "b4": (1.4, 1.8),
    "b5": (1.6, 2.2),
    "b6": (1.8, 2.6),
    "b7": (2.0, 3.1),
}
"""Width and depth of each network of the first version, against b0's."""

_SECOND: dict[str, tuple[Row, ...]] = {
    "v2_s": (
        (True, 1, 3, 24, 2),
        (True, 4, 3, 48, 4),
        (True, 4, 3, 64, 4),
        (False, 4, 3, 128, 6),
        (False, 6, 3, 160, 9),
        (False, 6, 3, 256, 15),
    ),
    "v2_m": (
        (True, 1, 3, 24, 3),
        (True, 4, 3, 48, 5),
        (True, 4, 3, 80, 5),
        (False, 4, 3, 160, 7),
        (False, 6, 3, 176, 14),
        (False, 6, 3, 304, 18),
        (False, 6, 3, 512, 5),
    ),
    "v2_l": (
        (True, 1, 3, 32, 4),
        (True, 4, 3, 64, 7),
        (True, 4, 3, 96, 7),
        (False, 4, 3, 192, 10),
        (False, 6, 3, 224, 19),
        (False, 6, 3, 384, 25),
        (False, 6, 3, 640, 7),
    ),
}


def read(shapes: Shapes) -> Claim:
    """What an EfficientNet table is.

    Raises:
        NotThisError: it lacks its blocks, or they are a MobileNet's.
    """
    plan = read_plan(shapes)
    deep = len(plan.blocks) - plan.fused
    require(plan.weighed == deep > 0, f"{plan.weighed} of {deep} depthwise blocks weigh channels")
    require(not plan.biased, "`conv_head.bias` is there: a MobileNet v3")
    if plan.layout == "torchvision":
        flat = plan.blocks[0][0].count(".") < 3
        require(not flat, "`features.1.block.0.0.weight` is there: a MobileNet v3")
    return _claim(plan)


def examples() -> Iterator[Claim]:
    """The published networks under torchvision's names, the smaller ones under timm's."""
    for name in (*_SCALES, *_SECOND):
        yield _claim(standard(name, 1000))
    for name in ("b0", "b1", "b2", "b3"):
        yield _claim(standard(name, 1000, layout="timm"))
    yield _claim(standard("b0", 0))


def standard(name: str, classes: int, *, layout: str = "torchvision") -> Plan:
    """A published network ("b0" … "b7", "v2_s", "v2_m", "v2_l")."""
    rows = _SECOND.get(name) or _scaled(*_SCALES[name])
    inp = rows[0][3] if name in _SECOND else eighths(32 * _SCALES[name][0])
    stem = inp
    timm = layout == "timm"
    blocks = []
    for stage, row in enumerate(rows):
        for number in range(row[4]):
            start = f"blocks.{stage}.{number}." if timm else f"features.{stage + 1}.{number}."
            blocks.append((start, _block(inp, row, timm)))
            inp = row[3]
    after = len(rows) + 1
    head = ("conv_head", "bn2") if timm else (f"features.{after}.0", f"features.{after}.1")
    return Plan(
        layout=layout,
        inputs=3,
        stem=Step(("conv_stem", "bn1") if timm else ("features.0.0", "features.0.1"), stem, 3),
        blocks=tuple(blocks),
        head=Step(head, 1280 if name in _SECOND else 4 * inp, 1),
        biased=False,
        linears=(("classifier" if timm else "classifier.1", classes),) if classes else (),
    )


def _scaled(width: float, depth: float) -> tuple[Row, ...]:
    return tuple(
        (fused, factor, kernel, eighths(channels * width), math.ceil(number * depth))
        for fused, factor, kernel, channels, number in _FIRST
    )


def _block(inp: int, row: Row, timm: bool) -> tuple[Step, ...]:
    fused, factor, kernel, out, _ = row
    hidden = eighths(inp * factor)
    # Outputs, kernel, depthwise or not, squeeze; timm's name.
    kinds: list[tuple[int, int, bool, int, str]] = []
    if fused:
        if factor > 1:
            kinds.append((hidden, kernel, False, 0, "conv_exp"))
        kinds.append((out, 1 if factor > 1 else kernel, False, 0, "conv_pwl"))
    else:
        if factor > 1:
            kinds.append((hidden, 1, False, 0, "conv_pw"))
        kinds.append((hidden, kernel, True, 0, "conv_dw"))
        kinds.append((hidden, 0, False, max(1, inp // 4), "se"))
        kinds.append((out, 1, False, 0, "conv_pwl" if factor > 1 else "conv_pw"))
    steps = []
    norms = 0
    for place, (width, size, deep, squeeze, own) in enumerate(kinds):
        if squeeze:
            names = ("se.conv_reduce", "se.conv_expand") if timm else ("fc1", "fc2")
        else:
            norms += 1
            names = (own, f"bn{norms}") if timm else ("0", "1")
        if not timm:
            names = (f"block.{place}.{names[0]}", f"block.{place}.{names[1]}")
        steps.append(Step(names, width, size, deep, squeeze))
    return tuple(steps)


def _name(plan: Plan) -> str:
    """The published network of the same channels and numbers of blocks."""
    for name in (*_SCALES, *_SECOND):
        rows = _SECOND.get(name) or _scaled(*_SCALES[name])
        if plan.stages == tuple((row[3], row[4]) for row in rows):
            return f"efficientnet_{name}"
    return f"efficientnet_{'v2_' if plan.fused else ''}custom"


def _claim(plan: Plan) -> Claim:
    name = _name(plan)
    known = not name.endswith("custom")
    classes = plan.classes
    title = name.removeprefix("efficientnet_").replace("_", "-").upper()
    head = f"classifier of {classes} classes" if classes else "features alone"
    return Claim(
        variant=name,
        title=f"EfficientNet-{title}, {head}"
        if known
        else f"network of EfficientNet's blocks, {head}",
        config={
            "stem": plan.stem.out,
            "widths": [width for width, _ in plan.stages],
            "depths": [depth for _, depth in plan.stages],
            "kernels": sorted(set(plan.kernels)),
            "fused_blocks": plan.fused,
            "features": plan.features,
            "num_classes": classes or None,
            "input_channels": plan.inputs,
        },
        tensors=tensors(plan),
        layout=plan.layout,
        evidence=(
            f"{len(plan.blocks)} blocks, {plan.weighed} of which weigh their channels"
            f" (`{plan.blocks[-1][0]}…`)",
            f"stages of {', '.join(str(width) for width, _ in plan.stages)} channels",
            *((f"`{plan.linears[-1][0]}.weight` has {classes} rows",) if classes else ()),
        ),
        undecidable=(
            "the size of picture that it was trained for",
            *(() if classes == 1000 else ("what it was trained on",)),
            *(() if known else ("which network it is: several searched ones have such blocks",)),
        ),
        task="image classification" if classes else "image features",
        input_channels=plan.inputs,
        output_channels=classes or plan.features,
        licence="BSD-3-Clause" if plan.layout == "torchvision" else "Apache-2.0",
        confidence=1.0 if known else 0.6,
    )


_FILES = (
    ("efficientnet_b0_rwightman-7f5810bc.pth", "efficientnet_b0"),
    ("efficientnet_b1_rwightman-bac287d4.pth", "efficientnet_b1"),
    ("efficientnet_b1-c27df63c.pth", "efficientnet_b1"),
    ("efficientnet_b2_rwightman-c35c1473.pth", "efficientnet_b2"),
    ("efficientnet_b3_rwightman-b3899882.pth", "efficientnet_b3"),
    ("efficientnet_b4_rwightman-23ab8bcd.pth", "efficientnet_b4"),
    ("efficientnet_b5_lukemelas-1a07897c.pth", "efficientnet_b5"),
    ("efficientnet_b6_lukemelas-24a108a5.pth", "efficientnet_b6"),
    ("efficientnet_b7_lukemelas-c5b4e57e.pth", "efficientnet_b7"),
    ("efficientnet_v2_s-dd5fe13b.pth", "efficientnet_v2_s"),
    ("efficientnet_v2_m-dc08266a.pth", "efficientnet_v2_m"),
    ("efficientnet_v2_l-59c71312.pth", "efficientnet_v2_l"),
)
"""torchvision's files; the eight digits in a name begin its SHA-256."""

FAMILY = Family(
    name="efficientnet",
    title="EfficientNet",
    task="image classification",
    steps=(),
    markers=(
        ("features.0.0.weight", "features.1.0.block.0.0.weight", "features.2.0.block.1.0.weight"),
        ("features.0.1.weight", "features.1.0.block.0.1.weight", "features.2.0.block.1.1.weight"),
        ("conv_stem.weight", "conv_head.weight", "blocks.1.0.conv_pwl.weight"),
        ("bn1.weight", "bn2.weight", "blocks.0.0.bn1.weight", "blocks.2.0.bn2.weight"),
        ("_conv_stem.weight", "_blocks.0._depthwise_conv.weight"),
        ("_bn0.weight", "_blocks.1._project_conv.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        *(Published(file, name, file[-12:-4]) for file, name in _FILES),
        *(Published(f"efficientnet-b{n}-*.pth", f"efficientnet_b{n}") for n in range(8)),
    ),
    licence="BSD-3-Clause",
    source=(
        "pytorch/vision, torchvision/models/efficientnet.py;"
        " huggingface/pytorch-image-models, timm/models/efficientnet.py;"
        " lukemelas/EfficientNet-PyTorch, efficientnet_pytorch/model.py"
    ),
    aliases=("efficientnet",),
)
