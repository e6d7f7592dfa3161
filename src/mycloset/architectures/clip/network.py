"""CLIP: a picture tower and a text tower that meet in one space; each may lie alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.clip.resnet_tower import ResNetTower
from mycloset.architectures.keymapper import KeyMap, Merge, Permute
from mycloset.architectures.plans import NetworkPlan
from mycloset.errors import OptionError

_PARTS = ("q_proj", "k_proj", "v_proj")

TRANSFORMERS = KeyMap(
    renames=(
        # A tower that lies alone may lack the name of its model.
        ("^vision_model", "visual"),
        ("^text_model.{rest*}", "{rest}"),
        ("visual.embeddings.patch_embedding", "visual.conv1"),
        ("visual.embeddings.class_embedding", "visual.class_embedding"),
        ("visual.embeddings.position_embedding.weight", "visual.positional_embedding"),
        ("visual.pre_layrnorm", "visual.ln_pre"),
        ("visual.post_layernorm", "visual.ln_post"),
        ("^visual_projection.weight", "visual.proj"),
        ("^text_projection.weight", "text_projection"),
        ("^embeddings.token_embedding", "token_embedding"),
        ("^embeddings.position_embedding.weight", "positional_embedding"),
        ("^final_layer_norm", "ln_final"),
        ("encoder.layers", "transformer.resblocks"),
        ("self_attn", "attn"),
        ("layer_norm1", "ln_1"),
        ("layer_norm2", "ln_2"),
        ("mlp.fc1", "mlp.c_fc"),
        ("mlp.fc2", "mlp.c_proj"),
    ),
    merges=tuple(
        Merge(
            tuple(f"{{at*}}.attn.{part}.{kind}" for part in _PARTS),
            f"{{at}}.attn.in_proj_{kind}",
        )
        for kind in ("weight", "bias")
    ),
    permutes=(Permute("visual.proj", dims=(1, 0)), Permute("text_projection", dims=(1, 0))),
    drops=("{at*}.position_ids", "embeddings.position_ids"),
)
"""From transformers' names to OpenAI's."""

_BARE_VISION = KeyMap(
    renames=(
        ("^embeddings.{rest*}", "vision_model.embeddings.{rest}"),
        ("^encoder.{rest*}", "vision_model.encoder.{rest}"),
        ("^pre_layrnorm", "vision_model.pre_layrnorm"),
        ("^post_layernorm", "vision_model.post_layernorm"),
        *TRANSFORMERS.renames,
    ),
    merges=TRANSFORMERS.merges,
    permutes=TRANSFORMERS.permutes,
    drops=TRANSFORMERS.drops,
)
"""The same for a picture tower whose keys lack `vision_model.`; others are as they are."""

_OPENAI = KeyMap(drops=("input_resolution", "context_length", "vocab_size"))
_OPENAI_BARE = KeyMap(
    renames=tuple(
        (f"^{first}", f"visual.{first}")
        for first in ("class_embedding", "positional_embedding", "proj", "conv1", "ln_pre",
                      "ln_post", "transformer", "attnpool", "layer1", "layer2", "layer3", "layer4",
                      "conv2", "conv3", "bn1", "bn2", "bn3")
    )
)  # fmt: skip

ACTIVATIONS = ("quick_gelu", "gelu")

KEYMAPS: Mapping[str, KeyMap] = {
    "original": _OPENAI,
    "open_clip": _OPENAI,
    "transformers": TRANSFORMERS,
}


@dataclass(frozen=True)
class _Tower:
    width: int
    layers: int
    heads: int
    hidden: int


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a CLIP, or a tower of one, is built; `config` as in its claim."""
    usual = "gelu" if layout == "open_clip" else "quick_gelu"
    told = config.get("activation")
    if layout == "transformers":
        config = _from_transformers(config)
        usual = config["activation"]
    activation = told or usual
    if activation not in ACTIVATIONS:
        raise OptionError(
            f"config: activation is {activation!r}.", hint=f"Use {' or '.join(ACTIVATIONS)}."
        )
    lone_vision = "transformer_width" not in config
    keymap = KEYMAPS[layout]
    if lone_vision:
        keymap = _either(keymap, layout)
    return NetworkPlan(
        lambda: Clip(config=config, activation=activation),
        keymap,
        optional=frozenset({"logit_scale"}),
        choices={"activation": usual},
    )


def _either(keymap: KeyMap, layout: str) -> KeyMap:
    """For a lone picture tower: its keys with or without the tower's own name."""
    if layout == "transformers":
        return _BARE_VISION
    return KeyMap(renames=(*_OPENAI_BARE.renames, ("^visual.visual", "visual")), drops=keymap.drops)


def _from_transformers(config: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's arguments from transformers' fields, of a whole model or of one tower."""
    text = config.get("text_config")
    vision = config.get("vision_config")
    if text is None and vision is None:
        text, vision = (config, None) if "vocab_size" in config else (None, config)
    found: dict[str, Any] = {"activation": (text or vision or {})["hidden_act"]}
    if vision is not None:
        found |= {
            "vision_width": vision["hidden_size"],
            "vision_layers": vision["num_hidden_layers"],
            "vision_heads": vision["num_attention_heads"],
            "vision_hidden": vision["intermediate_size"],
            "vision_patch_size": vision["patch_size"],
            "image_resolution": vision["image_size"],
            "vision_channels": vision["num_channels"],
            "vision_projection": vision.get("projection_dim"),
        }
    if text is not None:
        found |= {
            "context_length": text["max_position_embeddings"],
            "vocab_size": text["vocab_size"],
            "end_token": text["vocab_size"] - 1,
            "transformer_width": text["hidden_size"],
            "transformer_heads": text["num_attention_heads"],
            "transformer_layers": text["num_hidden_layers"],
            "transformer_hidden": text["intermediate_size"],
            "text_projection": text["text_projects"],
        }
    found["embed_dim"] = config.get("projection_dim")
    return found


class _QuickGelu(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(1.702 * x)


class _Attention(nn.Module):
    """Self-attention whose three projections are one matrix."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, causal: bool) -> torch.Tensor:
        count, length, width = x.shape
        projected = functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        query, key, value = projected.view(
            count, length, 3, self.heads, width // self.heads
        ).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
        joined: torch.Tensor = self.out_proj(mixed.transpose(1, 2).reshape(count, length, width))
        return joined


class _Block(nn.Module):
    def __init__(self, tower: _Tower, activation: str) -> None:
        super().__init__()
        self.attn = _Attention(tower.width, tower.heads)
        self.ln_1 = nn.LayerNorm(tower.width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(tower.width, tower.hidden))
        self.mlp.add_module("gelu", _QuickGelu() if activation == "quick_gelu" else nn.GELU())
        self.mlp.add_module("c_proj", nn.Linear(tower.hidden, tower.width))
        self.ln_2 = nn.LayerNorm(tower.width)

    def forward(self, x: torch.Tensor, causal: bool) -> torch.Tensor:
        x = x + self.attn(self.ln_1(x), causal)
        found: torch.Tensor = x + self.mlp(self.ln_2(x))
        return found


class _Transformer(nn.Module):
    def __init__(self, tower: _Tower, activation: str) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(_Block(tower, activation) for _ in range(tower.layers))

    def forward(self, x: torch.Tensor, causal: bool = False) -> torch.Tensor:
        for block in self.resblocks:
            x = block(x, causal)
        return x


class VisionTransformer(nn.Module):
    """Dosovitskiy et al. 2020, with a norm before the blocks.

    Args:
        tower: width, layers, heads and hidden width.
        patch: pixels along a patch's side.
        size: pixels along the picture's side.
        channels: of the picture.
        projection: features of the shared space; None for none.
        activation: of the feed-forward layers.
    """

    def __init__(
        self,
        *,
        tower: _Tower,
        patch: int,
        size: int,
        channels: int,
        projection: int | None,
        activation: str,
    ) -> None:
        super().__init__()
        width = tower.width
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty((size // patch) ** 2 + 1, width))
        self.conv1 = nn.Conv2d(channels, width, patch, patch, bias=False)
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = _Transformer(tower, activation)
        self.ln_post = nn.LayerNorm(width)
        self.proj: nn.Parameter | None = None
        if projection is not None:
            self.proj = nn.Parameter(torch.empty(width, projection))

    def tokens(self, image: torch.Tensor) -> torch.Tensor:
        """(N, 1 + patches, width) before the last norm."""
        patches = self.conv1(image).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(patches), 1, -1)
        x = torch.cat([first, patches], 1) + self.positional_embedding
        found: torch.Tensor = self.transformer(self.ln_pre(x))
        return found

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, features) of pictures (N, C, size, size)."""
        pooled: torch.Tensor = self.ln_post(self.tokens(image)[:, 0])
        return pooled if self.proj is None else pooled @ self.proj


class Clip(nn.Module):
    """Radford et al. 2021, "Learning transferable visual models"; keys as OpenAI publishes them.

    Args:
        config: OpenAI's arguments, as in the claim; a tower alone has its own only.
        activation: "quick_gelu" or "gelu".
    """

    def __init__(self, *, config: Mapping[str, Any], activation: str) -> None:
        super().__init__()
        shared = config.get("embed_dim")
        self.end: int | None = config.get("end_token")
        if "vision_width" in config:
            self.visual = _vision(config, activation)
        if "transformer_width" in config:
            width = config["transformer_width"]
            hidden = config.get("transformer_hidden") or round(
                width * config.get("transformer_mlp_ratio", 4)
            )
            tower = _Tower(width, config["transformer_layers"], config["transformer_heads"], hidden)
            self.positional_embedding = nn.Parameter(torch.empty(config["context_length"], width))
            self.transformer = _Transformer(tower, activation)
            self.token_embedding = nn.Embedding(config["vocab_size"], width)
            self.ln_final = nn.LayerNorm(width)
            self.text_projection: nn.Parameter | None = None
            if config.get("text_projection", shared is not None) and shared is not None:
                self.text_projection = nn.Parameter(torch.empty(width, shared))
            self.logit_scale = nn.Parameter(torch.empty(()))

    def encode_image(self, image: torch.Tensor) -> torch.Tensor:
        """(N, features) of normalised pictures (N, C, size, size); not of length 1."""
        found: torch.Tensor = self.visual(image)
        return found

    def hidden_states(self, text: torch.Tensor) -> torch.Tensor:
        """(N, length, width) of tokens (N, length), after the last norm."""
        x = self.token_embedding(text) + self.positional_embedding[: text.shape[1]]
        found: torch.Tensor = self.ln_final(self.transformer(x, causal=True))
        return found

    def encode_text(self, text: torch.Tensor) -> torch.Tensor:
        """(N, features) of tokens (N, length), taken where the text ends.

        That is the largest token to OpenAI; to transformers the first mark of an end.
        """
        states = self.hidden_states(text)
        ends = text if self.end is None else (text == self.end).int()
        pooled = states[torch.arange(len(text), device=text.device), ends.argmax(1)]
        return pooled if self.text_projection is None else pooled @ self.text_projection

    def forward(self, image: torch.Tensor, text: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features of length 1 and how well each picture fits each text."""
        seen = functional.normalize(self.encode_image(image), dim=-1)
        read = functional.normalize(self.encode_text(text), dim=-1)
        return {
            "image_embeds": seen,
            "text_embeds": read,
            "logits_per_image": self.logit_scale.exp() * seen @ read.T,
        }


def _vision(config: Mapping[str, Any], activation: str) -> nn.Module:
    layers = config["vision_layers"]
    width = config["vision_width"]
    if isinstance(layers, Sequence):
        return ResNetTower(
            layers=layers,
            width=width,
            heads=config["vision_heads"],
            size=config["image_resolution"],
            projection=config["embed_dim"],
            channels=config.get("vision_channels", 3),
        )
    hidden = config.get("vision_hidden") or round(width * config.get("vision_mlp_ratio", 4))
    return VisionTransformer(
        tower=_Tower(width, layers, config["vision_heads"], hidden),
        patch=config["vision_patch_size"],
        size=config["image_resolution"],
        channels=config.get("vision_channels", 3),
        projection=config["embed_dim"]
        if config.get("vision_projection") is None and "vision_projection" not in config
        else config["vision_projection"] or config["embed_dim"],
        activation=activation,
    )
