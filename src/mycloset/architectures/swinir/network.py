"""SwinIR: convolutions around groups of Swin blocks, for every task and size that files have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.architectures.swinir.blocks import Group, offsets_index, residual, shift_mask
from mycloset.errors import ModelFileError

KEYMAPS: Mapping[str, KeyMap] = {"original": KeyMap()}

MEAN = (0.4488, 0.4371, 0.4040)
"""Of DIV2K's pictures, RGB, 0..1; taken from colour pictures within the network."""


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a SwinIR is built; `config` as in its claim."""
    window, training = config["window_size"], config["img_size"]

    def build() -> SwinIR:
        return SwinIR(
            in_channels=config["in_chans"],
            out_channels=config.get("num_out_ch", config["in_chans"]),
            width=config["embed_dim"],
            depths=tuple(config["depths"]),
            heads=tuple(config["num_heads"]),
            hidden=round(config["embed_dim"] * config["mlp_ratio"]),
            window=window,
            training=training,
            upsampler=config["upsampler"],
            scale=config["upscale"],
            features=config.get("num_feat", 64),
            residual_kind=config["resi_connection"],
            pixel_range=float(config["img_range"]),
            biased=config.get("qkv_bias", True),
            patch_norm=config.get("patch_norm", True),
            places=config.get("ape", False),
            folding=config.get("start_unshuffle", 1),
        )

    def constants() -> dict[str, torch.Tensor]:
        # One tensor each, which all blocks share.
        index, mask = offsets_index(window), shift_mask(training, training, window)
        told: dict[str, torch.Tensor] = {}
        for group, depth in enumerate(config["depths"]):
            for number in range(depth):
                start = f"layers.{group}.residual_group.blocks.{number}"
                told[f"{start}.attn.relative_position_index"] = index
                if number % 2:
                    told[f"{start}.attn_mask"] = mask
        return told

    return NetworkPlan(build, KEYMAPS[layout], constants)


class SwinIR(nn.Module):
    """Liang et al. 2021, "SwinIR"; keys as in the authors' models/network_swinir.py.

    Args:
        in_channels, out_channels: of the picture and the result.
        width: features of the trunk.
        depths: blocks of each group.
        heads: attention heads of each group.
        hidden: features within a block's feed-forward layer.
        window: pixels along a window's side.
        training: side of the pictures of training.
        upsampler: "pixelshuffle", "pixelshuffledirect", "nearest+conv", or "" for none.
        scale: by how much that enlarges.
        features: of the convolutions at full size.
        residual_kind: "1conv" or "3conv", what ends a group.
        pixel_range: by what pixels of 0..1 are multiplied first.
        biased: whether queries, keys and values have biases.
        patch_norm: whether a norm follows the first convolution.
        places: whether there is a table of absolute positions; then pictures have one size.
        folding: side of the squares of pixels that are folded into channels first.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        width: int,
        depths: tuple[int, ...],
        heads: tuple[int, ...],
        hidden: int,
        window: int,
        training: int,
        upsampler: str,
        scale: int,
        features: int,
        residual_kind: str,
        pixel_range: float,
        biased: bool = True,
        patch_norm: bool = True,
        places: bool = False,
        folding: int = 1,
    ) -> None:
        super().__init__()
        self.window = window
        self.upsampler = upsampler
        self.scale = scale
        self.pixel_range = pixel_range
        self.folding = folding
        self.centred = in_channels == 3
        first = _conv(in_channels * folding**2, width)
        self.conv_first = nn.Sequential(nn.PixelUnshuffle(folding), first) if folding > 1 else first
        self.patch_embed = _Embedding(width=width, normed=patch_norm)
        self.absolute_pos_embed = (
            nn.Parameter(torch.empty(1, training**2, width)) if places else None
        )
        self.layers = nn.ModuleList(
            Group(
                width=width,
                depth=depth,
                heads=number,
                hidden=hidden,
                window=window,
                training=training,
                biased=biased,
                residual_kind=residual_kind,
            )
            for depth, number in zip(depths, heads, strict=True)
        )
        self.norm = nn.LayerNorm(width)
        self.conv_after_body = residual(width, residual_kind)
        self._enlarging(width, features, out_channels)

    def _enlarging(self, width: int, features: int, out: int) -> None:
        """The layers at the end."""
        if self.upsampler == "":
            self.conv_last = _conv(width, out)
            return
        if self.upsampler == "pixelshuffledirect":
            self.upsample = nn.Sequential(
                _conv(width, self.scale**2 * out), nn.PixelShuffle(self.scale)
            )
            return
        self.conv_before_upsample = nn.Sequential(
            _conv(width, features), nn.LeakyReLU(inplace=True)
        )
        self.doublings = self.scale.bit_length() - 1
        if self.upsampler == "nearest+conv":
            for step in range(1, self.doublings + 1):
                self.add_module(f"conv_up{step}", _conv(features, features))
            self.conv_hr = _conv(features, features)
        elif self.scale == 3:
            self.upsample = nn.Sequential(_conv(features, 9 * features), nn.PixelShuffle(3))
        else:
            layers: list[nn.Module] = []
            for _ in range(self.doublings):
                layers += [_conv(features, 4 * features), nn.PixelShuffle(2)]
            self.upsample = nn.Sequential(*layers)
        self.conv_last = _conv(features, out)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """The restored picture.

        Args:
            image: (N, C, H, W), 0..1; mirrored here to whole windows, if it is not less than one.

        Returns:
            (N, C, scale * H / folding, scale * W / folding), nominally 0..1, not clipped.
        """
        height, width = image.shape[2:]
        step = self.window * self.folding
        image = functional.pad(image, (0, -width % step, 0, -height % step), mode="reflect")
        mean = image.new_tensor(MEAN).view(1, 3, 1, 1) if self.centred else 0.0
        image = (image - mean) * self.pixel_range
        first = self.conv_first(image)
        features = self.conv_after_body(self._trunk(first)) + first
        made = self._enlarged(features)
        if self.upsampler == "":
            made = made + image
        made = made / self.pixel_range + mean
        return made[
            :, :, : height * self.scale // self.folding, : width * self.scale // self.folding
        ]

    def _trunk(self, features: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) after all groups."""
        height, width = features.shape[2:]
        tokens: torch.Tensor = self.patch_embed(features.flatten(2).transpose(1, 2))
        if self.absolute_pos_embed is not None:
            if self.absolute_pos_embed.shape[1] != tokens.shape[1]:
                side = round(self.absolute_pos_embed.shape[1] ** 0.5) * self.folding
                raise ModelFileError(
                    f"the network has a table of positions for {side}x{side} pixels, not for"
                    f" {height * self.folding}x{width * self.folding}.",
                    hint=f"Give pictures of {side}x{side} pixels.",
                )
            tokens = tokens + self.absolute_pos_embed
        for layer in self.layers:
            tokens = layer(tokens, (height, width))
        tokens = self.norm(tokens)
        return tokens.transpose(1, 2).reshape(features.shape)

    def _enlarged(self, features: torch.Tensor) -> torch.Tensor:
        """What the layers at the end make of the trunk's features."""
        found: torch.Tensor
        if self.upsampler == "":
            found = self.conv_last(features)
        elif self.upsampler == "pixelshuffledirect":
            found = self.upsample(features)
        elif self.upsampler == "pixelshuffle":
            found = self.conv_last(self.upsample(self.conv_before_upsample(features)))
        else:
            features = self.conv_before_upsample(features)
            for step in range(1, self.doublings + 1):
                features = functional.interpolate(features, scale_factor=2, mode="nearest")
                features = self.get_submodule(f"conv_up{step}")(features)
                features = functional.leaky_relu(features, 0.2, inplace=True)
            found = self.conv_last(functional.leaky_relu(self.conv_hr(features), 0.2))
        return found


class _Embedding(nn.Module):
    """A norm of the first convolution's features, if there is one."""

    def __init__(self, *, width: int, normed: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width) if normed else None

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return tokens if self.norm is None else self.norm(tokens)


def _conv(inp: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(inp, out, 3, padding=1)
