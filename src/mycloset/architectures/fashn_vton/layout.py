"""What FASHN VTON 1.5's file looks like: a multimodal diffusion transformer on pixels.

Source: fashn-AI/fashn-vton-1.5@7c0f10a, `src/fashn_vton/tryon_mmdit.py`. Its blocks have the key
names of FLUX.1's, which has `img_in`, `txt_in` and `vector_in` where this one has patches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import common_size, counted, shape_of, supported

_MOST_BLOCKS = 128
_COLOURS = 3


class _Sizes(NamedTuple):
    width: int
    hidden: int
    head: int
    person: int
    garment: int
    patch: int
    out: int
    mixers: int
    doubles: int
    singles: int
    classes: int
    times: int
    biased: bool


_PUBLISHED = _Sizes(1280, 5120, 128, 7, 4, 12, 432, 4, 8, 16, 4, 256, biased=True)


def read(shapes: Shapes) -> Claim:
    """Say whether a table is FASHN VTON's.

    Raises:
        NotThisError: it is not.
    """
    garment, person = "garment_embedder.proj.weight", "x_embedder.proj.weight"
    first = shape_of(shapes, garment if garment in shapes else person, dims=4)
    channels = shapes[garment][1] if garment in shapes else first[1] - _COLOURS
    entering = shapes.get(person, (0, channels + _COLOURS))
    require(len(entering) > 1, f"`{person}` is {list(entering)}")
    doubles = counted(
        shapes, "double_blocks.", ".img_attn.qkv.weight", ".txt_attn.qkv.weight", most=_MOST_BLOCKS
    )
    singles = counted(shapes, "single_blocks.", *_LINEAR, most=_MOST_BLOCKS)
    require(doubles > 0, "no `double_blocks.0.img_attn.qkv.weight`")
    sizes = _Sizes(
        width=common_size(
            shapes,
            (garment, 0),
            ("t_embedder.mlp.out_layer.weight", 0),
            ("final_layer.linear.weight", 1),
        ),
        hidden=common_size(
            shapes,
            ("double_blocks.0.img_mlp.0.weight", 0),
            ("double_blocks.0.img_mlp.2.weight", 1),
            ("double_blocks.0.txt_mlp.0.weight", 0),
        ),
        head=common_size(
            shapes,
            ("double_blocks.0.img_attn.norm.query_norm.scale", 0),
            ("double_blocks.0.txt_attn.norm.query_norm.scale", 0),
            ("double_blocks.0.img_attn.norm.key_norm.scale", 0),
        ),
        person=entering[1],
        garment=channels,
        patch=first[2],
        out=common_size(shapes, ("final_layer.linear.weight", 0), ("final_layer.linear.bias", 0)),
        mixers=counted(shapes, "x_patch_mixer.", *_LINEAR, most=_MOST_BLOCKS),
        doubles=doubles,
        singles=singles,
        classes=common_size(shapes, ("y_embedder.weight", 0)),
        times=common_size(shapes, ("t_embedder.mlp.in_layer.weight", 1)),
        biased="double_blocks.0.img_attn.qkv.bias" in shapes
        or "double_blocks.0.txt_attn.qkv.bias" in shapes,
    )
    require(min(*sizes) >= 0 < sizes.person and sizes.patch > 0, "sizes of zero")
    return supported(_claim(sizes), shapes)


def examples() -> Iterator[Claim]:
    """The published network."""
    yield _claim(_PUBLISHED)


_LINEAR = (".linear1.weight", ".linear2.weight")


def _claim(sizes: _Sizes) -> Claim:
    square = sizes.patch * sizes.patch
    colours = sizes.out // square
    head = sizes.head
    quarter = head // 8 - (head // 8) % 2
    known = sizes == _PUBLISHED
    return Claim(
        variant="v1.5" if known else "custom",
        title="FASHN VTON 1.5" + ("" if known else f" of width {sizes.width}"),
        config={
            "hidden_size": sizes.width,
            "n_heads": max(1, sizes.width // head),
            "double_blocks_depth": sizes.doubles,
            "single_blocks_depth": sizes.singles,
            "mlp_ratio": max(1, sizes.hidden // sizes.width),
            "channels_in": colours,
            "patch_size": sizes.patch,
            "theta": 10000,
            "axes_dim": [quarter, (head - quarter) // 2, (head - quarter) // 2],
            "qkv_bias": sizes.biased,
            "guidance_embed": False,
            "n_classes": sizes.classes - 1,
            "use_patch_mixer": sizes.mixers > 0,
            "patch_mixer_depth": sizes.mixers,
        },
        tensors=_tensors(sizes),
        evidence=(
            f"`garment_embedder.proj.weight` is {_patches(sizes, sizes.garment)}:"
            " garment and its pose in patches",
            f"`x_embedder.proj.weight` is {_patches(sizes, sizes.person)}:"
            " noise, person and pose in patches",
            "no `img_in`, `txt_in`, `vector_in`: not FLUX",
        ),
        undecidable=("the picture's size (864x576 as published)", "axes_dim and theta"),
        input_channels=sizes.person,
        output_channels=colours,
        buffers=frozenset({"patch_mixer_token"}),
        confidence=1.0 if known else 0.9,
    )


def _patches(sizes: _Sizes, channels: int) -> list[int]:
    return [sizes.width, channels, sizes.patch, sizes.patch]


@lru_cache(maxsize=4)
def _tensors(sizes: _Sizes) -> Mapping[str, Shape]:
    return MappingProxyType(dict(_all(sizes)))


def _layer(name: str, *shape: int) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", shape
    yield f"{name}.bias", (shape[0],)


def _all(sizes: _Sizes) -> Iterator[tuple[str, Shape]]:
    width = sizes.width
    if sizes.mixers:
        yield "patch_mixer_token", (1, 1, sizes.out)
    yield from _layer("t_embedder.mlp.in_layer", width, sizes.times)
    yield from _layer("t_embedder.mlp.out_layer", width, width)
    yield "y_embedder.weight", (sizes.classes, width)
    yield from _layer("x_embedder.proj", width, sizes.person, sizes.patch, sizes.patch)
    yield from _layer("garment_embedder.proj", width, sizes.garment, sizes.patch, sizes.patch)
    for number in range(sizes.mixers):
        yield from _single(f"x_patch_mixer.{number}", sizes)
    for number in range(sizes.doubles):
        for stream in ("img", "txt"):
            yield from _stream(f"double_blocks.{number}.{stream}", sizes)
    for number in range(sizes.singles):
        yield from _single(f"single_blocks.{number}", sizes)
    yield from _layer("final_layer.linear", sizes.out, width)
    yield from _layer("final_layer.adaLN_modulation.1", 2 * width, width)


def _single(name: str, sizes: _Sizes) -> Iterator[tuple[str, Shape]]:
    width, hidden = sizes.width, sizes.hidden
    yield from _layer(f"{name}.linear1", 3 * width + hidden, width)
    yield from _layer(f"{name}.linear2", width, width + hidden)
    yield f"{name}.norm.query_norm.scale", (sizes.head,)
    yield f"{name}.norm.key_norm.scale", (sizes.head,)
    yield from _layer(f"{name}.modulation.lin", 3 * width, width)


def _stream(name: str, sizes: _Sizes) -> Iterator[tuple[str, Shape]]:
    width, hidden = sizes.width, sizes.hidden
    yield from _layer(f"{name}_mod.lin", 6 * width, width)
    yield f"{name}_attn.qkv.weight", (3 * width, width)
    if sizes.biased:
        yield f"{name}_attn.qkv.bias", (3 * width,)
    yield f"{name}_attn.norm.query_norm.scale", (sizes.head,)
    yield f"{name}_attn.norm.key_norm.scale", (sizes.head,)
    yield from _layer(f"{name}_attn.proj", width, width)
    yield from _layer(f"{name}_mlp.0", hidden, width)
    yield from _layer(f"{name}_mlp.2", width, hidden)


FAMILY = Family(
    name="fashn_vton",
    title="FASHN VTON",
    task="virtual try-on",
    steps=("virtual_fitting",),
    markers=(
        ("garment_embedder.proj.weight", "x_embedder.proj.weight", "final_layer.linear.weight"),
        ("garment_embedder.proj.weight", "y_embedder.weight", "double_blocks.0.img_mod.lin.weight"),
        (
            "garment_embedder.proj.bias",
            "x_embedder.proj.weight",
            "double_blocks.0.img_mod.lin.bias",
        ),
    ),
    read=read,
    examples=examples,
    published=(
        Published(
            "fashn-vton-1.5/model.safetensors",
            "v1.5",
            "d6cd38286885bc29fa487ea9383f80ffeb95862e7747c630d42c5d3c05bdd35a",
            1_943_668_048,
        ),
    ),
    licence="Apache-2.0",
    source="fashn-AI/fashn-vton-1.5, src/fashn_vton/tryon_mmdit.py",
    aliases=("fashn", "fashn_vton", "fashn-vton"),
)
