"""A golden's inputs and outputs by name, for RRDB networks in all three namings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The picture and inner convolutions, under the names that any of the namings has."""
    taps = {name: name for name in ("conv_first", "conv_body", "conv_hr", "conv_last")}
    with captured(model.network, taps) as seen:
        out = model.network(*inputs.values())
    told = {"out": out, **seen, "trunk_conv": seen["conv_body"]}
    told["model.1 (trunk with shortcut)"] = seen["conv_first"] + seen["conv_body"]
    return told
