"""U²-Net: a U whose every stage is a U; also for clothes, and IS-Net with its stem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

DILATED = 5
"""The first stage whose nested block dilates its convolutions instead of pooling, as published."""

KEYMAPS: Mapping[str, KeyMap] = {"original": KeyMap()}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a U²-Net is built; `config` as in its claim."""
    return NetworkPlan(
        lambda: U2Net(
            input_channels=config["in_ch"],
            classes=config["out_ch"],
            stem=config["stem"] or 0,
            fused=config["fused"],
            encoder=config["encoder"],
            decoder=config["decoder"],
            dilated=config.get("dilated_from", DILATED),
        ),
        KEYMAPS[layout],
        choices={
            "dilated_from": DILATED,
            "labels": None,
            "purpose": "general" if config["stem"] else "salient",
            "size": 768 if config["out_ch"] > 1 else 1024 if config["stem"] else 320,
        },
    )


class _Layer(nn.Module):
    def __init__(self, inp: int, out: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(inp, out, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu_(self.bn_s1(self.conv_s1(x)))


class _Nest(nn.Module):
    """A small U with a residual around it (the paper's RSU).

    Args:
        levels: convolutions on the way down.
        inp, mid, out: channels.
        dilated: whether it dilates more at each level instead of pooling.
    """

    def __init__(self, levels: int, inp: int, mid: int, out: int, *, dilated: bool) -> None:
        super().__init__()
        self.levels = levels
        self.dilated = dilated
        self.rebnconvin = _Layer(inp, out)
        for level in range(1, levels + 1):
            dilation = 2 ** (level - 1) if dilated else 2 if level == levels else 1
            self.add_module(f"rebnconv{level}", _Layer(out if level == 1 else mid, mid, dilation))
        for level in range(levels - 1, 0, -1):
            dilation = 2 ** (level - 1) if dilated else 1
            self.add_module(
                f"rebnconv{level}d", _Layer(2 * mid, out if level == 1 else mid, dilation)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        start = self.rebnconvin(x)
        kept = []
        current = start
        for level in range(1, self.levels):
            if level > 1 and not self.dilated:
                current = functional.max_pool2d(current, 2, 2, ceil_mode=True)
            current = self.get_submodule(f"rebnconv{level}")(current)
            kept.append(current)
        current = self.get_submodule(f"rebnconv{self.levels}")(current)
        for level in range(self.levels - 1, 0, -1):
            beside = kept[level - 1]
            current = torch.cat([_sized(current, beside), beside], 1)
            current = self.get_submodule(f"rebnconv{level}d")(current)
        found: torch.Tensor = current + start
        return found


class U2Net(nn.Module):
    """Qin et al. 2020, "U²-Net"; 2022, "Highly accurate dichotomous segmentation" (IS-Net).

    Args:
        input_channels: of the picture.
        classes: of each result.
        stem: channels of a convolution of stride 2 before the first stage; 0 for none.
        fused: whether a last convolution joins the side outputs.
        encoder: levels, inner and outer channels of each stage on the way down.
        decoder: likewise on the way up, from the deepest.
        dilated: the first stage whose block is dilated.
    """

    def __init__(
        self,
        *,
        input_channels: int,
        classes: int,
        stem: int,
        fused: bool,
        encoder: Sequence[Sequence[int]],
        decoder: Sequence[Sequence[int]],
        dilated: int,
    ) -> None:
        super().__init__()
        self.depth = len(encoder)
        self.conv_in: nn.Conv2d | None = None
        inp = input_channels
        if stem:
            self.conv_in = nn.Conv2d(inp, stem, 3, stride=2, padding=1)
            inp = stem
        for number, (levels, mid, out) in enumerate(encoder, start=1):
            nest = _Nest(levels, inp, mid, out, dilated=number >= dilated)
            self.add_module(f"stage{number}", nest)
            inp = out
        outputs = [inp]
        for number, (levels, mid, out) in zip(range(self.depth - 1, 0, -1), decoder, strict=True):
            nest = _Nest(levels, inp + encoder[number - 1][2], mid, out, dilated=number >= dilated)
            self.add_module(f"stage{number}d", nest)
            inp = out
            outputs.append(out)
        for number, width in enumerate(reversed(outputs), start=1):
            self.add_module(f"side{number}", nn.Conv2d(width, classes, 3, padding=1))
        self.outconv: nn.Conv2d | None = None
        if fused:
            self.outconv = nn.Conv2d(self.depth * classes, classes, 1)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits at the picture's size.

        Args:
            image: (N, C, H, W), normalised.

        Returns:
            d0: (N, classes, H, W), the result; d1 to dN: the side outputs, from fine to coarse.
        """
        x = image if self.conv_in is None else self.conv_in(image)
        kept = []
        for number in range(1, self.depth + 1):
            if number > 1:
                x = functional.max_pool2d(x, 2, 2, ceil_mode=True)
            x = self.get_submodule(f"stage{number}")(x)
            kept.append(x)
        outputs = [x]
        for number in range(self.depth - 1, 0, -1):
            beside = kept[number - 1]
            x = self.get_submodule(f"stage{number}d")(torch.cat([_sized(x, beside), beside], 1))
            outputs.append(x)
        first = image if self.conv_in is not None else outputs[-1]
        sides = [
            _sized(self.get_submodule(f"side{number}")(features), first)
            for number, features in enumerate(reversed(outputs), start=1)
        ]
        fused = sides[0] if self.outconv is None else self.outconv(torch.cat(sides, 1))
        return {"d0": fused, **{f"d{number}": side for number, side in enumerate(sides, start=1)}}


def _sized(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    size = like.shape[2:]
    if x.shape[2:] == size:
        return x
    return functional.interpolate(x, size, mode="bilinear", align_corners=False)
