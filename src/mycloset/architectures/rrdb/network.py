"""The RRDB network of ESRGAN and Real-ESRGAN, from files of all three namings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.errors import OptionError

_SLOPE = 0.2
"""Of the activations below zero."""
_SHARE = 0.2
"""Of what a dense block adds to its input."""

KEYMAPS: Mapping[str, KeyMap] = {
    "basicsr": KeyMap(),
    "esrgan": KeyMap(
        renames=(
            ("^RRDB_trunk.{block}.RDB{unit}", "body.{block}.rdb{unit}"),
            ("^trunk_conv", "conv_body"),
            ("^upconv{step}", "conv_up{step}"),
            ("^HRconv", "conv_hr"),
        )
    ),
}
"""By layout; that of 2018 numbers its layers, so that its map depends on how many there are."""


def old_keymap(*, blocks: int, steps: int, shuffled: bool) -> KeyMap:
    """From the keys of 2018, where a place in a list is all that tells a layer.

    Args:
        blocks: residual-in-residual dense blocks.
        steps: how often the picture is enlarged.
        shuffled: whether that is by pixel shuffle.
    """
    ups = tuple(
        (f"^model.{3 * step + (2 if shuffled else 3)}", f"conv_up{step + 1}")
        for step in range(steps)
    )
    return KeyMap(
        renames=(
            ("^model.0", "conv_first"),
            (f"^model.1.sub.{blocks}", "conv_body"),
            (
                "^model.1.sub.{block}.RDB{unit}.conv{number}.0",
                "body.{block}.rdb{unit}.conv{number}",
            ),
            ("^model.1.sub.{block}.RDB{unit}.conv1x1", "body.{block}.rdb{unit}.conv1x1"),
            *ups,
            (f"^model.{3 * steps + 2}", "conv_hr"),
            (f"^model.{3 * steps + 4}", "conv_last"),
        )
    )


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How an RRDB network is built; `config` as in its claim.

    Raises:
        OptionError: the scale is one that its layers cannot give.
    """
    named = "num_feat" in config
    folding = int(config.get("pixel_unshuffle", 1))
    enlarged = config["scale"] * folding
    factor = 3 if enlarged == 3 else 2
    steps = 1 if factor == 3 else int(enlarged).bit_length() - 1
    if factor**steps != enlarged:
        raise OptionError(
            f"config: scale {config['scale']} is neither 3 nor a power of 2.",
            hint="Leave it out: it is read from the file.",
        )
    blocks = config["num_block" if named else "nb"]
    shuffled = config.get("upsample_mode") == "pixelshuffle"
    keymap = KEYMAPS.get(layout) or old_keymap(blocks=blocks, steps=steps, shuffled=shuffled)
    return NetworkPlan(
        lambda: Rrdb(
            in_channels=config["num_in_ch"] if named else config["in_nc"] // folding**2,
            out_channels=config["num_out_ch" if named else "out_nc"],
            features=config["num_feat" if named else "nf"],
            blocks=blocks,
            growth=config["num_grow_ch" if named else "gc"],
            steps=steps,
            factor=factor,
            folding=folding,
            plus=bool(config.get("plus", False)),
            shuffled=shuffled,
        ),
        keymap,
    )


class Rrdb(nn.Module):
    """Wang et al. 2018, "ESRGAN"; 2021, "Real-ESRGAN"; keys as in BasicSR, rrdbnet_arch.py.

    Args:
        in_channels: of the picture.
        out_channels: of the result.
        features: of the trunk.
        blocks: residual-in-residual dense blocks.
        growth: features that each dense convolution adds.
        steps: how often the features are enlarged.
        factor: by how much each time.
        folding: side of the squares of pixels that are folded into channels first.
        plus: whether dense blocks have the shortcuts of ESRGAN+.
        shuffled: whether enlarging is by pixel shuffle rather than by the nearest pixel.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        features: int,
        blocks: int,
        growth: int,
        steps: int,
        factor: int = 2,
        folding: int = 1,
        plus: bool = False,
        shuffled: bool = False,
    ) -> None:
        super().__init__()
        self.steps = steps
        self.factor = factor
        self.folding = folding
        self.shuffled = shuffled
        self.conv_first = _conv(in_channels * folding**2, features)
        self.body = nn.Sequential(
            *(_Block(features=features, growth=growth, plus=plus) for _ in range(blocks))
        )
        self.conv_body = _conv(features, features)
        wide = features * factor**2 if shuffled else features
        for step in range(1, steps + 1):
            self.add_module(f"conv_up{step}", _conv(features, wide))
        self.conv_hr = _conv(features, features)
        self.conv_last = _conv(features, out_channels)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """The enlarged picture.

        Args:
            image: (N, C, H, W), 0..1; sides are multiples of `folding`.

        Returns:
            (N, C, scale * H, scale * W), nominally 0..1, not clipped.
        """
        if self.folding > 1:
            image = functional.pixel_unshuffle(image, self.folding)
        first = self.conv_first(image)
        features = self.conv_body(self.body(first)) + first
        for step in range(1, self.steps + 1):
            conv = self.get_submodule(f"conv_up{step}")
            if self.shuffled:
                features = functional.pixel_shuffle(conv(features), self.factor)
            else:
                features = conv(
                    functional.interpolate(features, scale_factor=self.factor, mode="nearest")
                )
            features = functional.leaky_relu(features, _SLOPE, inplace=True)
        features = functional.leaky_relu(self.conv_hr(features), _SLOPE, inplace=True)
        last: torch.Tensor = self.conv_last(features)
        return last


class _Block(nn.Module):
    """Three dense blocks, a share of which is added to their input."""

    def __init__(self, *, features: int, growth: int, plus: bool) -> None:
        super().__init__()
        self.rdb1 = _Dense(features=features, growth=growth, plus=plus)
        self.rdb2 = _Dense(features=features, growth=growth, plus=plus)
        self.rdb3 = _Dense(features=features, growth=growth, plus=plus)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        added: torch.Tensor = self.rdb3(self.rdb2(self.rdb1(features)))
        return added * _SHARE + features


class _Dense(nn.Module):
    """Five convolutions, each of which sees all before it."""

    def __init__(self, *, features: int, growth: int, plus: bool) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(features, growth, 1, bias=False) if plus else None
        self.conv1 = _conv(features, growth)
        self.conv2 = _conv(features + growth, growth)
        self.conv3 = _conv(features + 2 * growth, growth)
        self.conv4 = _conv(features + 3 * growth, growth)
        self.conv5 = _conv(features + 4 * growth, features)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        seen = features
        second: torch.Tensor | None = None
        for number, conv in enumerate((self.conv1, self.conv2, self.conv3, self.conv4), 1):
            made = functional.leaky_relu(conv(seen), _SLOPE, inplace=True)
            if self.conv1x1 is not None and number == 2:
                made = second = made + self.conv1x1(features)
            elif second is not None and number == 4:
                made = made + second
            seen = torch.cat((seen, made), 1)
        added: torch.Tensor = self.conv5(seen)
        return added * _SHARE + features


def _conv(inp: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(inp, out, 3, padding=1)
