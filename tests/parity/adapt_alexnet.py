"""A golden's inputs and outputs by name, for AlexNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """`reluN` is what follows the N-th convolution."""
    network = model.network
    places = [n for n, layer in enumerate(network.features) if isinstance(layer, torch.nn.ReLU)]
    taps = {f"relu{n}": f"features.{place}" for n, place in enumerate(places, start=1)}
    with captured(network, taps) as seen:
        found = network(*inputs.values())
    return {**seen, **found}
