"""A golden's inputs and outputs by name, for VGG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """`reluB_N` is what follows the N-th convolution of block B."""
    network = model.network
    taps: dict[str, str] = {}
    block = number = 1
    for place, layer in enumerate(network.features):
        kind = type(layer).__name__
        if kind == "MaxPool2d":
            block, number = block + 1, 1
        elif kind == "ReLU":
            taps[f"relu{block}_{number}"] = f"features.{place}"
            number += 1
    with captured(network, taps) as seen:
        found = network(*inputs.values())
    return {**seen, **found}
