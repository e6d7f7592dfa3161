"""Networks of inverted residual blocks under the names of several libraries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, linear, put
from mycloset.architectures.family import Shape, Shapes, require
from mycloset.architectures.reading import size

_MOST_STAGES = 24
_MOST_BLOCKS = 128


class Step(NamedTuple):
    """A convolution and the norm behind it, or a weighing of channels.

    Attributes:
        names: the convolution's and the norm's name, or those of the two layers that weigh.
        out: channels that the convolution gives.
        kernel: its kernel; 0 for a weighing.
        deep: whether it is depthwise.
        squeeze: channels between the two layers that weigh.
    """

    names: tuple[str, str]
    out: int
    kernel: int = 0
    deep: bool = False
    squeeze: int = 0


Block = tuple[Step, ...]


class Plan(NamedTuple):
    """A whole network.

    Attributes:
        layout: whose names the keys have.
        inputs: channels of the picture.
        stem: the first convolution.
        blocks: what stands before each block's keys, and the block.
        head: the last convolution, if there is one.
        biased: whether it has a bias in place of a norm.
        linears: name and outputs of each linear layer.
    """

    layout: str
    inputs: int
    stem: Step
    blocks: tuple[tuple[str, Block], ...]
    head: Step | None
    biased: bool
    linears: tuple[tuple[str, int], ...]

    @property
    def classes(self) -> int:
        """Labels; 0 without a classifier."""
        return self.linears[-1][1] if self.linears else 0

    @property
    def features(self) -> int:
        """Channels of the features."""
        return self.head.out if self.head else self.blocks[-1][1][-1].out

    @property
    def stages(self) -> tuple[tuple[int, int], ...]:
        """Channels and number of the blocks that give equally many."""
        outs = (block[-1].out for _, block in self.blocks)
        return tuple((out, sum(1 for _ in run)) for out, run in groupby(outs))

    @property
    def kernels(self) -> tuple[int, ...]:
        """Kernel of each block's widest convolution."""
        return tuple(max(step.kernel for step in block) for _, block in self.blocks)

    @property
    def weighed(self) -> int:
        """Blocks that weigh their channels."""
        return sum(any(step.squeeze for step in block) for _, block in self.blocks)

    @property
    def fused(self) -> int:
        """Blocks of plain convolutions in place of depthwise ones."""
        return sum(not any(step.deep for step in block) for _, block in self.blocks)


Candidate = tuple[str, str, str]
"""Kind ("conv", "deep", "se") and two names of a step that a block may have."""

_NUMBERED: tuple[Candidate, ...] = tuple(
    candidate
    for n in range(4)
    for candidate in (
        ("se", f"block.{n}.fc1", f"block.{n}.fc2"),
        ("conv", f"block.{n}.0", f"block.{n}.1"),
    )
)
_V2_PLAIN: tuple[Candidate, ...] = (
    ("deep", "conv.0.0", "conv.0.1"),
    ("conv", "conv.1", "conv.2"),
)
_V2: tuple[Candidate, ...] = (
    ("conv", "conv.0.0", "conv.0.1"),
    ("deep", "conv.1.0", "conv.1.1"),
    ("conv", "conv.2", "conv.3"),
)
_SE = ("se", "se.conv_reduce", "se.conv_expand")
_TIMM: tuple[tuple[tuple[str, ...], tuple[Candidate, ...]], ...] = (
    (("conv_exp",), (("conv", "conv_exp", "bn1"), _SE, ("conv", "conv_pwl", "bn2"))),
    (
        ("conv_pwl", "bn3"),
        (("conv", "conv_pw", "bn1"), ("deep", "conv_dw", "bn2"), _SE, ("conv", "conv_pwl", "bn3")),
    ),
    (("conv_dw", "bn2"), (("deep", "conv_dw", "bn1"), _SE, ("conv", "conv_pw", "bn2"))),
    (("conv",), (("conv", "conv", "bn1"),)),
)
"""What tells one of timm's blocks, and its steps."""
_PYTORCH: tuple[Candidate, ...] = (
    ("conv", "_expand_conv", "_bn0"),
    ("deep", "_depthwise_conv", "_bn1"),
    ("se", "_se_reduce", "_se_expand"),
    ("conv", "_project_conv", "_bn2"),
)


def read_plan(shapes: Shapes) -> Plan:
    """A network's plan, whichever layout it has.

    Raises:
        NotThisError: it has no blocks in any of the layouts.
    """
    if "conv_stem.weight" in shapes or "blocks.0.0.bn1.weight" in shapes:
        layout, stem = "timm", ("conv_stem", "bn1")
    elif "_conv_stem.weight" in shapes or "_blocks.0._bn1.weight" in shapes:
        layout, stem = "efficientnet-pytorch", ("_conv_stem", "_bn0")
    else:
        layout, stem = "torchvision", ("features.0.0", "features.0.1")
    width = size(shapes, (f"{stem[0]}.weight", 0), (f"{stem[1]}.weight", 0))
    first = Step(stem, width, size(shapes, (f"{stem[0]}.weight", 2), default=3))
    blocks: list[tuple[str, Block]] = []
    for start in _starts(shapes, layout):
        block = _read_block(shapes, start, layout, width)
        if not block:
            break
        blocks.append((start, block))
        width = block[-1].out
    require(len(blocks) > 1, "no inverted residual blocks")
    after = _after(blocks[-1][0])
    conv_name, norm_name = {
        "timm": ("conv_head", "bn2"),
        "efficientnet-pytorch": ("_conv_head", "_bn1"),
        "torchvision": (f"features.{after}.0", f"features.{after}.1"),
    }[layout]
    head = None
    biased = f"{conv_name}.bias" in shapes
    if biased or f"{conv_name}.weight" in shapes or f"{norm_name}.weight" in shapes:
        out = size(shapes, (f"{conv_name}.weight", 0), (f"{norm_name}.weight", 0))
        head = Step((conv_name, norm_name), out, 1)
    names = {
        "timm": ("classifier",),
        "efficientnet-pytorch": ("_fc",),
        "torchvision": ("classifier.0", "classifier.1", "classifier.3"),
    }[layout]
    return Plan(
        layout=layout,
        inputs=size(shapes, (f"{stem[0]}.weight", 1), default=3),
        stem=first,
        blocks=tuple(blocks),
        head=head,
        biased=biased,
        linears=tuple(
            (name, size(shapes, (f"{name}.weight", 0), (f"{name}.bias", 0)))
            for name in names
            if f"{name}.weight" in shapes or f"{name}.bias" in shapes
        ),
    )


def tensors(plan: Plan) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    found: dict[str, Shape] = {}
    put(found, "", _block_tensors((plan.stem,), plan.inputs))
    width = plan.stem.out
    for start, block in plan.blocks:
        put(found, start, _block_tensors(block, width))
        width = block[-1].out
    if plan.head and plan.biased:
        found |= conv(plan.head.names[0], plan.head.out, width)
    elif plan.head:
        put(found, "", _block_tensors((plan.head,), width))
    width = plan.features
    for name, out in plan.linears:
        found |= linear(name, out, width)
        width = out
    return found


def eighths(width: float) -> int:
    """The nearest multiple of 8, at least 8 and no less than nine tenths of the width."""
    found = max(8, int(width + 4) // 8 * 8)
    return found + 8 if found < 0.9 * width else found


@lru_cache(maxsize=1024)
def _block_tensors(block: Block, width: int) -> Mapping[str, Shape]:
    found: dict[str, Shape] = {}
    for step in block:
        first, second = step.names
        if step.squeeze:
            found |= conv(first, step.squeeze, width) | conv(second, width, step.squeeze)
            continue
        inp = 1 if step.deep else width
        found[f"{first}.weight"] = (step.out, inp, step.kernel, step.kernel)
        found |= batch_norm(second, step.out)
        width = step.out
    return MappingProxyType(found)


def _starts(shapes: Shapes, layout: str) -> Iterator[str]:
    """What may stand before each block's keys, in turn; it ends with the last stage."""
    if layout == "efficientnet-pytorch":
        yield from (f"_blocks.{n}." for n in range(_MOST_BLOCKS))
        return
    nested = any(f"features.1.0.block.0.{n}.weight" in shapes for n in (0, 1))
    if layout == "torchvision" and not nested:
        yield from (f"features.{n}." for n in range(1, _MOST_BLOCKS))
        return
    for stage in range(_MOST_STAGES):
        lead = f"blocks.{stage}." if layout == "timm" else f"features.{stage + 1}."
        tell = "bn1" if layout == "timm" else "block.0.1"
        for n in range(_MOST_BLOCKS):
            start = f"{lead}{n}.{tell}."
            if n and f"{start}weight" not in shapes and f"{start}bias" not in shapes:
                break
            yield f"{lead}{n}."


def _read_block(shapes: Shapes, start: str, layout: str, width: int) -> Block:
    steps: list[Step] = []
    for kind, first, second in _candidates(shapes, start, layout):
        weight, other = f"{start}{first}.weight", f"{start}{second}.weight"
        if weight not in shapes and other not in shapes:
            continue
        if kind == "se":
            squeeze = size(shapes, (weight, 0), (other, 1))
            steps.append(Step((first, second), width, squeeze=squeeze))
            continue
        out = size(shapes, (weight, 0), (other, 0))
        shape = shapes.get(weight, ())
        # A lost convolution that keeps the channels was most likely depthwise.
        thin = shape[1] == 1 if len(shape) == 4 else not shape
        deep = kind == "deep" or (thin and out == width > 1)
        kernel = size(shapes, (weight, 2), default=3 if deep else 1)
        steps.append(Step((first, second), out, kernel, deep))
        width = out
    if not steps or steps[-1].squeeze:
        return ()
    if steps[-1].deep:  # No block ends depthwise: a lost convolution was taken for such.
        steps[-1] = steps[-1]._replace(deep=False)
    return tuple(steps)


def _candidates(shapes: Shapes, start: str, layout: str) -> tuple[Candidate, ...]:
    if layout == "efficientnet-pytorch":
        return _PYTORCH
    if layout == "timm":
        for tells, candidates in _TIMM:
            if any(f"{start}{tell}.weight" in shapes for tell in tells):
                return candidates
        return ()
    if f"{start}conv.0.0.weight" in shapes or f"{start}conv.0.1.weight" in shapes:
        expanding = any(f"{start}conv.{tell}.weight" in shapes for tell in ("1.0", "1.1", "3"))
        return _V2 if expanding else _V2_PLAIN
    return _NUMBERED


def _after(start: str) -> int:
    """The place in torchvision's features behind a block's."""
    number = start.split(".")[1]
    return int(number) + 1 if number.isdecimal() else 0
