"""The tensors of the text towers that lie in single files, by their sizes.

Sources: `CLIPTextModel` of transformers; `CLIP` of open_clip without its picture tower.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from mycloset.architectures.blocks import linear
from mycloset.architectures.clip import openai_names, towers, transformers_names
from mycloset.architectures.family import Shape, Shapes
from mycloset.architectures.reading import common_size, counted, shape_of

Naming = Literal["transformers", "open_clip"]

_LAYERS = 64


class TextTower(NamedTuple):
    """Sizes of one text tower.

    Attributes:
        naming: whose names its keys have.
        vocabulary: tokens.
        positions: longest text.
        width: features.
        hidden: features within a feed-forward layer.
        layers: transformer blocks.
        projection: features of a projected text; None without a projection.
        root: put before the keys of transformers' blocks; "" in files before its version 4.13.
    """

    naming: Naming
    vocabulary: int
    positions: int
    width: int
    hidden: int
    layers: int
    projection: int | None
    root: str = "text_model."


CLIP_L = TextTower("transformers", 49408, 77, 768, 3072, 12, None)
OPENCLIP_H = TextTower("open_clip", 49408, 77, 1024, 4096, 24, 1024, "")
OPENCLIP_BIGG = TextTower("open_clip", 49408, 77, 1280, 5120, 32, 1280, "")


@lru_cache(maxsize=16)
def tensors(tower: TextTower) -> Mapping[str, Shape]:
    """Every tensor in the file's order."""
    written = _transformers if tower.naming == "transformers" else _open_clip
    return MappingProxyType(written(tower))


def read(shapes: Shapes, naming: Naming, start: str) -> TextTower:
    """A text tower's sizes.

    Raises:
        NotThisError: the table holds none there.
    """
    if naming == "transformers":
        root = "" if f"{start}embeddings.token_embedding.weight" in shapes else "text_model."
        tokens = f"{start}{root}embeddings.token_embedding.weight"
        places = f"{start}{root}embeddings.position_embedding.weight"
        layers = f"{start}{root}encoder.layers."
        hidden, ends = f"{layers}0.mlp.fc1.weight", (".self_attn.q_proj.weight", ".mlp.fc1.weight")
        projection = f"{start}text_projection.weight"
        axis = 0
    else:
        root = ""
        tokens, places = f"{start}token_embedding.weight", f"{start}positional_embedding"
        layers = f"{start}transformer.resblocks."
        hidden = f"{layers}0.mlp.c_fc.weight"
        ends = (".attn.in_proj_weight", ".mlp.c_fc.weight")
        projection = f"{start}text_projection"
        axis = 1
    vocabulary, width = shape_of(shapes, tokens, dims=2)
    return TextTower(
        naming=naming,
        vocabulary=vocabulary,
        positions=common_size(shapes, (places, 0)),
        width=width,
        hidden=common_size(shapes, (hidden, 0)),
        layers=counted(shapes, layers, *ends, most=_LAYERS),
        projection=common_size(shapes, (projection, axis)) if projection in shapes else None,
        root=root,
    )


def config(tower: TextTower) -> dict[str, Any]:
    """Sizes under transformers' names; heads have 64 features, as in every published tower."""
    return {
        "vocab_size": tower.vocabulary,
        "hidden_size": tower.width,
        "intermediate_size": tower.hidden,
        "num_hidden_layers": tower.layers,
        "num_attention_heads": max(1, tower.width // 64),
        "max_position_embeddings": tower.positions,
        **({"projection_dim": tower.projection} if tower.projection is not None else {}),
    }


def _transformers(tower: TextTower) -> dict[str, Shape]:
    found = transformers_names.text_tensors(_sizes(tower), tower.root, numbers=True)
    if tower.projection is not None:
        found |= linear("text_projection", tower.projection, tower.width, bias=False)
    return found


def _open_clip(tower: TextTower) -> dict[str, Shape]:
    sizes = _sizes(tower)
    return {
        **openai_names.text_head(sizes),
        "logit_scale": (),
        **openai_names.text_blocks(sizes, norm_first=True),
    }


def _sizes(tower: TextTower) -> towers.TextTower:
    return towers.TextTower(
        width=tower.width,
        hidden=tower.hidden,
        layers=tower.layers,
        vocabulary=tower.vocabulary,
        positions=tower.positions,
        projection=tower.projection,
    )
