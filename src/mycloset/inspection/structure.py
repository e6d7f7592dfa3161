"""A network as its tensors alone describe it: layers, widths, blocks, likely kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod

from mycloset.inspection.results import Structure

Shape = tuple[int, ...]

CHANNELS_TOLD = 64
"""How many entries of the channel progression are kept."""
BLOCKS_TOLD = 3

_ATTENTION = (
    ".qkv.weight",
    ".in_proj_weight",
    ".to_q.weight",
    ".q_proj.weight",
    ".query.weight",
    ".c_attn.weight",
    ".q.weight",
    ".to_qkv.weight",
    ".attn_q.weight",
)
_EMBEDDING = re.compile(r"(?:^|[._])(?:wte|wpe|\w*embed(?:ding|dings)?|codebook)\.?\w*\.weight$")
_NUMBER = re.compile(r"\.(\d+)\.")


def describe(shapes: Mapping[str, Shape]) -> Structure:
    """Count layers by the shapes of their weights.

    A weight of three dimensions or more is a convolution, of two a fully connected layer unless its
    name calls it an embedding, of one a norm. A bias of the second size instead of the first
    shows a transposed convolution.
    """
    convolutions = transposed = linears = norms = attentions = embeddings = recurrent = 0
    heads: int | None = None
    channels: list[int] = []
    widest: tuple[int, str, Shape] | None = None
    largest: tuple[int, str, Shape] | None = None
    kernels: list[int] = []
    for key, shape in shapes.items():
        dims = len(shape)
        if dims >= 2:
            size = prod(shape)
            if largest is None or size > largest[0]:
                largest = (size, key, shape)
        elif "weight" not in key:
            continue
        if not key.endswith("weight"):
            if key.endswith("relative_position_bias_table") and dims == 2:
                heads = heads or shape[1]
            elif key.endswith("in_proj_weight"):
                attentions += 1
            elif ".weight_hh_" in key or ".weight_ih_" in key:
                recurrent += 1
            elif not key.endswith("weight_orig"):
                continue
        if dims == 1:
            norms += 1
            continue
        if dims < 2:
            continue
        if key.endswith(_ATTENTION):
            attentions += 1
        out = shape[0]
        if dims >= 3:
            convolutions += 1
            kernels.append(shape[-1])
            bias = shapes.get(key.removesuffix("weight") + "bias")
            if bias is not None and shape[0] != shape[1] == bias[0] if bias else False:
                transposed += 1
                out = shape[1]
        elif _EMBEDDING.search(key):
            embeddings += 1
            continue
        else:
            linears += 1
        if not channels or channels[-1] != out:
            channels.append(out)
        if widest is None or out > widest[0]:
            widest = (out, key, shape)
    return Structure(
        kind=_kind(convolutions, transposed, linears, attentions, embeddings, recurrent, channels),
        depth=convolutions + linears + recurrent,
        blocks=_blocks(shapes),
        convolutions=convolutions,
        transposed=transposed,
        linears=linears,
        norms=norms,
        attentions=attentions,
        embeddings=embeddings,
        heads=heads,
        channels=tuple(channels[:CHANNELS_TOLD]),
        widest=widest[1:] if widest is not None else None,
        largest=largest[1:] if largest is not None else None,
    )


def _blocks(shapes: Mapping[str, Shape]) -> tuple[tuple[str, int], ...]:
    """The numbered modules with the most members, outermost number first."""
    highest: dict[str, int] = {}
    for module in dict.fromkeys(key[: key.rfind(".") + 1] for key in shapes):
        found = _NUMBER.search(module)
        if found is not None:
            start = module[: found.start()]
            number = int(found[1]) if len(found[1]) < 7 else 0
            if number >= highest.get(start, -1):
                highest[start] = number
    runs = sorted(
        ((f"{start}.{{}}", number + 1) for start, number in highest.items() if number > 0),
        key=lambda run: -run[1],
    )
    return tuple(runs[:BLOCKS_TOLD])


def _kind(
    convolutions: int,
    transposed: int,
    linears: int,
    attentions: int,
    embeddings: int,
    recurrent: int,
    channels: list[int],
) -> str:
    weights = convolutions + linears + recurrent
    if weights == 0:
        return ""
    if recurrent:
        return "recurrent network"
    if attentions >= 2:
        if convolutions > linears:
            return "convolutional network with attention"
        if convolutions >= 4:
            return "transformer with convolutions"
        if convolutions:
            return "vision transformer"
        return "transformer on tokens" if embeddings else "transformer"
    if convolutions == 0:
        return "multilayer perceptron" if linears > 1 else "single linear layer"
    peak = max(channels)
    place = channels.index(peak)
    narrowing = place < 0.8 * len(channels) and channels[-1] * 4 <= peak
    if transposed or (narrowing and linears <= convolutions // 8 and len(channels) > 4):
        return "convolutional encoder-decoder"
    if linears and peak >= 4 * channels[0]:
        return "convolutional classifier or encoder"
    return "convolutional network"
