"""DenseNets of any growth and depth, from torchvision's layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torchvision.models.densenet import _DenseBlock, _Transition

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

KEYMAPS: Mapping[str, KeyMap] = {
    "torchvision": KeyMap(),
    # The published files are of a time when module names could have dots.
    "torchvision-old": KeyMap(
        renames=tuple(
            (f"{kind}.{number}", f"{kind}{number}")
            for kind in ("norm", "conv")
            for number in (1, 2)
        )
    ),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a DenseNet is built; `config` as in its claim."""
    return NetworkPlan(
        lambda: DenseNet(
            growth=config["growth_rate"],
            blocks=config["block_config"],
            stem=config["num_init_features"],
            bottleneck=config["bn_size"],
            transitions=config["transitions"],
            input_channels=config["input_channels"],
            classes=config["num_classes"] or 0,
        ),
        KEYMAPS[layout],
    )


class DenseNet(nn.Module):
    """Huang et al. 2016, "Densely connected convolutional networks"; keys as in torchvision.

    Args:
        growth: channels that each layer adds.
        blocks: layers of each block.
        stem: channels of the first convolution.
        bottleneck: channels of a layer's 1x1 convolution, in growths.
        transitions: channels that each transition gives.
        input_channels: of the picture.
        classes: of the classifier; 0 for none.
    """

    def __init__(
        self,
        *,
        growth: int,
        blocks: Sequence[int],
        stem: int,
        bottleneck: int,
        transitions: Sequence[int],
        input_channels: int,
        classes: int,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(input_channels, stem, 7, 2, 3, bias=False))
        self.features.add_module("norm0", nn.BatchNorm2d(stem))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        self.features.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        width = stem
        for number, layers in enumerate(blocks, start=1):
            block = _DenseBlock(layers, width, bottleneck, growth, 0.0)
            self.features.add_module(f"denseblock{number}", block)
            width += layers * growth
            if number <= len(transitions):
                self.features.add_module(
                    f"transition{number}", _Transition(width, transitions[number - 1])
                )
                width = transitions[number - 1]
        self.features.add_module(f"norm{len(blocks) + 1}", nn.BatchNorm2d(width))
        self.classifier: nn.Linear | None = nn.Linear(width, classes) if classes else None

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features and, where there is a classifier, logits.

        Args:
            image: (N, C, H, W), normalised.

        Returns:
            features: (N, channels, H/32, W/32); logits: (N, classes).
        """
        features = torch.relu(self.features(image))
        if self.classifier is None:
            return {"features": features}
        return {"features": features, "logits": self.classifier(features.mean((2, 3)))}
