"""A golden's inputs and outputs by name, for DenseNets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Each named child of the features."""
    network = model.network
    names = {name: f"features.{name}" for name, _ in network.features.named_children()}
    with captured(network, names) as seen:
        found = network(*inputs.values())
    return {**seen, **found}
