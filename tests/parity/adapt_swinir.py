"""A golden's inputs and outputs by name, for SwinIRs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Each picture's result and inner features; those of the second end in 2, and so on."""
    network = model.network
    taps = {f"layers.{number}": f"layers.{number}" for number in range(len(network.layers))}
    taps["conv_after_body"] = "conv_after_body"
    told: dict[str, torch.Tensor] = {}
    for number, image in enumerate(inputs.values(), 1):
        end = "" if number == 1 else str(number)
        with captured(network, taps) as seen:
            told[f"out{end}"] = network(image)
        told |= {name + end: value for name, value in seen.items()}
    return told
