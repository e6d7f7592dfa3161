"""The tensors of a CLIP picture tower that lies in a system's file, by its sizes.

Source: `CLIPVisionModelWithProjection` of transformers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from mycloset.architectures.family import Shape, Shapes
from mycloset.architectures.latent_diffusion.blocks import Pair, layer, norm_pairs
from mycloset.architectures.reading import common_size, counted, shape_of

_LAYERS = 64


class VisionTower(NamedTuple):
    """Sizes of one picture tower.

    Attributes:
        width: features.
        hidden: features within a feed-forward layer.
        layers: transformer blocks.
        patch: side of a patch, pixels.
        positions: patches and the class token.
        channels: of the picture.
        projection: features of a projected picture; None without a projection.
    """

    width: int
    hidden: int
    layers: int
    patch: int
    positions: int
    channels: int
    projection: int | None


@lru_cache(maxsize=8)
def tensors(tower: VisionTower) -> Mapping[str, Shape]:
    """Every tensor in the file's order."""
    return MappingProxyType(dict(_all(tower)))


def read(shapes: Shapes, start: str = "") -> VisionTower:
    """A picture tower's sizes.

    Raises:
        NotThisError: the table holds none there.
    """
    name = f"{start}vision_model."
    width, channels, patch, _ = shape_of(shapes, f"{name}embeddings.patch_embedding.weight", dims=4)
    layers = f"{name}encoder.layers."
    projection = f"{start}visual_projection.weight"
    return VisionTower(
        width=width,
        hidden=common_size(
            shapes, (f"{layers}0.mlp.fc1.weight", 0), (f"{layers}0.mlp.fc2.weight", 1)
        ),
        layers=counted(shapes, layers, ".mlp.fc1.weight", ".mlp.fc2.weight", most=_LAYERS),
        patch=patch,
        positions=common_size(shapes, (f"{name}embeddings.position_embedding.weight", 0)),
        channels=channels,
        projection=common_size(shapes, (projection, 0)) if projection in shapes else None,
    )


def config(tower: VisionTower) -> dict[str, Any]:
    """Sizes under transformers' names; heads have 64 features, as in published towers."""
    side = round(max(tower.positions - 1, 0) ** 0.5)
    return {
        "hidden_size": tower.width,
        "intermediate_size": tower.hidden,
        "num_hidden_layers": tower.layers,
        "num_attention_heads": max(1, tower.width // 64),
        "patch_size": tower.patch,
        "image_size": side * tower.patch,
        **({"projection_dim": tower.projection} if tower.projection is not None else {}),
    }


def _all(tower: VisionTower) -> Iterator[Pair]:
    width, hidden = tower.width, tower.hidden
    start = "vision_model.embeddings."
    yield f"{start}class_embedding", (width,)
    yield f"{start}position_ids", (1, tower.positions)
    yield f"{start}patch_embedding.weight", (width, tower.channels, tower.patch, tower.patch)
    yield f"{start}position_embedding.weight", (tower.positions, width)
    yield from norm_pairs("vision_model.pre_layrnorm", width)
    for number in range(tower.layers):
        name = f"vision_model.encoder.layers.{number}"
        for part in ("k_proj", "v_proj", "q_proj", "out_proj"):
            yield from layer(f"{name}.self_attn.{part}", width, width)
        yield from norm_pairs(f"{name}.layer_norm1", width)
        yield from layer(f"{name}.mlp.fc1", hidden, width)
        yield from layer(f"{name}.mlp.fc2", width, hidden)
        yield from norm_pairs(f"{name}.layer_norm2", width)
    yield from norm_pairs("vision_model.post_layernorm", width)
    if tower.projection is not None:
        yield "visual_projection.weight", (tower.projection, width)
