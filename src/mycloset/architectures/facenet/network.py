"""The FaceNet network: Inception-ResNet v1, with the classifier that the file has, if any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.facenet.layout import (
    BLOCK_8,
    BLOCK_17,
    BLOCK_35,
    MIXED_6A,
    MIXED_7A,
    STEM,
    Part,
)
from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

KEYMAPS: Mapping[str, KeyMap] = {"facenet-pytorch": KeyMap()}

_HALVING = ("conv2d_1a", "conv2d_4b")
"""Convolutions of the stem that halve the picture."""
_PADDED = ("conv2d_2b",)


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a FaceNet is built; `config` as in its claim."""
    return NetworkPlan(
        lambda: FaceNet(
            repeats=config["repeats"],
            embedding=config["embedding"],
            classes=config["num_classes"],
        ),
        KEYMAPS[layout],
    )


class _Unit(nn.Module):
    def __init__(
        self, inp: int, out: int, kernel: int | tuple[int, int], *, stride: int = 1, padded: bool
    ) -> None:
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2) if padded else (0, 0)
        self.conv = nn.Conv2d(inp, out, sides, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=1e-3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.bn(self.conv(x)), inplace=True)


class _Branches(nn.Module):
    """Branches side by side; where they halve, a pooling is the last of them."""

    def __init__(self, parts: Sequence[Part], *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.names: list[str] = []
        for name, group in groupby(parts, key=lambda part: part[0].partition(".")[0]):
            rows = list(group)
            units = [
                _Unit(
                    inp,
                    out,
                    kernel,
                    stride=2 if halves and number == len(rows) else 1,
                    padded=not (halves and number == len(rows)),
                )
                for number, (_, out, inp, kernel) in enumerate(rows, 1)
            ]
            numbered = "." in rows[0][0]
            self.add_module(name, nn.Sequential(*units) if numbered else units[0])
            self.names.append(name)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = [self.get_submodule(name)(x) for name in self.names]
        if self.halves:
            found.append(functional.max_pool2d(x, 3, 2))
        return torch.cat(found, 1)


class _Residual(_Branches):
    """The branches, made as wide as what came in, scaled and added to it."""

    def __init__(
        self, parts: Sequence[Part], width: int, inner: int, scale: float, *, active: bool = True
    ) -> None:
        super().__init__(parts, halves=False)
        self.conv2d = nn.Conv2d(inner, width, 1)
        self.scale = scale
        self.active = active

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.conv2d(super().forward(x)) * self.scale + x
        return torch.relu(found) if self.active else found


class FaceNet(nn.Module):
    """Szegedy et al. 2016, "Inception-v4", trained as Schroff et al. 2015, "FaceNet".

    Keys as in timesler/facenet-pytorch.

    Args:
        repeats: of the three residual blocks.
        embedding: its length.
        classes: identities that it tells apart; 0 without a classifier.
    """

    def __init__(self, *, repeats: Sequence[int], embedding: int, classes: int) -> None:
        super().__init__()
        for name, out, inp, kernel in STEM:
            stride = 2 if name in _HALVING else 1
            self.add_module(name, _Unit(inp, out, kernel, stride=stride, padded=name in _PADDED))
        self.repeat_1 = nn.Sequential(
            *(_Residual(BLOCK_35, 256, 96, 0.17) for _ in range(repeats[0]))
        )
        self.mixed_6a = _Branches(MIXED_6A, halves=True)
        self.repeat_2 = nn.Sequential(
            *(_Residual(BLOCK_17, 896, 256, 0.10) for _ in range(repeats[1]))
        )
        self.mixed_7a = _Branches(MIXED_7A, halves=True)
        self.repeat_3 = nn.Sequential(
            *(_Residual(BLOCK_8, 1792, 384, 0.20) for _ in range(repeats[2]))
        )
        self.block8 = _Residual(BLOCK_8, 1792, 384, 1.0, active=False)
        self.last_linear = nn.Linear(1792, embedding, bias=False)
        self.last_bn = nn.BatchNorm1d(embedding, eps=1e-3)
        self.logits = nn.Linear(embedding, classes) if classes else None

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """The embedding of length 1 and, where there is a classifier, logits.

        Args:
            image: (N, 3, H, W) RGB, (x - 127.5) / 128; at least 75 pixels high and wide.

        Returns:
            embedding: (N, D); logits: (N, identities).
        """
        x = image
        for name, *_ in STEM:
            x = self.get_submodule(name)(x)
            if name == "conv2d_2b":
                x = functional.max_pool2d(x, 3, 2)
        x = self.mixed_6a(self.repeat_1(x))
        x = self.mixed_7a(self.repeat_2(x))
        x = self.block8(self.repeat_3(x))
        vector = self.last_bn(self.last_linear(x.mean((2, 3))))
        found = {"embedding": functional.normalize(vector)}
        if self.logits is not None:
            found["logits"] = self.logits(vector)
        return found
