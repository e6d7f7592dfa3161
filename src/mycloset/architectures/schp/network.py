"""CE2P as Self-Correction Human Parsing trains it: classes, edges, and both fused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

SLOPE = 0.01
"""Of the leaky ReLU that the heads' norms end in."""

KEYMAPS: Mapping[str, KeyMap] = {"original": KeyMap()}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How an SCHP network is built; `config` as in its claim."""
    pools = config.get("psp_sizes", _pools(config["psp_branches"]))
    return NetworkPlan(
        lambda: Schp(config=config, pools=tuple(pools)),
        KEYMAPS[layout],
        choices={"psp_sizes": _pools(config["psp_branches"]), "labels": None},
    )


def _pools(branches: int) -> list[int]:
    """Sides to which the pyramid pools: as published, or 1, 2, 3 and on."""
    return [1, 2, 3, 6] if branches == 4 else list(range(1, branches + 1))


class ActivatedNorm(nn.Module):
    """InPlaceABN in evaluation: its scale is never negative, a leaky ReLU may follow.

    Source: mapillary/inplace_abn v0.1.1, as the published network uses it.

    Args:
        channels: of the features.
        active: whether the leaky ReLU follows.
    """

    def __init__(self, channels: int, *, active: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.running_mean: torch.Tensor
        self.running_var: torch.Tensor
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))
        self.active = active

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise (N, C, H, W)."""
        scale = self.weight.abs() + 1e-5
        mean, variance = self.running_mean, self.running_var
        found = functional.batch_norm(x, mean, variance, scale, self.bias, eps=1e-5)
        return functional.leaky_relu_(found, SLOPE) if self.active else found

    def affine(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(C,) factors and (C,) additions; see `runtimes.pytorch.folding`."""
        factor = (self.weight.abs() + 1e-5) * torch.rsqrt(self.running_var + 1e-5)
        return factor, self.bias - self.running_mean * factor

    def after(self) -> nn.Module:
        """What follows the norm."""
        return nn.LeakyReLU(SLOPE, inplace=True) if self.active else nn.Identity()


def _conv(
    inp: int, out: int, kernel: int = 1, stride: int = 1, dilation: int = 1, groups: int = 1
) -> nn.Conv2d:
    pad = dilation * (kernel // 2)
    return nn.Conv2d(inp, out, kernel, stride, pad, dilation, groups, bias=False)


class _Block(nn.Module):
    """A residual block; the stride is in its 3x3 convolution."""

    def __init__(
        self, inp: int, width: int, out: int, stride: int, dilation: int, groups: int
    ) -> None:
        super().__init__()
        self.deep = out != width
        if self.deep:
            self.conv1 = _conv(inp, width)
            self.conv2 = _conv(width, width, 3, stride, dilation, groups)
            self.conv3 = _conv(width, out)
            self.bn3 = ActivatedNorm(out, active=False)
        else:
            self.conv1 = _conv(inp, width, 3, stride, dilation)
            self.conv2 = _conv(width, out, 3, 1, dilation)
        self.bn1 = ActivatedNorm(width, active=False)
        self.bn2 = ActivatedNorm(out if not self.deep else width, active=False)
        self.downsample: nn.Module | None = None
        if stride > 1 or inp != out:
            self.downsample = nn.Sequential(
                _conv(inp, out, 1, stride), ActivatedNorm(out, active=False)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = functional.relu_(self.bn1(self.conv1(x)))
        found = self.bn2(self.conv2(found))
        if self.deep:
            found = self.bn3(self.conv3(functional.relu_(found)))
        found += x if self.downsample is None else self.downsample(x)
        return functional.relu_(found)


class _Pyramid(nn.Module):
    """Pools the features to grids of several sizes and joins what it sees there."""

    def __init__(self, inp: int, pool: int, out: int, sizes: Sequence[int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.AdaptiveAvgPool2d(side), _conv(inp, pool), ActivatedNorm(pool, active=True)
            )
            for side in sizes
        )
        self.bottleneck = nn.Sequential(
            _conv(inp + pool * len(sizes), out, 3), ActivatedNorm(out, active=True)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = [_upsampled(stage(x), x) for stage in self.stages]
        found: torch.Tensor = self.bottleneck(torch.cat([*seen, x], 1))
        return found


class _Edges(nn.Module):
    """Where classes meet, from three resolutions."""

    def __init__(self, inputs: Sequence[int], width: int, classes: int) -> None:
        super().__init__()
        for number, inp in enumerate(inputs, start=1):
            layer = nn.Sequential(_conv(inp, width), ActivatedNorm(width, active=True))
            self.add_module(f"conv{number}", layer)
        self.conv4 = nn.Conv2d(width, classes, 3, padding=1)
        self.conv5 = nn.Conv2d(classes * len(inputs), classes, 1)
        self.count = len(inputs)

    def forward(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        features = [self.get_submodule(f"conv{n}")(x) for n, x in enumerate(inputs, start=1)]
        edges = [self.conv4(x) for x in features]
        first = features[0]
        joined = torch.cat([edges[0], *(_upsampled(e, first) for e in edges[1:])], 1)
        return self.conv5(joined), torch.cat(
            [first, *(_upsampled(x, first) for x in features[1:])], 1
        )


class _Decoder(nn.Module):
    """Classes from deep features and fine ones."""

    def __init__(self, deep: int, fine: int, widths: Sequence[int], classes: int) -> None:
        super().__init__()
        wide, low, joined, parsing = widths
        self.conv1 = nn.Sequential(_conv(deep, wide), ActivatedNorm(wide, active=True))
        self.conv2 = nn.Sequential(_conv(fine, low), ActivatedNorm(low, active=True))
        self.conv3 = nn.Sequential(
            _conv(wide + low, joined),
            ActivatedNorm(joined, active=True),
            _conv(joined, parsing),
            ActivatedNorm(parsing, active=True),
        )
        self.conv4 = nn.Conv2d(parsing, classes, 1)

    def forward(self, deep: torch.Tensor, fine: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        low = self.conv2(fine)
        features = self.conv3(torch.cat([_upsampled(self.conv1(deep), low), low], 1))
        return self.conv4(features), features


class Schp(nn.Module):
    """Li et al. 2020, "Self-correction for human parsing"; keys as published ("fushion").

    Args:
        config: as in the claim.
        pools: sides of the grids to which the pyramid pools.
    """

    def __init__(self, *, config: Mapping[str, Any], pools: tuple[int, ...]) -> None:
        super().__init__()
        classes = config["num_classes"]
        inp = config["input_channels"]
        for number, out in enumerate(config["stem"], start=1):
            self.add_module(f"conv{number}", _conv(inp, out, 3, 2 if number == 1 else 1))
            self.add_module(f"bn{number}", ActivatedNorm(out, active=False))
            inp = out
        self.stem = len(config["stem"])
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = config["channels"]
        for number, (blocks, width, out) in enumerate(
            zip(config["layers"], config["widths"], channels, strict=True), start=1
        ):
            stride, dilation = {1: (1, 1), 4: (1, 2)}.get(number, (2, 1))
            made = []
            for place in range(blocks):
                step = stride if place == 0 else 1
                made.append(_Block(inp, width, out, step, dilation, config["groups"]))
                inp = out
            self.add_module(f"layer{number}", nn.Sequential(*made))
        context, edge = config["context_channels"], config["edge_channels"]
        widths, fused = config["decoder_channels"], config["fusion_channels"]
        self.context_encoding = _Pyramid(inp, config["psp_channels"], context, pools)
        self.edge = _Edges(channels[:3], edge, config["edge_classes"])
        self.decoder = _Decoder(context, channels[0], widths, classes)
        self.fushion = nn.Sequential(
            _conv(widths[3] + 3 * edge, fused),
            ActivatedNorm(fused, active=True),
            nn.Dropout2d(0.1),
            nn.Conv2d(fused, classes, 1),
        )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits at a quarter of the picture's size.

        Args:
            image: (N, C, H, W), normalised BGR.

        Returns:
            fusion_result: (N, classes, h, w), the result; parsing_result: likewise, before edges;
            edge_result: (N, 2, h, w).
        """
        x = image
        for number in range(1, self.stem + 1):
            x = self.get_submodule(f"bn{number}")(self.get_submodule(f"conv{number}")(x))
            x = functional.relu_(x)
        x = self.maxpool(x)
        stages = []
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            stages.append(x)
        parsing, features = self.decoder(self.context_encoding(x), stages[0])
        edges, edge_features = self.edge(stages[:3])
        fused = self.fushion(torch.cat([features, edge_features], 1))
        return {"parsing_result": parsing, "fusion_result": fused, "edge_result": edges}


def _upsampled(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    size = like.shape[2:]
    return functional.interpolate(x, size, mode="bilinear", align_corners=True)
