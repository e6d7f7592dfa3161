"""What ViTPose files look like: the authors' layout and transformers', with or without experts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, linear, norm, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes
from mycloset.architectures.reading import extent, size

_SIZES = {(384, 12): ("s", 12), (768, 12): ("b", 12), (1024, 24): ("l", 16), (1280, 32): ("h", 16)}
"""Width and depth -> the published network's letter and number of heads."""

_SETS = {14: "CrowdPose", 16: "MPII", 17: "COCO", 133: "COCO-WholeBody"}
_FILTERS = 256


class Network(NamedTuple):
    """A whole network.

    Attributes:
        width: length of a token.
        depth: number of blocks.
        hidden: width inside the blocks' perceptrons.
        patch: side of a patch, pixels.
        tokens: patches of the picture, and one more.
        experts: parts of the perceptrons for sets of joints; 0 where there are none.
        part: width that the experts give.
        filters: outputs of each transposed convolution; none in the simple decoder.
        joints: number of heatmaps.
        kernel: kernel of the last convolution.
    """

    width: int
    depth: int
    hidden: int
    patch: int
    tokens: int
    experts: int
    part: int
    filters: tuple[int, ...]
    joints: int
    kernel: int


def read(shapes: Shapes) -> Claim:
    """What a ViTPose table is.

    Raises:
        NotThisError: it lacks the blocks or the last convolution.
    """
    if any(key.startswith("backbone.encoder.layer.") for key in shapes):
        return _claim(_read_transformers(shapes), "transformers")
    return _claim(_read_original(shapes), "original")


def examples() -> Iterator[Claim]:
    """The published networks: the authors' with the classic decoder, transformers' with both."""
    for width, depth in _SIZES:
        classic = (_FILTERS, _FILTERS)
        yield _claim(_network(width, depth, classic), "original")
        yield _claim(_network(width, depth, ()), "transformers")
    yield _claim(_network(768, 12, (_FILTERS, _FILTERS), experts=6), "transformers")


def _network(width: int, depth: int, filters: tuple[int, ...], *, experts: int = 0) -> Network:
    return Network(
        width=width,
        depth=depth,
        hidden=4 * width,
        patch=16,
        tokens=193,
        experts=experts,
        part=width // 4 if experts else 0,
        filters=filters,
        joints=17,
        kernel=1 if filters else 3,
    )


def _read_original(shapes: Shapes) -> Network:
    block = "backbone.blocks."
    filters: list[int] = []
    while len(filters) < 8:
        place = f"keypoint_head.deconv_layers.{3 * len(filters)}.weight"
        behind = f"keypoint_head.deconv_layers.{3 * len(filters) + 1}.weight"
        if place not in shapes and behind not in shapes:
            break
        filters.append(size(shapes, (behind, 0), (place, 1)))
    return _read(
        shapes,
        f"{block}0.mlp.",
        depth=extent(shapes, f"{block}{{}}.attn.qkv.weight", f"{block}{{}}.mlp.fc1.weight"),
        patches="backbone.patch_embed.proj.weight",
        places="backbone.pos_embed",
        filters=tuple(filters),
        final="keypoint_head.final_layer",
    )


def _read_transformers(shapes: Shapes) -> Network:
    block = "backbone.encoder.layer."
    filters: list[int] = []
    while len(filters) < 8:
        place = f"head.deconv{len(filters) + 1}.weight"
        behind = f"head.batchnorm{len(filters) + 1}.weight"
        if place not in shapes and behind not in shapes:
            break
        filters.append(size(shapes, (behind, 0), (place, 1)))
    return _read(
        shapes,
        f"{block}0.mlp.",
        depth=extent(
            shapes, f"{block}{{}}.attention.attention.query.weight", f"{block}{{}}.mlp.fc1.weight"
        ),
        patches="backbone.embeddings.patch_embeddings.projection.weight",
        places="backbone.embeddings.position_embeddings",
        filters=tuple(filters),
        final="head.conv",
    )


def _read(
    shapes: Shapes,
    perceptron: str,
    *,
    depth: int,
    patches: str,
    places: str,
    filters: tuple[int, ...],
    final: str,
) -> Network:
    """The rest, which the layouts only name differently."""
    experts = extent(
        shapes, f"{perceptron}experts.{{}}.weight", f"{perceptron}experts.{{}}.bias", limit=32
    )
    return Network(
        width=size(shapes, (patches, 0), (places, 2)),
        depth=depth,
        hidden=size(shapes, (f"{perceptron}fc1.weight", 0), (f"{perceptron}fc1.bias", 0)),
        patch=size(shapes, (patches, 2), default=16),
        tokens=size(shapes, (places, 1), default=193),
        experts=experts,
        part=size(shapes, (f"{perceptron}experts.0.weight", 0), (f"{perceptron}experts.0.bias", 0))
        if experts
        else 0,
        filters=filters,
        joints=size(shapes, (f"{final}.weight", 0), (f"{final}.bias", 0)),
        kernel=size(shapes, (f"{final}.weight", 2), default=1 if filters else 3),
    )


def _claim(network: Network, layout: str) -> Claim:
    letter, heads = _SIZES.get((network.width, network.depth), ("", network.width // 64))
    decoder = "classic" if network.filters else "simple"
    joints = " ".join((str(network.joints), _SETS.get(network.joints, ""))).strip()
    variant = letter or f"{network.width}x{network.depth}"
    kind = "ViTPose+" if network.experts else "ViTPose"
    undecidable = ["the input size: only the number of its patches shows"]
    if not letter:
        undecidable.append("the number of attention heads")
    final = "keypoint_head.final_layer" if layout == "original" else "head.conv"
    return Claim(
        variant=f"{variant}_plus" if network.experts else variant,
        title=f"{kind}-{variant.upper()}, {joints} joints, {decoder} decoder",
        config={
            "embed_dim": network.width,
            "depth": network.depth,
            "num_heads": heads,
            "mlp_ratio": network.hidden / network.width if network.width else 0,
            "patch_size": network.patch,
            "num_patches": network.tokens - 1,
            "num_experts": max(network.experts, 1),
            "part_features": network.part,
            "num_joints": network.joints,
            "decoder": decoder,
            "num_deconv_filters": list(network.filters),
            "final_conv_kernel": network.kernel,
        },
        tensors=tensors(network, layout),
        layout=layout,
        evidence=(
            f"`{final}.weight` has {network.joints} rows: {network.joints} joints",
            f"{network.depth} blocks of width {network.width}",
            f"{len(network.filters)} transposed convolutions: the {decoder} decoder",
        ),
        undecidable=tuple(undecidable),
        input_channels=3,
        output_channels=network.joints,
    )


def tensors(network: Network, layout: str) -> dict[str, Shape]:
    """Every tensor in the order of the network's modules."""
    original = layout == "original"
    width = network.width
    embedding = "" if original else "embeddings."
    places = "pos_embed" if original else "position_embeddings"
    patches = "patch_embed.proj" if original else "patch_embeddings.projection"
    found: dict[str, Shape] = {f"backbone.{embedding}{places}": (1, network.tokens, width)}
    put(found, f"backbone.{embedding}", conv(patches, width, 3, network.patch))
    block = _block if original else _transformers_block
    inner = block(width, network.hidden, network.experts, network.part)
    row = "blocks" if original else "encoder.layer"
    for number in range(network.depth):
        put(found, f"backbone.{row}.{number}.", inner)
    found |= norm("backbone.last_norm" if original else "backbone.layernorm", width)
    for number, out in enumerate(network.filters):
        deconv = (
            f"keypoint_head.deconv_layers.{3 * number}" if original else f"head.deconv{number + 1}"
        )
        behind = (
            f"keypoint_head.deconv_layers.{3 * number + 1}"
            if original
            else f"head.batchnorm{number + 1}"
        )
        # A transposed convolution has its inputs first.
        found[f"{deconv}.weight"] = (width, out, 4, 4)
        found |= batch_norm(behind, out)
        width = out
    final = "keypoint_head.final_layer" if original else "head.conv"
    return found | conv(final, network.joints, width, network.kernel)


@lru_cache(maxsize=32)
def _block(width: int, hidden: int, experts: int, part: int) -> Mapping[str, Shape]:
    return MappingProxyType(
        {
            **norm("norm1", width),
            **linear("attn.qkv", 3 * width, width),
            **linear("attn.proj", width, width),
            **norm("norm2", width),
            **_perceptron(width, hidden, experts, part),
        }
    )


@lru_cache(maxsize=32)
def _transformers_block(width: int, hidden: int, experts: int, part: int) -> Mapping[str, Shape]:
    return MappingProxyType(
        {
            **linear("attention.attention.query", width, width),
            **linear("attention.attention.key", width, width),
            **linear("attention.attention.value", width, width),
            **linear("attention.output.dense", width, width),
            **_perceptron(width, hidden, experts, part),
            **norm("layernorm_before", width),
            **norm("layernorm_after", width),
        }
    )


def _perceptron(width: int, hidden: int, experts: int, part: int) -> dict[str, Shape]:
    found = linear("mlp.fc1", hidden, width) | linear("mlp.fc2", width - part, hidden)
    for number in range(experts):
        found |= linear(f"mlp.experts.{number}", part, hidden)
    return found


FAMILY = Family(
    name="vitpose",
    title="ViTPose",
    task="pose estimation",
    steps=("pose_estimation",),
    markers=(
        ("backbone.pos_embed", "keypoint_head.final_layer.weight"),
        ("backbone.blocks.0.attn.qkv.weight", "keypoint_head.final_layer.bias"),
        ("backbone.embeddings.position_embeddings", "head.conv.weight"),
        ("backbone.encoder.layer.0.mlp.fc1.weight", "head.conv.bias"),
    ),
    read=read,
    examples=examples,
    published=(
        *(Published(f"vitpose-{letter}.pth", letter) for letter in "sblh"),
        *(Published(f"vitpose-{letter}-multi-coco.pth", letter) for letter in "sblh"),
    ),
    licence="Apache-2.0",
    source=(
        "ViTAE-Transformer/ViTPose, mmpose/models/backbones/vit.py;"
        " huggingface/transformers, models/vitpose, models/vitpose_backbone"
    ),
    aliases=("vitpose",),
)
