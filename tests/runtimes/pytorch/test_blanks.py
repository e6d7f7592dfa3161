"""Networks without values: built, then copied; a copy leads nowhere but into itself."""

from __future__ import annotations

import functools
import gc
import types
from typing import Any

import pytest
import torch
from torch import nn

from mycloset.architectures.family import Family
from mycloset.architectures.plans import NetworkPlan, has_network, plan_of
from mycloset.architectures.registry import families
from mycloset.runtimes.pytorch.blanks import blank
from mycloset.runtimes.pytorch.copying import UncopiedError, copied


class Small(nn.Module):
    """A little of everything that modules hold."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.first.weight
        self.norm = nn.BatchNorm1d(4)
        self.table = torch.tensor([1.0, 2.0], device="cpu")
        self.aside = [self.first, (self.norm, {"deep": self.tied})]
        self.method = self.first.forward
        self.part = functools.partial(self.norm.forward)
        self.activation = nn.functional.relu
        nn.init.constant_(self.tied.bias, 3.0)


def modules_behind(network: nn.Module) -> set[int]:
    """The modules to which anything that a network holds leads."""
    found, left = {}, [network]
    known: set[int] = set()
    held: Any
    while left:
        held = left.pop()
        if id(held) in known or isinstance(held, type | types.ModuleType):
            continue
        known.add(id(held))
        if isinstance(held, types.FunctionType):
            left.append(held.__closure__)
            continue
        if isinstance(held, nn.Module):
            found[id(held)] = held
        left.extend(gc.get_referents(held))
    return set(found)


@pytest.fixture
def builds() -> list[int]:
    return []


@pytest.fixture
def plan(builds: list[int]) -> NetworkPlan:
    def build() -> nn.Module:
        builds.append(1)
        return Small()

    return NetworkPlan(build)


def test_the_third_network_of_a_plan_is_a_copy(plan: NetworkPlan, builds: list[int]) -> None:
    made = [blank(plan) for _ in range(4)]
    assert len(builds) == 2
    assert len({str(network) for network in made}) == 1
    behind = [modules_behind(network) for network in made]
    assert [len(modules) for modules in behind] == [4] * 4
    assert len(set.union(*behind)) == 16


def test_plans_alike_do_not_share_networks(builds: list[int]) -> None:
    for _ in range(5):
        blank(NetworkPlan(lambda: builds.append(1) or Small()))
    assert len(builds) == 5


def test_a_copy_holds_no_values_but_those_of_constants(plan: NetworkPlan) -> None:
    *_, last = (blank(plan) for _ in range(3))
    assert all(tensor.is_meta for tensor in [*last.parameters(), *last.buffers()])
    assert not last.training and not any(p.requires_grad for p in last.parameters())
    assert torch.equal(last.table, torch.tensor([1.0, 2.0]))


def test_tied_weights_stay_tied(plan: NetworkPlan) -> None:
    *_, last = (blank(plan) for _ in range(3))
    assert last.tied.weight is last.first.weight
    assert last.method.__self__ is last.first and last.part.func.__self__ is last.norm
    assert last.aside[0] is last.first and last.aside[1][1]["deep"] is last.tied


def test_values_put_into_a_network_are_not_in_the_next(plan: NetworkPlan) -> None:
    for _ in range(3):
        network = blank(plan)
        assert network.first.weight.is_meta
        network.first._parameters["weight"] = nn.Parameter(torch.ones(4, 4))
        network.table.fill_(9.0)
    assert torch.equal(blank(plan).table, torch.tensor([1.0, 2.0]))


@pytest.mark.parametrize("what", [lambda module: lambda: module, lambda module: object()])
def test_what_may_know_a_network_is_not_copied(what: Any, builds: list[int]) -> None:
    class Odd(nn.Linear):
        def __init__(self) -> None:
            super().__init__(2, 2)
            builds.append(1)
            self.held = what(self)

    with pytest.raises(UncopiedError):
        copied(Odd())
    del builds[:]
    plan = NetworkPlan(Odd)
    assert [type(blank(plan)) for _ in range(4)] == [Odd] * 4
    assert len(builds) == 4


@pytest.mark.parametrize(
    "family", [each for each in families() if has_network(each.name)], ids=lambda each: each.name
)
def test_networks_of_every_family_can_be_copied(family: Family) -> None:
    claim = next((c for c in family.examples() if not c.parts and "vit_dim" not in c.config), None)
    if claim is None:
        pytest.skip("its published files hold networks of other families")
    network = blank(plan_of(family.name, claim.variant, claim.layout, dict(claim.config)))
    copy = copied(network)
    assert str(copy) == str(network)
    assert copy.state_dict(keep_vars=True).keys() == network.state_dict(keep_vars=True).keys()
    assert not modules_behind(copy) & modules_behind(network)
