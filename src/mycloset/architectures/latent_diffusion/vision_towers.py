"""The tensors of a CLIP picture tower that lies in a system's file, by its sizes.

Source: `CLIPVisionModelWithProjection` of transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from mycloset.architectures.blocks import linear
from mycloset.architectures.clip.towers import VisionTower
from mycloset.architectures.clip.transformers_names import vision_tensors
from mycloset.architectures.family import Shape, Shapes
from mycloset.architectures.reading import common_size, counted, shape_of

_LAYERS = 64


@lru_cache(maxsize=8)
def tensors(tower: VisionTower) -> Mapping[str, Shape]:
    """Every tensor in the file's order."""
    found = vision_tensors(tower, numbers=True)
    if tower.projection is not None:
        found |= linear("visual_projection", tower.projection, tower.width, bias=False)
    return MappingProxyType(found)


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
    """Sizes under transformers' names."""
    return {
        "hidden_size": tower.width,
        "intermediate_size": tower.hidden,
        "num_hidden_layers": tower.layers,
        "num_attention_heads": tower.heads,
        "patch_size": tower.patch,
        "image_size": tower.image_size,
        **({"projection_dim": tower.projection} if tower.projection is not None else {}),
    }
