"""The HRNet network: parallel branches that exchange what they see, and the heads on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.hrnet_pose.tensors import EXPANSION
from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.architectures.top_down import input_size

_BACKBONE = tuple(
    (f"^backbone.{name}", name)
    for name in ("conv1", "bn1", "conv2", "bn2", "layer1", "transition{place}", "stage{place}")
)

KEYMAPS: Mapping[str, KeyMap] = {
    "original": KeyMap(),
    "mmpose-0.x": KeyMap(renames=(*_BACKBONE, ("^keypoint_head.final_layer", "final_layer"))),
    "mmpose-1.x": KeyMap(renames=(*_BACKBONE, ("^head.final_layer", "final_layer"))),
    "openmmlab": KeyMap(renames=_BACKBONE),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How an HRNet is built; `config` as in its claim.

    Choices of pose networks, which no tensor tells:
        input_size: height and width of the crops, in pixels: those of the file's name ("384x288"),
            else 256x192, and 256x256 for the joints of MPII and of hands.
        udp: whether crops and joints are mapped by distances between pixel centres, as networks
            were trained that mmpose publishes with "udp" in their name.
    """
    choices: dict[str, Any] = {}
    if "num_joints" in config:
        file = config.get("file", "")
        choices = {
            "input_size": input_size(config["num_joints"], file),
            "udp": "udp" in file.lower(),
        }
    return NetworkPlan(
        lambda: HighResolution(
            inputs=config["input_channels"],
            stem=config["stem_channels"],
            stages=config["stages"],
            outputs=config["stage_outputs"],
            joints=config.get("num_joints", 0),
            kernel=config.get("final_conv_kernel", 1),
            classes=config.get("num_classes", 0),
            widened=config.get("head_channels", ()),
            hidden=config.get("head_features", 0),
        ),
        KEYMAPS[layout],
        choices=choices,
    )


class HighResolution(nn.Module):
    """Sun et al. 2019, "Deep high-resolution representation learning"; the authors' key names.

    Args:
        inputs: channels of the picture.
        stem: channels of the two convolutions of stride 2.
        stages: "STAGE1", "STAGE2", ... as in the authors' configuration files.
        outputs: branches that the last module of each stage from the second gives.
        joints: heatmaps of the pose head; 0 without it.
        kernel: side of the pose head's convolution.
        classes: of the classifier; 0 without it.
        widened: planes of the classifier's bottleneck on each branch.
        hidden: features of the classifier.
    """

    def __init__(
        self,
        *,
        inputs: int,
        stem: Sequence[int],
        stages: Mapping[str, Mapping[str, Any]],
        outputs: Sequence[int],
        joints: int = 0,
        kernel: int = 1,
        classes: int = 0,
        widened: Sequence[int] = (),
        hidden: int = 0,
    ) -> None:
        super().__init__()
        first, second = stem
        self.conv1 = nn.Conv2d(inputs, first, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(second)
        told = stages["STAGE1"]
        planes = told["NUM_CHANNELS"][0]
        self.layer1 = _blocks(told["BLOCK"], second, planes, told["NUM_BLOCKS"][0])
        widths = [planes * EXPANSION[told["BLOCK"]]]
        self.stages = list(range(2, len(stages) + 1))
        for number, given in zip(self.stages, outputs, strict=True):
            stage = stages[f"STAGE{number}"]
            after = [planes * EXPANSION[stage["BLOCK"]] for planes in stage["NUM_CHANNELS"]]
            self.add_module(f"transition{number - 1}", _transition(widths, after))
            modules = [
                _Exchange(stage, after, given if last else len(after))
                for last in [False] * (stage["NUM_MODULES"] - 1) + [True]
            ]
            self.add_module(f"stage{number}", nn.Sequential(*modules))
            widths = after
        self.joints, self.classes = joints, classes
        if joints:
            self.final_layer: nn.Module = nn.Conv2d(widths[0], joints, kernel, padding=kernel // 2)
        elif classes:
            outs = [planes * 4 for planes in widened]
            self.incre_modules = nn.ModuleList(
                _blocks("BOTTLENECK", width, planes, 1)
                for width, planes in zip(widths, widened, strict=False)
            )
            self.downsamp_modules = nn.ModuleList(
                nn.Sequential(nn.Conv2d(inp, out, 3, 2, 1), nn.BatchNorm2d(out), nn.ReLU(True))
                for inp, out in pairwise(outs)
            )
            self.final_layer = nn.Sequential(
                nn.Conv2d(outs[-1], hidden, 1), nn.BatchNorm2d(hidden), nn.ReLU(True)
            )
            self.classifier = nn.Linear(hidden, classes)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Heatmaps; or features and, where there is a classifier, logits.

        Args:
            image: (N, C, H, W), normalised; H and W multiples of 32.

        Returns:
            heatmaps: (N, joints, H/4, W/4) of a pose network. Of the others, features: (N,
            channels, H/32, W/32) before the classifier's last layer, with logits (N, classes); or
            of a backbone the branches side by side at the finest one's size.
        """
        maps = functional.relu(self.bn1(self.conv1(image)), inplace=True)
        maps = functional.relu(self.bn2(self.conv2(maps)), inplace=True)
        branches = [self.layer1(maps)]
        for number in self.stages:
            branches = self.get_submodule(f"transition{number - 1}")(branches)
            branches = self.get_submodule(f"stage{number}")(branches)
        if self.joints:
            return {"heatmaps": self.final_layer(branches[0])}
        if self.classes:
            features = self._narrowed(branches)
            return {"features": features, "logits": self.classifier(features.mean((2, 3)))}
        size = branches[0].shape[2:]
        upper = [
            functional.interpolate(branch, size=size, mode="bilinear", align_corners=False)
            for branch in branches[1:]
        ]
        return {"features": torch.cat([branches[0], *upper], 1)}

    def _narrowed(self, branches: list[torch.Tensor]) -> torch.Tensor:
        """From the finest branch to the coarsest, each added to what comes from above."""
        features = self.incre_modules[0](branches[0])
        for place, down in enumerate(self.downsamp_modules, 1):
            features = self.incre_modules[place](branches[place]) + down(features)
        found: torch.Tensor = self.final_layer(features)
        return found


class _Transition(nn.ModuleList):
    """Branches adapted in width, and new ones made from the coarsest."""

    def forward(self, branches: list[torch.Tensor]) -> list[torch.Tensor]:
        last = len(branches) - 1
        return [adapt(branches[min(place, last)]) for place, adapt in enumerate(self)]


class _Exchange(nn.Module):
    """Branches side by side, then each becomes the sum of all, brought to its size."""

    def __init__(self, stage: Mapping[str, Any], widths: Sequence[int], rows: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            _blocks(stage["BLOCK"], width, planes, blocks)
            for width, planes, blocks in zip(
                widths, stage["NUM_CHANNELS"], stage["NUM_BLOCKS"], strict=True
            )
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_way(widths, column, row) for column in range(len(widths)))
            for row in range(rows)
        )

    def forward(self, branches: list[torch.Tensor]) -> list[torch.Tensor]:
        branches = [blocks(branch) for blocks, branch in zip(self.branches, branches, strict=True)]
        fused = []
        for ways in self.fuse_layers:
            assert isinstance(ways, nn.ModuleList)
            total = ways[0](branches[0])
            for way, branch in zip(list(ways)[1:], branches[1:], strict=True):
                total = total + way(branch)
            fused.append(functional.relu(total))
        return fused


class _Block(nn.Module):
    """ResNet's basic block or its bottleneck, of stride 1."""

    def __init__(self, kind: str, inp: int, planes: int) -> None:
        super().__init__()
        out = planes * EXPANSION[kind]
        deep = kind == "BOTTLENECK"
        first = 1 if deep else 3
        self.conv1 = nn.Conv2d(inp, planes, first, padding=first // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        if deep:
            self.conv3 = nn.Conv2d(planes, out, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(out)
        self.deep = deep
        self.downsample = _conv_norm(inp, out, 1) if inp != out else None

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        found = functional.relu(self.bn1(self.conv1(maps)), inplace=True)
        found = self.bn2(self.conv2(found))
        if self.deep:
            found = self.bn3(self.conv3(functional.relu(found, inplace=True)))
        found = found + (maps if self.downsample is None else self.downsample(maps))
        return functional.relu(found, inplace=True)


def _blocks(kind: str, inp: int, planes: int, number: int) -> nn.Sequential:
    out = planes * EXPANSION[kind]
    return nn.Sequential(*(_Block(kind, out if place else inp, planes) for place in range(number)))


def _conv_norm(inp: int, out: int, kernel: int, stride: int = 1, *, relu: bool = False) -> Any:
    layers = [
        nn.Conv2d(inp, out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(True)] if relu else []))


def _transition(before: Sequence[int], after: Sequence[int]) -> _Transition:
    made: list[nn.Module] = []
    for branch, out in enumerate(after):
        if branch < len(before):
            same = out == before[branch]
            made.append(nn.Identity() if same else _conv_norm(before[branch], out, 3, relu=True))
            continue
        steps = branch - len(before) + 1
        widths = [before[-1]] * steps + [out]
        made.append(
            nn.Sequential(
                *(_conv_norm(inp, width, 3, 2, relu=True) for inp, width in pairwise(widths))
            )
        )
    return _Transition(made)


def _way(widths: Sequence[int], column: int, row: int) -> nn.Module:
    """From one branch's size and width to another's."""
    inp, out = widths[column], widths[row]
    if column == row:
        return nn.Identity()
    if column > row:
        upper = nn.Upsample(scale_factor=2 ** (column - row), mode="nearest")
        return nn.Sequential(*_conv_norm(inp, out, 1), upper)
    steps = row - column
    return nn.Sequential(
        *(_conv_norm(inp, inp, 3, 2, relu=True) for _ in range(steps - 1)),
        _conv_norm(inp, out, 3, 2),
    )
