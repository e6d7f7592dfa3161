"""LPIPS: features of a classifier, compared layer by layer by linear heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torchvision.models.squeezenet import Fire

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.lpips.trunks import TAPS
from mycloset.architectures.plans import NetworkPlan
from mycloset.errors import OptionError

EPSILON = 1e-10
"""Added to the length of a feature before it is divided by it."""

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Of pixels in -1..1, version 0.1; the reference's ScalingLayer."""

SLICES: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "alex": ((0, 1), (2, 3, 4), (5, 6, 7), (8, 9), (10, 11)),
    "vgg": (
        (0, 1, 2, 3),
        (4, 5, 6, 7, 8),
        (9, 10, 11, 12, 13, 14, 15),
        (16, 17, 18, 19, 20, 21, 22),
        (23, 24, 25, 26, 27, 28, 29),
    ),
    "squeeze": ((0, 1), (2, 3, 4), (5, 6, 7), (8, 9), (10,), (11,), (12,)),
}
"""Places in torchvision's `features` that each slice of a trunk takes."""


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How an LPIPS is built; `config` as in its claim."""
    net = config["net"]
    if net is None:
        raise OptionError(
            "config: on which network's layers the heads stand cannot be told.",
            hint="Give config={'net': 'alex'}, 'vgg' or 'squeeze'.",
        )
    scaled = str(config["version"]) != "0.0"
    slices = SLICES[net]
    into = {
        place: f"net.slice{number}.{place}"
        for number, places in enumerate(slices, start=1)
        for place in places
    }
    return NetworkPlan(
        lambda: Lpips(net=net, widths=config["chns"], dropout=config["use_dropout"], scaled=scaled),
        KeyMap(drops=("lins.{rest*}",)),
        constants=lambda: {
            "scaling_layer.shift": torch.tensor(SHIFT).view(1, 3, 1, 1),
            "scaling_layer.scale": torch.tensor(SCALE).view(1, 3, 1, 1),
        },
        backbone=KeyMap(
            renames=(
                ("^{place}.{rest*}", "features.{place}.{rest}"),
                ("^features.features", "features"),
                *((f"^features.{place}", to) for place, to in into.items()),
            )
        ),
        choices={"version": "0.1"},
    )


class _Scaling(nn.Module):
    """Pixels in -1..1 to the numbers that the trunk was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.shift: torch.Tensor
        self.scale: torch.Tensor
        self.register_buffer("shift", torch.empty(1, 3, 1, 1))
        self.register_buffer("scale", torch.empty(1, 3, 1, 1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        scaled: torch.Tensor = (image - self.shift) / self.scale
        return scaled


class _Head(nn.Module):
    """Weighs the squared differences of one layer's features."""

    def __init__(self, width: int, dropout: bool) -> None:
        super().__init__()
        weigh = nn.Conv2d(width, 1, 1, bias=False)
        self.model = nn.Sequential(nn.Dropout(), weigh) if dropout else nn.Sequential(weigh)

    def forward(self, difference: torch.Tensor) -> torch.Tensor:
        weighed: torch.Tensor = self.model(difference)
        return weighed


class Lpips(nn.Module):
    """Zhang et al. 2018, "The unreasonable effectiveness of deep features"; keys as published.

    Args:
        net: "alex", "vgg" or "squeeze".
        widths: features of each layer that is compared.
        dropout: whether heads begin with a dropout, which gives their weight number 1.
        scaled: whether pixels are scaled first (version 0.1).
    """

    def __init__(self, *, net: str, widths: Sequence[int], dropout: bool, scaled: bool) -> None:
        super().__init__()
        self.scaling_layer = _Scaling()
        self.scaled = scaled
        self.net = _trunk(net, widths)
        self.count = len(widths)
        for number, width in enumerate(widths):
            self.add_module(f"lin{number}", _Head(width, dropout))

    def features(self, image: torch.Tensor) -> list[torch.Tensor]:
        """The compared layers' features of pictures (N, 3, H, W) in -1..1."""
        found = []
        current = self.scaling_layer(image) if self.scaled else image
        for part in self.net.children():
            current = part(current)
            found.append(current)
        return found

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> dict[str, torch.Tensor]:
        """How far apart two pictures are.

        Args:
            first, second: (N, 3, H, W) RGB, -1..1.

        Returns:
            distance: (N, 1, 1, 1), 0 for equal pictures; layers: (L, N), what each layer adds;
            map: (N, 1, H, W), the distance at each place.
        """
        size = first.shape[2:]
        both = self.features(torch.cat([first, second]))
        layers, maps = [], []
        for number, features in enumerate(both):
            length = features.square().sum(1, keepdim=True).sqrt()
            one, two = (features / (length + EPSILON)).chunk(2)
            weighed = self.get_submodule(f"lin{number}")((one - two).square())
            layers.append(weighed.mean((1, 2, 3)))
            maps.append(functional.interpolate(weighed, size, mode="bilinear", align_corners=False))
        told = torch.stack(layers)
        return {
            "distance": told.sum(0).view(-1, 1, 1, 1),
            "layers": told,
            "map": torch.stack(maps).sum(0),
        }


def _trunk(net: str, widths: Sequence[int]) -> nn.Module:
    """The convolutions of a classifier, in slices that end at the compared layers."""
    layers = {"alex": _alex, "vgg": _vgg, "squeeze": _squeeze}[net](tuple(widths))
    trunk = nn.Module()
    for number, places in enumerate(SLICES[net], start=1):
        part = nn.Sequential()
        for place in places:
            part.add_module(str(place), layers[place])
        trunk.add_module(f"slice{number}", part)
    return trunk


def _alex(widths: tuple[int, ...]) -> list[nn.Module]:
    from mycloset.architectures.alexnet.network import convolutions

    return list(convolutions(widths))


def _vgg(widths: tuple[int, ...]) -> list[nn.Module]:
    from torchvision.models.vgg import make_layers

    cfg: list[int | str] = []
    for width, count in zip(widths, (2, 2, 3, 3, 3), strict=True):
        cfg += [*([width] * count), "M"]
    return list(make_layers(cfg))


def _squeeze(widths: tuple[int, ...]) -> list[nn.Module]:
    """SqueezeNet 1.1 up to its last Fire module."""
    assert len(widths) == len(TAPS["squeeze"])
    stem, two, three, four, five, six, seven = widths
    narrow = (16, 16, 32, 32, 48, 48, 64, 64)
    fires = [
        Fire(before, few, after // 2, after // 2)
        for before, few, after in zip(
            (stem, two, two, three, three, four, five, six),
            narrow,
            (two, two, three, three, four, five, six, seven),
            strict=True,
        )
    ]
    pools = [nn.MaxPool2d(3, 2, ceil_mode=True) for _ in range(3)]
    return [
        nn.Conv2d(3, stem, 3, 2),
        nn.ReLU(inplace=True),
        pools[0], *fires[:2], pools[1], *fires[2:4], pools[2], *fires[4:],
    ]  # fmt: skip
