"""People's crops into a SimpleBaseline, and their joints out; as HRNet, which took it over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.plans import Processing
from mycloset.architectures.top_down import TopDownProcessing, input_size


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> Processing:
    """How a SimpleBaseline is used; `input_size` and `udp` of the config as in `network.plan`."""
    joints = config["num_joints"]
    size = config.get("input_size") or input_size(joints)
    return TopDownProcessing(joints=joints, size=size, udp=bool(config.get("udp", False)))
