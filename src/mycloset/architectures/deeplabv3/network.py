"""DeepLabv3: a ResNet whose last stages are dilated, and a pyramid of dilated convolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock, Bottleneck

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

DILATIONS = (12, 24, 36)
"""Of the pyramid, for an output stride of 8; torchvision's."""

KEYMAPS: Mapping[str, KeyMap] = {"torchvision": KeyMap()}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a DeepLabv3 is built; `config` as in its claim."""
    dilations = [DILATIONS[0] * (number + 1) for number in range(config["aspp_dilated"])]
    return NetworkPlan(
        lambda: DeepLabV3(config=config, dilations=config.get("aspp_dilations", dilations)),
        KEYMAPS[layout],
        choices={"aspp_dilations": dilations, "labels": None, "size": 520},
    )


class Backbone(nn.Module):
    """A ResNet by torchvision's blocks, its last two stages dilated instead of strided."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        width = config["stem"]
        self.conv1 = nn.Conv2d(config["input_channels"], width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        deep = config["channels"] != config["widths"]
        block: Any = Bottleneck if deep else BasicBlock
        dilation = 1
        for number, (blocks, inner, wide) in enumerate(
            zip(config["layers"], config["widths"], config["channels"], strict=True), start=1
        ):
            before = dilation
            stride = 2 if number == 2 else 1
            if number > 2 and deep:
                dilation *= 2
            elif number > 2:
                stride = 2
            planes = wide // block.expansion
            base = inner * 64 // (planes * config["groups"]) if deep else 64
            made = []
            for place in range(blocks):
                down = None
                if place == 0 and (number > 1 or width != wide):
                    down = nn.Sequential(
                        nn.Conv2d(width, wide, 1, stride, bias=False), nn.BatchNorm2d(wide)
                    )
                made.append(
                    block(
                        width,
                        planes,
                        stride if place == 0 else 1,
                        down,
                        groups=config["groups"],
                        base_width=base,
                        # The first block of a stage keeps the dilation of the one before.
                        dilation=before if place == 0 else dilation,
                    )
                )
                width = wide
            self.add_module(f"layer{number}", nn.Sequential(*made))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.maxpool(torch.relu_(self.bn1(self.conv1(image))))
        stages = []
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            stages.append(x)
        return stages[2], stages[3]


def _layer(inp: int, out: int, kernel: int = 1, dilation: int = 1) -> list[nn.Module]:
    pad = dilation * (kernel // 2)
    return [
        nn.Conv2d(inp, out, kernel, padding=pad, dilation=dilation, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    ]


class _Pyramid(nn.Module):
    """Atrous spatial pyramid pooling."""

    def __init__(self, inp: int, width: int, out: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [
                nn.Sequential(*_layer(inp, width)),
                *(nn.Sequential(*_layer(inp, width, 3, dilation)) for dilation in dilations),
                nn.Sequential(nn.AdaptiveAvgPool2d(1), *_layer(inp, width)),
            ]
        )
        self.project = nn.Sequential(*_layer(width * (len(dilations) + 2), out), nn.Dropout(0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = x.shape[2:]
        seen = [branch(x) for branch in self.convs]
        seen[-1] = seen[-1].expand(-1, -1, *size)
        found: torch.Tensor = self.project(torch.cat(seen, 1))
        return found


class DeepLabV3(nn.Module):
    """Chen et al. 2017, "Rethinking atrous convolution"; keys as in torchvision.

    Args:
        config: as in the claim.
        dilations: of the pyramid.
    """

    def __init__(self, *, config: Mapping[str, Any], dilations: Sequence[int]) -> None:
        super().__init__()
        self.backbone = Backbone(config)
        channels, classes = config["channels"], config["num_classes"]
        joined, hidden = config["aspp_out_channels"], config["head_channels"]
        self.classifier = nn.Sequential(
            _Pyramid(channels[3], config["aspp_channels"], joined, dilations),
            *_layer(joined, hidden, 3),
            nn.Conv2d(hidden, classes, 1),
        )
        self.aux_classifier: nn.Sequential | None = None
        if config["aux_channels"]:
            width = config["aux_channels"]
            self.aux_classifier = nn.Sequential(
                *_layer(channels[2], width, 3), nn.Dropout(0.1), nn.Conv2d(width, classes, 1)
            )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits at an eighth of the picture's size.

        Args:
            image: (N, C, H, W), normalised RGB.

        Returns:
            logits: (N, classes, H/8, W/8).
        """
        return {"logits": self.classifier(self.backbone(image)[1])}

    def at_full_size(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """`out` and, where there is an auxiliary head, `aux`: logits at the picture's size."""
        middle, deep = self.backbone(image)
        found = {"out": self.classifier(deep)}
        if self.aux_classifier is not None:
            found["aux"] = self.aux_classifier(middle)
        size = image.shape[2:]
        return {
            name: functional.interpolate(logits, size, mode="bilinear", align_corners=False)
            for name, logits in found.items()
        }
