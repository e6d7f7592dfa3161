"""The three MTCNN networks: one proposes faces, one refines them, one adds five points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.mtcnn.layout import CONVOLUTIONS, DENSE, HEADS
from mycloset.architectures.plans import NetworkPlan

KEYMAPS: Mapping[str, KeyMap] = {"facenet-pytorch": KeyMap()}

_POOLINGS = {
    "PNet": {1: (2, 2)},
    "RNet": {1: (3, 2), 2: (3, 2)},
    "ONet": {1: (3, 2), 2: (3, 2), 3: (2, 2)},
}
"""Behind which convolution there is a pooling, its window and its step."""

_NAMES = ("prob", "reg", "points")


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How one of the networks, or all three in one, is built; `config` as in its claim."""
    stage = config.get("stage")
    return NetworkPlan(
        (lambda: Mtcnn()) if stage is None else (lambda: Stage(stage=stage)), KEYMAPS[layout]
    )


class Stage(nn.Module):
    """Zhang et al. 2016, "Joint face detection and alignment"; keys as in facenet-pytorch.

    Args:
        stage: "PNet", "RNet" or "ONet".
    """

    def __init__(self, *, stage: str) -> None:
        super().__init__()
        self.stage = stage
        for number, (out, inp, kernel) in enumerate(CONVOLUTIONS[stage], 1):
            self.add_module(f"conv{number}", nn.Conv2d(inp, out, kernel))
            self.add_module(f"prelu{number}", nn.PReLU(out))
        width = CONVOLUTIONS[stage][-1][0]
        if stage in DENSE:
            place, width, inp = DENSE[stage]
            self.add_module(f"dense{place}", nn.Linear(inp, width))
            self.add_module(f"prelu{place}", nn.PReLU(width))
        for name, out in HEADS[stage]:
            self.add_module(
                name, nn.Conv2d(width, out, 1) if stage == "PNet" else nn.Linear(width, out)
            )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """What is seen in pictures.

        Args:
            image: (N, 3, H, W) RGB, (x - 127.5) / 128; 24 pixels high and wide for RNet, 48 for
                ONet, any size from 12 for PNet.

        Returns:
            prob: (N, 2) nothing or a face; reg: (N, 4) how to move the box's sides; points (ONet):
            (N, 10) five x, five y. PNet gives them at every place: (N, 2, h, w), (N, 4, h, w).
        """
        x = image
        for number in range(1, len(CONVOLUTIONS[self.stage]) + 1):
            x = self._active(f"conv{number}", f"prelu{number}", x)
            if number in _POOLINGS[self.stage]:
                window, step = _POOLINGS[self.stage][number]
                x = functional.max_pool2d(x, window, step, ceil_mode=True)
        if self.stage in DENSE:
            place = DENSE[self.stage][0]
            # The published weights see columns first.
            x = self._active(f"dense{place}", f"prelu{place}", x.permute(0, 3, 2, 1).flatten(1))
        found = {
            name: self.get_submodule(head)(x)
            for name, (head, _) in zip(_NAMES, HEADS[self.stage], strict=False)
        }
        return {**found, "prob": found["prob"].softmax(1)}

    def _active(self, layer: str, prelu: str, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.get_submodule(prelu)(self.get_submodule(layer)(x))
        return found


class Mtcnn(nn.Module):
    """All three in one; the methods `propose`, `refine` and `finish` are their forwards."""

    def __init__(self) -> None:
        super().__init__()
        self.pnet = Stage(stage="PNet")
        self.rnet = Stage(stage="RNet")
        self.onet = Stage(stage="ONet")

    def propose(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """PNet's forward."""
        found: dict[str, torch.Tensor] = self.pnet(image)
        return found

    def refine(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """RNet's forward."""
        found: dict[str, torch.Tensor] = self.rnet(image)
        return found

    def finish(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """ONet's forward."""
        found: dict[str, torch.Tensor] = self.onet(image)
        return found
