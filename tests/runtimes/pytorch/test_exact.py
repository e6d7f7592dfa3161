"""Modules that stay float32 in a network of a shorter type."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from mycloset.architectures.plans import NetworkPlan
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.runtimes.pytorch.building import build
from mycloset.runtimes.pytorch.exact import exact_modules
from mycloset.runtimes.pytorch.tensors import FileTensors


class Squares(nn.Module):
    """Overflows in float16: it takes the mean of squares of what its layer gives."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, maps: torch.Tensor, *, more: dict[str, torch.Tensor]) -> dict[str, object]:
        found = self.layer(maps) + more["shift"]
        return {"root": found.square().mean(-1, keepdim=True).sqrt(), "both": (found, [found])}


class Network(nn.Module):
    """One such between layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.squares, self.last = nn.Linear(8, 8), Squares(), nn.Linear(1, 1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        maps = self.first(maps)
        found = self.squares(maps, more={"shift": maps})
        assert found["both"][0].dtype == found["both"][1][0].dtype == maps.dtype
        made: torch.Tensor = self.last(found["root"])
        return made


def exact(path: str, module: nn.Module) -> bool:
    return isinstance(module, Squares) or path == "squares.layer"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("exact") / "x.pth"
    torch.save(Network().state_dict(), path)
    return path


def built(plan: NetworkPlan, path: Path, dtype: torch.dtype | None) -> nn.Module:
    checkpoint = read_checkpoint(path)
    with FileTensors(checkpoint) as tensors:
        table = checkpoint.groups[0].table
        return build(plan, table, tensors, name="x", dtype=dtype).network


def test_only_the_outermost_are_named() -> None:
    with torch.device("meta"):
        assert exact_modules(NetworkPlan(Network, exact=exact), Network()) == ("squares",)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_they_hold_float32_and_the_rest_does_not(dtype: torch.dtype, path: Path) -> None:
    made = built(NetworkPlan(Network, exact=exact), path, dtype)
    held = {key: value.dtype for key, value in made.state_dict().items()}
    inside = {key: kind for key, kind in held.items() if key.startswith("squares.")}
    assert set(inside.values()) == {torch.float32}
    assert {kind for key, kind in held.items() if key not in inside} == {dtype}


def test_casts_at_the_borders_keep_what_would_overflow(path: Path) -> None:
    given = 1000.0 * torch.ones(1, 8, dtype=torch.float16)
    with torch.inference_mode():
        plain = built(NetworkPlan(Network), path, torch.float16)(given)
        kept = built(NetworkPlan(Network, exact=exact), path, torch.float16)(given)
        expected = built(NetworkPlan(Network), path, torch.float32)(given.float())
    assert not plain.isfinite().all()
    assert kept.dtype == torch.float16
    assert torch.allclose(kept.float(), expected, rtol=5e-3)


@pytest.mark.parametrize("dtype", [torch.float32, None])
def test_without_a_shorter_type_nothing_is_cast(dtype: torch.dtype | None, path: Path) -> None:
    made = built(NetworkPlan(Network, exact=exact), path, dtype)
    assert not made.get_submodule("squares")._forward_pre_hooks
