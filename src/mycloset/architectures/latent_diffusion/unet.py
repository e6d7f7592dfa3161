"""The tensors of a latent-diffusion UNet with cross attention, by its sizes, in both namings.

Sources: `UNet2DConditionModel` of diffusers (names "diffusers"), `UNetModel` of CompVis'
latent-diffusion and Stability's generative-models (names "ldm").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.family import Shape
from mycloset.architectures.latent_diffusion import image_prompts, motion
from mycloset.architectures.latent_diffusion.blocks import (
    Naming,
    Pair,
    layer,
    norm_pairs,
    residual_block,
    spatial_transformer,
)


class UNet(NamedTuple):
    """Sizes of one UNet.

    Attributes:
        in_channels: channels of what its first convolution takes.
        out_channels: of what it gives; None where the last norm and convolution are left out.
        widths: channels by level, finest first.
        down: by level, depth of the transformer after each residual block; 0 where there is none.
        up: the same for the way up, coarsest level first; one more block a level.
        middle: depth of the transformer in the middle; 0 without one, None without a middle.
        context: features of a text token.
        linear: projections around transformers are linear layers, not 1x1 convolutions.
        embedding: features of the time embedding.
        addition: features that enter beside the time embedding (SDXL's pooled text and sizes).
        classes: number of classes that enter with the time embedding.
        labels: features of a class vector that enters with the time embedding (diffusers only).
        guidance: features of an embedded guidance scale (latent consistency models).
        cross_only: by level, whether the first attention of a block looks at the text, too.
        motion: motion modules between the levels' blocks.
        prompts: image prompts beside the text.
    """

    in_channels: int
    out_channels: int | None
    widths: tuple[int, ...]
    down: tuple[tuple[int, ...], ...]
    up: tuple[tuple[int, ...], ...]
    middle: int | None
    context: int
    linear: bool
    embedding: int
    addition: int | None = None
    classes: int | None = None
    labels: int | None = None
    guidance: int | None = None
    cross_only: tuple[bool, ...] = ()
    motion: motion.Motion | None = None
    prompts: image_prompts.ImagePrompts | None = None


@lru_cache(maxsize=64)
def tensors(net: UNet, naming: Naming) -> Mapping[str, Shape]:
    """Every tensor of the network in the file's order."""
    pairs = _diffusers(net) if naming == "diffusers" else _ldm(net)
    return MappingProxyType(dict(pairs))


class Block(NamedTuple):
    """A residual block and the transformer after it: channels in and out, depth."""

    inp: int
    out: int
    depth: int


@lru_cache(maxsize=64)
def down_blocks(net: UNet) -> tuple[tuple[Block, ...], ...]:
    """The blocks on the way down, by level."""
    found = []
    before = net.widths[0]
    for width, depths in zip(net.widths, net.down, strict=True):
        level = []
        for depth in depths:
            level.append(Block(before, width, depth))
            before = width
        found.append(tuple(level))
    return tuple(found)


@lru_cache(maxsize=64)
def up_blocks(net: UNet) -> tuple[tuple[Block, ...], ...]:
    """The blocks on the way up, by level, coarsest first; each takes one skipped feature map."""
    last = len(net.widths) - 1
    skips = [net.widths[0]]
    for level, (width, depths) in enumerate(zip(net.widths, net.down, strict=True)):
        skips += [width] * (len(depths) + (level < last))
    found = []
    before = net.widths[-1]
    for width, depths in zip(reversed(net.widths), net.up, strict=True):
        blocks = []
        for depth in depths:
            blocks.append(Block(before + (skips.pop() if skips else 0), width, depth))
            before = width
        found.append(tuple(blocks))
    return tuple(found)


def cross_only(net: UNet, level: int) -> bool:
    """Whether the level's first attentions look at the text, too."""
    return level < len(net.cross_only) and net.cross_only[level]


def diffusers_head(net: UNet) -> Iterator[Pair]:
    """What comes before the blocks in diffusers' order: first convolution and time embedding."""
    yield from layer("conv_in", net.widths[0], net.in_channels, 3, 3)
    yield from layer("time_embedding.linear_1", net.embedding, net.widths[0])
    if net.guidance is not None:
        yield "time_embedding.cond_proj.weight", (net.widths[0], net.guidance)
    yield from layer("time_embedding.linear_2", net.embedding, net.embedding)
    if net.prompts is not None:
        yield from image_prompts.resampler(net.prompts, net.context)
    if net.classes is not None:
        yield "class_embedding.weight", (net.classes, net.embedding)
    if net.labels is not None:
        yield from layer("class_embedding.linear_1", net.embedding, net.labels)
        yield from layer("class_embedding.linear_2", net.embedding, net.embedding)
    if net.addition is not None:
        yield from layer("add_embedding.linear_1", net.embedding, net.addition)
        yield from layer("add_embedding.linear_2", net.embedding, net.embedding)


def diffusers_level(
    net: UNet, start: str, blocks: tuple[Block, ...], sampler: str, *, looks: bool
) -> Iterator[Pair]:
    """One level in diffusers' order: transformers, residual blocks, motion modules, sampler."""
    for number, block in enumerate(blocks):
        if block.depth:
            name = f"{start}.attentions.{number}"
            for key, shape in spatial_transformer(
                "diffusers",
                block.out,
                block.depth,
                net.context,
                linear=net.linear,
                cross_only=looks,
                prompted=net.prompts is not None,
                framed=net.motion is not None,
            ):
                yield name + key, shape
    for number, block in enumerate(blocks):
        name = f"{start}.resnets.{number}"
        for key, shape in residual_block("diffusers", block.inp, block.out, net.embedding):
            yield name + key, shape
    if net.motion is not None:
        for number, block in enumerate(blocks):
            name = f"{start}.motion_modules.{number}"
            for key, shape in motion.module(net.motion, block.out):
                yield name + key, shape
    if sampler:
        width = blocks[-1].out
        yield from layer(f"{start}.{sampler}.0.conv", width, width, 3, 3)


def diffusers_middle(net: UNet) -> Iterator[Pair]:
    """The middle in diffusers' order."""
    if net.middle is None:
        return
    width = net.widths[-1]
    if net.middle:
        for key, shape in spatial_transformer(
            "diffusers",
            width,
            net.middle,
            net.context,
            linear=net.linear,
            prompted=net.prompts is not None,
            framed=net.motion is not None,
        ):
            yield "mid_block.attentions.0" + key, shape
    for number in range(2):
        for key, shape in residual_block("diffusers", width, width, net.embedding):
            yield f"mid_block.resnets.{number}{key}", shape
    if net.motion is not None and net.motion.middle:
        for key, shape in motion.module(net.motion, width):
            yield "mid_block.motion_modules.0" + key, shape


def _diffusers(net: UNet) -> Iterator[Pair]:
    yield from diffusers_head(net)
    last = len(net.widths) - 1
    for level, blocks in enumerate(down_blocks(net)):
        sampler = "downsamplers" if level < last else ""
        looks = cross_only(net, level)
        yield from diffusers_level(net, f"down_blocks.{level}", blocks, sampler, looks=looks)
    for level, blocks in enumerate(up_blocks(net)):
        sampler = "upsamplers" if level < last else ""
        looks = cross_only(net, last - level)
        yield from diffusers_level(net, f"up_blocks.{level}", blocks, sampler, looks=looks)
    yield from diffusers_middle(net)
    if net.out_channels is not None:
        yield from norm_pairs("conv_norm_out", net.widths[0])
        yield from layer("conv_out", net.out_channels, net.widths[0], 3, 3)


def ldm_head(net: UNet) -> Iterator[Pair]:
    """What comes before the blocks in LDM's order."""
    yield from layer("time_embed.0", net.embedding, net.widths[0])
    yield from layer("time_embed.2", net.embedding, net.embedding)
    if net.classes is not None:
        yield "label_emb.weight", (net.classes, net.embedding)
    if net.addition is not None:
        yield from layer("label_emb.0.0", net.embedding, net.addition)
        yield from layer("label_emb.0.2", net.embedding, net.embedding)


def ldm_block(net: UNet, start: str, block: Block, *, looks: bool) -> Iterator[Pair]:
    """A residual block and its transformer."""
    for key, shape in residual_block("ldm", block.inp, block.out, net.embedding):
        yield f"{start}.0{key}", shape
    if block.depth:
        for key, shape in spatial_transformer(
            "ldm", block.out, block.depth, net.context, linear=net.linear, cross_only=looks
        ):
            yield f"{start}.1{key}", shape


def ldm_down(net: UNet) -> Iterator[Pair]:
    """First convolution and way down in LDM's order."""
    yield from layer("input_blocks.0.0", net.widths[0], net.in_channels, 3, 3)
    last = len(net.widths) - 1
    number = 1
    for level, blocks in enumerate(down_blocks(net)):
        for block in blocks:
            looks = cross_only(net, level)
            yield from ldm_block(net, f"input_blocks.{number}", block, looks=looks)
            number += 1
        if level < last:
            width = net.widths[level]
            yield from layer(f"input_blocks.{number}.0.op", width, width, 3, 3)
            number += 1


def ldm_middle(net: UNet) -> Iterator[Pair]:
    """The middle in LDM's order."""
    if net.middle is None:
        return
    width = net.widths[-1]
    yield from ldm_block(net, "middle_block", Block(width, width, net.middle), looks=False)
    second = 2 if net.middle else 1
    for key, shape in residual_block("ldm", width, width, net.embedding):
        yield f"middle_block.{second}{key}", shape


def _ldm(net: UNet) -> Iterator[Pair]:
    yield from ldm_head(net)
    yield from ldm_down(net)
    yield from ldm_middle(net)
    last = len(net.widths) - 1
    number = 0
    for level, blocks in enumerate(up_blocks(net)):
        for place, block in enumerate(blocks):
            start = f"output_blocks.{number}"
            yield from ldm_block(net, start, block, looks=cross_only(net, last - level))
            if place == len(blocks) - 1 and level < last:
                sampler = f"{start}.{2 if block.depth else 1}.conv"
                yield from layer(sampler, block.out, block.out, 3, 3)
            number += 1
    if net.out_channels is not None:
        yield from norm_pairs("out.0", net.widths[0])
        yield from layer("out.2", net.out_channels, net.widths[0], 3, 3)
