"""A golden's inputs and outputs by name, for GFPGANs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model

INNER = ("conv_body_first", "final_conv", "stylegan_decoder.style_conv1")


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Each face's results; the names of those of "face_X" end in "@X"."""
    network = model.network
    taps = {name: name for name in INNER} | {"style_code": "final_linear"}
    for number in range(network.steps):
        for name in ("conv_body_down", "condition_scale", "condition_shift"):
            taps[f"{name}.{number}"] = f"{name}.{number}"
        side = 8 << number
        name = f"stylegan_decoder.to_rgbs.{number}"
        taps[f"{name} (skip at {side}x{side})"] = name
    told: dict[str, torch.Tensor] = {}
    for name, face in inputs.items():
        _, _, scaled = name.partition("_")
        end = f"@{scaled}" if scaled else ""
        with captured(network, taps) as seen:
            found = network.restored(face, rgbs=True)
        told[f"image{end}"] = found["output"]
        told |= {f"{key}{end}": value for key, value in seen.items()}
        told |= {f"out_{key}{end}": value for key, value in found.items() if key != "output"}
    return told
