"""People's crops into an HRNet, and their joints out; classifiers and backbones as for ImageNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.classification import ImageNetProcessing
from mycloset.architectures.plans import Processing
from mycloset.architectures.top_down import TopDownProcessing, input_size


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> Processing:
    """How an HRNet is used; `input_size` and `udp` of the config as in `network.plan`."""
    joints = config.get("num_joints")
    if joints is None:
        return ImageNetProcessing(space=variant)
    size = config.get("input_size") or input_size(joints)
    return TopDownProcessing(joints=joints, size=size, udp=bool(config.get("udp", False)))
