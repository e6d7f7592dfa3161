"""A golden's inputs and outputs by name, for the face parser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """All heads' logits at the picture's size, and the context's features."""
    taps = {"context": "cp", "conv_out_1_8": "conv_out"}
    with captured(model.network, taps) as seen:
        found = model.network.at_full_size(inputs["image"])
    fine, context, coarse = seen.pop("context")
    return {**seen, "feat_res8": fine, "feat_cp8": context, "feat_cp16": coarse, **found}
