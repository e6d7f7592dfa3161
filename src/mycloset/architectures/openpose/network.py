"""The OpenPose networks: VGG's first layers, then stages that look at their own maps again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.openpose.layout import Layers, body_layers, part_layers
from mycloset.architectures.plans import NetworkPlan

_POOLED = ("conv1_2", "conv2_2", "conv3_4")
"""Convolutions after which the maps are halved."""

_BODY = (
    ("^model0.conv{block}_{name}", "conv{block}_{name}"),
    ("^model1_{branch}.conv5_{number}_CPM_L{branch}", "conv5_{number}_CPM_L{branch}"),
    (
        "^model{stage}_{branch}.Mconv{number}_stage{stage}_L{branch}",
        "Mconv{number}_stage{stage}_L{branch}",
    ),
)
_PART = (
    ("^model1_0.conv{block}_{name}", "conv{block}_{name}"),
    ("^model1_1.conv6_{number}_CPM", "conv6_{number}_CPM"),
    ("^model{stage}.Mconv{number}_stage{stage}", "Mconv{number}_stage{stage}"),
)
_BODY_25 = (
    ("^model0.conv{block}_{name}", "conv{block}_{name}"),
    ("^model0.prelu{name}", "prelu{name}"),
    *(
        (f"^models.Mconv6_7_{{stage}}.{place}.{name}_{{stage}}", f"{name}_{{stage}}")
        for place, name in ((0, "Mconv6"), (0, "Mprelu6"), (1, "Mconv7"))
    ),
    *(
        (
            "^models.Mconv{number}_stage{stage}_L{branch}.{step}."
            f"{name}{{number}}_stage{{stage}}_L{{branch}}_{{step}}",
            f"{name}{{number}}_stage{{stage}}_L{{branch}}_{{step}}",
        )
        for name in ("Mconv", "Mprelu")
    ),
)

KEYMAPS: Mapping[str, KeyMap] = {
    "caffe": KeyMap(),
    "pytorch": KeyMap(renames=_BODY),
    "pytorch-part": KeyMap(renames=_PART),
    "pytorch-body_25": KeyMap(renames=_BODY_25),
}
"""By layout; "pytorch" has other module names in hands and faces, and in BODY_25."""


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How an OpenPose network is built; `config` as in its claim.

    Choices of bodies:
        final_relu: whether the last heatmaps pass a ReLU. pytorch-openpose lets them (its list of
            layers without one names the other branch twice), caffe does not; joints are the same.
        limbs: pairs of joints (by number) that the part affinity fields join, in the channels'
            order, where the network finds other joints than the published ones.
    """
    maps, stages = config["heatmap_channels"], config.get("stages", 0)
    if "paf_channels" not in config:
        return NetworkPlan(
            lambda: PartNetwork(maps=maps, stages=stages, features=config["features"]),
            KEYMAPS["pytorch-part" if layout == "pytorch" else layout],
        )
    limbs = config["paf_channels"]
    if "paf_stages" in config:
        return NetworkPlan(
            lambda: DenseBodyNetwork(
                limbs=limbs,
                maps=maps,
                paf_stages=config["paf_stages"],
                heatmap_stages=config["heatmap_stages"],
            ),
            KEYMAPS["pytorch-body_25" if layout == "pytorch" else layout],
            choices={"limbs": None},
        )
    final_relu = bool(config.get("final_relu", True))
    return NetworkPlan(
        lambda: BodyNetwork(
            limbs=limbs,
            maps=maps,
            stages=stages,
            features=config["features"],
            final_relu=final_relu,
        ),
        KEYMAPS[layout],
        choices={"final_relu": True, "limbs": None},
    )


class BodyNetwork(nn.Module):
    """Cao et al. 2017, "Realtime multi-person 2D pose estimation using part affinity fields".

    Args:
        limbs: channels of the part affinity fields, two a limb.
        maps: heatmaps: joints and background.
        stages: how often both are estimated.
        features: channels that every stage sees of the picture.
        final_relu: whether the last heatmaps pass a ReLU.
    """

    def __init__(
        self, *, limbs: int, maps: int, stages: int, features: int, final_relu: bool
    ) -> None:
        super().__init__()
        layers = body_layers(limbs=limbs, maps=maps, stages=stages, features=features)
        self.features = _put(self, [layer for layer in layers if layer[0] == "model0"])
        self.stages = [
            tuple(
                _names([layer for layer in layers if layer[0] == f"model{stage}_{branch}"])
                for branch in (1, 2)
            )
            for stage in range(1, stages + 1)
        ]
        _put(self, [layer for layer in layers if layer[0] != "model0"])
        self.final_relu = final_relu

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Where limbs point and where joints are.

        Args:
            image: (N, 3, H, W) BGR, -0.5..0.5; H and W multiples of 8.

        Returns:
            paf: (N, limbs, H/8, W/8); heatmap: (N, maps, H/8, W/8), the last is the background.
        """
        features = _seen(self, self.features, image)
        given = features
        for limbs, joints in self.stages:
            paf, heatmap = _refined(self, limbs, given), _refined(self, joints, given)
            given = torch.cat([paf, heatmap, features], 1)
        return {"paf": paf, "heatmap": functional.relu(heatmap) if self.final_relu else heatmap}


class PartNetwork(nn.Module):
    """Simon et al. 2017, "Hand keypoint detection in single images", and OpenPose's face network.

    Args:
        maps: heatmaps: points and background.
        stages: how often they are estimated.
        features: channels that every stage sees of the picture.
    """

    def __init__(self, *, maps: int, stages: int, features: int) -> None:
        super().__init__()
        layers = part_layers(maps=maps, stages=stages, features=features)
        self.features = _put(self, [layer for layer in layers if layer[0] == "model1_0"])
        names = ["model1_1", *(f"model{stage}" for stage in range(2, stages + 1))]
        self.stages = [_put(self, [layer for layer in layers if layer[0] == n]) for n in names]

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Where points are.

        Args:
            image: (N, 3, H, W) BGR, -0.5..0.5; H and W multiples of 8.

        Returns:
            heatmap: (N, maps, H/8, W/8), the last is the background.
        """
        features = _seen(self, self.features, image)
        given = features
        for stage in self.stages:
            heatmap = _refined(self, stage, given)
            given = torch.cat([heatmap, features], 1)
        return {"heatmap": heatmap}


class DenseBodyNetwork(nn.Module):
    """Cao et al. 2019, "OpenPose" (BODY_25): limbs first, 3x3 convolutions in threes, PReLU.

    Args:
        limbs: channels of the part affinity fields, two a limb.
        maps: heatmaps: joints and background.
        paf_stages, heatmap_stages: how often each is estimated.
    """

    def __init__(self, *, limbs: int, maps: int, paf_stages: int, heatmap_stages: int) -> None:
        super().__init__()
        # VGG's layers are the older body network's; only their activations differ.
        layers = body_layers(limbs=limbs, maps=maps, stages=1, features=128)
        self.features = _put(self, [layer for layer in layers if layer[0] == "model0"])
        for name in ("conv4_2", "conv4_3_CPM", "conv4_4_CPM"):
            layer = self.get_submodule(name)
            assert isinstance(layer, nn.Conv2d)
            self.add_module(f"prelu{name[4:]}", nn.PReLU(layer.out_channels))
        self.branches = ((2, paf_stages), (1, heatmap_stages))
        for branch, stages in self.branches:
            outputs = limbs if branch == 2 else maps
            for stage in range(stages):
                inp = 128 + (limbs if stage or branch == 1 else 0)
                inp += maps if stage and branch == 1 else 0
                width, hidden = (128, 512) if stage else (96, 256)
                self._put_stage(f"stage{stage}_L{branch}", inp, width, hidden, outputs)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """As `BodyNetwork.forward`."""
        features = _seen(self, self.features, image)
        paf = self._stage("stage0_L2", features)
        for stage in range(1, self.branches[0][1]):
            paf = self._stage(f"stage{stage}_L2", torch.cat([features, paf], 1))
        heatmap = self._stage("stage0_L1", torch.cat([features, paf], 1))
        for stage in range(1, self.branches[1][1]):
            heatmap = self._stage(f"stage{stage}_L1", torch.cat([features, heatmap, paf], 1))
        return {"paf": paf, "heatmap": heatmap}

    def _put_stage(self, stage: str, inp: int, width: int, hidden: int, outputs: int) -> None:
        for number in range(1, 6):
            for step in range(3):
                name = f"{number}_{stage}_{step}"
                self.add_module(f"Mconv{name}", nn.Conv2d(inp, width, 3, padding=1))
                self.add_module(f"Mprelu{name}", nn.PReLU(width))
                inp = width
            inp = 3 * width
        self.add_module(f"Mconv6_{stage}", nn.Conv2d(inp, hidden, 1))
        self.add_module(f"Mprelu6_{stage}", nn.PReLU(hidden))
        self.add_module(f"Mconv7_{stage}", nn.Conv2d(hidden, outputs, 1))

    def _stage(self, stage: str, maps: torch.Tensor) -> torch.Tensor:
        for number in range(1, 6):
            parts = []
            for step in range(3):
                maps = self._layer(f"{number}_{stage}_{step}", maps)
                parts.append(maps)
            maps = torch.cat(parts, 1)
        found: torch.Tensor = self.get_submodule(f"Mconv7_{stage}")(self._layer(f"6_{stage}", maps))
        return found

    def _layer(self, name: str, maps: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.get_submodule(f"Mprelu{name}")(
            self.get_submodule(f"Mconv{name}")(maps)
        )
        return found


def _names(layers: Layers) -> tuple[str, ...]:
    return tuple(name for _, name, *_ in layers)


def _put(network: nn.Module, layers: Layers) -> tuple[str, ...]:
    """Put convolutions into a network under caffe's names."""
    for _, name, out, inp, kernel in layers:
        network.add_module(name, nn.Conv2d(inp, out, kernel, padding=kernel // 2))
    return _names(layers)


def _seen(network: nn.Module, names: tuple[str, ...], image: torch.Tensor) -> torch.Tensor:
    """VGG's part: each convolution with its activation, halved three times."""
    maps = image
    for name in names:
        maps = network.get_submodule(name)(maps)
        activation = getattr(network, f"prelu{name[4:]}", None)
        maps = activation(maps) if activation is not None else functional.relu(maps, inplace=True)
        if name in _POOLED:
            maps = functional.max_pool2d(maps, 2)
    return maps


def _refined(network: nn.Module, names: tuple[str, ...], maps: torch.Tensor) -> torch.Tensor:
    """A stage: ReLU after every convolution but the last."""
    for name in names[:-1]:
        maps = functional.relu(network.get_submodule(name)(maps), inplace=True)
    found: torch.Tensor = network.get_submodule(names[-1])(maps)
    return found
