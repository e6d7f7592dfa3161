"""What files of the BiSeNet for faces look like, of any width and class count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.family import (
    Claim,
    Family,
    Published,
    Shape,
    Shapes,
    batch_norm,
    conv,
    require,
)
from mycloset.architectures.residual import (
    ResidualStage,
    depth_name,
    plain_stages,
    put_stages,
    read_stages,
)
from mycloset.architectures.sizes import size

_HEADS = ("conv_out", "conv_out16", "conv_out32")


class _Sizes(NamedTuple):
    inputs: int
    stem: int
    stages: tuple[ResidualStage, ...]
    context: int
    """Channels of the attention modules and of what is pooled."""
    fused: int
    squeezed: int
    heads: tuple[int, int, int]
    classes: int


_PUBLISHED = _Sizes(
    inputs=3,
    stem=64,
    stages=plain_stages((2, 2, 2, 2), basic=True),
    context=128,
    fused=256,
    squeezed=64,
    heads=(256, 64, 64),
    classes=19,
)


def read(shapes: Shapes) -> Claim:
    """What a face parser's table is.

    Raises:
        NotThisError: it is none.
    """
    lead = "cp.resnet."
    stem = size(shapes, (f"{lead}conv1.weight", 0), (f"{lead}bn1.weight", 0))
    stages = read_stages(shapes, lead)
    require(len(stages) == 4, f"{len(stages)} residual stages below `{lead}`, not 4")
    return _claim(
        _Sizes(
            inputs=size(shapes, (f"{lead}conv1.weight", 1), default=3),
            stem=stem,
            stages=stages,
            context=size(shapes, ("cp.arm16.conv.conv.weight", 0), ("cp.arm16.conv.bn.weight", 0)),
            fused=size(shapes, ("ffm.convblk.conv.weight", 0), ("ffm.convblk.bn.weight", 0)),
            squeezed=size(shapes, ("ffm.conv1.weight", 0), ("ffm.conv2.weight", 1)),
            heads=(
                _head(shapes, _HEADS[0]),
                _head(shapes, _HEADS[1]),
                _head(shapes, _HEADS[2]),
            ),
            classes=size(shapes, *((f"{head}.conv_out.weight", 0) for head in _HEADS)),
        )
    )


def examples() -> Iterator[Claim]:
    """The published network."""
    yield _claim(_PUBLISHED)


def _head(shapes: Shapes, name: str) -> int:
    return size(shapes, (f"{name}.conv.conv.weight", 0), (f"{name}.conv.bn.weight", 0))


def _claim(sizes: _Sizes) -> Claim:
    backbone = depth_name(sizes.stages) or "resnet"
    classes = sizes.classes
    faces = classes == 19
    return Claim(
        variant="celebamask-hq" if sizes == _PUBLISHED else "custom",
        title=f"BiSeNet face parser, {classes} classes",
        config={
            "n_classes": classes,
            "backbone": backbone,
            "layers": [stage.blocks for stage in sizes.stages],
            "widths": [stage.out for stage in sizes.stages],
            "stem": sizes.stem,
            "input_channels": sizes.inputs,
            "context_channels": sizes.context,
            "fused_channels": sizes.fused,
            "squeezed_channels": sizes.squeezed,
            "head_channels": list(sizes.heads),
        },
        tensors=_tensors(sizes),
        evidence=(
            f"`conv_out.conv_out.weight` is {[classes, sizes.heads[0], 1, 1]}: {classes} classes"
            + (", CelebAMask-HQ's number" if faces else ""),
            f"`cp.arm16.conv.conv.weight` is {[sizes.context, sizes.stages[2].out, 3, 3]}:"
            f" attention on the third stage of a {backbone}",
            "`ffm.conv1.weight`: features of two scales are fused",
        ),
        undecidable=("what its classes mean: their order is the authors'",),
        input_channels=sizes.inputs,
        output_channels=classes,
    )


def _tensors(sizes: _Sizes) -> dict[str, Shape]:
    stages, context = sizes.stages, sizes.context
    found = conv("cp.resnet.conv1", sizes.stem, sizes.inputs, 7, bias=False)
    found |= batch_norm("cp.resnet.bn1", sizes.stem)
    deep = put_stages(found, "cp.resnet.", stages, sizes.stem)
    for name, width in (("arm16", stages[2].out), ("arm32", deep)):
        found |= _layer(f"cp.{name}.conv", context, width, 3)
        found |= conv(f"cp.{name}.conv_atten", context, context, bias=False)
        found |= batch_norm(f"cp.{name}.bn_atten", context)
    found |= _layer("cp.conv_head32", context, context, 3)
    found |= _layer("cp.conv_head16", context, context, 3)
    found |= _layer("cp.conv_avg", context, deep)
    found |= _layer("ffm.convblk", sizes.fused, stages[1].out + context)
    found |= conv("ffm.conv1", sizes.squeezed, sizes.fused, bias=False)
    found |= conv("ffm.conv2", sizes.fused, sizes.squeezed, bias=False)
    entering = (sizes.fused, context, context)
    for name, width, inp in zip(_HEADS, sizes.heads, entering, strict=True):
        found |= _layer(f"{name}.conv", width, inp, 3)
        found |= conv(f"{name}.conv_out", sizes.classes, width, bias=False)
    return found


def _layer(name: str, out: int, inp: int, kernel: int = 1) -> dict[str, Shape]:
    return conv(f"{name}.conv", out, inp, kernel, bias=False) | batch_norm(f"{name}.bn", out)


FAMILY = Family(
    name="face_parsing_bisenet",
    title="BiSeNet face parser",
    task="face parsing",
    steps=("human_parsing", "post_processing"),
    markers=(
        ("cp.resnet.conv1.weight", "ffm.conv1.weight"),
        ("cp.arm16.conv_atten.weight", "conv_out.conv_out.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("79999_iter.pth", "celebamask-hq"),
        Published("parsing_bisenet.pth", "celebamask-hq"),
    ),
    licence="MIT",
    source="zllrunning/face-parsing.PyTorch@d2e684c, model.py, resnet.py",
    aliases=("bisenet", "face_parsing", "face-parsing"),
)
