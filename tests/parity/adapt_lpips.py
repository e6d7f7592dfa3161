"""A golden's inputs and outputs by name, for LPIPS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from golden_weights import fill
from mycloset.architectures.lpips.network import SLICES
from mycloset.architectures.lpips.trunks import trunk_tensors
from mycloset.hub.model import Model


def load_options(manifest: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """For heads alone the trunk in a file of its own, as torchvision publishes it."""
    if any(key.startswith("net.") for key, _, _ in manifest["tensors"]):
        return {}
    config = manifest["config"]
    trunk = trunk_tensors(config["net"], config["chns"])
    state = {"features." + key.split(".", 2)[2]: fill(key, shape) for key, shape in trunk.items()}
    torch.save(state, folder / "trunk.pth")
    return {"backbone": folder / "trunk.pth"}


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The distance, what each layer adds, the map, and the trunk's features."""
    network = model.network
    found = network(inputs["in0"], inputs["in1"])
    told = {"distance": found["distance"], "spatial": found["map"]}
    for number, layer in enumerate(found["layers"]):
        told[f"layer{number}"] = layer.view(-1, 1, 1, 1)
    for number, feature in enumerate(network.features(inputs["in0"])):
        told[f"feature{number}"] = feature
    if "unit0" in inputs:
        unit = network(2 * inputs["unit0"] - 1, 2 * inputs["unit1"] - 1)
        told["distance_normalize"] = unit["distance"]
    assert len(SLICES[model.info.config["net"]]) == len(found["layers"])
    return told
