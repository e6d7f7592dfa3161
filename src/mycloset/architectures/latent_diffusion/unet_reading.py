"""The sizes of a latent-diffusion UNet from the shapes of its tensors, in both namings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mycloset.architectures.family import NotThisError, Shapes, require
from mycloset.architectures.latent_diffusion.blocks import LATENT, RESIDUAL, Naming
from mycloset.architectures.latent_diffusion.image_prompts import ImagePrompts
from mycloset.architectures.latent_diffusion.motion import Motion
from mycloset.architectures.latent_diffusion.unet import UNet
from mycloset.architectures.reading import common_size, counted, shape_of

_LEVELS = 8
_BLOCKS = 16
_DEPTH = 64


class Place(NamedTuple):
    """Where a residual block and the transformer after it stand."""

    residual: str
    transformer: str


Levels = Sequence[Sequence[Place]]

HEADS = {
    "diffusers": (
        "conv_in.weight",
        ("time_embedding.linear_1.weight", "time_embedding.linear_2.weight"),
        "conv_out.weight",
        "add_embedding.linear_1.weight",
        "class_embedding.weight",
        "mid_block.attentions.0",
        "mid_block.resnets.0",
    ),
    "ldm": (
        "input_blocks.0.0.weight",
        ("time_embed.0.weight", "time_embed.2.weight"),
        "out.2.weight",
        "label_emb.0.0.weight",
        "label_emb.weight",
        "middle_block.1",
        "middle_block.0",
    ),
}
"""First convolution, time embedding, last convolution, added features, classes, middle."""


def read(shapes: Shapes, naming: Naming, start: str = "", *, halved: bool = False) -> UNet:
    """A UNet's sizes.

    Args:
        shapes: a table that holds it.
        naming: how its keys are named.
        start: put before each of them.
        halved: read only the way down and the middle (a ControlNet); the way up is left empty.

    Raises:
        NotThisError: the table does not hold a UNet of this kind there.
    """
    first, times, last, added, classes, transformer, residual = HEADS[naming]
    down_places, up_places = _places(shapes, naming, start)
    require(bool(down_places), f"no levels of blocks below `{start}`")
    down = _depths(shapes, down_places)
    up = () if halved else _depths(shapes, up_places)
    require(halved or len(up) == len(down), f"{len(down)} levels down, but {len(up)} up")
    middle = _middle(shapes, start + residual, start + transformer, naming)
    named = [
        place.transformer
        for levels, depths in ((down_places, down), (up_places, up))
        for places, level in zip(levels, depths, strict=False)
        for place, blocks in zip(places, level, strict=True)
        if blocks
    ]
    if middle:
        named.append(start + transformer)
    require(bool(named), "no transformer that looks at a text")
    context, linear = _attention(shapes, named)
    wide, square = (start + name for name in times)
    diffusers = naming == "diffusers"
    return UNet(
        in_channels=common_size(shapes, (start + first, 1)) if start + first in shapes else LATENT,
        out_channels=_optional(shapes, start + last, 0, start + last[:-6] + "bias"),
        widths=tuple(_width(shapes, naming, level[0].residual) for level in down_places),
        down=down,
        up=up,
        middle=middle,
        context=context,
        linear=linear,
        embedding=common_size(shapes, (wide, 0), (square, 0), (square, 1)),
        addition=_optional(shapes, start + added, 1),
        classes=_optional(shapes, start + classes, 0),
        labels=_optional(shapes, f"{start}class_embedding.linear_1.weight", 1),
        guidance=_optional(shapes, f"{start}time_embedding.cond_proj.weight", 1),
        cross_only=_cross_only(shapes, down_places, down, context),
        motion=read_motion(shapes, start) if diffusers else None,
        prompts=_prompts(shapes, start) if diffusers else None,
    )


def read_motion(shapes: Shapes, start: str = "") -> Motion | None:
    """Sizes of the motion modules between the blocks; None where there are none."""
    middle = any(
        f"{start}mid_block.motion_modules.0.temporal_transformer.{end}.weight" in shapes
        for end in ("norm", "proj_in", "proj_out")
    )
    return read_module(shapes, f"{start}down_blocks.0.motion_modules.0.", middle=middle)


def read_module(shapes: Shapes, name: str, *, middle: bool) -> Motion | None:
    """Sizes of the motion module of that name; None where there is none."""
    block = f"{name}temporal_transformer.transformer_blocks."
    blocks = counted(shapes, block, ".ff_norm.weight", ".norms.0.weight", most=_DEPTH)
    if not blocks:
        return None
    parts = (".to_q.weight", ".to_k.weight", ".to_v.weight")
    start = f"{block}0.attention_blocks."
    attentions = counted(shapes, start, *parts, most=_DEPTH)
    tables = [f"{start}{number}.pos_encoder.pe" for number in range(attentions)]
    there = [(key, 1) for key in tables if key in shapes]
    frames = common_size(shapes, *there) if there else None
    return Motion(frames, middle, blocks, attentions)


def _places(shapes: Shapes, naming: Naming, start: str) -> tuple[Levels, Levels]:
    if naming == "ldm":
        return _ldm_down(shapes, start), _ldm_up(shapes, start)
    return _diffusers_way(shapes, f"{start}down_blocks."), _diffusers_way(
        shapes, f"{start}up_blocks."
    )


def _diffusers_way(shapes: Shapes, start: str) -> Levels:
    ends = (".conv1.weight", ".conv2.weight", ".norm1.weight")
    levels = counted(shapes, start, *(f".resnets.0{end}" for end in ends), most=_LEVELS)
    found = []
    for level in range(levels):
        name = f"{start}{level}."
        number = counted(shapes, f"{name}resnets.", *ends, most=_BLOCKS)
        found.append([Place(f"{name}resnets.{i}", f"{name}attentions.{i}") for i in range(number)])
    return found


def _ldm_down(shapes: Shapes, start: str) -> Levels:
    found: list[list[Place]] = [[]]
    for number in range(1, _LEVELS * (_BLOCKS + 1)):
        name = f"{start}input_blocks.{number}"
        if f"{name}.0.op.weight" in shapes or f"{name}.0.op.bias" in shapes:
            found.append([])
        elif _is_residual(shapes, f"{name}.0"):
            found[-1].append(Place(f"{name}.0", f"{name}.1"))
        else:
            break
    require(len(found) <= _LEVELS, f"more than {_LEVELS} levels")
    return found if all(found) else []


def _ldm_up(shapes: Shapes, start: str) -> Levels:
    found: list[list[Place]] = [[]]
    for number in range(_LEVELS * (_BLOCKS + 1)):
        name = f"{start}output_blocks.{number}"
        if not _is_residual(shapes, f"{name}.0"):
            break
        found[-1].append(Place(f"{name}.0", f"{name}.1"))
        if any(f"{name}.{place}.conv.{part}" in shapes for place in "12" for part in _PARTS):
            found.append([])
    return found if all(found) else []


_PARTS = ("weight", "bias")


def _is_residual(shapes: Shapes, name: str) -> bool:
    return any(
        f"{name}.{end}" in shapes
        for end in ("in_layers.2.weight", "out_layers.3.weight", "in_layers.0.weight")
    )


def _depths(shapes: Shapes, levels: Levels) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(_depth(shapes, place.transformer) for place in level) for level in levels)


def _depth(shapes: Shapes, name: str) -> int:
    return counted(
        shapes,
        f"{name}.transformer_blocks.",
        ".attn1.to_q.weight",
        ".attn2.to_k.weight",
        ".norm1.weight",
        most=_DEPTH,
    )


def _middle(shapes: Shapes, residual: str, transformer: str, naming: Naming) -> int | None:
    if not any(f"{residual}.{end}.weight" in shapes for end in RESIDUAL[naming]):
        return None
    return _depth(shapes, transformer)


def _width(shapes: Shapes, naming: Naming, name: str) -> int:
    _, conv1, time, _, conv2, _ = RESIDUAL[naming]
    return common_size(
        shapes,
        (f"{name}.{conv1}.weight", 0),
        (f"{name}.{conv2}.weight", 0),
        (f"{name}.{time}.weight", 0),
    )


def _attention(shapes: Shapes, named: Sequence[str]) -> tuple[int, bool]:
    """Features of a text token, and whether projections are linear."""
    some = (named[0], named[-1], named[len(named) // 2])
    ends = [f"{name}.transformer_blocks.0.attn2.to_k.weight" for name in some]
    context = common_size(shapes, *((end, 1) for end in ends))
    ranks = [len(shapes[key]) for name in some if (key := f"{name}.proj_in.weight") in shapes]
    if not ranks:
        raise NotThisError(f"no `{named[0]}.proj_in.weight`")
    return context, max(ranks, key=ranks.count) == 2


def _cross_only(
    shapes: Shapes, places: Levels, depths: tuple[tuple[int, ...], ...], context: int
) -> tuple[bool, ...]:
    found = []
    for level, blocks in zip(places, depths, strict=True):
        name = f"{level[0].transformer}.transformer_blocks.0.attn1.to_k.weight"
        shape = shapes.get(name, ())
        found.append(
            bool(blocks[0]) and len(shape) == 2 and shape[1] == context and shape[0] != context
        )
    return tuple(found) if any(found) else ()


def _prompts(shapes: Shapes, start: str) -> ImagePrompts | None:
    name = f"{start}encoder_hid_proj."
    if f"{name}latents" not in shapes:
        return None
    shape_of(shapes, f"{name}latents", dims=3)
    first = f"{name}layers.0."
    return ImagePrompts(
        features=common_size(shapes, (f"{name}proj_in.weight", 1)),
        queries=common_size(shapes, (f"{name}latents", 1)),
        width=common_size(shapes, (f"{name}latents", 2), (f"{name}proj_in.weight", 0)),
        depth=counted(shapes, f"{name}layers.", ".0.to_q.weight", ".0.to_kv.weight", most=_DEPTH),
        inner=common_size(shapes, (f"{first}0.to_q.weight", 0), (f"{first}0.to_out.weight", 1)),
        hidden=common_size(shapes, (f"{first}1.1.weight", 0), (f"{first}1.3.weight", 1)),
    )


def _optional(shapes: Shapes, key: str, axis: int, bias: str = "") -> int | None:
    if key in shapes:
        return common_size(shapes, (key, axis))
    return common_size(shapes, (bias, 0)) if bias in shapes else None
