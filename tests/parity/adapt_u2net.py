"""A golden's inputs and outputs by name, for U²-Nets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The maps: after the sigmoid where there is one channel, logits where there are classes."""
    network = model.network
    depth = network.depth
    taps = {f"stage{n}": f"stage{n}" for n in range(1, depth + 1)}
    taps |= {f"logits_side{n}_before_upsample": f"side{n}" for n in range(1, depth + 1)}
    with captured(network, taps) as seen:
        found = network(**inputs)
    told = dict(seen)
    for name, logits in found.items():
        told[f"logits_{name}"] = logits
        told[name] = logits.sigmoid() if logits.shape[1] == 1 else logits
    return told
