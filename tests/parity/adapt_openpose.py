"""A golden's inputs and outputs by name, for OpenPose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mycloset.hub.model import Model

FACTOR = 64
"""What the goldens multiply their inputs by: without batch norms the filled network would forget
an input of unit size."""


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The features and every stage's maps."""
    features, stages = model.network.every_stage(FACTOR * inputs["image"])
    told = {"features": features}
    for number, found in enumerate(stages, start=1):
        if isinstance(found, list):
            told[f"stage{number}_paf"], told[f"stage{number}_heatmap"] = found
        else:
            told[f"stage{number}"] = found
    last = stages[-1]
    if isinstance(last, list):
        told["paf"], told["heatmap"] = last
    else:
        told["heatmap"] = last
    return told
