"""CP-VTON's networks: the geometric matching module, and the try-on module, a U-Net.

Sources: sergeywong/cp-vton@fbaf333 and minar09/cp-vton-plus@5d7a899, networks.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from mycloset.architectures.garment_networks.matching_network import MatchingNetwork
from mycloset.architectures.garment_networks.plans import matching_plan
from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

KEYMAPS: Mapping[str, KeyMap] = {"original": KeyMap()}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How one of the networks is built; `config` as in its claim.

    Choices of the matching module: `align_corners` (True: what -1 and 1 meant to PyTorch 0.4,
    with which the weights were trained).
    """
    if variant.startswith("tom"):
        return NetworkPlan(
            lambda: TryOnNetwork(
                inputs=config["input_nc"],
                outputs=config["output_nc"],
                widths=config["widths"],
            ),
            KEYMAPS[layout],
        )
    return matching_plan(
        lambda **sizes: MatchingNetwork(
            person=config["inputA_channels"],
            cloth=config["inputB_channels"],
            span=1.0,
            epsilon=1e-6,
            size=(config["fine_height"], config["fine_width"]),
            **sizes,
        ),
        KEYMAPS[layout],
        config,
        choices={"align_corners": config.get("align_corners", True)},
    )


class TryOnNetwork(nn.Module):
    """The try-on module: person and warped garment in, a rendered person and a mask out.

    Args:
        inputs: channels of the person's representation, of the garment and of its mask.
        outputs: picture 3, mask 1.
        widths: channels of the levels, from the outermost inwards.
    """

    def __init__(self, *, inputs: int, outputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        block: _Level | None = None
        for outer, inner in reversed(list(pairwise(widths))):
            block = _Level(outer, inner, outer, block)
        assert block is not None
        self.model = _Outermost(inputs, widths[0], outputs, block)

    def forward(self, person: torch.Tensor, cloth: torch.Tensor) -> dict[str, torch.Tensor]:
        """The person in the garment.

        Args:
            person: (N, 22, H, W), -1..1; H and W are multiples of 2^levels.
            cloth: (N, 3 or 4, H, W), the warped garment -1..1, with its mask 0..1 for CP-VTON+.

        Returns:
            raw: (N, 4, H, W); rendered: (N, 3, H, W) -1..1; mask: (N, 1, H, W) 0..1, where the
            garment is taken as it is; image: (N, 3, H, W) -1..1.
        """
        raw = self.model(torch.cat([person, cloth], dim=1))
        rendered = raw[:, :-1].tanh()
        mask = raw[:, -1:].sigmoid()
        garment = cloth[:, : rendered.shape[1]]
        image = garment * mask + rendered * (1 - mask)
        return {"raw": raw, "rendered": rendered, "mask": mask, "image": image}


class _Level(nn.Module):
    """One level of the U-Net and all within it; what came in stands before what comes out.

    The activation in front works in place in the published code, so that what is kept beside the
    level is the activated tensor.
    """

    def __init__(self, inputs: int, inner: int, outputs: int, block: _Level | None) -> None:
        super().__init__()
        down: list[nn.Module] = [nn.LeakyReLU(0.2), nn.Conv2d(inputs, inner, 4, 2, 1)]
        if block is not None:
            down += [nn.InstanceNorm2d(inner), block]
        entering = inner if block is None else 2 * inner
        self.model = nn.Sequential(*down, *_up(entering, outputs))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        kept = self.model[0](features)
        found = kept
        for layer in list(self.model)[1:]:
            found = layer(found)
        return torch.cat([kept, found], dim=1)


class _Outermost(nn.Module):
    def __init__(self, inputs: int, inner: int, outputs: int, block: _Level) -> None:
        super().__init__()
        first = nn.Conv2d(inputs, inner, 4, 2, 1)
        self.model = nn.Sequential(first, block, *_up(2 * inner, outputs))

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.model(picture)
        return found


def _up(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.ReLU(),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.InstanceNorm2d(outputs),
    ]
