"""OpenPose: VGG features, and stages that refine heatmaps and part affinity fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

POOLED = ("conv1_2", "conv2_2", "conv3_4")
"""Convolutions after which the features are halved."""

KEYMAPS: Mapping[str, KeyMap] = {
    "caffe": KeyMap(),
    # Modules stand before caffe's names; the names alone are enough.
    "pytorch": KeyMap(renames=(("^{module*}.{name}.{tensor}$", "{name}.{tensor}"),)),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How an OpenPose network is built; `config` as in its claim."""

    def build() -> nn.Module:
        if "paf_stages" in config:
            return Body25(
                limbs=config["paf_channels"],
                maps=config["heatmap_channels"],
                limb_stages=config["paf_stages"],
                map_stages=config["heatmap_stages"],
            )
        if "paf_channels" in config:
            return Body(
                limbs=config["paf_channels"],
                maps=config["heatmap_channels"],
                stages=config["stages"],
                features=config["features"],
            )
        return Part(
            maps=config["heatmap_channels"], stages=config["stages"], features=config["features"]
        )

    return NetworkPlan(build, KEYMAPS[layout])


_TRUNK = (
    ("conv1_1", 64), ("conv1_2", 64), ("conv2_1", 128), ("conv2_2", 128), ("conv3_1", 256),
    ("conv3_2", 256), ("conv3_3", 256), ("conv3_4", 256), ("conv4_1", 512), ("conv4_2", 512),
)  # fmt: skip


class _Stages(nn.Module):
    """Convolutions by caffe's names, and the rows in which they follow each other."""

    def _add(self, name: str, out: int, inp: int, kernel: int) -> None:
        self.add_module(name, nn.Conv2d(inp, out, kernel, padding=kernel // 2))

    def _add_trunk(self, *more: tuple[str, int]) -> None:
        inp = 3
        self._trunk = [name for name, _ in (*_TRUNK, *more)]
        for name, out in (*_TRUNK, *more):
            self._add(name, out, inp, 3)
            inp = out

    def _features(self, x: torch.Tensor) -> torch.Tensor:
        for name in self._trunk:
            x = functional.relu_(self.get_submodule(name)(x))
            if name in POOLED:
                x = functional.max_pool2d(x, 2, 2)
        return x

    def _add_refinement(self, stage: str, inp: int, outputs: int) -> None:
        self._add(f"Mconv1_{stage}", 128, inp, 7)
        for number in range(2, 6):
            self._add(f"Mconv{number}_{stage}", 128, 128, 7)
        self._add(f"Mconv6_{stage}", 128, 128, 1)
        self._add(f"Mconv7_{stage}", outputs, 128, 1)

    def _run(self, x: torch.Tensor, *names: str) -> torch.Tensor:
        """Convolutions in a row, with a ReLU after all but the last."""
        for name in names[:-1]:
            x = functional.relu_(self.get_submodule(name)(x))
        found: torch.Tensor = self.get_submodule(names[-1])(x)
        return found

    def _refine(self, x: torch.Tensor, stage: str) -> torch.Tensor:
        return self._run(x, *(f"Mconv{number}_{stage}" for number in range(1, 8)))


class Body(_Stages):
    """Cao et al. 2017, "Realtime multi-person 2D pose estimation"; caffe's names.

    Args:
        limbs: channels of the part affinity fields, two a limb.
        maps: heatmaps, the background included.
        stages: how often both are made.
        features: channels of the trunk.
    """

    def __init__(self, *, limbs: int, maps: int, stages: int, features: int) -> None:
        super().__init__()
        self._add_trunk(("conv4_3_CPM", 256), ("conv4_4_CPM", features))
        self.stages = stages
        for branch, outputs in ((1, limbs), (2, maps)):
            inp = features
            for number, out, kernel in ((1, 128, 3), (2, 128, 3), (3, 128, 3), (4, 512, 1)):
                self._add(f"conv5_{number}_CPM_L{branch}", out, inp, kernel)
                inp = out
            self._add(f"conv5_5_CPM_L{branch}", outputs, inp, 1)
            for stage in range(2, stages + 1):
                self._add_refinement(f"stage{stage}_L{branch}", features + limbs + maps, outputs)

    def every_stage(self, image: torch.Tensor) -> tuple[torch.Tensor, list[list[torch.Tensor]]]:
        """The features, and the fields and heatmaps of each stage."""
        features = self._features(image)
        found = [
            [
                self._run(features, *(f"conv5_{n}_CPM_L{branch}" for n in range(1, 6)))
                for branch in (1, 2)
            ]
        ]
        for stage in range(2, self.stages + 1):
            x = torch.cat([*found[-1], features], 1)
            found.append([self._refine(x, f"stage{stage}_L{branch}") for branch in (1, 2)])
        if self.stages == 6:
            # The authors of the PyTorch port left this layer's name off their list of those
            # without a ReLU; their results are made with it.
            found[-1][1] = functional.relu(found[-1][1])
        return features, found

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Fields and heatmaps at an eighth of the picture's size.

        Args:
            image: (N, 3, H, W) BGR, /256 - 0.5.

        Returns:
            paf: (N, limbs, H/8, W/8); heatmap: (N, maps, H/8, W/8).
        """
        paf, heatmap = self.every_stage(image)[1][-1]
        return {"paf": paf, "heatmap": heatmap}


class Part(_Stages):
    """Simon et al. 2017, "Hand keypoint detection"; also faces; caffe's names.

    Args:
        maps: heatmaps, the background included.
        stages: how often they are made.
        features: channels of the trunk.
    """

    def __init__(self, *, maps: int, stages: int, features: int) -> None:
        super().__init__()
        self._add_trunk(
            ("conv4_3", 512), ("conv4_4", 512), ("conv5_1", 512), ("conv5_2", 512),
            ("conv5_3_CPM", features),
        )  # fmt: skip
        self.stages = stages
        self._add("conv6_1_CPM", 512, features, 1)
        self._add("conv6_2_CPM", maps, 512, 1)
        for stage in range(2, stages + 1):
            self._add_refinement(f"stage{stage}", features + maps, maps)

    def every_stage(self, image: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The features, and the heatmaps of each stage."""
        features = self._features(image)
        found = [self._run(features, "conv6_1_CPM", "conv6_2_CPM")]
        for stage in range(2, self.stages + 1):
            found.append(self._refine(torch.cat([found[-1], features], 1), f"stage{stage}"))
        return features, found

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """heatmap: (N, maps, H/8, W/8) of pictures (N, 3, H, W) BGR, /256 - 0.5."""
        return {"heatmap": self.every_stage(image)[1][-1]}


class Body25(_Stages):
    """Cao et al. 2019, "OpenPose": fields first, dense 3x3 convolutions, PReLUs; caffe's names.

    Args:
        limbs: channels of the part affinity fields.
        maps: heatmaps, the background included.
        limb_stages, map_stages: how often each is made.
    """

    def __init__(self, *, limbs: int, maps: int, limb_stages: int, map_stages: int) -> None:
        super().__init__()
        features = 128
        self._add_trunk(("conv4_3_CPM", 256), ("conv4_4_CPM", features))
        for name, width in (("4_2", 512), ("4_3_CPM", 256), ("4_4_CPM", features)):
            self.add_module(f"prelu{name}", nn.PReLU(width))
        self.limb_stages, self.map_stages = limb_stages, map_stages
        for branch, number, outputs in ((2, limb_stages, limbs), (1, map_stages, maps)):
            for stage in range(number):
                inp = features
                inp += limbs if (stage or branch == 1) else 0
                inp += maps if (stage and branch == 1) else 0
                width, hidden = (128, 512) if stage else (96, 256)
                self._add_dense(f"stage{stage}_L{branch}", inp, width, hidden, outputs)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """paf (N, limbs, H/8, W/8) and heatmap (N, maps, H/8, W/8); see `Body`."""
        features = self._features(image)
        paf = self._dense(features, "stage0_L2")
        for stage in range(1, self.limb_stages):
            paf = self._dense(torch.cat([features, paf], 1), f"stage{stage}_L2")
        heatmap = self._dense(torch.cat([features, paf], 1), "stage0_L1")
        for stage in range(1, self.map_stages):
            heatmap = self._dense(torch.cat([features, heatmap, paf], 1), f"stage{stage}_L1")
        return {"paf": paf, "heatmap": heatmap}

    def _features(self, x: torch.Tensor) -> torch.Tensor:
        modules = dict(self.named_children())
        for name in self._trunk:
            active = modules.get(f"prelu{name[4:]}")
            x = modules[name](x)
            x = functional.relu_(x) if active is None else active(x)
            if name in POOLED:
                x = functional.max_pool2d(x, 2, 2)
        return x

    def _add_dense(self, stage: str, inp: int, width: int, hidden: int, outputs: int) -> None:
        for number in range(1, 6):
            for step in range(3):
                name = f"{number}_{stage}_{step}"
                self._add(f"Mconv{name}", width, inp if step == 0 else width, 3)
                self.add_module(f"Mprelu{name}", nn.PReLU(width))
            inp = 3 * width
        self._add(f"Mconv6_{stage}", hidden, inp, 1)
        self.add_module(f"Mprelu6_{stage}", nn.PReLU(hidden))
        self._add(f"Mconv7_{stage}", outputs, hidden, 1)

    def _dense(self, x: torch.Tensor, stage: str) -> torch.Tensor:
        for number in range(1, 6):
            seen = []
            for step in range(3):
                name = f"{number}_{stage}_{step}"
                x = self.get_submodule(f"Mprelu{name}")(self.get_submodule(f"Mconv{name}")(x))
                seen.append(x)
            x = torch.cat(seen, 1)
        x = self.get_submodule(f"Mprelu6_{stage}")(self.get_submodule(f"Mconv6_{stage}")(x))
        found: torch.Tensor = self.get_submodule(f"Mconv7_{stage}")(x)
        return found
