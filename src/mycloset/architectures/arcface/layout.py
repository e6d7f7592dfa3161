"""What ArcFace backbones look like: insightface's iresnets, and IR and IR-SE networks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, linear, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes
from mycloset.architectures.reading import extent, size

_DEPTHS: dict[tuple[int, ...], int] = {
    (2, 2, 2, 2): 18,
    (3, 4, 6, 3): 34,
    (3, 4, 14, 3): 50,
    (3, 13, 30, 3): 100,
    (3, 8, 36, 3): 152,
    (6, 26, 60, 6): 200,
}
"""Blocks of each layer -> the published networks' number."""

_WIDTHS = (64, 128, 256, 512)
_MARGIN = "ArcFace or CosFace: the margin's head is not in the file"


class _Network(NamedTuple):
    """A backbone.

    Attributes:
        inputs: channels of the picture.
        stem: channels of the first convolution.
        blocks: residual blocks of each layer.
        widths: channels that each layer gives.
        embedding: length of the embedding.
        flat: values that the last layer gives, height x width x channels.
        squeeze: hidden channels of squeeze-and-excitation in each layer; none for plain blocks.
    """

    inputs: int
    stem: int
    blocks: tuple[int, ...]
    widths: tuple[int, ...]
    embedding: int
    flat: int
    squeeze: tuple[int, ...] = ()


def read(shapes: Shapes) -> Claim:
    """What an ArcFace backbone's table is.

    Raises:
        NotThisError: it lacks the blocks or the embedding's layer.
    """
    if any(key in shapes for key in ("input_layer.0.weight", "output_layer.3.weight")):
        return _ir_claim(_read_ir(shapes))
    return _claim(_read_iresnet(shapes))


def examples() -> Iterator[Claim]:
    """The published networks."""
    for blocks, depth in _DEPTHS.items():
        if depth != 152:
            yield _claim(_Network(3, 64, blocks, _WIDTHS, 512, 512 * 49))
    for depth in (50, 100, 152):
        blocks = next(key for key, value in _DEPTHS.items() if value == depth)
        network = _Network(3, 64, blocks, _WIDTHS, 512, 512 * 49)
        yield _ir_claim(network)
        yield _ir_claim(_Network(*_plain(network), squeeze=(4, 8, 16, 32)))


def _plain(network: _Network) -> tuple[int, int, tuple[int, ...], tuple[int, ...], int, int]:
    return (
        network.inputs,
        network.stem,
        network.blocks,
        network.widths,
        network.embedding,
        network.flat,
    )


def _read_iresnet(shapes: Shapes) -> _Network:
    return _Network(
        inputs=size(shapes, ("conv1.weight", 1), default=3),
        stem=size(shapes, ("conv1.weight", 0), ("bn1.weight", 0), ("prelu.weight", 0)),
        blocks=tuple(
            extent(shapes, f"layer{layer}.{{}}.conv1.weight", f"layer{layer}.{{}}.conv2.weight")
            for layer in range(1, 5)
        ),
        widths=tuple(
            size(
                shapes,
                (f"layer{layer}.0.conv1.weight", 0),
                (f"layer{layer}.0.prelu.weight", 0),
            )
            for layer in range(1, 5)
        ),
        embedding=size(shapes, ("fc.weight", 0), ("fc.bias", 0), ("features.weight", 0)),
        flat=size(
            shapes,
            ("fc.weight", 1),
            default=49 * size(shapes, ("bn2.weight", 0), default=0),
        ),
    )


def _read_ir(shapes: Shapes) -> _Network:
    """Read the network whose blocks lie in one row: a layer begins where the width changes."""
    blocks: list[int] = []
    widths: list[int] = []
    squeeze: list[int] = []
    number = extent(shapes, "body.{}.res_layer.1.weight", "body.{}.res_layer.3.weight")
    for block in range(number):
        place = f"body.{block}.res_layer."
        width = size(shapes, (f"{place}1.weight", 0), (f"{place}2.weight", 0))
        if not widths or width != widths[-1]:
            blocks.append(0)
            widths.append(width)
            if f"{place}5.fc1.weight" in shapes or f"{place}5.fc2.weight" in shapes:
                squeeze.append(
                    size(shapes, (f"{place}5.fc1.weight", 0), (f"{place}5.fc2.weight", 1))
                )
        blocks[-1] += 1
    return _Network(
        inputs=size(shapes, ("input_layer.0.weight", 1), default=3),
        stem=size(shapes, ("input_layer.0.weight", 0), ("input_layer.1.weight", 0)),
        blocks=tuple(blocks),
        widths=tuple(widths),
        embedding=size(shapes, ("output_layer.3.weight", 0), ("output_layer.4.weight", 0)),
        flat=size(
            shapes,
            ("output_layer.3.weight", 1),
            default=49 * size(shapes, ("output_layer.0.weight", 0), default=0),
        ),
        squeeze=tuple(squeeze) if len(squeeze) == len(widths) else (),
    )


def _claim(network: _Network) -> Claim:
    depth = _DEPTHS.get(network.blocks, 2 * sum(network.blocks) + 2)
    arch = f"iresnet{depth}"
    tensors: dict[str, Shape] = {}
    tensors |= conv("conv1", network.stem, network.inputs, 3, bias=False)
    tensors |= batch_norm("bn1", network.stem) | {"prelu.weight": (network.stem,)}
    inp = network.stem
    for layer, (blocks, width) in enumerate(zip(network.blocks, network.widths, strict=True), 1):
        for block in range(blocks):
            place = f"layer{layer}.{block}."
            put(tensors, place, batch_norm("bn1", inp))
            put(tensors, place, conv("conv1", width, inp, 3, bias=False))
            put(tensors, place, batch_norm("bn2", width))
            tensors[f"{place}prelu.weight"] = (width,)
            put(tensors, place, conv("conv2", width, width, 3, bias=False))
            put(tensors, place, batch_norm("bn3", width))
            if block == 0:
                put(tensors, place, conv("downsample.0", width, inp, bias=False))
                put(tensors, place, batch_norm("downsample.1", width))
            inp = width
    tensors |= batch_norm("bn2", inp)
    tensors |= linear("fc", network.embedding, network.flat)
    tensors |= batch_norm("features", network.embedding)
    return Claim(
        variant=arch,
        title=f"ArcFace {arch}, embedding of {network.embedding}",
        config={"arch": arch, "layers": list(network.blocks), **_config(network)},
        tensors=tensors,
        layout="insightface",
        evidence=(
            f"layers of {', '.join(map(str, network.blocks))} blocks: {arch}",
            f"`fc.weight` is {[network.embedding, network.flat]}: the embedding",
        ),
        undecidable=(_MARGIN,),
        input_channels=network.inputs,
        output_channels=network.embedding,
    )


def _ir_claim(network: _Network) -> Claim:
    depth = _DEPTHS.get(network.blocks, 2 * sum(network.blocks) + 2)
    arch = f"ir_se{depth}" if network.squeeze else f"ir{depth}"
    tensors: dict[str, Shape] = {}
    tensors |= conv("input_layer.0", network.stem, network.inputs, 3, bias=False)
    tensors |= batch_norm("input_layer.1", network.stem)
    tensors["input_layer.2.weight"] = (network.stem,)
    last = network.widths[-1] if network.widths else network.stem
    tensors |= batch_norm("output_layer.0", last)
    tensors |= linear("output_layer.3", network.embedding, network.flat)
    tensors |= batch_norm("output_layer.4", network.embedding)
    number = 0
    inp = network.stem
    for layer, (blocks, width) in enumerate(zip(network.blocks, network.widths, strict=True)):
        for _ in range(blocks):
            place = f"body.{number}."
            if inp != width:
                put(tensors, place, conv("shortcut_layer.0", width, inp, bias=False))
                put(tensors, place, batch_norm("shortcut_layer.1", width))
            place += "res_layer."
            put(tensors, place, batch_norm("0", inp))
            put(tensors, place, conv("1", width, inp, 3, bias=False))
            tensors[f"{place}2.weight"] = (width,)
            put(tensors, place, conv("3", width, width, 3, bias=False))
            put(tensors, place, batch_norm("4", width))
            if network.squeeze:
                hidden = network.squeeze[layer]
                put(tensors, place, conv("5.fc1", hidden, width, bias=False))
                put(tensors, place, conv("5.fc2", width, hidden, bias=False))
            number += 1
            inp = width
    return Claim(
        variant=arch,
        title=f"ArcFace {arch.upper().replace('_', '-')}, embedding of {network.embedding}",
        config={
            "arch": arch,
            "layers": list(network.blocks),
            "mode": "ir_se" if network.squeeze else "ir",
            **_config(network),
        },
        tensors=tensors,
        layout="insightface_pytorch",
        evidence=(
            f"{number} blocks in groups of {', '.join(map(str, network.blocks))}: {arch}",
            f"`output_layer.3.weight` is {[network.embedding, network.flat]}: the embedding",
        ),
        undecidable=(_MARGIN,),
        input_channels=network.inputs,
        output_channels=network.embedding,
    )


def _config(network: _Network) -> dict[str, object]:
    last = network.widths[-1] if network.widths else 0
    side = math.isqrt(network.flat // last) if last else 0
    return {
        "embedding": network.embedding,
        "widths": [network.stem, *network.widths],
        "input_size": 2 ** len(network.widths) * side,
        "input_channels": network.inputs,
        "flat": network.flat,
        **({"squeeze": list(network.squeeze)} if network.squeeze else {}),
    }


FAMILY = Family(
    name="arcface",
    title="ArcFace",
    task="face recognition",
    steps=(),
    markers=(
        ("layer1.0.prelu.weight", "features.weight"),
        ("layer4.0.bn3.weight", "layer2.0.prelu.weight", "prelu.weight"),
        ("input_layer.0.weight", "body.0.res_layer.1.weight"),
        ("output_layer.3.weight", "body.1.res_layer.3.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        *(Published(f"arcface_r{depth}.pth", f"iresnet{depth}") for depth in (18, 34, 50, 100)),
        *(Published(f"*_r{depth}_fp16*/backbone.pth", f"iresnet{depth}") for depth in (50, 100)),
        Published("model_ir_se50.pth", "ir_se50"),
    ),
    licence="non-commercial research",
    source=(
        "deepinsight/insightface, recognition/arcface_torch/backbones/iresnet.py;"
        " TreB1eN/InsightFace_Pytorch, model.py"
    ),
    aliases=("arcface", "cosface", "iresnet", "insightface", "ir_se50"),
)
