"""What files of the BiSeNet for faces look like, of any width and class count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, conv_batch_norm
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import size
from mycloset.architectures.resnet.layout import name_of
from mycloset.architectures.resnet.trunk import Trunk, config_of, put_trunk, read_trunk, standard

_HEADS = ("conv_out", "conv_out16", "conv_out32")


class _Sizes(NamedTuple):
    trunk: Trunk
    context: int
    """Channels of the attention modules and of what is pooled."""
    fused: int
    squeezed: int
    heads: tuple[int, int, int]
    classes: int


_PUBLISHED = _Sizes(
    trunk=standard((2, 2, 2, 2), deep=False),
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
    trunk = read_trunk(shapes, lead)
    require(len(trunk.stages) == 4, f"{len(trunk.stages)} residual stages below `{lead}`, not 4")
    return _claim(
        _Sizes(
            trunk=trunk,
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
    trunk = sizes.trunk
    backbone = name_of(trunk)
    classes = sizes.classes
    faces = classes == 19
    return Claim(
        variant="celebamask-hq" if sizes == _PUBLISHED else "custom",
        title=f"BiSeNet face parser, {classes} classes",
        config={
            "n_classes": classes,
            "backbone": backbone,
            **config_of(trunk),
            "context_channels": sizes.context,
            "fused_channels": sizes.fused,
            "squeezed_channels": sizes.squeezed,
            "head_channels": list(sizes.heads),
        },
        tensors=_tensors(sizes),
        evidence=(
            f"`conv_out.conv_out.weight` is {[classes, sizes.heads[0], 1, 1]}: {classes} classes"
            + (", CelebAMask-HQ's number" if faces else ""),
            f"`cp.arm16.conv.conv.weight` is {[sizes.context, trunk.stages[2].out, 3, 3]}:"
            f" attention on the third stage of a {backbone}",
            "`ffm.conv1.weight`: features of two scales are fused",
        ),
        undecidable=("what its classes mean: their order is the authors'",),
        input_channels=trunk.inputs,
        output_channels=classes,
    )


def _tensors(sizes: _Sizes) -> dict[str, Shape]:
    stages, context = sizes.trunk.stages, sizes.context
    found: dict[str, Shape] = {}
    put_trunk(found, sizes.trunk, "cp.resnet.")
    deep = sizes.trunk.out
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
    return conv_batch_norm(f"{name}.conv", f"{name}.bn", out, inp, kernel)


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
    licence="MIT (code); trained on CelebAMask-HQ, a non-commercial data set",
    source="zllrunning/face-parsing.PyTorch@d2e684c, model.py, resnet.py",
    aliases=("bisenet", "face_parsing", "face-parsing"),
)
