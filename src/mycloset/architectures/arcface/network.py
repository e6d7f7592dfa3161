"""The ArcFace backbones: insightface's iresnets, and IR and IR-SE networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

KEYMAPS: Mapping[str, KeyMap] = {"insightface": KeyMap(), "insightface_pytorch": KeyMap()}
"""Each layout has a network of its own with its keys: they also differ in their shortcuts."""


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How an ArcFace backbone is built; `config` as in its claim."""

    def build() -> nn.Module:
        make = IResNet if layout == "insightface" else Ir
        return make(
            input_channels=config["input_channels"],
            layers=config["layers"],
            widths=config["widths"],
            embedding=config["embedding"],
            flat=config["flat"],
            squeeze=config.get("squeeze", ()),
        )

    return NetworkPlan(build, KEYMAPS[layout])


class _Block(nn.Module):
    """Norm, convolution, norm, PReLU, convolution (which may halve), norm; and a shortcut."""

    def __init__(self, inp: int, out: int, *, stride: int, shortcut: bool) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inp)
        self.conv1 = nn.Conv2d(inp, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.prelu = nn.PReLU(out)
        self.conv2 = nn.Conv2d(out, out, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample: nn.Sequential | None = None
        if shortcut:
            self.downsample = nn.Sequential(
                nn.Conv2d(inp, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        found: torch.Tensor = self.bn3(self.conv2(made))
        return found + (x if self.downsample is None else self.downsample(x))


class IResNet(nn.Module):
    """Deng et al. 2019, "ArcFace", in insightface's arcface_torch; keys as there.

    Args:
        input_channels: of the picture.
        layers: blocks of each layer; each layer's first block halves the picture.
        widths: channels of the first convolution and of each layer.
        embedding: length of the embedding.
        flat: values that the last layer gives.
        squeeze: none.
    """

    def __init__(
        self,
        *,
        input_channels: int,
        layers: Sequence[int],
        widths: Sequence[int],
        embedding: int,
        flat: int,
        squeeze: Sequence[int] = (),
    ) -> None:
        super().__init__()
        inp = widths[0]
        self.conv1 = nn.Conv2d(input_channels, inp, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(inp)
        self.prelu = nn.PReLU(inp)
        self.count = len(layers)
        for number, (blocks, out) in enumerate(zip(layers, widths[1:], strict=True), 1):
            row = nn.Sequential(_Block(inp, out, stride=2, shortcut=True))
            row.extend(_Block(out, out, stride=1, shortcut=False) for _ in range(blocks - 1))
            self.add_module(f"layer{number}", row)
            inp = out
        self.bn2 = nn.BatchNorm2d(inp)
        self.fc = nn.Linear(flat, embedding)
        self.features = nn.BatchNorm1d(embedding)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """The embedding, not of length 1.

        Args:
            image: (N, C, H, W) RGB, -1..1, of the size that `fc` was made for.

        Returns:
            embedding: (N, D).
        """
        x = self.prelu(self.bn1(self.conv1(image)))
        for number in range(1, self.count + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return {"embedding": self.features(self.fc(self.bn2(x).flatten(1)))}


class _Squeeze(nn.Module):
    """Channels weighed by what they are on average."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(width, hidden, 1, bias=False)
        self.fc2 = nn.Conv2d(hidden, width, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.fc2(torch.relu(self.fc1(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(weight)


class _IrBlock(nn.Module):
    """The same without a norm between, and with plain subsampling where the width stays."""

    def __init__(self, inp: int, out: int, *, stride: int, squeeze: int) -> None:
        super().__init__()
        self.stride = stride
        self.shortcut_layer: nn.Sequential | None = None
        if inp != out:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inp, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inp),
            nn.Conv2d(inp, out, 3, padding=1, bias=False),
            nn.PReLU(out),
            nn.Conv2d(out, out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        if squeeze:
            self.res_layer.append(_Squeeze(out, squeeze))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.res_layer(x)
        if self.shortcut_layer is not None:
            shortcut: torch.Tensor = self.shortcut_layer(x)
            return found + shortcut
        return found + x[:, :, :: self.stride, :: self.stride]


class Ir(nn.Module):
    """IR and IR-SE networks of TreB1eN/InsightFace_Pytorch; keys as there.

    Args:
        input_channels: of the picture.
        layers: blocks of each layer; each layer's first block halves the picture.
        widths: channels of the first convolution and of each layer.
        embedding: length of the embedding.
        flat: values that the last layer gives.
        squeeze: hidden channels of squeeze-and-excitation in each layer; none for plain blocks.
    """

    def __init__(
        self,
        *,
        input_channels: int,
        layers: Sequence[int],
        widths: Sequence[int],
        embedding: int,
        flat: int,
        squeeze: Sequence[int] = (),
    ) -> None:
        super().__init__()
        inp = widths[0]
        self.input_layer = nn.Sequential(
            nn.Conv2d(input_channels, inp, 3, padding=1, bias=False),
            nn.BatchNorm2d(inp),
            nn.PReLU(inp),
        )
        self.body = nn.Sequential()
        for place, (blocks, out) in enumerate(zip(layers, widths[1:], strict=True)):
            hidden = squeeze[place] if squeeze else 0
            for block in range(blocks):
                stride = 2 if block == 0 else 1
                self.body.append(_IrBlock(inp, out, stride=stride, squeeze=hidden))
                inp = out
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(inp),
            nn.Dropout(),
            nn.Flatten(),
            nn.Linear(flat, embedding),
            nn.BatchNorm1d(embedding),
        )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """The embedding, of length 1.

        Args:
            image: (N, C, H, W) RGB, -1..1, of the size that the last layer was made for.

        Returns:
            embedding: (N, D).
        """
        found = self.output_layer(self.body(self.input_layer(image)))
        return {"embedding": functional.normalize(found)}
