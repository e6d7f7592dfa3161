"""MobileSAM in a shorter type: its norms stay float32, and nothing else does."""

from __future__ import annotations

from torch import nn

from family_checks import read_golden
from mycloset.architectures.mobile_sam.layout import FAMILY
from mycloset.architectures.mobile_sam.network import plan
from mycloset.runtimes.pytorch.blanks import blank
from mycloset.runtimes.pytorch.exact import exact_modules


def test_norms_and_nothing_else_stay_exact() -> None:
    claim = read_golden(FAMILY, "mobile_sam/mobile_sam")
    made = plan(claim.variant, claim.layout, claim.config)
    network = blank(made)
    kept = {type(network.get_submodule(path)).__name__ for path in exact_modules(made, network)}
    assert kept == {"LayerNorm", "LayerNorm2d", "BatchNorm2d"}
    assert any(isinstance(module, nn.Linear | nn.Conv2d) for module in network.modules())
