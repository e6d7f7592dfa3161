"""SegFormer: a transformer of four resolutions, and a decoder of linear layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.errors import OptionError

_BARE = (
    # An encoder that lies alone may lack the name of its model.
    ("^encoder.{rest*}", "segformer.encoder.{rest}"),
    ("^stages.{rest*}", "segformer.stages.{rest}"),
)

KEYMAPS: Mapping[str, KeyMap] = {
    "transformers-4.x": KeyMap(renames=_BARE[:1]),
    "transformers-5.x": KeyMap(
        renames=(
            *_BARE,
            (
                "segformer.stages.{s}.patch_embeddings",
                "segformer.encoder.patch_embeddings.{s}",
            ),
            ("segformer.stages.{s}.blocks", "segformer.encoder.block.{s}"),
            ("segformer.stages.{s}.layer_norm", "segformer.encoder.layer_norm.{s}"),
            ("layernorm_before", "layer_norm_1"),
            ("layernorm_after", "layer_norm_2"),
            ("attention.q_proj", "attention.self.query"),
            ("attention.k_proj", "attention.self.key"),
            ("attention.v_proj", "attention.self.value"),
            ("attention.o_proj", "attention.output.dense"),
            ("attention.sequence_reduction.sequence_reduction", "attention.self.sr"),
            ("attention.sequence_reduction.layer_norm", "attention.self.layer_norm"),
            ("mlp.fc1", "mlp.dense1"),
            ("mlp.fc2", "mlp.dense2"),
            ("decode_head.linear_projections", "decode_head.linear_c"),
        )
    ),
}

_SIZES = {"b4-fashn": [576, 384]}
"""Height and width for which networks were trained that are not used on squares of 512."""

_HEAD_WIDTH = 32
"""Features of an attention head where the network is none of the published ones."""


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a SegFormer is built; `config` as in its claim.

    Raises:
        OptionError: the heads do not divide the widths.
    """
    widths = config["hidden_sizes"]
    heads = config["num_attention_heads"] or [max(1, width // _HEAD_WIDTH) for width in widths]
    if len(heads) != len(widths) or any(w % h for w, h in zip(widths, heads, strict=False)):
        raise OptionError(f"config: num_attention_heads {heads} do not divide widths {widths}.")
    return NetworkPlan(
        lambda: SegFormer(config=config, heads=heads),
        KEYMAPS[layout],
        choices={"num_attention_heads": heads, "labels": None, "size": _SIZES.get(variant, 512)},
    )


class _Patches(nn.Module):
    def __init__(self, inp: int, width: int, patch: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inp, width, patch, stride, patch // 2)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        seen = self.proj(x)
        size = (seen.shape[2], seen.shape[3])
        return self.layer_norm(seen.flatten(2).transpose(1, 2)), size


class _Own(nn.Module):
    """Queries, keys and values; keys and values of fewer places where `reduction` is above 1."""

    def __init__(self, width: int, heads: int, reduction: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.sr: nn.Conv2d | None = None
        if reduction > 1:
            self.sr = nn.Conv2d(width, width, reduction, reduction)
            self.layer_norm = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        count, _, width = x.shape
        seen = x
        if self.sr is not None:
            plane = x.transpose(1, 2).reshape(count, width, *size)
            seen = self.layer_norm(self.sr(plane).flatten(2).transpose(1, 2))

        def split(projected: torch.Tensor) -> torch.Tensor:
            return projected.view(count, -1, self.heads, width // self.heads).transpose(1, 2)

        mixed = functional.scaled_dot_product_attention(
            split(self.query(x)), split(self.key(seen)), split(self.value(seen))
        )
        return mixed.transpose(1, 2).reshape(count, -1, width)


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int, reduction: int) -> None:
        super().__init__()
        # The published name of the module is a word that attributes may have.
        self.add_module("self", _Own(width, heads, reduction))
        self.output = nn.ModuleDict({"dense": nn.Linear(width, width)})

    def forward(self, x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        found: torch.Tensor = self.output["dense"](self.get_submodule("self")(x, size))
        return found


class _Feed(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.dense1 = nn.Linear(width, hidden)
        self.dwconv = nn.ModuleDict({"dwconv": nn.Conv2d(hidden, hidden, 3, 1, 1, groups=hidden)})
        self.dense2 = nn.Linear(hidden, width)

    def forward(self, x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        wide = self.dense1(x)
        plane = wide.transpose(1, 2).reshape(len(x), -1, *size)
        mixed = self.dwconv["dwconv"](plane).flatten(2).transpose(1, 2)
        found: torch.Tensor = self.dense2(functional.gelu(mixed))
        return found


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, reduction: int, hidden: int) -> None:
        super().__init__()
        self.layer_norm_1 = nn.LayerNorm(width)
        self.attention = _Attention(width, heads, reduction)
        self.layer_norm_2 = nn.LayerNorm(width)
        self.mlp = _Feed(width, hidden)

    def forward(self, x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        x = x + self.attention(self.layer_norm_1(x), size)
        found: torch.Tensor = x + self.mlp(self.layer_norm_2(x), size)
        return found


class _Encoder(nn.Module):
    def __init__(self, config: Mapping[str, Any], heads: list[int]) -> None:
        super().__init__()
        widths, patches = config["hidden_sizes"], config["patch_sizes"]
        inputs = [config["num_channels"], *widths]
        self.patch_embeddings = nn.ModuleList(
            _Patches(inputs[n], width, patches[n], 4 if n == 0 else 2)
            for n, width in enumerate(widths)
        )
        self.block = nn.ModuleList(
            nn.ModuleList(
                _Block(
                    width,
                    heads[n],
                    config["sr_ratios"][n],
                    round(width * config["mlp_ratios"][n]),
                )
                for _ in range(config["depths"][n])
            )
            for n, width in enumerate(widths)
        )
        self.layer_norm = nn.ModuleList(nn.LayerNorm(width) for width in widths)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        found = []
        x = image
        for patches, blocks, norm in zip(
            self.patch_embeddings, self.block, self.layer_norm, strict=True
        ):
            tokens, size = patches(x)
            for block in blocks.children():
                tokens = block(tokens, size)
            tokens = norm(tokens)
            x = tokens.transpose(1, 2).reshape(len(tokens), -1, *size)
            found.append(x)
        return found


class _Head(nn.Module):
    def __init__(self, widths: list[int], width: int, classes: int) -> None:
        super().__init__()
        self.linear_c = nn.ModuleList(
            nn.ModuleDict({"proj": nn.Linear(inp, width)}) for inp in widths
        )
        self.linear_fuse = nn.Conv2d(width * len(widths), width, 1, bias=False)
        self.batch_norm = nn.BatchNorm2d(width)
        self.classifier = nn.Conv2d(width, classes, 1)

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        size = features[0].shape[2:]
        seen = []
        for layer, x in zip(self.linear_c.children(), features, strict=True):
            projected = layer.get_submodule("proj")(x.flatten(2).transpose(1, 2))
            plane = projected.transpose(1, 2).reshape(len(x), -1, *x.shape[2:])
            seen.append(functional.interpolate(plane, size, mode="bilinear", align_corners=False))
        fused = torch.relu_(self.batch_norm(self.linear_fuse(torch.cat(seen[::-1], 1))))
        found: torch.Tensor = self.classifier(fused)
        return found


class SegFormer(nn.Module):
    """Xie et al. 2021, "SegFormer"; keys as transformers 4 writes them.

    Args:
        config: as in the claim.
        heads: attention heads of each stage.
    """

    def __init__(self, *, config: Mapping[str, Any], heads: list[int]) -> None:
        super().__init__()
        self.segformer = nn.ModuleDict({"encoder": _Encoder(config, heads)})
        widths, width = config["hidden_sizes"], config["decoder_hidden_size"]
        classes = config["num_labels"]
        self.decode_head: _Head | None = None
        self.classifier: nn.Linear | None = None
        if width:
            self.decode_head = _Head(widths, width, classes)
        elif classes:
            self.classifier = nn.Linear(widths[-1], classes)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits at a quarter of the picture's size.

        Args:
            image: (N, C, H, W), normalised RGB.

        Returns:
            logits: (N, classes, H/4, W/4); of a classifier (N, classes), and features; of an
            encoder features alone, (N, width, H/32, W/32).
        """
        features = self.segformer["encoder"](image)
        if self.decode_head is not None:
            return {"logits": self.decode_head(features)}
        if self.classifier is not None:
            logits = self.classifier(features[-1].mean((2, 3)))
            return {"features": features[-1], "logits": logits}
        return {"features": features[-1]}
