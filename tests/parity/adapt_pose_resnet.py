"""A golden's inputs and outputs by name, for SimpleBaseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """`layerN`, `deconv_layers` and `heatmaps`."""
    network = model.network
    with captured(network, {name: name for name in (*network.stages, "deconv_layers")}) as seen:
        found = network(**inputs)
    return {**seen, **found}
