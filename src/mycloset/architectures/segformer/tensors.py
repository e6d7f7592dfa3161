"""The tensors of a SegFormer of given sizes, and what two layouts call them.

Source: huggingface/transformers, models/segformer: 4.x writes `encoder.block`, 5.x `stages`.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import Block, batch_norm, conv, linear, norm, put
from mycloset.architectures.family import Shape


class Stage(NamedTuple):
    """One level of the pyramid."""

    blocks: int
    width: int
    patch: int
    """Kernel of the convolution that makes its patches."""
    hidden: int
    """Channels within its feed-forward layers."""
    reduction: int
    """By how much keys and values are fewer than queries, in each direction; 1 or more."""


class Sizes(NamedTuple):
    """A whole network: at most one of `decoder` and `classifier` is there."""

    inputs: int
    stages: tuple[Stage, ...]
    decoder: int
    """Channels of the decoder; 0 where there is none."""
    classes: int
    classifier: bool
    """Whether one vector a picture is classified."""


class Names(NamedTuple):
    """What a layout calls its modules; the first `{}` is the stage, the second the block."""

    layout: str
    patches: str
    block: str
    last: str
    before: str
    projections: tuple[str, str, str]
    output: str
    reducing: tuple[str, str]
    after: str
    feed: tuple[str, str]
    heads: str


OLDER = Names(
    layout="transformers-4.x",
    patches="encoder.patch_embeddings.{}",
    block="encoder.block.{}.{}.",
    last="encoder.layer_norm.{}",
    before="layer_norm_1",
    projections=("attention.self.query", "attention.self.key", "attention.self.value"),
    output="attention.output.dense",
    reducing=("attention.self.sr", "attention.self.layer_norm"),
    after="layer_norm_2",
    feed=("mlp.dense1", "mlp.dense2"),
    heads="decode_head.linear_c.{}.proj",
)
NEWER = Names(
    layout="transformers-5.x",
    patches="stages.{}.patch_embeddings",
    block="stages.{}.blocks.{}.",
    last="stages.{}.layer_norm",
    before="layernorm_before",
    projections=("attention.q_proj", "attention.k_proj", "attention.v_proj"),
    output="attention.o_proj",
    reducing=(
        "attention.sequence_reduction.sequence_reduction",
        "attention.sequence_reduction.layer_norm",
    ),
    after="layernorm_after",
    feed=("mlp.fc1", "mlp.fc2"),
    heads="decode_head.linear_projections.{}.proj",
)


def tensors(sizes: Sizes, names: Names, lead: str) -> dict[str, Shape]:
    """Every tensor in the order in which the layout writes them."""
    found: dict[str, Shape] = {}
    older = names is OLDER
    inp = sizes.inputs
    entries = []
    for stage in sizes.stages:
        entries.append((stage, inp))
        inp = stage.width
    if older:
        for number, (stage, entering) in enumerate(entries):
            _put_patches(found, lead, names, number, stage, entering)
    for number, (stage, entering) in enumerate(entries):
        if not older:
            _put_patches(found, lead, names, number, stage, entering)
        block = _block(stage._replace(blocks=0, patch=0), names)
        for place in range(stage.blocks):
            put(found, lead + names.block.format(number, place), block)
        if not older:
            found |= norm(lead + names.last.format(number), stage.width)
    if older:
        for number, stage in enumerate(sizes.stages):
            found |= norm(lead + names.last.format(number), stage.width)
    if sizes.decoder:
        width = sizes.decoder
        for number, stage in enumerate(sizes.stages):
            found |= linear(names.heads.format(number), width, stage.width)
        fused = width * len(sizes.stages)
        found |= conv("decode_head.linear_fuse", width, fused, bias=False)
        found |= batch_norm("decode_head.batch_norm", width)
        found |= conv("decode_head.classifier", sizes.classes, width)
    elif sizes.classifier:
        found |= linear("classifier", sizes.classes, sizes.stages[-1].width)
    return found


def _put_patches(
    found: dict[str, Shape], lead: str, names: Names, number: int, stage: Stage, inp: int
) -> None:
    place = lead + names.patches.format(number)
    found |= conv(f"{place}.proj", stage.width, inp, stage.patch)
    found |= norm(f"{place}.layer_norm", stage.width)


@lru_cache(maxsize=128)
def _block(stage: Stage, names: Names) -> Block:
    width, hidden = stage.width, stage.hidden
    output = linear(names.output, width, width)
    reducing: dict[str, Shape] = {}
    if stage.reduction > 1:
        reducing |= conv(names.reducing[0], width, width, stage.reduction)
        reducing |= norm(names.reducing[1], width)
    found = norm(names.before, width)
    for projection in names.projections:
        found |= linear(projection, width, width)
    found |= reducing | output if names is OLDER else output | reducing
    found |= norm(names.after, width)
    found |= linear(names.feed[0], hidden, width)
    found |= conv("mlp.dwconv.dwconv", hidden, hidden, 3, groups=hidden)
    found |= linear(names.feed[1], width, hidden)
    return MappingProxyType(found)
