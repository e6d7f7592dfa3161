"""SRVGGNetCompact: a chain of convolutions at the picture's size, and one pixel shuffle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.errors import OptionError

KEYMAPS: Mapping[str, KeyMap] = {"basicsr": KeyMap()}

_SLOPE = 0.1
"""Of LeakyReLU below zero; realesrgan/archs/srvgg_arch.py."""


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a chain is built; `config` as in its claim.

    Raises:
        OptionError: `act_type` is none that there is, or one that the file's tensors rule out.
    """
    kind = config["act_type"]
    if kind not in ("prelu", "relu", "leakyrelu"):
        raise OptionError(
            f"config: act_type {kind!r} is not known.", hint="Use relu, leakyrelu or prelu."
        )
    return NetworkPlan(
        lambda: Compact(
            channels=config["num_in_ch"],
            features=config["num_feat"],
            convolutions=config["num_conv"],
            scale=config["upscale"],
            activation=kind,
        ),
        KEYMAPS[layout],
    )


class Compact(nn.Module):
    """Wang et al. 2021, "Real-ESRGAN"; keys as in realesrgan/archs/srvgg_arch.py.

    Args:
        channels: of the picture and the result.
        features: of each convolution.
        convolutions: between the first and the last.
        scale: by how much the result is larger.
        activation: "prelu", "relu" or "leakyrelu".
    """

    def __init__(
        self, *, channels: int, features: int, convolutions: int, scale: int, activation: str
    ) -> None:
        super().__init__()
        self.scale = scale
        self.body = nn.ModuleList()
        inp = channels
        for _ in range(convolutions + 1):
            self.body.append(nn.Conv2d(inp, features, 3, padding=1))
            self.body.append(_activation(activation, features))
            inp = features
        self.body.append(nn.Conv2d(inp, channels * scale**2, 3, padding=1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """The enlarged picture.

        Args:
            image: (N, C, H, W), 0..1.

        Returns:
            (N, C, scale * H, scale * W), nominally 0..1, not clipped.
        """
        features = image
        for layer in self.body:
            features = layer(features)
        base = functional.interpolate(image, scale_factor=self.scale, mode="nearest")
        return functional.pixel_shuffle(features, self.scale) + base


def _activation(kind: str, features: int) -> nn.Module:
    if kind == "prelu":
        return nn.PReLU(features)
    return nn.ReLU(inplace=True) if kind == "relu" else nn.LeakyReLU(_SLOPE, inplace=True)
