"""A golden's inputs and outputs by name, for HRNets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The heatmaps, and what lies within."""
    network = model.network
    taps = {"layer1": "layer1"}
    for number in range(2, network.count + 1):
        last = len(network.get_submodule(f"stage{number}")) - 1
        taps[f"stage{number}_high"] = f"stage{number}.{last}"
    with captured(network, taps) as seen:
        found = network(**inputs)
    finest = {name: value[0] if isinstance(value, list) else value for name, value in seen.items()}
    return {**finest, **found, "output": found["heatmaps"]}
