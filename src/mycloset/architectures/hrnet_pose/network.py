"""HRNet: branches of several resolutions side by side, fused again and again; pose heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from mycloset.architectures.input_sizes import input_size
from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.errors import ModelFileError

KEYMAPS: Mapping[str, KeyMap] = {
    "original": KeyMap(),
    "mmpose-0.x": KeyMap(
        renames=(
            ("^backbone.{rest*}", "{rest}"),
            ("^keypoint_head.final_layer", "final_layer"),
        )
    ),
    "mmpose-1.x": KeyMap(
        renames=(("^backbone.{rest*}", "{rest}"), ("^head.final_layer", "final_layer"))
    ),
    "openmmlab": KeyMap(renames=(("^backbone.{rest*}", "{rest}"),)),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How an HRNet is built; `config` as in its claim.

    Raises:
        ModelFileError: it is a classifier, whose head is not run.
    """
    if "num_classes" in config:
        raise ModelFileError(
            f"HRNet {variant} is a classifier of pictures: it has no pose head.",
            hint="Load a file of a pose network.",
        )
    stages = config["stages"]
    return NetworkPlan(
        lambda: HRNet(
            input_channels=config["input_channels"],
            stem=config["stem"],
            stages=[stages[name] for name in sorted(stages)],
            last_rows=config["last_rows"],
            joints=config.get("num_joints", 0),
            kernel=config.get("final_conv_kernel", 1),
        ),
        KEYMAPS[layout],
        choices={"input_size": input_size(config.get("file", ""))},
    )


class _Block(nn.Module):
    """A residual block of two 3x3 convolutions, or of a bottleneck."""

    def __init__(self, inp: int, planes: int, *, deep: bool) -> None:
        super().__init__()
        out = planes * 4 if deep else planes
        if deep:
            self.conv1 = nn.Conv2d(inp, planes, 1, bias=False)
            self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
            self.conv3 = nn.Conv2d(planes, out, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(out)
        else:
            self.conv1 = nn.Conv2d(inp, planes, 3, padding=1, bias=False)
            self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.deep = deep
        self.downsample: nn.Module | None = None
        if inp != out:
            self.downsample = nn.Sequential(nn.Conv2d(inp, out, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = torch.relu_(self.bn1(self.conv1(x)))
        found = self.bn2(self.conv2(found))
        if self.deep:
            found = self.bn3(self.conv3(torch.relu_(found)))
        found += x if self.downsample is None else self.downsample(x)
        return torch.relu_(found)


def _row(inp: int, planes: int, blocks: int, *, deep: bool) -> nn.Sequential:
    made = []
    for _ in range(blocks):
        made.append(_Block(inp, planes, deep=deep))
        inp = planes * 4 if deep else planes
    return nn.Sequential(*made)


def _halved(inp: int, out: int, *, active: bool = True) -> nn.Sequential:
    """A 3x3 convolution of stride 2."""
    layers: list[nn.Module] = [
        nn.Conv2d(inp, out, 3, 2, 1, bias=False),
        nn.BatchNorm2d(out),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if active else []))


class _Module(nn.Module):
    """Branches side by side, then every branch's sum of all of them.

    Args:
        inputs: channels that each branch is given.
        planes: of each branch's blocks.
        blocks: of each branch.
        deep: whether blocks are bottlenecks.
        rows: how many branches are fused.
    """

    def __init__(
        self,
        inputs: Sequence[int],
        planes: Sequence[int],
        blocks: Sequence[int],
        *,
        deep: bool,
        rows: int,
    ) -> None:
        super().__init__()
        widths = [width * 4 if deep else width for width in planes]
        self.branches = nn.ModuleList(
            _row(inp, width, count, deep=deep)
            for inp, width, count in zip(inputs, planes, blocks, strict=True)
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_fuse(widths, row, column) for column in range(len(widths)))
            for row in range(rows)
        )

    def forward(self, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        seen = [branch(x) for branch, x in zip(self.branches, inputs, strict=True)]
        fused = []
        for layers in self.fuse_layers:
            total = sum(layer(x) for layer, x in zip(layers.children(), seen, strict=True))
            assert isinstance(total, torch.Tensor)
            fused.append(torch.relu(total))
        return fused


def _fuse(widths: Sequence[int], row: int, column: int) -> nn.Module:
    """From one branch's resolution to another's."""
    out, inp = widths[row], widths[column]
    if row == column:
        return nn.Identity()
    if column > row:
        return nn.Sequential(
            nn.Conv2d(inp, out, 1, bias=False),
            nn.BatchNorm2d(out),
            nn.Upsample(scale_factor=2 ** (column - row), mode="nearest"),
        )
    steps = [_halved(inp, inp) for _ in range(row - column - 1)]
    return nn.Sequential(*steps, _halved(inp, out, active=False))


class _Transition(nn.Module):
    """What brings one stage's branches to the next one's channels, and adds coarser ones."""

    def __init__(self, before: Sequence[int], after: Sequence[int]) -> None:
        super().__init__()
        for number, out in enumerate(after):
            if number < len(before):
                if before[number] != out:
                    layer = nn.Sequential(
                        nn.Conv2d(before[number], out, 3, padding=1, bias=False),
                        nn.BatchNorm2d(out),
                        nn.ReLU(inplace=True),
                    )
                    self.add_module(str(number), layer)
            else:
                steps = number - len(before) + 1
                inp = before[-1]
                self.add_module(
                    str(number),
                    nn.Sequential(
                        *(_halved(inp, out if n == steps - 1 else inp) for n in range(steps))
                    ),
                )
        self.before = len(before)
        self.after = len(after)

    def forward(self, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        layers = dict(self.named_children())
        found = []
        for number in range(self.after):
            x = inputs[min(number, len(inputs) - 1)]
            layer = layers.get(str(number))
            found.append(x if layer is None else layer(x))
        return found


class HRNet(nn.Module):
    """Sun et al. 2019, "Deep high-resolution representation learning"; keys as its authors'.

    Args:
        input_channels: of the picture.
        stem: channels of the two first convolutions.
        stages: the authors' STAGE1 to STAGE4.
        last_rows: branches that the last module fuses.
        joints: heatmaps that it gives; 0 for a backbone.
        kernel: of the last convolution.
    """

    def __init__(
        self,
        *,
        input_channels: int,
        stem: Sequence[int],
        stages: Sequence[Mapping[str, Any]],
        last_rows: int,
        joints: int,
        kernel: int,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(input_channels, stem[0], 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem[0])
        self.conv2 = nn.Conv2d(stem[0], stem[1], 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(stem[1])
        first = stages[0]
        deep = first["BLOCK"] == "BOTTLENECK"
        planes, blocks = first["NUM_CHANNELS"][0], first["NUM_BLOCKS"][0]
        self.layer1 = _row(stem[1], planes, blocks, deep=deep)
        widths = [planes * 4 if deep else planes]
        self.count = len(stages)
        for number, stage in enumerate(stages[1:], start=2):
            deep = stage["BLOCK"] == "BOTTLENECK"
            wanted = [width * 4 if deep else width for width in stage["NUM_CHANNELS"]]
            self.add_module(f"transition{number - 1}", _Transition(widths, wanted))
            widths = wanted
            last = number == self.count
            self.add_module(
                f"stage{number}",
                nn.ModuleList(
                    _Module(
                        widths,
                        stage["NUM_CHANNELS"],
                        stage["NUM_BLOCKS"],
                        deep=deep,
                        rows=last_rows
                        if last and place == stage["NUM_MODULES"] - 1
                        else len(widths),
                    )
                    for place in range(stage["NUM_MODULES"])
                ),
            )
        self.final_layer: nn.Conv2d | None = None
        if joints:
            self.final_layer = nn.Conv2d(widths[0], joints, kernel, padding=kernel // 2)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Heatmaps at a quarter of the picture's size.

        Args:
            image: (N, C, H, W), normalised RGB; H and W multiples of 32.

        Returns:
            heatmaps: (N, joints, H/4, W/4); of a backbone features, the finest branch's.
        """
        x = torch.relu(self.bn1(self.conv1(image)))
        x = torch.relu(self.bn2(self.conv2(x)))
        branches = [self.layer1(x)]
        for number in range(2, self.count + 1):
            branches = self.get_submodule(f"transition{number - 1}")(branches)
            for module in self.get_submodule(f"stage{number}").children():
                branches = module(branches)
        if self.final_layer is None:
            return {"features": branches[0]}
        return {"heatmaps": self.final_layer(branches[0])}
