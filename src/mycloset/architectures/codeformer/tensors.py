"""The tensors of a CodeFormer.

Source: sczhou/CodeFormer, basicsr/archs/{codeformer,vqgan}_arch.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from mycloset.architectures.blocks import conv, linear, norm
from mycloset.architectures.family import Shape

SIDES = (16, 32, 64, 128, 256, 512)
"""Sides in pixels at which features can be handed over, from the innermost."""

_WIDER = (1, 2, 2, 4, 4, 8)
"""Features at 512 to 16 pixels, as multiples of those at 512: fixed in the constructor."""


@dataclass(frozen=True)
class Sizes:
    """What a CodeFormer is built of.

    Attributes:
        width: features at full size.
        word: features of a word of the book.
        words: in the book.
        places: words of a picture.
        features: of the transformer.
        hidden: features within its feed-forward layers.
        layers: of the transformer.
        fused: sides in pixels at which features are handed from the encoder to the generator.
    """

    width: int = 64
    word: int = 256
    words: int = 1024
    places: int = 256
    features: int = 512
    hidden: int = 1024
    layers: int = 9
    fused: tuple[int, ...] = (32, 64, 128, 256)

    def at(self, side: int) -> int:
        """Features at a side in pixels."""
        return self.width * _WIDER[5 - SIDES.index(side)]


def tensors(sizes: Sizes) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    told: dict[str, Shape] = {"position_emb": (sizes.places, sizes.features)}
    told |= _listed("encoder.blocks", _encoder(sizes))
    told["quantize.embedding.weight"] = (sizes.words, sizes.word)
    told |= _listed("generator.blocks", _generator(sizes))
    told |= linear("feat_emb", sizes.features, sizes.word)
    for number in range(sizes.layers):
        told |= _layer(f"ft_layers.{number}", sizes)
    told |= norm("idx_pred_layer.0", sizes.features)
    told |= linear("idx_pred_layer.1", sizes.words, sizes.features, bias=False)
    for side in sizes.fused:
        name, width = f"fuse_convs_dict.{side}", sizes.at(side)
        told |= {f"{name}.encode_enc.{key}": shape for key, shape in _unit(width, 2 * width)}
        for part in ("scale", "shift"):
            told |= conv(f"{name}.{part}.0", width, width, 3)
            told |= conv(f"{name}.{part}.2", width, width, 3)
    return told


Block = list[tuple[str, Shape]]


def _listed(name: str, blocks: list[Block]) -> dict[str, Shape]:
    return {
        f"{name}.{number}.{key}": shape
        for number, block in enumerate(blocks)
        for key, shape in block
    }


def _encoder(sizes: Sizes) -> list[Block]:
    inp = sizes.width
    blocks = [_conv(inp, 3)]
    for side in reversed(SIDES):
        out = sizes.at(side)
        for _ in range(2):
            blocks.append(_unit(out, inp))
            inp = out
            if side == 16:
                blocks.append(_attention(inp))
        if side != 16:
            blocks.append([(f"conv.{key}", shape) for key, shape in _conv(inp, inp)])
    return [*blocks, *_middle(inp), _norm(inp), _conv(sizes.word, inp)]


def _generator(sizes: Sizes) -> list[Block]:
    inp = sizes.at(16)
    blocks = [_conv(inp, sizes.word), *_middle(inp)]
    for side in SIDES:
        out = sizes.at(side)
        for _ in range(2):
            blocks.append(_unit(out, inp))
            inp = out
            if side == 16:
                blocks.append(_attention(inp))
        if side != 512:
            blocks.append([(f"conv.{key}", shape) for key, shape in _conv(inp, inp)])
    return [*blocks, _norm(inp), _conv(3, inp)]


def _middle(width: int) -> list[Block]:
    return [_unit(width, width), _attention(width), _unit(width, width)]


def _conv(out: int, inp: int) -> Block:
    return [("weight", (out, inp, 3, 3)), ("bias", (out,))]


def _norm(width: int) -> Block:
    return [("weight", (width,)), ("bias", (width,))]


def _unit(out: int, inp: int) -> Block:
    """A residual unit; its shortcut has a convolution where the width changes."""
    told = norm("norm1", inp) | conv("conv1", out, inp, 3)
    told |= norm("norm2", out) | conv("conv2", out, out, 3)
    if inp != out:
        told |= conv("conv_out", out, inp)
    return list(told.items())


def _attention(width: int) -> Block:
    told = norm("norm", width)
    for part in ("q", "k", "v", "proj_out"):
        told |= conv(part, width, width)
    return list(told.items())


def _layer(name: str, sizes: Sizes) -> dict[str, Shape]:
    width, hidden = sizes.features, sizes.hidden
    return {
        f"{name}.self_attn.in_proj_weight": (3 * width, width),
        f"{name}.self_attn.in_proj_bias": (3 * width,),
        **linear(f"{name}.self_attn.out_proj", width, width),
        **linear(f"{name}.linear1", hidden, width),
        **linear(f"{name}.linear2", width, hidden),
        **norm(f"{name}.norm1", width),
        **norm(f"{name}.norm2", width),
    }
