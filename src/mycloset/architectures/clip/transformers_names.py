"""The towers under the names of transformers' CLIP models.

Source: transformers, models/clip/modeling_clip.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from mycloset.architectures.blocks import conv, linear, norm
from mycloset.architectures.clip.towers import VOCABULARY, TextTower, VisionTower
from mycloset.architectures.family import Shape, Shapes
from mycloset.architectures.reading import numbered, size

TEXT, VISION = "text_model.", "vision_model."
"""Roots of the towers; transformers 5 writes a tower that is saved alone without its root."""

_ATTENTION = ("k_proj", "v_proj", "q_proj", "out_proj")


def read_text(shapes: Shapes, root: str = TEXT) -> TextTower:
    """The text tower of a table.

    Raises:
        NotThisError: it holds none.
    """
    tokens = f"{root}embeddings.token_embedding.weight"
    block = f"{root}encoder.layers.0"
    projection = shapes.get("text_projection.weight", ())
    return TextTower(
        width=size(shapes, (tokens, 1), (f"{root}final_layer_norm.weight", 0)),
        hidden=size(shapes, (f"{block}.mlp.fc1.weight", 0), (f"{block}.mlp.fc1.bias", 0)),
        layers=numbered(shapes, f"{root}encoder.layers."),
        vocabulary=size(shapes, (tokens, 0), default=VOCABULARY),
        positions=size(
            shapes,
            (f"{root}embeddings.position_embedding.weight", 0),
            (f"{root}embeddings.position_ids", 1),
        ),
        projection=projection[0] if len(projection) == 2 else None,
    )


def read_vision(shapes: Shapes, root: str = VISION) -> VisionTower:
    """The picture tower of a table.

    Raises:
        NotThisError: it holds none.
    """
    patch = f"{root}embeddings.patch_embedding.weight"
    block = f"{root}encoder.layers.0"
    projection = shapes.get("visual_projection.weight", ())
    return VisionTower(
        width=size(shapes, (patch, 0), (f"{root}pre_layrnorm.weight", 0)),
        hidden=size(shapes, (f"{block}.mlp.fc1.weight", 0), (f"{block}.mlp.fc1.bias", 0)),
        layers=numbered(shapes, f"{root}encoder.layers."),
        patch=size(shapes, (patch, 2)),
        positions=size(
            shapes,
            (f"{root}embeddings.position_embedding.weight", 0),
            (f"{root}embeddings.position_ids", 1),
        ),
        channels=size(shapes, (patch, 1)),
        projection=projection[0] if len(projection) == 2 else None,
    )


def text_tensors(tower: TextTower, root: str = TEXT, *, numbers: bool) -> dict[str, Shape]:
    """Every tensor of a text tower but its projection, in the file's order.

    Args:
        tower: its sizes.
        root: what stands before its keys.
        numbers: whether the constant `position_ids` is among them.
    """
    tensors: dict[str, Shape] = {}
    if numbers:
        tensors[f"{root}embeddings.position_ids"] = (1, tower.positions)
    tensors[f"{root}embeddings.token_embedding.weight"] = (tower.vocabulary, tower.width)
    tensors[f"{root}embeddings.position_embedding.weight"] = (tower.positions, tower.width)
    tensors |= _blocks(root, tower.layers, tower.width, tower.hidden)
    return tensors | norm(f"{root}final_layer_norm", tower.width)


def vision_tensors(tower: VisionTower, root: str = VISION, *, numbers: bool) -> dict[str, Shape]:
    """Every tensor of a picture tower but its projection, in the file's order.

    Args:
        tower: its sizes.
        root: what stands before its keys.
        numbers: whether the constant `position_ids` is among them.
    """
    width, start = tower.width, f"{root}embeddings"
    tensors: dict[str, Shape] = {f"{start}.class_embedding": (width,)}
    if numbers:
        tensors[f"{start}.position_ids"] = (1, tower.positions)
    tensors |= conv(f"{start}.patch_embedding", width, tower.channels, tower.patch, bias=False)
    tensors[f"{start}.position_embedding.weight"] = (tower.positions, width)
    tensors |= norm(f"{root}pre_layrnorm", width)  # Misspelt so in every file.
    tensors |= _blocks(root, tower.layers, width, tower.hidden)
    return tensors | norm(f"{root}post_layernorm", width)


def _blocks(root: str, layers: int, width: int, hidden: int) -> dict[str, Shape]:
    block: Sequence[tuple[str, Shape]] = [
        *(
            item
            for name in _ATTENTION
            for item in linear(f"self_attn.{name}", width, width).items()
        ),
        *norm("layer_norm1", width).items(),
        *linear("mlp.fc1", hidden, width).items(),
        *linear("mlp.fc2", width, hidden).items(),
        *norm("layer_norm2", width).items(),
    ]
    return {
        f"{root}encoder.layers.{number}.{key}": shape
        for number in range(layers)
        for key, shape in block
    }
