"""A golden's inputs and outputs by name, for HRNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """`layer1`, `stageN_high` (the finest branch after a stage), and what the network returns."""
    network = model.network
    stages = {f"stage{number}": f"stage{number}" for number in network.stages}
    with captured(network, {"layer1": "layer1", **stages}) as seen:
        found = network(*inputs.values())
    high = {f"{name}_high": branches[0] for name, branches in seen.items() if name in stages}
    return {**high, "layer1": seen["layer1"], **found}
