"""How the shared networks are built from a claim's config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.errors import ModelFileError

if TYPE_CHECKING:
    from mycloset.architectures.garment_networks.matching_network import MatchingNetwork


def matching_plan(
    make: Callable[..., MatchingNetwork],
    keymap: KeyMap,
    config: Mapping[str, Any],
    *,
    choices: Mapping[str, Any],
) -> NetworkPlan:
    """The plan of a matching module.

    Args:
        make: makes it of the sizes that all systems read the same way.
        keymap: from the file's keys.
        config: the claim's.
        choices: what shapes cannot tell.

    Raises:
        ModelFileError: its control points make no square grid.
    """
    control = config["grid_size"]
    if control is None or control < 2:
        raise ModelFileError(
            f"the matching module gives {config['theta']} numbers, which are no square grid of"
            " control points."
        )
    return NetworkPlan(
        lambda: make(
            widths=config["widths"],
            kernels=config["kernels"],
            correlation=config["correlation_channels"],
            regression=config["regression_widths"],
            regression_kernels=config["regression_kernels"],
            features=config["features"],
            control=control,
        ),
        keymap,
        choices=choices,
    )
