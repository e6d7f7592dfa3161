"""What GPT-2 files look like as transformers writes them, with any head and of any size."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import Block, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, norm, require
from mycloset.architectures.reading import extent
from mycloset.architectures.sizes import size

_MOST_LAYERS = 256

_PUBLISHED = {
    (768, 6): ("distilgpt2", 12),
    (768, 12): ("gpt2", 12),
    (1024, 24): ("gpt2-medium", 16),
    (1280, 36): ("gpt2-large", 20),
    (1600, 48): ("gpt2-xl", 25),
}
"""Width and layers -> name and attention heads."""

_VOCABULARY = 50257
_POSITIONS = 1024


class _Sizes(NamedTuple):
    vocabulary: int
    positions: int
    width: int
    layers: int
    inner: int
    masks: bool
    """Whether each layer has its triangular mask in the file."""
    fills: bool
    """Whether each layer has the value that masked scores get."""
    head: bool
    """Whether the output's matrix is in the file (it is the input's)."""
    labels: int
    """Classes of a text classifier; 0 where it is none."""


def read(shapes: Shapes) -> Claim:
    """What a GPT-2 table is.

    Raises:
        NotThisError: it is none.
    """
    lead = "transformer." if any(key.startswith("transformer.") for key in shapes) else ""
    layer = f"{lead}h.{{}}."
    layers = extent(shapes, f"{layer}attn.c_attn.weight", f"{layer}ln_1.weight", limit=_MOST_LAYERS)
    require(0 < layers < _MOST_LAYERS, f"{layers} layers below `{lead}h.`")
    first = layer.format(0)
    places = [layer.format(number) for number in range(layers)]
    return _claim(
        _Sizes(
            vocabulary=size(
                shapes, (f"{lead}wte.weight", 0), ("lm_head.weight", 0), default=_VOCABULARY
            ),
            positions=size(
                shapes, (f"{lead}wpe.weight", 0), (f"{first}attn.bias", 3), default=_POSITIONS
            ),
            width=size(shapes, (f"{lead}wte.weight", 1), (f"{lead}wpe.weight", 1)),
            layers=layers,
            inner=size(shapes, (f"{first}mlp.c_fc.weight", 1), (f"{first}mlp.c_proj.weight", 0)),
            masks=any(f"{place}attn.bias" in shapes for place in places),
            fills=any(f"{place}attn.masked_bias" in shapes for place in places),
            head="lm_head.weight" in shapes,
            labels=size(shapes, ("score.weight", 0)) if "score.weight" in shapes else 0,
        ),
        lead,
    )


def examples() -> Iterator[Claim]:
    """The published networks, as their files have them and as they are saved with a head."""
    for width, layers in _PUBLISHED:
        plain = _Sizes(
            _VOCABULARY,
            _POSITIONS,
            width,
            layers,
            4 * width,
            masks=True,
            fills=False,
            head=False,
            labels=0,
        )
        yield _claim(plain, "")
        yield _claim(plain._replace(head=True), "transformer.")


def _claim(sizes: _Sizes, lead: str) -> Claim:
    width, layers = sizes.width, sizes.layers
    name, heads = "custom", 0
    if sizes.inner == 4 * width:
        name, heads = _PUBLISHED.get((width, layers), (name, heads))
    tensors, buffers = _tensors(sizes, lead)
    kinds = {"gpt2": "GPT-2", "distilgpt2": "DistilGPT-2", "custom": "GPT-2 of another size"}
    title = kinds.get(name, f"GPT-2 {name.partition('-')[2]}")
    undecidable = ["what it was trained or tuned on"]
    if not heads:
        undecidable.append("the number of attention heads")
    return Claim(
        variant=name,
        title=f"{title}, {layers} layers of {width} channels",
        config={
            "vocab_size": sizes.vocabulary,
            "n_positions": sizes.positions,
            "n_embd": width,
            "n_layer": layers,
            "n_inner": sizes.inner,
            "n_head": heads or None,
            "num_labels": sizes.labels or None,
        },
        tensors=tensors,
        layout="transformers",
        evidence=(
            f"`{lead}wte.weight` is {[sizes.vocabulary, width]}"
            + (": GPT-2's vocabulary" if sizes.vocabulary == _VOCABULARY else ""),
            f"`{lead}h.0.attn.c_attn.weight` is {[width, 3 * width]}: inputs before outputs",
            f"{layers} layers below `{lead}h.`",
        ),
        undecidable=tuple(undecidable),
        task="text classification" if sizes.labels else None,
        output_channels=sizes.labels or sizes.vocabulary,
        buffers=frozenset(buffers),
    )


def _tensors(sizes: _Sizes, lead: str) -> tuple[dict[str, Shape], list[str]]:
    """Every tensor, and the keys of those that are masks."""
    width = sizes.width
    found: dict[str, Shape] = {
        f"{lead}wte.weight": (sizes.vocabulary, width),
        f"{lead}wpe.weight": (sizes.positions, width),
    }
    block = _layer(width, sizes.inner, sizes.positions if sizes.masks else 0, sizes.fills)
    buffers = []
    for number in range(sizes.layers):
        place = f"{lead}h.{number}."
        put(found, place, block)
        buffers += [place + key for key in ("attn.bias", "attn.masked_bias") if key in block]
    found |= norm(f"{lead}ln_f", width)
    if sizes.head:
        found["lm_head.weight"] = (sizes.vocabulary, width)
    if sizes.labels:
        found["score.weight"] = (sizes.labels, width)
    return found, buffers


@lru_cache(maxsize=64)
def _layer(width: int, inner: int, mask: int, fills: bool) -> Block:
    found = norm("ln_1", width)
    if mask:
        found["attn.bias"] = (1, 1, mask, mask)
    if fills:
        found["attn.masked_bias"] = ()
    for name, inp, out in (("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width)):
        found |= {f"{name}.weight": (inp, out), f"{name}.bias": (out,)}
    found |= norm("ln_2", width)
    for name, inp, out in (("mlp.c_fc", width, inner), ("mlp.c_proj", inner, width)):
        found |= {f"{name}.weight": (inp, out), f"{name}.bias": (out,)}
    return MappingProxyType(found)


FAMILY = Family(
    name="gpt2",
    title="GPT-2",
    task="text generation",
    steps=(),
    markers=(
        ("wte.weight", "h.0.attn.c_attn.weight"),
        ("transformer.wte.weight", "transformer.h.0.attn.c_attn.weight"),
        ("wpe.weight", "h.0.ln_1.weight"),
        ("transformer.wpe.weight", "transformer.h.0.ln_1.weight"),
    ),
    read=read,
    examples=examples,
    published=tuple(
        Published(f"{name}/{file}", name)
        for name, _ in _PUBLISHED.values()
        for file in ("model.safetensors", "pytorch_model.bin")
    ),
    licence="MIT",
    source="huggingface/transformers, models/gpt2/modeling_gpt2.py",
    aliases=("gpt2", "gpt-2"),
)
