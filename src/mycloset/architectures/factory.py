"""ModelFactory: the network that an analysis describes, built without cost and without weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from mycloset.architectures.plans import has_network, plan_of
from mycloset.errors import ModelFileError

if TYPE_CHECKING:
    import torch


class Described(Protocol):
    """What says which network it is: an analysis of a file, or one of its networks."""

    @property
    def family(self) -> str | None:
        """Its family; None where it is not known."""

    @property
    def variant(self) -> str | None:
        """Its name within the family."""

    @property
    def layout(self) -> str | None:
        """How its keys are named."""

    @property
    def config(self) -> Mapping[str, Any]:
        """What its constructor takes, as read from shapes."""


class ModelFactory:
    """Builds networks by what they were found to be; `mycloset.load` also gives them weights."""

    def create_model_from_analysis(self, analysis: Described) -> torch.nn.Module:
        """The network of an analysis, every tensor on the meta device.

        Args:
            analysis: of `mycloset.inspect`, or one of its networks.

        Raises:
            ModelFileError: the network is not known, or cannot be run.
        """
        import torch

        family = analysis.family
        if family is None:
            raise ModelFileError("The analysis names no network that is known.")
        if not has_network(family):
            raise ModelFileError(f"{family} is recognised, but cannot be run yet.")
        plan = plan_of(family, analysis.variant or "", analysis.layout or "", analysis.config)
        with torch.device("meta"):
            return plan.build()
