"""What MobileFaceNet files look like: of any scale and number of blocks, in two layouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, linear, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes
from mycloset.architectures.reading import extent, size

_GROUPS = 64
"""Groups of the second convolution, where it is one."""
_RESIDUAL = (1, 3, 5, 7)
"""Layers that are rows of blocks; those between them halve the picture."""


_VARIANTS = {(128, (1, 4, 6, 2)): "mbf", (256, (2, 8, 12, 4)): "mbf_large"}
"""First width and blocks -> the published networks."""


class Network(NamedTuple):
    """A network.

    Attributes:
        inputs: channels of the picture.
        widths: channels of the layers before and after the second halving.
        blocks: blocks of the four rows; one in the first means a grouped convolution instead.
        hidden: channels inside the blocks of layers 1 to 7 (the first unused with one block).
        last: channels before the embedding.
        embedding: length of the embedding.
        kernel: side of the map that the last convolution covers.
        groups: of the second convolution, where it is one.
    """

    inputs: int
    widths: tuple[int, int]
    blocks: tuple[int, int, int, int]
    hidden: tuple[int, ...]
    last: int
    embedding: int
    kernel: int = 7
    groups: int = _GROUPS


class Names(NamedTuple):
    """What a layout calls its modules.

    Attributes:
        layout: the layout's name.
        layers: the eight layers.
        row: what holds the blocks of a row.
        parts: the three parts of a block.
        unit: convolution, norm and PReLU.
        ends: the last convolution, the one over the whole map, the embedding and its norm.
    """

    layout: str
    layers: tuple[str, ...]
    row: str
    parts: tuple[str, str, str]
    unit: tuple[str, str, str]
    ends: tuple[str, str, str, str]


INSIGHTFACE = Names(
    layout="insightface",
    layers=tuple(f"layers.{layer}" for layer in range(8)),
    row="layers",
    parts=("layers.0", "layers.1", "layers.2"),
    unit=("layers.0", "layers.1", "layers.2"),
    ends=("conv_sep", "features.layers.0", "features.layers.2", "features.layers.3"),
)
OLDER = Names(
    layout="insightface_pytorch",
    layers=(
        "conv1",
        "conv2_dw",
        "conv_23",
        "conv_3",
        "conv_34",
        "conv_4",
        "conv_45",
        "conv_5",
    ),
    row="model",
    parts=("conv", "conv_dw", "project"),
    unit=("conv", "bn", "prelu"),
    ends=("conv_6_sep", "conv_6_dw", "linear", "bn"),
)


def read(shapes: Shapes) -> Claim:
    """What a MobileFaceNet table is.

    Raises:
        NotThisError: it lacks the blocks or the embedding's layer.
    """
    older = any(f"{OLDER.layers[0]}.{part}.weight" in shapes for part in OLDER.unit)
    names = OLDER if older else INSIGHTFACE
    layers = names.layers
    single = any(f"{layers[1]}.{part}.weight" in shapes for part in names.unit)
    hidden = [0 if single else _hidden(shapes, f"{layers[1]}.{names.row}.0", names)]
    for layer in range(2, 8):
        inside = f".{names.row}.0" if layer in _RESIDUAL else ""
        hidden.append(_hidden(shapes, f"{layers[layer]}{inside}", names))
    first, norm, _ = names.unit
    project = f"{layers[4]}.{names.parts[2]}"
    separate, whole, embedding, last_norm = names.ends
    return _claim(
        Network(
            inputs=size(shapes, (f"{layers[0]}.{first}.weight", 1), default=3),
            widths=(
                size(shapes, (f"{layers[0]}.{first}.weight", 0), (f"{layers[0]}.{norm}.weight", 0)),
                size(shapes, (f"{project}.{first}.weight", 0), (f"{project}.{norm}.weight", 0)),
            ),
            blocks=(
                1 if single else _row(shapes, 1, names),
                _row(shapes, 3, names),
                _row(shapes, 5, names),
                _row(shapes, 7, names),
            ),
            hidden=tuple(hidden),
            last=size(shapes, (f"{separate}.{first}.weight", 0), (f"{embedding}.weight", 1)),
            embedding=size(shapes, (f"{embedding}.weight", 0), (f"{last_norm}.weight", 0)),
            kernel=size(shapes, (f"{whole}.{first}.weight", 2), default=7),
            groups=_groups(shapes, f"{layers[1]}.{first}.weight"),
        ),
        names,
    )


def examples() -> Iterator[Claim]:
    """The published networks."""
    yield _claim(_scaled(2, (1, 4, 6, 2)), INSIGHTFACE)
    yield _claim(_scaled(4, (2, 8, 12, 4)), INSIGHTFACE)
    yield _claim(_scaled(1, (1, 4, 6, 2)), OLDER)


def _row(shapes: Shapes, layer: int, names: Names) -> int:
    """Blocks in a row."""
    place = f"{names.layers[layer]}.{names.row}.{{}}."
    return extent(shapes, *(f"{place}{part}.{names.unit[0]}.weight" for part in names.parts[:2]))


def _hidden(shapes: Shapes, block: str, names: Names) -> int:
    """Channels inside a block."""
    place = f"{block}.{names.parts[0]}."
    return size(shapes, *((f"{place}{part}.weight", 0) for part in names.unit[:2]))


def _scaled(scale: int, blocks: tuple[int, int, int, int]) -> Network:
    hidden = (0 if blocks[0] == 1 else 128, 128, 128, 256, 256, 512, 256)
    return Network(3, (64 * scale, 128 * scale), blocks, hidden, 512, 512)


def _claim(network: Network, names: Names) -> Claim:
    scale, rest = divmod(network.widths[0], 64)
    variant = _VARIANTS.get((network.widths[0], network.blocks), "mobilefacenet")
    return Claim(
        variant=variant,
        title=f"MobileFaceNet, embedding of {network.embedding}",
        config={
            "arch": f"get_{variant}" if variant.startswith("mbf") else variant,
            "embedding": network.embedding,
            "blocks": list(network.blocks),
            "scale": scale if rest == 0 else network.widths[0] / 64,
            "widths": list(network.widths),
            "hidden": list(network.hidden),
            "last": network.last,
            "kernel": network.kernel,
            "groups": network.groups,
            "input_channels": network.inputs,
        },
        tensors=tensors(network, names),
        layout=names.layout,
        evidence=(
            f"rows of {', '.join(map(str, network.blocks))} blocks",
            f"`{names.layers[0]}.{names.unit[0]}.weight` gives {network.widths[0]} channels",
            f"`{names.ends[2]}.weight` has {network.embedding} rows: the embedding",
        ),
        undecidable=("ArcFace or CosFace: the margin's head is not in the file",),
        input_channels=network.inputs,
        output_channels=network.embedding,
        licence="MIT" if names is OLDER else None,
    )


def tensors(network: Network, names: Names) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    narrow, wide = network.widths
    found: dict[str, Shape] = {}
    layers = names.layers
    put(found, f"{layers[0]}.", _unit(names, narrow, network.inputs, 3))
    if network.blocks[0] == 1:
        put(found, f"{layers[1]}.", _unit(names, narrow, narrow, 3, groups=network.groups))
    else:
        _put_row(found, names, 1, network.blocks[0], narrow, network.hidden[0])
    for row, (inp, out) in enumerate(((narrow, narrow), (narrow, wide), (wide, wide)), 1):
        halving = 2 * row
        _put_block(found, names, layers[halving], out, inp, network.hidden[halving - 1])
        _put_row(found, names, halving + 1, network.blocks[row], out, network.hidden[halving])
    separate, whole, embedding, norm = names.ends
    put(found, f"{separate}.", _unit(names, network.last, wide, 1))
    put(
        found,
        f"{whole}.",
        _unit(
            names,
            network.last,
            network.last,
            network.kernel,
            groups=network.last,
            active=False,
        ),
    )
    found |= linear(embedding, network.embedding, network.last, bias=False)
    found |= batch_norm(norm, network.embedding)
    return found


def _groups(shapes: Shapes, key: str) -> int:
    """Groups of a convolution that keeps the number of channels."""
    shape = shapes.get(key, ())
    return shape[0] // shape[1] if len(shape) == 4 and shape[1] else _GROUPS


def _put_row(
    found: dict[str, Shape], names: Names, layer: int, blocks: int, width: int, hidden: int
) -> None:
    for block in range(blocks):
        place = f"{names.layers[layer]}.{names.row}.{block}"
        _put_block(found, names, place, width, width, hidden)


def _put_block(
    found: dict[str, Shape], names: Names, place: str, out: int, inp: int, hidden: int
) -> None:
    """Widened, convolved channel by channel, narrowed."""
    wider, apart, narrower = names.parts
    put(found, f"{place}.{wider}.", _unit(names, hidden, inp, 1))
    put(found, f"{place}.{apart}.", _unit(names, hidden, hidden, 3, groups=hidden))
    put(found, f"{place}.{narrower}.", _unit(names, out, hidden, 1, active=False))


@lru_cache(maxsize=128)
def _unit(
    names: Names, out: int, inp: int, kernel: int, *, groups: int = 1, active: bool = True
) -> Mapping[str, Shape]:
    """A convolution, its norm and, if active, a PReLU."""
    first, norm, prelu = names.unit
    return MappingProxyType(
        {
            **conv(first, out, inp, kernel, bias=False, groups=max(groups, 1)),
            **batch_norm(norm, out),
            **({f"{prelu}.weight": (out,)} if active else {}),
        }
    )


FAMILY = Family(
    name="mobilefacenet",
    title="MobileFaceNet",
    task="face recognition",
    steps=(),
    markers=(
        ("layers.0.layers.0.weight", "features.layers.2.weight"),
        ("conv_sep.layers.0.weight", "layers.2.layers.0.layers.0.weight"),
        ("conv1.conv.weight", "conv_23.conv.conv.weight", "conv_6_dw.conv.weight"),
        ("conv2_dw.conv.weight", "conv_34.conv_dw.conv.weight", "conv_6_sep.conv.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("*_mbf*/backbone.pth", "mbf"),
        Published("arcface_mobilefacenet.pth", "mbf"),
    ),
    licence="non-commercial research",
    source=(
        "deepinsight/insightface, recognition/arcface_torch/backbones/mobilefacenet.py;"
        " TreB1eN/InsightFace_Pytorch, model.py"
    ),
    aliases=("mobilefacenet", "mbf"),
)
