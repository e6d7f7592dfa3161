"""A golden's inputs and outputs by name, for CP-VTON and CP-VTON+."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The matching module's grid in both conventions; the try-on module's pictures."""
    network = model.network
    person, cloth = inputs["agnostic"], inputs["cloth"]
    mask = next((given for name, given in inputs.items() if "mask" in name), None)
    if model.info.variant.startswith("tom"):
        given = [cloth]
        if model.info.config["input_nc"] > person.shape[1] + cloth.shape[1]:
            assert mask is not None
            given.append(mask)
        found = network(person, torch.cat(given, dim=1))
        return {
            "raw": found["raw"],
            "p_rendered": found["rendered"],
            "m_composite": found["mask"],
            "p_tryon": found["image"],
        }
    seen = mask if model.info.config["inputB_channels"] == 1 else cloth
    found = network(person, seen)
    for name, corners in (("align_true", True), ("align_false", False)):
        found[f"warped_cloth_{name}"] = network.warp(cloth, found["grid"], corners)
        if mask is not None:
            found[f"warped_mask_{name}"] = network.warp(mask, found["grid"], corners, border=False)
    return found
