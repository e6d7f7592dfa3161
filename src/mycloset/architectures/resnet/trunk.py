"""The trunk that ResNets share with the networks built on them: its sizes, and its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, put
from mycloset.architectures.family import Shape, Shapes, require
from mycloset.architectures.reading import extent, size


class Names(NamedTuple):
    """What a layout calls the stem's convolution and norm, and the stages in turn."""

    conv: str
    norm: str
    stages: tuple[str, ...]


NAMED = Names("conv1", "bn1", ("layer1", "layer2", "layer3", "layer4"))
"""torchvision's module names."""
NUMBERED = Names("0", "1", ("4", "5", "6", "7"))
"""Places in a Sequential of the children of torchvision's module."""


class Stage(NamedTuple):
    """Residual blocks of one resolution.

    Attributes:
        blocks: how many there are.
        width: channels between a block's convolutions.
        out: channels that a block gives.
        groups: groups of the 3x3 convolutions of bottlenecks.
    """

    blocks: int
    width: int
    out: int
    groups: int = 1


class Trunk(NamedTuple):
    """A ResNet up to its pooling.

    Attributes:
        inputs: channels of the picture.
        stem: channels that the stem gives.
        kernel: kernel of the stem's convolution.
        deep: whether its blocks are bottlenecks.
        stages: the stages in turn.
    """

    inputs: int
    stem: int
    kernel: int
    deep: bool
    stages: tuple[Stage, ...]

    @property
    def layers(self) -> tuple[int, ...]:
        """Blocks of each stage."""
        return tuple(stage.blocks for stage in self.stages)

    @property
    def out(self) -> int:
        """Channels that the last stage gives."""
        return self.stages[-1].out

    @property
    def block(self) -> str:
        """The class of its blocks, as torchvision calls it."""
        return "Bottleneck" if self.deep else "BasicBlock"


def standard(
    layers: tuple[int, ...],
    *,
    deep: bool,
    groups: int = 1,
    base: int = 64,
    inputs: int = 3,
    stem: int = 64,
) -> Trunk:
    """A trunk of torchvision's rule: planes double from stage to stage, from 64 on."""
    stages = tuple(
        Stage(blocks, (64 << n) * base // 64 * groups, 256 << n, groups)
        if deep
        else Stage(blocks, 64 << n, 64 << n)
        for n, blocks in enumerate(layers)
    )
    return Trunk(inputs, stem, 7, deep, stages)


def read_trunk(shapes: Shapes, lead: str = "", names: Names = NAMED) -> Trunk:
    """The sizes of a trunk whose keys begin with `lead`.

    Raises:
        NotThisError: it has no first stage, or its stages lack what tells their widths.
    """
    starts = [f"{lead}{name}." for name in names.stages]
    deep = any(
        f"{starts[0]}{block}.{tensor}" in shapes
        for block in (0, 1)
        for tensor in ("conv3.weight", "bn3.weight")
    )
    counts = [_blocks(shapes, start) for start in starts]
    while counts and counts[-1] == 0:
        counts.pop()
    require(bool(counts) and min(counts) > 0, f"no `{starts[0]}0.conv1.weight`")
    return Trunk(
        inputs=size(shapes, (f"{lead}{names.conv}.weight", 1), default=3),
        stem=_stem(shapes, lead, names, starts[0]),
        kernel=size(shapes, (f"{lead}{names.conv}.weight", 2), default=7),
        deep=deep,
        stages=tuple(
            _read_stage(shapes, start, blocks, deep)
            for start, blocks in zip(starts, counts, strict=False)
        ),
    )


def config_of(trunk: Trunk) -> dict[str, Any]:
    """What a network's config says of the trunk that it is built on."""
    return {
        "layers": list(trunk.layers),
        "widths": [stage.width for stage in trunk.stages],
        "channels": [stage.out for stage in trunk.stages],
        "groups": trunk.stages[0].groups,
        "stem": trunk.stem,
        "input_channels": trunk.inputs,
    }


def put_trunk(found: dict[str, Shape], trunk: Trunk, lead: str = "", names: Names = NAMED) -> None:
    """Add the tensors of a trunk, in the order of torchvision's module."""
    found |= conv(f"{lead}{names.conv}", trunk.stem, trunk.inputs, trunk.kernel, bias=False)
    found |= batch_norm(f"{lead}{names.norm}", trunk.stem)
    put_stages(found, trunk, lead, names)


def put_stages(found: dict[str, Shape], trunk: Trunk, lead: str = "", names: Names = NAMED) -> None:
    """Add the tensors of a trunk's stages alone."""
    inp = trunk.stem
    for number, (name, stage) in enumerate(zip(names.stages, trunk.stages, strict=False)):
        for place in range(stage.blocks):
            down = place == 0 and (number > 0 or inp != stage.out)
            put(found, f"{lead}{name}.{place}.", _block(inp, stage, trunk.deep, down))
            inp = stage.out


def _blocks(shapes: Shapes, start: str) -> int:
    return extent(shapes, start + "{}.conv1.weight", start + "{}.conv2.weight", limit=128)


def _stem(shapes: Shapes, lead: str, names: Names, first: str) -> int:
    return size(
        shapes,
        (f"{lead}{names.conv}.weight", 0),
        (f"{lead}{names.norm}.weight", 0),
        (f"{first}0.conv1.weight", 1),
    )


def _read_stage(shapes: Shapes, start: str, blocks: int, deep: bool) -> Stage:
    last = 3 if deep else 2
    width = size(shapes, (f"{start}0.conv1.weight", 0), (f"{start}0.bn1.weight", 0))
    out = size(shapes, (f"{start}0.conv{last}.weight", 0), (f"{start}0.bn{last}.weight", 0))
    if not deep:
        return Stage(blocks, width, out)
    part = size(shapes, (f"{start}0.conv2.weight", 1), (f"{start}1.conv2.weight", 1), default=width)
    return Stage(blocks, width, out, width // part if width % part == 0 else 1)


@lru_cache(maxsize=512)
def _block(inp: int, stage: Stage, deep: bool, down: bool) -> Mapping[str, Shape]:
    width, out = stage.width, stage.out
    found = conv("conv1", width, inp, 1 if deep else 3, bias=False) | batch_norm("bn1", width)
    if deep:
        found |= conv("conv2", width, width, 3, bias=False, groups=stage.groups)
        found |= batch_norm("bn2", width)
        found |= conv("conv3", out, width, 1, bias=False) | batch_norm("bn3", out)
    else:
        found |= conv("conv2", out, width, 3, bias=False) | batch_norm("bn2", out)
    if down:
        found |= conv("downsample.0", out, inp, 1, bias=False) | batch_norm("downsample.1", out)
    return MappingProxyType(found)
