"""What GPT-2 files look like: transformers' names, with or without prefix, masks and head."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import norm, put
from mycloset.architectures.family import Claim, Family, Shape, Shapes, require
from mycloset.architectures.reading import extent, size

_SIZES = {
    (768, 12): ("gpt2", "GPT-2 small", 12),
    (1024, 24): ("gpt2-medium", "GPT-2 medium", 16),
    (1280, 36): ("gpt2-large", "GPT-2 large", 20),
    (1600, 48): ("gpt2-xl", "GPT-2 XL", 25),
    (768, 6): ("distilgpt2", "DistilGPT-2", 12),
}
"""Width and layers -> variant, title, attention heads."""

_LEADS = ("", "transformer.")


class Network(NamedTuple):
    """A whole network.

    Attributes:
        lead: what stands before the keys of all but the head.
        words: tokens of the vocabulary.
        places: longest text.
        width: length of an embedding.
        inner: width between the two linear layers of a block.
        layers: blocks.
        masks: whether each block's causal mask lies in the file.
        constants: whether the value of masked places does.
        head: whether the output layer does (it is the words' table again).
        scores: labels of a classifier; 0 without one.
    """

    lead: str
    words: int
    places: int
    width: int
    inner: int
    layers: int
    masks: bool = False
    constants: bool = False
    head: bool = False
    scores: int = 0


def read(shapes: Shapes) -> Claim:
    """What a GPT-2 table is.

    Raises:
        NotThisError: it lacks the embeddings or the first block.
    """
    first = "h.0.attn.c_attn.weight"
    lead = next(
        (lead for lead in _LEADS if f"{lead}{first}" in shapes or f"{lead}wte.weight" in shapes),
        "",
    )
    block = f"{lead}h.0."
    width = size(shapes, (f"{block}ln_1.weight", 0), (f"{lead}wte.weight", 1))
    attention = shapes.get(f"{block}attn.c_attn.weight", (width, 3 * width))
    require(
        attention == (width, 3 * width),
        f"`{block}attn.c_attn.weight` is {list(attention)}, not {[width, 3 * width]}",
    )
    layers = extent(
        shapes, f"{lead}h.{{}}.ln_1.weight", f"{lead}h.{{}}.attn.c_attn.weight", limit=512
    )
    require(layers > 0, f"no `{block}ln_1.weight`")
    scores = size(shapes, ("score.weight", 0)) if "score.weight" in shapes else 0
    return _claim(
        Network(
            lead=lead,
            words=size(shapes, (f"{lead}wte.weight", 0), ("lm_head.weight", 0)),
            places=size(shapes, (f"{lead}wpe.weight", 0), (f"{block}attn.bias", 2), default=1024),
            width=width,
            inner=size(shapes, (f"{block}mlp.c_fc.weight", 1), (f"{block}mlp.c_fc.bias", 0)),
            layers=layers,
            masks=f"{block}attn.bias" in shapes,
            constants=f"{block}attn.masked_bias" in shapes,
            head="lm_head.weight" in shapes,
            scores=scores,
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks as their files were first saved, and as they are saved now."""
    for width, layers in _SIZES:
        whole = Network("", 50257, 1024, width, 4 * width, layers, masks=True)
        yield _claim(whole)
        yield _claim(whole._replace(head=True))
        yield _claim(whole._replace(lead="transformer.", masks=False))
        yield _claim(whole._replace(lead="transformer.", head=True))


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    lead, width = network.lead, network.width
    found: dict[str, Shape] = {
        f"{lead}wte.weight": (network.words, width),
        f"{lead}wpe.weight": (network.places, width),
    }
    block = _block(network._replace(lead="", layers=0, words=0, head=False, scores=0))
    for layer in range(network.layers):
        put(found, f"{lead}h.{layer}.", block)
    found |= norm(f"{lead}ln_f", width)
    if network.head:
        found["lm_head.weight"] = (network.words, width)
    if network.scores:
        found["score.weight"] = (network.scores, width)
    return found


@lru_cache(maxsize=64)
def _block(network: Network) -> Mapping[str, Shape]:
    """A block; its linear layers have their inputs first, as a convolution over 1 would not."""
    width, inner = network.width, network.inner
    found = norm("ln_1", width)
    if network.masks:
        found["attn.bias"] = (1, 1, network.places, network.places)
    if network.constants:
        found["attn.masked_bias"] = ()
    for name, out, inp in (("attn.c_attn", 3 * width, width), ("attn.c_proj", width, width)):
        found |= {f"{name}.weight": (inp, out), f"{name}.bias": (out,)}
    found |= norm("ln_2", width)
    for name, out, inp in (("mlp.c_fc", inner, width), ("mlp.c_proj", width, inner)):
        found |= {f"{name}.weight": (inp, out), f"{name}.bias": (out,)}
    return MappingProxyType(found)


def _claim(network: Network) -> Claim:
    width, layers, lead = network.width, network.layers, network.lead
    variant, title, heads = _SIZES.get(
        (width, layers), (f"gpt2_{layers}x{width}", f"GPT-2 of {layers} layers", 0)
    )
    masks = {
        f"{lead}h.{layer}.attn.{name}": None
        for layer in range(layers)
        for name in ("bias", "masked_bias")
    }
    what = f"classifier of {network.scores} classes" if network.scores else "language model"
    return Claim(
        variant=variant,
        title=f"{title}, {what}",
        config={
            "vocab_size": network.words,
            "n_positions": network.places,
            "n_embd": width,
            "n_layer": layers,
            "n_head": heads or max(1, width // 64),
            "n_inner": network.inner,
            "num_labels": network.scores or None,
        },
        tensors=tensors(network),
        layout="transformers",
        optional={**masks, "lm_head.weight": (network.words, width)},
        evidence=(
            f"`{lead}wte.weight` is {[network.words, width]}: {network.words} tokens",
            f"`{lead}h.0.attn.c_attn.weight` is {[width, 3 * width]}, inputs first",
            f"{layers} blocks",
        ),
        undecidable=(
            "the number of attention heads: the published networks have 64 channels a head",
            "the language and texts that it was trained on",
        ),
        output_channels=network.scores or network.words,
        buffers=frozenset(masks),
    )


FAMILY = Family(
    name="gpt2",
    title="GPT-2",
    task="text generation",
    steps=(),
    markers=tuple(
        group
        for lead in _LEADS
        for group in (
            (f"{lead}wte.weight", f"{lead}wpe.weight", f"{lead}h.0.attn.c_attn.weight"),
            (f"{lead}h.0.ln_1.weight", f"{lead}h.0.mlp.c_fc.weight", f"{lead}ln_f.weight"),
        )
    ),
    read=read,
    examples=examples,
    licence="MIT",
    source="huggingface/transformers, models/gpt2/modeling_gpt2.py; openai/gpt-2",
    aliases=("gpt2", "gpt-2", "distilgpt2"),
)
