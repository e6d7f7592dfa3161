"""A golden's inputs and outputs by name, for RAFT."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch

from mycloset.hub.model import Model

_NAME = re.compile(r"flow_(low|up)(_init)?_(\d+)")


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Features, and the flow after as many iterations as an output's name says."""
    network = model.network
    first, second = 2 * inputs["image1"] - 1, 2 * inputs["image2"] - 1
    told = {"fmap1": network.fnet(first), "fmap2": network.fnet(second)}
    told["cnet"] = network.cnet(first)
    for output in manifest["outputs"]:
        match = _NAME.fullmatch(output["name"])
        if match is not None:
            start = inputs["flow_init"] if match[2] else None
            found = network(first, second, int(match[3]), start)
            told[output["name"]] = found["flow" if match[1] == "up" else "flow_low"]
    return told
