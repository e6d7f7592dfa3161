"""DeepLabv3+: a dilated ResNet, a pyramid of dilations, a decoder with early features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.architectures.resnet.stages import Stages
from mycloset.errors import OptionError

KEYMAPS: Mapping[str, KeyMap] = {"original": KeyMap()}

GRID = (1, 2, 4)
"""What multiplies the dilation of the last stage's blocks; jfzhang95's."""


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a DeepLabv3+ is built; `config` as in its claim.

    Raises:
        OptionError: an output stride that its authors do not have.
    """
    stride = config.get("output_stride", 16)
    if stride not in (8, 16):
        raise OptionError(f"config: output_stride is {stride!r}.", hint="Use 16 or 8.")
    return NetworkPlan(
        lambda: DeepLabV3Plus(config=config, output_stride=stride),
        KEYMAPS[layout],
        choices={"output_stride": 16, "labels": None, "size": 513},
    )


class _Branch(nn.Module):
    def __init__(self, inp: int, out: int, dilation: int) -> None:
        super().__init__()
        kernel, pad = (3, dilation) if dilation else (1, 0)
        self.atrous_conv = nn.Conv2d(
            inp, out, kernel, padding=pad, dilation=max(dilation, 1), bias=False
        )
        self.bn = nn.BatchNorm2d(out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu_(self.bn(self.atrous_conv(x)))


class _Pyramid(nn.Module):
    """Atrous spatial pyramid pooling."""

    def __init__(self, inp: int, width: int, out: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.count = len(dilations) + 1
        for number, dilation in enumerate((0, *dilations), start=1):
            self.add_module(f"aspp{number}", _Branch(inp, width, dilation))
        self.global_avg_pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(inp, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        self.conv1 = nn.Conv2d(width * (self.count + 1), out, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = [self.get_submodule(f"aspp{n}")(x) for n in range(1, self.count + 1)]
        seen.append(self.global_avg_pool(x).expand(-1, -1, *x.shape[2:]))
        return torch.relu_(self.bn1(self.conv1(torch.cat(seen, 1))))


class _Decoder(nn.Module):
    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        low, (first, second) = config["low_level_channels"], config["decoder_channels"]
        self.conv1 = nn.Conv2d(config["channels"][0], low, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(low)
        joined = config["aspp_out_channels"] + low
        self.last_conv = nn.Sequential(
            nn.Conv2d(joined, first, 3, padding=1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Conv2d(first, second, 3, padding=1, bias=False),
            nn.BatchNorm2d(second),
            nn.ReLU(inplace=True),
            nn.Dropout(0.1),
            nn.Conv2d(second, config["num_classes"], 1),
        )

    def forward(self, deep: torch.Tensor, early: torch.Tensor) -> torch.Tensor:
        low = torch.relu_(self.bn1(self.conv1(early)))
        found: torch.Tensor = self.last_conv(torch.cat([_resized(deep, low.shape[2:]), low], 1))
        return found


class DeepLabV3Plus(nn.Module):
    """Chen et al. 2018, "Encoder-decoder with atrous separable convolution"; keys of jfzhang95.

    Args:
        config: as in the claim.
        output_stride: 16 or 8, of the backbone.
    """

    def __init__(self, *, config: Mapping[str, Any], output_stride: int) -> None:
        super().__init__()
        coarse = output_stride == 16
        last = 2 if coarse else 4
        self.backbone = Stages(
            config=config,
            strides=(1, 2, 2 if coarse else 1, 1),
            dilations=((1,), (1,), (1 if coarse else 2,), tuple(last * step for step in GRID)),
        )
        step = 6 if coarse else 12
        dilations = [step * number for number in range(1, config["aspp_branches"])]
        self.aspp = _Pyramid(
            config["channels"][3], config["aspp_channels"], config["aspp_out_channels"], dilations
        )
        self.decoder = _Decoder(config)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits at a quarter of the picture's size.

        Args:
            image: (N, C, H, W), normalised RGB.

        Returns:
            logits: (N, classes, H/4, W/4).
        """
        early, _, _, deep = self.backbone(image)
        return {"logits": self.decoder(self.aspp(deep), early)}

    def at_full_size(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """`logits` at the picture's size."""
        return {"logits": _resized(self.forward(image)["logits"], image.shape[2:])}


def _resized(x: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    return functional.interpolate(x, list(size), mode="bilinear", align_corners=True)
