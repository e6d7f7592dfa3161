"""GFPGAN: a U-Net reads a blurred face and steers a StyleGAN2 generator; both published forms."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.gfpgan.generator import Generator
from mycloset.architectures.gfpgan.layers import (
    SLOPE,
    Activation,
    ConvUp,
    EqualConv,
    EqualLinear,
    conv_layer,
    resized,
)
from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.errors import OptionError

KEYMAPS: Mapping[str, KeyMap] = {"clean": KeyMap(), "original": KeyMap()}

_FULL = 512
"""Features of StyleGAN2 up to 32x32 pixels."""


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a GFPGAN is built; `config` as in its claim.

    Raises:
        OptionError: the config asks for styles that are made of noise.
    """
    if not config["input_is_latent"]:
        raise OptionError(
            "config: input_is_latent=False is for training.", hint="Leave it at True."
        )
    return NetworkPlan(
        lambda: Gfpgan(
            clean=layout == "clean",
            side=config["out_size"],
            style=config["num_style_feat"],
            multiplier=config["channel_multiplier"],
            narrow=config["narrow"],
            mapping=config["num_mlp"],
            separate=config["different_w"],
            half=config["sft_half"],
        ),
        KEYMAPS[layout],
    )


class Gfpgan(nn.Module):
    """Wang et al. 2021, "Towards real-world blind face restoration with generative facial prior".

    Keys as in TencentARC/GFPGAN, archs/gfpganv1_arch.py and gfpganv1_clean_arch.py.

    Args:
        clean: the later form, of plain convolutions.
        side: of the picture, in pixels.
        style: features of a style.
        multiplier: of features beyond 32x32 pixels.
        narrow: of all features.
        mapping: layers of the generator's mapping network, which is not run.
        separate: whether each of the generator's layers has a style of its own.
        half: whether conditions change only half of the generator's features.
    """

    def __init__(
        self,
        *,
        clean: bool,
        side: int,
        style: int,
        multiplier: float,
        narrow: float,
        mapping: int,
        separate: bool,
        half: bool,
    ) -> None:
        super().__init__()
        self.clean = clean
        self.style = style
        self.steps = side.bit_length() - 3
        self.styles = 2 * self.steps + 2

        def generated(size: int) -> int:
            return int(_FULL * narrow) if size <= 32 else int(16384 / size * multiplier * narrow)

        def encoded(size: int) -> int:
            share = narrow * 0.5 if half else narrow
            return int(_FULL * share) if size <= 32 else int(16384 / size * multiplier * share)

        self.conv_body_first = self._conv(3, encoded(side), 1)
        sizes = [side >> number for number in range(self.steps + 1)]
        self.conv_body_down = nn.ModuleList(
            _unit(clean, encoded(size), encoded(size // 2), doubling=False) for size in sizes[:-1]
        )
        self.final_conv = self._conv(encoded(4), encoded(4), 3)
        self.conv_body_up = nn.ModuleList(
            _unit(clean, encoded(size // 2), encoded(size), doubling=True)
            for size in reversed(sizes[:-1])
        )
        rising = [encoded(8 << number) for number in range(self.steps)]
        self.toRGB = nn.ModuleList(_plain(clean, width, 3, 1) for width in rising)
        inp, out = encoded(4) * 16, (self.styles if separate else 1) * style
        self.final_linear = nn.Linear(inp, out) if clean else EqualLinear(inp=inp, out=out)
        self.stylegan_decoder = Generator(
            clean=clean, side=side, features=generated, style=style, mapping=mapping, half=half
        )
        self.condition_scale = nn.ModuleList(_condition(clean, w, half) for w in rising)
        self.condition_shift = nn.ModuleList(_condition(clean, w, half) for w in rising)

    def _conv(self, inp: int, out: int, kernel: int) -> nn.Module:
        """A convolution; in the first form with its activation."""
        if self.clean:
            return nn.Conv2d(inp, out, kernel, padding=kernel // 2)
        return conv_layer(inp=inp, out=out, kernel=kernel)

    def forward(self, image: torch.Tensor, random_noise: bool = False) -> torch.Tensor:
        """The restored face.

        Args:
            image: (N, 3, side, side), -1..1.
            random_noise: fresh noise in the generator rather than the file's.

        Returns:
            (N, 3, side, side), nominally -1..1, not clipped.
        """
        return self.restored(image, random_noise=random_noise)["output"]

    def restored(
        self, image: torch.Tensor, *, random_noise: bool = False, rgbs: bool = False
    ) -> dict[str, torch.Tensor]:
        """The face as "output"; "rgb_8" and so on are the U-Net's own pictures, if asked for."""
        features = self._activated(self.conv_body_first(image))
        skips: list[torch.Tensor] = []
        for down in self.conv_body_down:
            features = down(features)
            skips.append(features)
        features = self._activated(self.final_conv(features))
        styles = self.final_linear(features.flatten(1)).view(len(image), -1, self.style)
        styles = styles.expand(-1, self.styles, -1)
        told: dict[str, torch.Tensor] = {}
        conditions: list[tuple[torch.Tensor, torch.Tensor]] = []
        for number, up in enumerate(self.conv_body_up):
            features = up(features + skips[-1 - number])
            conditions.append(
                (self.condition_scale[number](features), self.condition_shift[number](features))
            )
            if rgbs:
                told[f"rgb_{8 << number}"] = self.toRGB[number](features)
        told["output"] = self.stylegan_decoder(styles, conditions, random_noise)
        return told

    def _activated(self, features: torch.Tensor) -> torch.Tensor:
        """In the later form activations are no layers."""
        return functional.leaky_relu(features, SLOPE) if self.clean else features


class _Clean(nn.Module):
    """A residual unit of the later form, to half or twice the size."""

    def __init__(self, *, inp: int, out: int, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.conv1 = nn.Conv2d(inp, inp, 3, padding=1)
        self.conv2 = nn.Conv2d(inp, out, 3, padding=1)
        self.skip = nn.Conv2d(inp, out, 1, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        made = functional.leaky_relu(self.conv1(features), SLOPE, inplace=True)
        made = self.conv2(resized(made, self.factor))
        made = functional.leaky_relu(made, SLOPE, inplace=True)
        found: torch.Tensor = made + self.skip(resized(features, self.factor))
        return found


class _Original(nn.Module):
    """A residual unit of the first form."""

    def __init__(self, *, inp: int, out: int, doubling: bool) -> None:
        super().__init__()
        self.conv1 = conv_layer(inp=inp, out=inp, kernel=3)
        self.conv2: nn.Module
        self.skip: nn.Module
        if doubling:
            self.conv2 = ConvUp(inp=inp, out=out, kernel=3, activate=True)
            self.skip = ConvUp(inp=inp, out=out, kernel=1, activate=False)
        else:
            self.conv2 = conv_layer(inp=inp, out=out, kernel=3, halving=True)
            self.skip = conv_layer(inp=inp, out=out, kernel=1, halving=True, activate=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = (self.conv2(self.conv1(features)) + self.skip(features)) / sqrt(2)
        return found


def _unit(clean: bool, inp: int, out: int, *, doubling: bool) -> nn.Module:
    if clean:
        return _Clean(inp=inp, out=out, factor=2 if doubling else 0.5)
    return _Original(inp=inp, out=out, doubling=doubling)


def _plain(clean: bool, inp: int, out: int, kernel: int) -> nn.Module:
    """A convolution with a bias and no activation."""
    if clean:
        return nn.Conv2d(inp, out, kernel, padding=kernel // 2)
    return EqualConv(inp=inp, out=out, kernel=kernel, padding=kernel // 2)


def _condition(clean: bool, width: int, half: bool) -> nn.Sequential:
    between = nn.LeakyReLU(SLOPE, inplace=True) if clean else Activation(channels=None)
    out = width if half else 2 * width
    return nn.Sequential(_plain(clean, width, width, 3), between, _plain(clean, width, out, 3))
