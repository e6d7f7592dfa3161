"""MobileSAM: TinyViT sees the picture; prompts and masks as in Segment Anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan, is_norm
from mycloset.architectures.sam.prompting import LayerNorm2d, PromptedNetwork
from mycloset.errors import ModelFileError

KEYMAPS: Mapping[str, KeyMap] = {"original": KeyMap()}

KEPT = (320, 448, 576)
"""Widths of stages to which the plane is not halved; the authors' rule."""

SIZE, GRID = 1024, 64


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a MobileSAM is built; `config` as in its claim.

    Raises:
        ModelFileError: it is HQ-SAM, whose finer mask is not made.
    """
    if "vit_dim" in config:
        raise ModelFileError(
            f"HQ-SAM ({variant}) is recognised, but its finer mask cannot be made yet.",
            hint="Load mobile_sam.pt.",
        )
    return NetworkPlan(
        lambda: PromptedNetwork(
            encoder=TinyViT(config=config), config=config, size=SIZE, grid=GRID
        ),
        KEYMAPS[layout],
        # In bfloat16, that takes a third of the embedding's error away.
        exact=is_norm,
    )


class _ConvNorm(nn.Module):
    def __init__(
        self, inp: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.c = nn.Conv2d(inp, out, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.bn(self.c(x))
        return found


class _Inverted(nn.Module):
    """A 1x1, a depthwise 3x3 and a 1x1 convolution; a residual where `kept`."""

    def __init__(self, inp: int, hidden: int, out: int, stride: int, *, kept: bool) -> None:
        super().__init__()
        self.conv1 = _ConvNorm(inp, hidden)
        self.conv2 = _ConvNorm(hidden, hidden, 3, stride, hidden)
        self.conv3 = _ConvNorm(hidden, out)
        self.kept = kept

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = functional.gelu(self.conv1(x))
        found = self.conv3(functional.gelu(self.conv2(found)))
        return functional.gelu(found + x) if self.kept else found


class _Attention(nn.Module):
    """Attention within a window, with a bias for each distance."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        # Distances down and across, each from 0: their numbers need no table.
        self.attention_biases = nn.Parameter(torch.empty(heads, window * window))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        count, places, width = x.shape
        part = width // self.heads
        qkv = self.qkv(self.norm(x)).view(count, places, self.heads, 3 * part)
        query, key, value = (t.transpose(1, 2) for t in qkv.split(part, 3))
        steps = torch.arange(self.window, device=x.device)
        apart = (steps[:, None] - steps[None]).abs()
        numbers = apart[:, None, :, None] * self.window + apart[None, :, None, :]
        bias = self.attention_biases[:, numbers.reshape(places, places)]
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias[None])
        found: torch.Tensor = self.proj(mixed.transpose(1, 2).reshape(count, places, width))
        return found


class _Feed(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.fc2(functional.gelu(self.fc1(self.norm(x))))
        return found


class _Block(nn.Module):
    """Attention in windows, a depthwise convolution, a feed-forward layer; over (N, C, H, W)."""

    def __init__(self, width: int, heads: int, window: int, hidden: int, local: int) -> None:
        super().__init__()
        self.attn = _Attention(width, heads, window)
        self.mlp = _Feed(width, hidden)
        self.local_conv = _ConvNorm(width, width, local, 1, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self._windows(x)
        x = self.local_conv(x)
        tokens = x.flatten(2).transpose(1, 2)
        tokens = tokens + self.mlp(tokens)
        found: torch.Tensor = tokens.transpose(1, 2).reshape(x.shape)
        return found

    def _windows(self, x: torch.Tensor) -> torch.Tensor:
        count, width, rows, columns = x.shape
        side = self.attn.window
        below, right = -rows % side, -columns % side
        padded = functional.pad(x, (0, right, 0, below))
        high, wide = rows + below, columns + right
        cells = padded.view(count, width, high // side, side, wide // side, side)
        tokens = cells.permute(0, 2, 4, 3, 5, 1).reshape(-1, side * side, width)
        seen = self.attn(tokens).view(count, high // side, wide // side, side, side, width)
        joined: torch.Tensor = seen.permute(0, 5, 1, 3, 2, 4).reshape(count, width, high, wide)
        return joined[:, :, :rows, :columns]


class _Stage(nn.Module):
    def __init__(self, blocks: list[nn.Module], downsample: nn.Module | None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class TinyViT(nn.Module):
    """Wu et al. 2022, "TinyViT", with MobileSAM's neck; keys as published.

    Args:
        config: as in the claim.
    """

    def __init__(self, *, config: Mapping[str, Any]) -> None:
        super().__init__()
        widths, stem = config["embed_dims"], config["stem"]
        self.patch_embed = nn.Module()
        self.patch_embed.seq = nn.Sequential(
            _ConvNorm(config["in_chans"], stem, 3, 2),
            nn.GELU(),
            _ConvNorm(stem, widths[0], 3, 2),
        )
        stages = []
        for number, width in enumerate(widths):
            blocks: list[nn.Module] = []
            for _ in range(config["depths"][number]):
                if number == 0:
                    blocks.append(_Inverted(width, config["expanded"], width, 1, kept=True))
                else:
                    blocks.append(
                        _Block(
                            width,
                            config["num_heads"][number],
                            config["window_sizes"][number],
                            config["hidden"][number - 1],
                            config["local_conv_size"],
                        )
                    )
            after = widths[number + 1] if number + 1 < len(widths) else None
            down = None
            if after is not None:
                stride = 1 if after in KEPT else 2
                down = _Inverted(width, after, after, stride, kept=False)
            stages.append(_Stage(blocks, down))
        self.layers = nn.ModuleList(stages)
        last, out = widths[-1], config["out_chans"]
        # The classifier of its training lies in the file and is not used.
        self.norm_head = nn.LayerNorm(last)
        if config["num_classes"]:
            self.head = nn.Linear(last, config["num_classes"])
        self.neck = nn.Sequential(
            nn.Conv2d(last, out, 1, bias=False),
            LayerNorm2d(out),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            LayerNorm2d(out),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, out, 64, 64) of (N, C, 1024, 1024)."""
        x = self.patch_embed.get_submodule("seq")(image)
        for stage in self.layers:
            x = stage(x)
        found: torch.Tensor = self.neck(x)
        return found
