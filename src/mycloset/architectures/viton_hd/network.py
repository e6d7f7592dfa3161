"""VITON-HD's networks: segmentation generator, geometric matching module, ALIAS generator.

Source: shadow2496/VITON-HD@02afa4b, networks.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.garment_networks.alias_network import AliasGenerator
from mycloset.architectures.garment_networks.matching_network import MatchingNetwork
from mycloset.architectures.garment_networks.plans import matching_plan
from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

KEYMAPS: Mapping[str, KeyMap] = {"original": KeyMap()}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How one of the networks is built; `config` as in its claim.

    Choices of the matching module: `align_corners` (False: what -1 and 1 meant to PyTorch 1.6, with
    which the weights were trained). Of all: `load_height` and `load_width`, the frame's size.
    """
    size = {
        "load_height": config.get("load_height", 1024),
        "load_width": config.get("load_width", 768),
    }
    if variant == "seg":
        return NetworkPlan(
            lambda: SegmentationGenerator(
                inputs=config["input_nc"], labels=config["output_nc"], widths=config["widths"]
            ),
            KEYMAPS[layout],
            choices=size,
        )
    if variant == "alias":
        return NetworkPlan(
            lambda: AliasGenerator(
                inputs=config["input_nc"],
                side=config["side"],
                widths=config["widths"],
                labels=config["labels"],
                hidden=config["hidden"],
                outputs=config["output_nc"],
                spectral=config["spectral"],
            ),
            KEYMAPS[layout],
            choices=size,
        )
    return matching_plan(
        lambda **sizes: MatchingNetwork(
            person=config["inputA_nc"],
            cloth=config["inputB_nc"],
            span=0.9,
            epsilon=0.0,
            size=(config["load_height"], config["load_width"]),
            **sizes,
        ),
        KEYMAPS[layout],
        config,
        choices={"align_corners": config.get("align_corners", False)},
    )


class SegmentationGenerator(nn.Module):
    """A U-Net that says where what will be on the dressed person.

    Args:
        inputs: channels of garment mask, garment, agnostic parsing, pose and noise.
        labels: classes.
        widths: channels of the levels, from the outermost inwards.
    """

    def __init__(self, *, inputs: int, labels: int, widths: Sequence[int]) -> None:
        super().__init__()
        depth = len(widths)
        entering = inputs
        for level, width in enumerate(widths, start=1):
            self.add_module(f"conv{level}", nn.Sequential(*_pair(entering, width)))
            entering = width
        for level, width in enumerate(reversed(widths[:-1]), start=depth + 1):
            up = nn.Sequential(nn.Upsample(scale_factor=2), *_layer(entering, width))
            self.add_module(f"up{level}", up)
            pair = _pair(2 * width, width)
            if level == 2 * depth - 1:
                pair.append(nn.Conv2d(width, labels, 3, padding=1))
            self.add_module(f"conv{level}", nn.Sequential(*pair))
            entering = width
        self.depth = depth

    def forward(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        """A score for every class and pixel.

        Args:
            inputs: (N, C, H, W): garment mask 1, masked garment 3, agnostic parsing one-hot, pose
                3, noise 1; H and W are multiples of 2^(levels - 1).

        Returns:
            logits: (N, labels, H, W); scores: the same within 0..1.
        """
        kept = []
        features = inputs
        for level in range(1, self.depth + 1):
            if level > 1:
                features = functional.max_pool2d(features, 2)
            features = self.get_submodule(f"conv{level}")(features)
            kept.append(features)
        kept.pop()
        for level in range(self.depth + 1, 2 * self.depth):
            up = self.get_submodule(f"up{level}")(features)
            features = self.get_submodule(f"conv{level}")(torch.cat([kept.pop(), up], dim=1))
        return {"logits": features, "scores": features.sigmoid()}


def _layer(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.InstanceNorm2d(outputs), nn.ReLU()]


def _pair(inputs: int, outputs: int) -> list[nn.Module]:
    return [*_layer(inputs, outputs), *_layer(outputs, outputs)]
