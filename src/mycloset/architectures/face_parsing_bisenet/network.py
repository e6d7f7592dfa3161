"""BiSeNet for faces: a ResNet, attention on its last stages, and features of two scales fused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.architectures.resnet.stages import Stages

KEYMAPS: Mapping[str, KeyMap] = {"original": KeyMap()}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a face parser is built; `config` as in its claim."""
    return NetworkPlan(
        lambda: BiSeNet(config=config), KEYMAPS[layout], choices={"labels": None, "size": 512}
    )


class _Layer(nn.Module):
    def __init__(self, inp: int, out: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inp, out, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu_(self.bn(self.conv(x)))


class _Attention(nn.Module):
    """Channels weighed by what is seen over the whole picture."""

    def __init__(self, inp: int, out: int) -> None:
        super().__init__()
        self.conv = _Layer(inp, out, 3)
        self.conv_atten = nn.Conv2d(out, out, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.conv(x)
        pooled = features.mean((2, 3), keepdim=True)
        return features * torch.sigmoid(self.bn_atten(self.conv_atten(pooled)))


class _Context(nn.Module):
    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.resnet = Stages(config=config, strides=(1, 2, 2, 2), dilations=((1,),) * 4)
        channels, width = config["channels"], config["context_channels"]
        self.arm16 = _Attention(channels[2], width)
        self.arm32 = _Attention(channels[3], width)
        self.conv_head32 = _Layer(width, width, 3)
        self.conv_head16 = _Layer(width, width, 3)
        self.conv_avg = _Layer(channels[3], width, 1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        _, eighth, sixteenth, last = self.resnet(image)
        pooled = self.conv_avg(last.mean((2, 3), keepdim=True))
        coarse = functional.interpolate(self.arm32(last) + pooled, sixteenth.shape[2:])
        coarse = self.conv_head32(coarse)
        fine = functional.interpolate(self.arm16(sixteenth) + coarse, eighth.shape[2:])
        return eighth, self.conv_head16(fine), coarse


class _Fusion(nn.Module):
    def __init__(self, inp: int, out: int, squeezed: int) -> None:
        super().__init__()
        self.convblk = _Layer(inp, out, 1)
        self.conv1 = nn.Conv2d(out, squeezed, 1, bias=False)
        self.conv2 = nn.Conv2d(squeezed, out, 1, bias=False)

    def forward(self, fine: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.convblk(torch.cat([fine, context], 1))
        pooled = features.mean((2, 3), keepdim=True)
        return features + features * torch.sigmoid(self.conv2(torch.relu_(self.conv1(pooled))))


class _Head(nn.Module):
    def __init__(self, inp: int, width: int, classes: int) -> None:
        super().__init__()
        self.conv = _Layer(inp, width, 3)
        self.conv_out = nn.Conv2d(width, classes, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.conv_out(self.conv(x))
        return found


class BiSeNet(nn.Module):
    """Yu et al. 2018, "BiSeNet", as zllrunning/face-parsing.PyTorch builds it, with its keys.

    Args:
        config: as in the claim.
    """

    def __init__(self, *, config: Mapping[str, Any]) -> None:
        super().__init__()
        context, fused = config["context_channels"], config["fused_channels"]
        classes, widths = config["n_classes"], config["head_channels"]
        self.cp = _Context(config)
        entering = config["channels"][1] + context
        self.ffm = _Fusion(entering, fused, config["squeezed_channels"])
        self.conv_out = _Head(fused, widths[0], classes)
        self.conv_out16 = _Head(context, widths[1], classes)
        self.conv_out32 = _Head(context, widths[2], classes)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits at an eighth of the picture's size.

        Args:
            image: (N, C, H, W), normalised RGB.

        Returns:
            logits: (N, classes, H/8, W/8).
        """
        fine, context, _ = self.cp(image)
        return {"logits": self.conv_out(self.ffm(fine, context))}

    def at_full_size(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """`out`, and training's heads (`out16`, `out32`), at the picture's size."""
        fine, context, coarse = self.cp(image)
        found = {
            "out": self.conv_out(self.ffm(fine, context)),
            "out16": self.conv_out16(context),
            "out32": self.conv_out32(coarse),
        }
        return {
            name: functional.interpolate(x, image.shape[2:], mode="bilinear", align_corners=True)
            for name, x in found.items()
        }
