"""The VGG network: convolutions by torchvision, with the classifier that the file has, if any."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torchvision.models.vgg import make_layers

from mycloset.architectures.keymapper import KeyMap, Permute
from mycloset.architectures.plans import NetworkPlan

KEYMAPS: Mapping[str, KeyMap] = {
    "torchvision": KeyMap(),
    "torchvision-sequential": KeyMap(
        renames=(("^{place}.{tensor}$", "features.{place}.{tensor}"),)
    ),
    # timm has the first two linear layers as convolutions.
    "timm": KeyMap(
        renames=(
            ("^pre_logits.fc1", "classifier.0"),
            ("^pre_logits.fc2", "classifier.3"),
            ("^head.fc", "classifier.6"),
        ),
        permutes=tuple(Permute(f"classifier.{n}.weight", flatten=True) for n in (0, 3)),
    ),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a VGG is built; `config` as in its claim."""
    return NetworkPlan(
        lambda: Vgg(
            cfg=config["cfg"],
            batch_norm=config["batch_norm"],
            input_channels=config["input_channels"],
            widths=_widths(config),
            pooled=config.get("pooled", 7),
        ),
        KEYMAPS[layout],
    )


class Vgg(nn.Module):
    """Simonyan and Zisserman 2014, "Very deep convolutional networks"; keys as in torchvision.

    Args:
        cfg: channels of each convolution, "M" for a pooling.
        batch_norm: whether a batch norm follows each convolution.
        input_channels: of the picture.
        widths: inputs, hidden widths and classes of the linear layers; empty without them.
        pooled: side of the grid that the linear layers see.
    """

    def __init__(
        self,
        *,
        cfg: list[int | str],
        batch_norm: bool,
        input_channels: int,
        widths: tuple[int, ...],
        pooled: int,
    ) -> None:
        super().__init__()
        self.features = make_layers(cfg, batch_norm)
        if input_channels != 3:
            first = self.features[0]
            self.features[0] = nn.Conv2d(input_channels, first.out_channels, 3, padding=1)
        self.avgpool = nn.AdaptiveAvgPool2d(pooled)
        self.classifier: nn.Sequential | None = None
        if widths:
            layers: list[nn.Module] = []
            for before, after in pairwise(widths):
                layers += [nn.Linear(before, after), nn.ReLU(inplace=True), nn.Dropout()]
            self.classifier = nn.Sequential(*layers[: -2 if len(widths) == 4 else None])

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features and, where there is a classifier, logits.

        Args:
            image: (N, C, H, W), normalised.

        Returns:
            features: (N, channels, H/32, W/32); logits: (N, classes).
        """
        features = self.features(image)
        if self.classifier is None:
            return {"features": features}
        return {
            "features": features,
            "logits": self.classifier(self.avgpool(features).flatten(1)),
        }


def _widths(config: Mapping[str, Any]) -> tuple[int, ...]:
    """Widths of the linear layers; empty where the file has none."""
    if "hidden" not in config:
        return ()
    last = [width for width in config["cfg"] if width != "M"][-1]
    return (last * config["pooled"] ** 2, *config["hidden"], config["num_classes"])
