"""What Swin transformer files look like: torchvision's, timm's and its authors' names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import conv, linear, norm, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import extent, root, size

_SIZES: dict[tuple[int, tuple[int, ...]], tuple[str, str]] = {
    (96, (2, 2, 6, 2)): ("t", "tiny"),
    (96, (2, 2, 18, 2)): ("s", "small"),
    (128, (2, 2, 18, 2)): ("b", "base"),
    (192, (2, 2, 18, 2)): ("l", "large"),
}
"""First width and blocks of the stages -> letter and word for the size."""


class Network(NamedTuple):
    """A whole network.

    Attributes:
        layout: whose names the keys have.
        second: whether it is of the second version.
        inputs: channels of the picture.
        patch: side of a patch.
        widths: channels of each stage.
        depths: blocks of each stage.
        heads: attention heads of each stage.
        window: side of the attention's windows; 0 where the tensors do not tell.
        hidden: width of the small network of the second version's positions.
        tables: whether the computed tables of positions lie in the file.
        classes: labels; 0 without a head.
        head: name of the classifier.
    """

    layout: str
    second: bool
    inputs: int
    patch: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int
    hidden: int
    tables: bool
    classes: int
    head: str


def read(shapes: Shapes) -> Claim:
    """What a Swin table is.

    Raises:
        NotThisError: it lacks the first stage, or its heads.
    """
    layout = "torchvision"
    if "features.0.0.weight" not in shapes and "features.1.0.norm1.weight" not in shapes:
        merged = any(f"layers.0.downsample.{key}.weight" in shapes for key in ("norm", "reduction"))
        layout = "original" if merged else "timm"
    widths: list[int] = []
    depths: list[int] = []
    heads: list[int] = []
    for stage in range(12):
        start = _start(layout, stage)
        depth = extent(shapes, f"{start}{{}}.attn.qkv.weight", f"{start}{{}}.norm1.weight")
        if depth == 0:
            break
        depths.append(depth)
        widths.append(size(shapes, (f"{start}0.norm1.weight", 0), (f"{start}0.attn.qkv.weight", 1)))
        attention = f"{start}0.attn."
        heads.append(
            size(
                shapes,
                (f"{attention}relative_position_bias_table", 1),
                (f"{attention}logit_scale", 0),
                (f"{attention}cpb_mlp.2.weight", 0),
                default=max(1, widths[-1] // 32),
            )
        )
    require(bool(depths), f"no `{_start(layout, 0)}0.attn.qkv.weight`")
    attention = f"{_start(layout, 0)}0.attn."
    second = any(f"{attention}{key}" in shapes for key in ("logit_scale", "cpb_mlp.0.weight"))
    table = f"{attention}relative_position_bias_table"
    window = 0
    if second:
        coords, index = f"{attention}relative_coords_table", f"{attention}relative_position_index"
        if coords in shapes:
            window = (size(shapes, (coords, 1)) + 1) // 2
        elif index in shapes:
            places = size(shapes, (index, 0))
            window = root((root(places) or 0) if layout == "torchvision" else places) or 0
    else:
        window = ((root(size(shapes, (table, 0), default=169)) or 0) + 1) // 2
        require(window > 0, f"`{table}` is no table of relative positions")
    stem = "features.0.0.weight" if layout == "torchvision" else "patch_embed.proj.weight"
    head = "head.fc" if any(f"head.fc.{key}" in shapes for key in ("weight", "bias")) else "head"
    classes = 0
    if f"{head}.weight" in shapes or f"{head}.bias" in shapes:
        classes = size(shapes, (f"{head}.weight", 0), (f"{head}.bias", 0))
    return _claim(
        Network(
            layout=layout,
            second=second,
            inputs=size(shapes, (stem, 1), default=3),
            patch=size(shapes, (stem, 2), default=4),
            widths=tuple(widths),
            depths=tuple(depths),
            heads=tuple(heads),
            window=window,
            hidden=size(shapes, (f"{attention}cpb_mlp.0.weight", 0), default=512) if second else 0,
            tables=f"{attention}relative_position_index" in shapes,
            classes=classes,
            head=head,
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks of both versions."""
    for width, depths in _SIZES:
        widths = tuple(width << n for n in range(4))
        first = Network(
            layout="torchvision",
            second=False,
            inputs=3,
            patch=4,
            widths=widths,
            depths=depths,
            heads=tuple(w // 32 for w in widths),
            window=7,
            hidden=0,
            tables=True,
            classes=1000,
            head="head",
        )
        yield _claim(first)
        yield _claim(first._replace(layout="original"))
        yield _claim(first._replace(layout="timm", tables=False, head="head.fc"))
        yield _claim(first._replace(second=True, window=8, hidden=512))


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    layout, widths = network.layout, network.widths
    torchvision = layout == "torchvision"
    stem = (
        ("features.0.0", "features.0.2")
        if torchvision
        else ("patch_embed.proj", "patch_embed.norm")
    )
    found = conv(stem[0], widths[0], network.inputs, network.patch) | norm(stem[1], widths[0])
    for stage, (width, depth) in enumerate(zip(widths, network.depths, strict=True)):
        if stage and layout == "timm":
            _put_merging(found, network, stage, f"layers.{stage}.downsample.")
        start = _start(layout, stage)
        block = _block(
            layout,
            width,
            network.heads[stage],
            network.second,
            network.window,
            network.hidden,
            network.tables,
        )
        for number in range(depth):
            put(found, f"{start}{number}.", block)
        if stage + 1 < len(widths) and layout != "timm":
            place = f"features.{2 * stage + 2}." if torchvision else f"layers.{stage}.downsample."
            _put_merging(found, network, stage + 1, place)
    found |= norm("norm", widths[-1])
    if network.classes:
        found |= linear(network.head, network.classes, widths[-1])
    return found


def _put_merging(found: dict[str, Shape], network: Network, stage: int, place: str) -> None:
    """The layer that joins four patches into one before a stage."""
    before, after = network.widths[stage - 1], network.widths[stage]
    reduction = linear(f"{place}reduction", after, 4 * before, bias=False)
    own = norm(f"{place}norm", after if network.second else 4 * before)
    first = network.layout == "timm" and not network.second
    found |= own | reduction if first else reduction | own


def _start(layout: str, stage: int) -> str:
    return f"features.{2 * stage + 1}." if layout == "torchvision" else f"layers.{stage}.blocks."


@lru_cache(maxsize=128)
def _block(
    layout: str, width: int, heads: int, second: bool, window: int, hidden: int, tables: bool
) -> Mapping[str, Shape]:
    torchvision = layout == "torchvision"
    places = window * window
    index = (places * places,) if torchvision else (places, places)
    mlp = ("mlp.0", "mlp.3") if torchvision else ("mlp.fc1", "mlp.fc2")
    attention: dict[str, Shape] = {}
    positions: dict[str, Shape] = {}
    biased = torchvision or not second
    if second:
        attention["attn.logit_scale"] = (heads, 1, 1)
        if not biased:
            attention |= {"attn.q_bias": (width,), "attn.v_bias": (width,)}
        if tables:
            side = 2 * window - 1
            attention["attn.relative_coords_table"] = (1, side, side, 2)
        positions = linear("attn.cpb_mlp.0", hidden, 2)
        positions |= linear("attn.cpb_mlp.2", heads, hidden, bias=False)
    else:
        attention["attn.relative_position_bias_table"] = ((2 * window - 1) ** 2, heads)
    if tables:
        attention["attn.relative_position_index"] = index
    layers = linear("attn.qkv", 3 * width, width, bias=biased) | linear("attn.proj", width, width)
    wide = linear(mlp[0], 4 * width, width) | linear(mlp[1], width, 4 * width)
    if second and not torchvision:
        return MappingProxyType(
            {
                **attention,
                **positions,
                **layers,
                **norm("norm1", width),
                **wide,
                **norm("norm2", width),
            }
        )
    return MappingProxyType(
        {**norm("norm1", width), **attention, **layers, **positions, **norm("norm2", width), **wide}
    )


def _claim(network: Network) -> Claim:
    letter, word = _SIZES.get((network.widths[0], network.depths), ("custom", "custom"))
    version = "swin_v2" if network.second else "swin"
    classes = network.classes
    start = _start(network.layout, 0)
    head = f"classifier of {classes} classes" if classes else "features alone"
    tables = {
        f"{_start(network.layout, stage)}{number}.{key}": None
        for stage, depth in enumerate(network.depths)
        for number in range(depth)
        for key in ("attn.relative_position_index", "attn.relative_coords_table", "attn_mask")
    }
    return Claim(
        variant=f"{version}_{letter}",
        title=f"Swin{' v2' if network.second else ''} {word}, {head}",
        config={
            "embed_dim": network.widths[0],
            "depths": list(network.depths),
            "num_heads": list(network.heads),
            "window_size": network.window or None,
            "patch_size": network.patch,
            "num_classes": classes or None,
            "input_channels": network.inputs,
        },
        tensors=tensors(network),
        layout=network.layout,
        optional=tables,
        evidence=(
            f"stages of {', '.join(map(str, network.depths))} blocks (`{start}…`)",
            f"`{start}0.attn.qkv.weight` is {[3 * network.widths[0], network.widths[0]]}",
            *((f"`{network.head}.weight` has {classes} rows",) if classes else ()),
        ),
        undecidable=(
            "the size of picture that it was trained for",
            "what it was trained on",
            *(() if network.window else ("the side of its windows",)),
        ),
        task="image classification" if classes else "image features",
        input_channels=network.inputs,
        output_channels=classes or network.widths[-1],
        licence="BSD-3-Clause" if network.layout == "torchvision" else "MIT",
        buffers=frozenset(tables),
        confidence=0.9 if letter == "custom" else 1.0,
    )


_FILES = {
    "swin_t": "704ceda3",
    "swin_s": "5e29d889",
    "swin_b": "68c6b09e",
    "swin_v2_t": "b137f0e2",
    "swin_v2_s": "637d8ceb",
    "swin_v2_b": "781e5279",
}
"""Variant -> how the SHA-256 of torchvision's file begins, as its name says."""

FAMILY = Family(
    name="swin",
    title="Swin transformer",
    task="image classification",
    steps=(),
    markers=(
        ("features.0.0.weight", "features.1.0.attn.qkv.weight"),
        ("features.0.2.weight", "features.1.0.norm1.weight", "features.1.0.attn.proj.weight"),
        ("patch_embed.proj.weight", "layers.0.blocks.0.attn.qkv.weight"),
        ("patch_embed.norm.weight", "layers.0.blocks.0.norm1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        *(Published(f"{name}-{start}.pth", name, start) for name, start in _FILES.items()),
        *(
            Published(f"swin_{word}_patch4_window7_224*.pth", f"swin_{letter}")
            for letter, word in _SIZES.values()
        ),
    ),
    licence="MIT",
    source=(
        "microsoft/Swin-Transformer, models/swin_transformer.py; pytorch/vision,"
        " torchvision/models/swin_transformer.py; huggingface/pytorch-image-models,"
        " timm/models/swin_transformer.py"
    ),
    aliases=("swin_transformer", "swin_tiny", "swin_small", "swin_base", "swin_large"),
)
