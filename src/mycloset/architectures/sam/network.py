"""Segment Anything: a windowed vision transformer, with prompts and masks by `prompting`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.architectures.sam.prompting import LayerNorm2d, PromptedNetwork
from mycloset.errors import ModelFileError

KEYMAPS: Mapping[str, KeyMap] = {
    "original": KeyMap(),
    "transformers": KeyMap(
        renames=(
            (
                "^shared_image_embedding.positional_embedding",
                "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
            ),
            ("vision_encoder.patch_embed.projection", "image_encoder.patch_embed.proj"),
            ("vision_encoder.neck.conv1", "image_encoder.neck.0"),
            ("vision_encoder.neck.layer_norm1", "image_encoder.neck.1"),
            ("vision_encoder.neck.conv2", "image_encoder.neck.2"),
            ("vision_encoder.neck.layer_norm2", "image_encoder.neck.3"),
            ("vision_encoder.layers", "image_encoder.blocks"),
            ("^vision_encoder", "image_encoder"),
            ("prompt_encoder.point_embed", "prompt_encoder.point_embeddings"),
            ("prompt_encoder.mask_embed.conv1", "prompt_encoder.mask_downscaling.0"),
            ("prompt_encoder.mask_embed.layer_norm1", "prompt_encoder.mask_downscaling.1"),
            ("prompt_encoder.mask_embed.conv2", "prompt_encoder.mask_downscaling.3"),
            ("prompt_encoder.mask_embed.layer_norm2", "prompt_encoder.mask_downscaling.4"),
            ("prompt_encoder.mask_embed.conv3", "prompt_encoder.mask_downscaling.6"),
            ("mask_decoder.upscale_conv1", "mask_decoder.output_upscaling.0"),
            ("mask_decoder.upscale_layer_norm", "mask_decoder.output_upscaling.1"),
            ("mask_decoder.upscale_conv2", "mask_decoder.output_upscaling.3"),
            ("layer_norm_final_attn", "norm_final_attn"),
            *((f"layer_norm{number}", f"norm{number}") for number in range(1, 5)),
        ),
        drops=("prompt_encoder.shared_embedding.positional_embedding",),
    ),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a SAM is built; `config` as in its claim.

    Raises:
        ModelFileError: it is HQ-SAM, whose finer mask is not made.
    """
    if "vit_dim" in config:
        raise ModelFileError(
            f"HQ-SAM ({variant}) is recognised, but its finer mask cannot be made yet.",
            hint="Load the file of Segment Anything of the same size.",
        )
    keymap = KEYMAPS[layout]
    if layout == "transformers":
        keymap = _numbered(keymap, config)
    usual = {"encoder_num_heads": config["encoder_num_heads"]}
    size = config["image_size"] or 1024
    patch = config["patch"]
    resized: dict[str, Callable[[torch.Tensor, tuple[int, ...]], torch.Tensor]] = {
        "image_encoder.pos_embed": _resized_places
    }
    for number in config["encoder_global_attn_indexes"]:
        for way in "hw":
            resized[f"image_encoder.blocks.{number}.attn.rel_pos_{way}"] = _resized_rows
    return NetworkPlan(
        lambda: PromptedNetwork(
            encoder=ImageEncoder(config=config, size=size),
            config=config,
            size=size,
            grid=size // patch,
        ),
        keymap,
        interpolated=resized,
        choices={**usual, "image_size": size},
    )


def _numbered(keymap: KeyMap, config: Mapping[str, Any]) -> KeyMap:
    """With the first and last layers of small networks, which transformers names apart."""
    renames = list(keymap.renames)
    for place, depth in (
        ("output_hypernetworks_mlps.{m}", config["hypernetwork_depth"]),
        ("iou_prediction_head", config["iou_head_depth"]),
    ):
        # The highest number first, so that no key is renamed twice.
        for number in range(depth - 2, 0, -1):
            renames.append((f"{place}.layers.{number - 1}", f"{place}.layers.{number}"))
        renames.append((f"{place}.proj_in", f"{place}.layers.0"))
        renames.append((f"{place}.proj_out", f"{place}.layers.{depth - 1}"))
    return KeyMap(renames=tuple(renames), drops=keymap.drops)


def _resized_places(table: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    plane = functional.interpolate(
        table.permute(0, 3, 1, 2), shape[1:3], mode="bicubic", align_corners=False
    )
    return plane.permute(0, 2, 3, 1).contiguous()


def _resized_rows(table: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    rows = functional.interpolate(table.T[None], shape[0], mode="linear")
    return rows[0].T.contiguous()


class _Attention(nn.Module):
    """Self-attention over a plane, with or without relative positions."""

    def __init__(self, width: int, heads: int, side: int, *, biased: bool, relative: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=biased)
        self.proj = nn.Linear(width, width)
        self.relative = relative
        if relative:
            head = width // heads
            self.rel_pos_h = nn.Parameter(torch.empty(2 * side - 1, head))
            self.rel_pos_w = nn.Parameter(torch.empty(2 * side - 1, head))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        count, rows, columns, width = x.shape
        qkv = self.qkv(x).view(count, rows * columns, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        if not self.relative:
            mixed = functional.scaled_dot_product_attention(query, key, value)
        else:
            # What places add for each other fills memory: where there are many, a head at a time.
            step = self.heads if rows * columns <= 1024 else 1
            parts = []
            for start in range(0, self.heads, step):
                some = slice(start, start + step)
                bias = self._bias(query[:, some], rows, columns)
                parts.append(
                    functional.scaled_dot_product_attention(
                        query[:, some], key[:, some], value[:, some], attn_mask=bias
                    )
                )
            mixed = torch.cat(parts, 1)
        found: torch.Tensor = self.proj(mixed.transpose(1, 2).reshape(count, rows, columns, width))
        return found

    def _bias(self, query: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
        """(N, heads, places, places): what a place adds for another, down and across."""
        down = _rows(self.rel_pos_h, rows)
        across = _rows(self.rel_pos_w, columns)
        plane = query.reshape(*query.shape[:2], rows, columns, query.shape[3])
        high = torch.einsum("nhrcf,rkf->nhrck", plane, down)
        wide = torch.einsum("nhrcf,ckf->nhrck", plane, across)
        both = high[..., :, None] + wide[..., None, :]
        return both.reshape(*query.shape[:2], rows * columns, rows * columns)


def _rows(table: torch.Tensor, size: int) -> torch.Tensor:
    """(size, size, features): the table's row for each distance."""
    steps = torch.arange(size, device=table.device)
    return table[steps[:, None] - steps[None] + (len(table) - 1) // 2]


class _Feed(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, hidden)
        self.lin2 = nn.Linear(hidden, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.lin2(functional.gelu(self.lin1(x)))
        return found


class _Block(nn.Module):
    """A transformer block over windows; `window` 0 for the whole plane."""

    def __init__(self, config: Mapping[str, Any], window: int, side: int) -> None:
        super().__init__()
        width = config["encoder_embed_dim"]
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = _Attention(
            width,
            config["encoder_num_heads"],
            window or side,
            biased=config["qkv_bias"],
            relative=config["use_rel_pos"],
        )
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = _Feed(width, round(width * config["mlp_ratio"]))
        self.window = window

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = self.norm1(x)
        if self.window:
            rows, columns = x.shape[1:3]
            windows, padded = _cut(seen, self.window)
            seen = _joined(self.attn(windows), self.window, padded)[:, :rows, :columns]
        else:
            seen = self.attn(seen)
        x = x + seen
        found: torch.Tensor = x + self.mlp(self.norm2(x))
        return found


def _cut(x: torch.Tensor, window: int) -> tuple[torch.Tensor, tuple[int, int]]:
    """(N * windows, window, window, C), and the plane's size with the padding."""
    count, rows, columns, width = x.shape
    below, right = -rows % window, -columns % window
    x = functional.pad(x, (0, 0, 0, right, 0, below))
    high, wide = rows + below, columns + right
    cells = x.view(count, high // window, window, wide // window, window, width)
    return cells.transpose(2, 3).reshape(-1, window, window, width), (high, wide)


def _joined(windows: torch.Tensor, window: int, padded: tuple[int, int]) -> torch.Tensor:
    high, wide = padded
    cells = windows.view(-1, high // window, wide // window, window, window, windows.shape[-1])
    return cells.transpose(2, 3).reshape(-1, high, wide, windows.shape[-1])


class _Patches(nn.Module):
    def __init__(self, inp: int, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inp, width, patch, patch)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.proj(image).permute(0, 2, 3, 1)
        return found


class ImageEncoder(nn.Module):
    """Li et al. 2022, ViTDet's backbone, as Kirillov et al. 2023 use it; keys as published.

    Args:
        config: as in the claim.
        size: pixels along the picture's side.
    """

    def __init__(self, *, config: Mapping[str, Any], size: int) -> None:
        super().__init__()
        width, out = config["encoder_embed_dim"], config["out_chans"]
        side = size // config["patch"]
        self.patch_embed = _Patches(config["in_chans"], width, config["patch"])
        self.pos_embed: nn.Parameter | None = None
        if config["use_abs_pos"]:
            self.pos_embed = nn.Parameter(torch.empty(1, side, side, width))
        whole = set(config["encoder_global_attn_indexes"])
        self.blocks = nn.ModuleList(
            _Block(config, 0 if number in whole else config["window_size"], side)
            for number in range(config["encoder_depth"])
        )
        self.neck = nn.Sequential(
            nn.Conv2d(width, out, 1, bias=False),
            LayerNorm2d(out),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            LayerNorm2d(out),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, out, size / patch, size / patch) of (N, C, size, size)."""
        x = self.patch_embed(image)
        if self.pos_embed is not None:
            x = x + self.pos_embed
        for block in self.blocks:
            x = block(x)
        found: torch.Tensor = self.neck(x.permute(0, 3, 1, 2))
        return found
