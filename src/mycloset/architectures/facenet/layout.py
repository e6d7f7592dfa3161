"""What FaceNet files look like: facenet-pytorch's Inception-ResNet v1, with or without logits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, linear, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes
from mycloset.architectures.reading import extent, size

_SETS = {8631: ("vggface2", "VGGFace2"), 10575: ("casia_webface", "CASIA-WebFace")}
"""Number of identities -> the set trained on."""

Part = tuple[str, int, int, int | tuple[int, int]]
"""Name, outputs, inputs and kernel of a convolution."""

STEM: tuple[Part, ...] = (
    ("conv2d_1a", 32, 3, 3),
    ("conv2d_2a", 32, 32, 3),
    ("conv2d_2b", 64, 32, 3),
    ("conv2d_3b", 80, 64, 1),
    ("conv2d_4a", 192, 80, 3),
    ("conv2d_4b", 256, 192, 3),
)
BLOCK_35: tuple[Part, ...] = (
    ("branch0", 32, 256, 1),
    ("branch1.0", 32, 256, 1),
    ("branch1.1", 32, 32, 3),
    ("branch2.0", 32, 256, 1),
    ("branch2.1", 32, 32, 3),
    ("branch2.2", 32, 32, 3),
)
MIXED_6A: tuple[Part, ...] = (
    ("branch0", 384, 256, 3),
    ("branch1.0", 192, 256, 1),
    ("branch1.1", 192, 192, 3),
    ("branch1.2", 256, 192, 3),
)
BLOCK_17: tuple[Part, ...] = (
    ("branch0", 128, 896, 1),
    ("branch1.0", 128, 896, 1),
    ("branch1.1", 128, 128, (1, 7)),
    ("branch1.2", 128, 128, (7, 1)),
)
MIXED_7A: tuple[Part, ...] = (
    ("branch0.0", 256, 896, 1),
    ("branch0.1", 384, 256, 3),
    ("branch1.0", 256, 896, 1),
    ("branch1.1", 256, 256, 3),
    ("branch2.0", 256, 896, 1),
    ("branch2.1", 256, 256, 3),
    ("branch2.2", 256, 256, 3),
)
BLOCK_8: tuple[Part, ...] = (
    ("branch0", 192, 1792, 1),
    ("branch1.0", 192, 1792, 1),
    ("branch1.1", 192, 192, (1, 3)),
    ("branch1.2", 192, 192, (3, 1)),
)


class _Network(NamedTuple):
    """Repeats of the three residual blocks, length of the embedding, identities (0: no logits)."""

    repeats: tuple[int, int, int]
    embedding: int
    classes: int


def read(shapes: Shapes) -> Claim:
    """What a FaceNet table is.

    Raises:
        NotThisError: it lacks the embedding's layer.
    """
    first, second, third = (
        extent(
            shapes, f"repeat_{part}.{{}}.branch0.conv.weight", f"repeat_{part}.{{}}.conv2d.weight"
        )
        for part in (1, 2, 3)
    )
    named = any(key in shapes for key in ("logits.weight", "logits.bias"))
    return _claim(
        _Network(
            repeats=(first, second, third),
            embedding=size(shapes, ("last_linear.weight", 0), ("last_bn.weight", 0)),
            classes=size(shapes, ("logits.weight", 0), ("logits.bias", 0)) if named else 0,
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks, and one without logits."""
    for classes in (*_SETS, 0):
        yield _claim(_Network((5, 10, 5), 512, classes))


def _claim(network: _Network) -> Claim:
    classes = network.classes
    variant, trained = _SETS.get(classes, ("classifier", f"{classes} identities"))
    evidence = [f"`last_linear.weight` has {network.embedding} rows: the embedding"]
    if classes:
        evidence.insert(0, f"`logits.weight` has {classes} rows: {trained}")
    else:
        variant, trained = "embedding", "no logits"
    return Claim(
        variant=variant,
        title=f"FaceNet (Inception-ResNet v1), {trained}",
        config={
            "num_classes": classes,
            "classify": classes > 0,
            "embedding": network.embedding,
            "repeats": list(network.repeats),
        },
        tensors=_tensors(network),
        layout="facenet-pytorch",
        evidence=tuple(evidence),
        undecidable=() if classes else ("which faces it was trained on",),
        input_channels=3,
        output_channels=network.embedding,
    )


def _tensors(network: _Network) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    put(found, "", _convolutions(STEM))
    for number in range(network.repeats[0]):
        put(found, f"repeat_1.{number}.", _residual(BLOCK_35, 256, 96))
    put(found, "mixed_6a.", _convolutions(MIXED_6A))
    for number in range(network.repeats[1]):
        put(found, f"repeat_2.{number}.", _residual(BLOCK_17, 896, 256))
    put(found, "mixed_7a.", _convolutions(MIXED_7A))
    for number in range(network.repeats[2]):
        put(found, f"repeat_3.{number}.", _residual(BLOCK_8, 1792, 384))
    put(found, "block8.", _residual(BLOCK_8, 1792, 384))
    found |= linear("last_linear", network.embedding, 1792, bias=False)
    found |= batch_norm("last_bn", network.embedding)
    if network.classes:
        found |= linear("logits", network.classes, network.embedding)
    return found


@lru_cache(maxsize=16)
def _convolutions(parts: tuple[Part, ...]) -> Mapping[str, Shape]:
    found: dict[str, Shape] = {}
    for name, out, inp, kernel in parts:
        found |= conv(f"{name}.conv", out, inp, kernel, bias=False) | batch_norm(f"{name}.bn", out)
    return MappingProxyType(found)


@lru_cache(maxsize=16)
def _residual(parts: tuple[Part, ...], out: int, inp: int) -> Mapping[str, Shape]:
    return MappingProxyType({**_convolutions(parts), **conv("conv2d", out, inp)})


FAMILY = Family(
    name="facenet",
    title="FaceNet",
    task="face recognition",
    steps=(),
    markers=(
        ("repeat_1.0.branch0.conv.weight", "last_linear.weight"),
        ("mixed_7a.branch2.2.conv.weight", "last_bn.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("20180402-114759-vggface2.pt", "vggface2"),
        Published("20180408-102900-casia-webface.pt", "casia_webface"),
        *(
            Published("facenet.pth", variant)
            for variant in ("vggface2", "casia_webface", "embedding")
        ),
    ),
    licence="MIT",
    source="timesler/facenet-pytorch, models/inception_resnet_v1.py",
    aliases=("facenet", "inception_resnet_v1", "vggface2", "casia-webface"),
)
