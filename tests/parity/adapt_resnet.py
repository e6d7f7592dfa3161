"""A golden's inputs and outputs by name, for ResNets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """`layerN` is a stage's output, `pool` the mean of the last."""
    network = model.network
    with captured(network, {name: name for name in network.stages}) as seen:
        found = network(*inputs.values())
    return {**seen, **found, "pool": found["features"].mean((2, 3))}
