"""A golden's inputs and outputs by name, for OpenPose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured, factor

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """`features`, `stageN_paf`, `stageN_heatmap` (hands: `stageN`), and what the network returns.

    The calls multiply their inputs.
    """
    network = model.network
    taps = {"features": network.features[-1]}
    for number, stage in enumerate(network.stages, 1):
        if isinstance(stage[0], str):
            taps[f"stage{number}"] = stage[-1]
        else:
            taps |= {
                f"stage{number}_{kind}": names[-1]
                for kind, names in zip(("paf", "heatmap"), stage, strict=True)
            }
    with captured(network, taps) as seen:
        found = network(image=factor(manifest) * inputs["image"])
    return {**seen, "features": seen["features"].relu(), **found}
