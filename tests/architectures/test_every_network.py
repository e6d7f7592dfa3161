"""Every published network of the families that run: built, and each tensor finds its place."""

from __future__ import annotations

import pytest

from mycloset.architectures.family import Claim, Family
from mycloset.architectures.keymapper import KeyMapper
from mycloset.architectures.plans import has_network, plan_of, processing_of
from mycloset.architectures.registry import families
from mycloset.errors import ModelFileError
from mycloset.runtimes.pytorch.blanks import blank

RUNNING = [family for family in families() if has_network(family.name)]


def refused(claim: Claim) -> bool:
    """Whether the family says itself that this variant cannot be run yet."""
    return "vit_dim" in claim.config


@pytest.mark.parametrize("family", RUNNING, ids=lambda family: family.name)
def test_every_tensor_of_every_published_layout_has_its_place(family: Family) -> None:
    for claim in family.examples():
        if claim.parts or refused(claim):
            continue
        config = dict(claim.config)
        plan = plan_of(family.name, claim.variant, claim.layout, config)
        tensors = blank(plan).state_dict(keep_vars=True)
        wanted = {key: tuple(value.shape) for key, value in tensors.items()}
        spare = plan.optional | frozenset(plan.constants())
        mapped = KeyMapper(plan.keymap, spare).map(claim.tensors, wanted)
        told = (claim.variant, claim.layout)
        assert (*told, mapped.unused, mapped.misshapen) == (*told, (), ())
        # A tensor that goes by two names lies in the file under one of them at least.
        given = {id(tensors[step.target]) for step in mapped.steps}
        lacking = [key for key in mapped.missing if id(tensors[key]) not in given]
        assert plan.backbone is not None or (*told, lacking) == (*told, [])
        processing_of(
            family.name, claim.variant, claim.layout, {**plan.choices, **config, "file": "x.pth"}
        )


@pytest.mark.parametrize("name", ["sam", "mobile_sam"])
def test_what_cannot_be_run_says_so(name: str) -> None:
    (family,) = (family for family in RUNNING if family.name == name)
    claim = next(claim for claim in family.examples() if refused(claim))
    with pytest.raises(ModelFileError, match="cannot be made yet"):
        plan_of(family.name, claim.variant, claim.layout, dict(claim.config))
