"""The AlexNet of torchvision (one tower), with the classifier that the file has, if any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

KEYMAPS: Mapping[str, KeyMap] = {
    "torchvision": KeyMap(),
    "torchvision-sequential": KeyMap(
        renames=(("^{place}.{tensor}$", "features.{place}.{tensor}"),)
    ),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How an AlexNet is built; `config` as in its claim."""
    return NetworkPlan(
        lambda: AlexNet(
            widths=config["widths"],
            hidden=config.get("hidden", ()),
            pooled=config.get("pooled", 6),
            input_channels=config["input_channels"],
            classes=config["num_classes"] or 0,
        ),
        KEYMAPS[layout],
    )


def convolutions(widths: Sequence[int], input_channels: int = 3) -> nn.Sequential:
    """The five convolutions, each with a ReLU; poolings at places 2, 5 and 12."""
    sizes = [input_channels, *widths]
    forms = ((11, 4, 2), (5, 1, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1))
    layers: list[nn.Module] = []
    for number, (kernel, stride, padding) in enumerate(forms):
        layers.append(nn.Conv2d(sizes[number], sizes[number + 1], kernel, stride, padding))
        layers.append(nn.ReLU(inplace=True))
        if number in (0, 1, 4):
            layers.append(nn.MaxPool2d(3, 2))
    return nn.Sequential(*layers)


class AlexNet(nn.Module):
    """Krizhevsky 2014, "One weird trick"; keys as in torchvision.

    Args:
        widths: channels that each convolution gives.
        hidden: widths of the two hidden linear layers.
        pooled: side of the grid that the linear layers see.
        input_channels: of the picture.
        classes: of the classifier; 0 for none.
    """

    def __init__(
        self,
        *,
        widths: Sequence[int],
        hidden: Sequence[int],
        pooled: int,
        input_channels: int,
        classes: int,
    ) -> None:
        super().__init__()
        self.features = convolutions(widths, input_channels)
        self.avgpool = nn.AdaptiveAvgPool2d(pooled)
        self.classifier: nn.Sequential | None = None
        if classes:
            first, second = hidden
            self.classifier = nn.Sequential(
                nn.Dropout(),
                nn.Linear(widths[-1] * pooled**2, first),
                nn.ReLU(inplace=True),
                nn.Dropout(),
                nn.Linear(first, second),
                nn.ReLU(inplace=True),
                nn.Linear(second, classes),
            )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features and, where there is a classifier, logits.

        Args:
            image: (N, C, H, W), normalised.

        Returns:
            features: (N, channels, h, w) after the last pooling; logits: (N, classes).
        """
        features = self.features(image)
        if self.classifier is None:
            return {"features": features}
        return {
            "features": features,
            "logits": self.classifier(self.avgpool(features).flatten(1)),
        }
