"""ResNets of any depth and width: torchvision's blocks, with the classifier that the file has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

KEYMAPS: Mapping[str, KeyMap] = {
    "torchvision": KeyMap(),
    "torchvision-sequential": KeyMap(
        renames=(
            ("^0", "conv1"),
            ("^1", "bn1"),
            *((f"^{stage + 3}", f"layer{stage}") for stage in range(1, 5)),
        )
    ),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a ResNet is built; `config` as in its claim."""
    return NetworkPlan(
        lambda: ResNet(
            bottleneck=config["block"] == "Bottleneck",
            layers=config["layers"],
            planes=config["planes"],
            groups=config["groups"],
            base_width=config["width_per_group"],
            stem_channels=config["stem_channels"],
            stem_kernel=config.get("stem_kernel", 7),
            input_channels=config["input_channels"],
            classes=config["num_classes"] or 0,
        ),
        KEYMAPS[layout],
    )


class ResNet(nn.Module):
    """He et al. 2015, "Deep residual learning"; strides and keys as in torchvision.

    Args:
        bottleneck: whether blocks have three convolutions.
        layers: blocks of each stage.
        planes: each stage's, of which bottlenecks give four times as many channels.
        groups: of the 3x3 convolutions of bottlenecks.
        base_width: channels of a group, 64 planes given.
        stem_channels: that the stem gives.
        stem_kernel: of the stem's convolution.
        input_channels: of the picture.
        classes: of the classifier; 0 for none.
    """

    def __init__(
        self,
        *,
        bottleneck: bool,
        layers: Sequence[int],
        planes: Sequence[int],
        groups: int,
        base_width: int,
        stem_channels: int,
        stem_kernel: int,
        input_channels: int,
        classes: int,
    ) -> None:
        super().__init__()
        block: Any = Bottleneck if bottleneck else BasicBlock
        self.conv1 = nn.Conv2d(
            input_channels, stem_channels, stem_kernel, 2, stem_kernel // 2, bias=False
        )
        self.bn1 = nn.BatchNorm2d(stem_channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        width = stem_channels
        self.stages: list[str] = []
        for number, (blocks, narrow) in enumerate(zip(layers, planes, strict=True), start=1):
            wide = narrow * block.expansion
            stride = 1 if number == 1 else 2
            made = []
            for place in range(blocks):
                down = None
                if place == 0 and (number > 1 or width != wide):
                    down = nn.Sequential(
                        nn.Conv2d(width, wide, 1, stride, bias=False), nn.BatchNorm2d(wide)
                    )
                step = stride if place == 0 else 1
                made.append(
                    block(width, narrow, step, down, groups=groups, base_width=base_width)
                    if bottleneck
                    else block(width, narrow, step, down)
                )
                width = wide
            self.add_module(f"layer{number}", nn.Sequential(*made))
            self.stages.append(f"layer{number}")
        self.fc: nn.Linear | None = nn.Linear(width, classes) if classes else None

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features and, where there is a classifier, logits.

        Args:
            image: (N, C, H, W), normalised.

        Returns:
            features: (N, channels, H/32, W/32); logits: (N, classes).
        """
        features = self.maxpool(self.relu(self.bn1(self.conv1(image))))
        for stage in self.stages:
            features = self.get_submodule(stage)(features)
        if self.fc is None:
            return {"features": features}
        return {"features": features, "logits": self.fc(features.mean((2, 3)))}
