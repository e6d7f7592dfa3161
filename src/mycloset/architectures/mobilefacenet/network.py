"""The MobileFaceNet network: rows of separable convolutions, one over the whole map at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.mobilefacenet.layout import OLDER
from mycloset.architectures.plans import NetworkPlan

KEYMAPS: Mapping[str, KeyMap] = {
    "insightface": KeyMap(),
    "insightface_pytorch": KeyMap(
        renames=(
            ("^linear.{tensor}$", "features.layers.2.{tensor}"),
            ("^bn.{tensor}$", "features.layers.3.{tensor}"),
            ("conv.{tensor}$", "layers.0.{tensor}"),
            ("bn.{tensor}$", "layers.1.{tensor}"),
            ("prelu.{tensor}$", "layers.2.{tensor}"),
            ("conv", "layers.0"),
            ("conv_dw", "layers.1"),
            ("project", "layers.2"),
            ("model", "layers"),
            *((f"^{name}", f"layers.{number}") for number, name in enumerate(OLDER.layers)),
            ("^conv_6_sep", "conv_sep"),
            ("^conv_6_dw", "features.layers.0"),
        )
    ),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a MobileFaceNet is built; `config` as in its claim."""
    return NetworkPlan(
        lambda: MobileFaceNet(
            input_channels=config["input_channels"],
            widths=config["widths"],
            blocks=config["blocks"],
            hidden=config["hidden"],
            groups=config["groups"],
            last=config["last"],
            kernel=config["kernel"],
            embedding=config["embedding"],
            unit=layout == "insightface_pytorch",
        ),
        KEYMAPS[layout],
    )


class _Unit(nn.Module):
    """A convolution, its norm and, if active, a PReLU."""

    def __init__(
        self,
        inp: int,
        out: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        active: bool = True,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inp, out, kernel, stride, padding, groups=groups, bias=False),
            nn.BatchNorm2d(out),
        )
        if active:
            self.layers.append(nn.PReLU(out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layers(x)
        return found


class _Separable(nn.Module):
    """Widened, convolved channel by channel, narrowed; added to what came in unless it halves."""

    def __init__(self, inp: int, out: int, hidden: int, *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.layers = nn.Sequential(
            _Unit(inp, hidden),
            _Unit(hidden, hidden, 3, stride=2 if halves else 1, padding=1, groups=hidden),
            _Unit(hidden, out, active=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layers(x)
        return found if self.halves else x + found


class _Row(nn.Module):
    def __init__(self, width: int, hidden: int, blocks: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(_Separable(width, width, hidden, halves=False) for _ in range(blocks))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layers(x)
        return found


class _Ending(nn.Module):
    def __init__(self, width: int, kernel: int, embedding: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _Unit(width, width, kernel, groups=width, active=False),
            nn.Flatten(),
            nn.Linear(width, embedding, bias=False),
            nn.BatchNorm1d(embedding),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layers(x)
        return found


class MobileFaceNet(nn.Module):
    """Chen et al. 2018, "MobileFaceNets"; keys as in insightface's arcface_torch.

    Args:
        input_channels: of the picture.
        widths: channels before and behind the third halving.
        blocks: of the four rows; one in the first means a grouped convolution instead.
        hidden: channels inside the blocks of layers 1 to 7.
        groups: of that grouped convolution.
        last: channels before the embedding.
        kernel: side of the map that the last convolution covers.
        embedding: length of the embedding.
        unit: whether the embedding is brought to length 1.
    """

    def __init__(
        self,
        *,
        input_channels: int,
        widths: Sequence[int],
        blocks: Sequence[int],
        hidden: Sequence[int],
        groups: int,
        last: int,
        kernel: int,
        embedding: int,
        unit: bool,
    ) -> None:
        super().__init__()
        narrow, wide = widths
        self.unit = unit
        second: nn.Module
        if blocks[0] == 1:
            second = _Unit(narrow, narrow, 3, padding=1, groups=groups)
        else:
            second = _Row(narrow, hidden[0], blocks[0])
        self.layers = nn.Sequential(_Unit(input_channels, narrow, 3, stride=2, padding=1), second)
        for row, (inp, out) in enumerate(pairwise((narrow, narrow, wide, wide)), 1):
            self.layers.append(_Separable(inp, out, hidden[2 * row - 1], halves=True))
            self.layers.append(_Row(out, hidden[2 * row], blocks[row]))
        self.conv_sep = _Unit(wide, last)
        self.features = _Ending(last, kernel, embedding)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """The embedding.

        Args:
            image: (N, C, H, W) RGB, -1..1; H and W are 16 times `kernel`.

        Returns:
            embedding: (N, D); of length 1 where the network was published so.
        """
        found = self.features(self.conv_sep(self.layers(image)))
        return {"embedding": functional.normalize(found) if self.unit else found}
