"""The stages of a ResNet as segmentation networks use them: any strides and dilations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck


class Stages(nn.Module):
    """A ResNet without its classifier; keys as in torchvision.

    Args:
        config: stem, input_channels, layers, widths, channels and groups, as a claim has them.
        strides: of the first block of each stage.
        dilations: of each stage's blocks; the last one holds for all further blocks.
    """

    def __init__(
        self,
        *,
        config: Mapping[str, Any],
        strides: Sequence[int],
        dilations: Sequence[Sequence[int]],
    ) -> None:
        super().__init__()
        width = config["stem"]
        self.conv1 = nn.Conv2d(config["input_channels"], width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        deep = config["channels"] != config["widths"]
        self.count = len(config["layers"])
        for number in range(self.count):
            inner, wide = config["widths"][number], config["channels"][number]
            made = []
            for place in range(config["layers"][number]):
                stride = strides[number] if place == 0 else 1
                dilation = dilations[number][min(place, len(dilations[number]) - 1)]
                made.append(
                    _bottleneck(width, inner, wide, stride, dilation, config["groups"])
                    if deep
                    else _basic(width, wide, stride, dilation)
                )
                width = wide
            self.add_module(f"layer{number + 1}", nn.Sequential(*made))

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """The features of each stage, of (N, C, H, W)."""
        x = self.maxpool(torch.relu_(self.bn1(self.conv1(image))))
        found = []
        for number in range(1, self.count + 1):
            x = self.get_submodule(f"layer{number}")(x)
            found.append(x)
        return found


def _shortcut(inp: int, out: int, stride: int) -> nn.Module | None:
    if stride == 1 and inp == out:
        return None
    return nn.Sequential(nn.Conv2d(inp, out, 1, stride, bias=False), nn.BatchNorm2d(out))


def _bottleneck(
    inp: int, inner: int, out: int, stride: int, dilation: int, groups: int
) -> nn.Module:
    planes = out // Bottleneck.expansion
    base = inner * 64 // (planes * groups)
    down = _shortcut(inp, out, stride)
    made: nn.Module = Bottleneck(inp, planes, stride, down, groups, base, dilation)
    return made


def _basic(inp: int, out: int, stride: int, dilation: int) -> nn.Module:
    made: Any = BasicBlock(inp, out, stride, _shortcut(inp, out, stride))
    # torchvision's class refuses dilations in its constructor, though nothing in it forbids them.
    for layer in (made.conv1, made.conv2):
        layer.dilation = layer.padding = (dilation, dilation)
    block: nn.Module = made
    return block
