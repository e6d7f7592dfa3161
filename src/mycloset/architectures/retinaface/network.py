"""The RetinaFace network: a body, a pyramid of three levels, context modules and three heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock, Bottleneck

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.architectures.retinaface.priors import default_sizes
from mycloset.errors import OptionError

KEYMAPS: Mapping[str, KeyMap] = {"original": KeyMap()}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a RetinaFace is built; `config` as in its claim.

    Choices:
        min_sizes: sides of the anchors, in pixels, at strides 8, 16 and 32.
        halving: which layers of a MobileNet's first stage halve the picture; three of them.
    """
    sizes = default_sizes(config["num_anchors"])
    choices: dict[str, Any] = {"min_sizes": config.get("min_sizes") or sizes}
    given = choices["min_sizes"]
    if len(given) != 3 or any(len(level) != config["num_anchors"] for level in given):
        raise OptionError(
            f"config: min_sizes is {given!r}.",
            hint=f"Three lists of {config['num_anchors']} sides are wanted, as in {sizes}.",
        )
    if "stages" in config:
        halving = config.get("halving")
        layers = len(config["stages"][0])
        if halving is None:
            halving = list(range(0, layers, 2))[:3]
        if len(halving) != 3 or not set(halving) <= set(range(layers)):
            raise OptionError(
                f"config: halving is {halving!r}.",
                hint=f"Three of the first stage's {layers} layers halve, [0, 2, 4] as published.",
            )
        choices["halving"] = halving
    return NetworkPlan(
        lambda: RetinaFace(
            config={**config, **choices},
            width=config["out_channel"],
            anchors=config["num_anchors"],
        ),
        KEYMAPS[layout],
        choices=choices,
    )


def _norm_conv(inp: int, out: int, kernel: int, *, stride: int = 1, slope: float | None) -> Any:
    """A convolution and its norm, and a leaky ReLU if there is a slope."""
    layers: list[nn.Module] = [
        nn.Conv2d(inp, out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out),
    ]
    if slope is not None:
        layers.append(nn.LeakyReLU(slope, inplace=True))
    return nn.Sequential(*layers)


def _separable(inp: int, out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inp, inp, 3, stride, 1, groups=inp, bias=False),
        nn.BatchNorm2d(inp),
        nn.LeakyReLU(0.1, inplace=True),
        nn.Conv2d(inp, out, 1, bias=False),
        nn.BatchNorm2d(out),
        nn.LeakyReLU(0.1, inplace=True),
    )


class _MobileNet(nn.Module):
    def __init__(
        self, inputs: int, stages: Sequence[Sequence[int]], halving: Sequence[int]
    ) -> None:
        super().__init__()
        inp = inputs
        for number, outs in enumerate(stages, 1):
            stage = nn.Sequential()
            for layer, out in enumerate(outs):
                halves = layer in halving if number == 1 else layer == 0
                stride = 2 if halves else 1
                if number == 1 and layer == 0:
                    stage.append(_norm_conv(inp, out, 3, stride=stride, slope=0.1))
                else:
                    stage.append(_separable(inp, out, stride))
                inp = out
            self.add_module(f"stage{number}", stage)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        found = []
        for stage in self.children():
            x = stage(x)
            found.append(x)
        return found


class _ResNet(nn.Module):
    """He et al. 2016 without its classifier; a bottleneck's 3x3 convolution halves."""

    def __init__(
        self, inputs: int, stem: int, blocks: Sequence[int], planes: Sequence[int], *, deep: bool
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, stem, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        make: Any = Bottleneck if deep else BasicBlock
        inp = stem
        for number, (count, width) in enumerate(zip(blocks, planes, strict=True), 1):
            row = nn.Sequential()
            out = width * make.expansion
            for block in range(count):
                stride = 2 if block == 0 and number > 1 else 1
                down = None
                if block == 0 and (number > 1 or inp != out):
                    down = nn.Sequential(
                        nn.Conv2d(inp, out, 1, stride, bias=False), nn.BatchNorm2d(out)
                    )
                row.append(make(inp, width, stride, down))
                inp = out
            self.add_module(f"layer{number}", row)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        x = functional.max_pool2d(x, 3, 2, 1)
        found = []
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            found.append(x)
        return found[1:]


class _Pyramid(nn.Module):
    """Lin et al. 2017: coarser maps are doubled and added to finer ones."""

    def __init__(self, given: Sequence[int], width: int, slope: float) -> None:
        super().__init__()
        for number, inp in enumerate(given, 1):
            self.add_module(f"output{number}", _norm_conv(inp, width, 1, slope=slope))
        self.merge1 = _norm_conv(width, width, 3, slope=slope)
        self.merge2 = _norm_conv(width, width, 3, slope=slope)

    def forward(self, maps: list[torch.Tensor]) -> list[torch.Tensor]:
        fine, middle, coarse = (
            self.get_submodule(f"output{number}")(found) for number, found in enumerate(maps, 1)
        )
        middle = self.merge2(middle + functional.interpolate(coarse, middle.shape[2:]))
        fine = self.merge1(fine + functional.interpolate(middle, fine.shape[2:]))
        return [fine, middle, coarse]


class _Context(nn.Module):
    """Najibi et al. 2017 (SSH): what lies around, by one, two and three convolutions."""

    def __init__(self, width: int, slope: float) -> None:
        super().__init__()
        half, quarter = width // 2, width // 4
        self.conv3X3 = _norm_conv(width, half, 3, slope=None)
        self.conv5X5_1 = _norm_conv(width, quarter, 3, slope=slope)
        self.conv5X5_2 = _norm_conv(quarter, quarter, 3, slope=None)
        self.conv7X7_2 = _norm_conv(quarter, quarter, 3, slope=slope)
        self.conv7x7_3 = _norm_conv(quarter, quarter, 3, slope=None)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wider = self.conv5X5_1(x)
        widest = self.conv7x7_3(self.conv7X7_2(wider))
        return torch.relu(torch.cat([self.conv3X3(x), self.conv5X5_2(wider), widest], 1))


class _Head(nn.Module):
    """A value or more for each anchor of each place."""

    def __init__(self, width: int, anchors: int, values: int) -> None:
        super().__init__()
        self.values = values
        self.conv1x1 = nn.Conv2d(width, anchors * values, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.conv1x1(x).permute(0, 2, 3, 1)
        return found.reshape(len(x), -1, self.values)


class RetinaFace(nn.Module):
    """Deng et al. 2019, "RetinaFace", as in biubug6/Pytorch_Retinaface; keys as there.

    Args:
        config: of the body, as in the claim, with the choices.
        width: channels of the pyramid.
        anchors: at each place.
    """

    def __init__(self, *, config: Mapping[str, Any], width: int, anchors: int) -> None:
        super().__init__()
        self.body: nn.Module
        if "stages" in config:
            self.body = _MobileNet(config["input_channels"], config["stages"], config["halving"])
        else:
            self.body = _ResNet(
                config["input_channels"],
                config["stem"],
                config["blocks"],
                config["planes"],
                deep=config["deep"],
            )
        # As published: narrow pyramids leak.
        slope = 0.1 if width <= 64 else 0.0
        self.fpn = _Pyramid(config["body_channels"], width, slope)
        for number in (1, 2, 3):
            self.add_module(f"ssh{number}", _Context(width, slope))
        self.ClassHead, self.BboxHead, self.LandmarkHead = (
            nn.ModuleList(_Head(width, anchors, values) for _ in range(3)) for values in (2, 4, 10)
        )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """What there is at each anchor, level by level, row by row.

        Args:
            image: (N, 3, H, W) BGR 0..255 less the mean.

        Returns:
            loc: (N, P, 4) how to move the anchors' boxes; conf_logits and conf: (N, P, 2) nothing
            or a face, the latter as probabilities; landms: (N, P, 10) five points.
        """
        levels = self.fpn(self.body(image))
        seen = [self.get_submodule(f"ssh{n}")(level) for n, level in enumerate(levels, 1)]
        loc, logits, landms = (
            torch.cat([head(level) for head, level in zip(heads, seen, strict=True)], 1)
            for heads in (self.BboxHead, self.ClassHead, self.LandmarkHead)
        )
        return {"loc": loc, "conf_logits": logits, "conf": logits.softmax(-1), "landms": landms}
