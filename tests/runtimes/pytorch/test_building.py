"""Networks from plans: filled by assignment, complete or refused, without any made-up number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.errors import ModelFileError
from mycloset.runtimes.pytorch.building import Built, build
from mycloset.runtimes.pytorch.tensors import FileTensors


class Small(nn.Module):
    """A little of everything: norms with counters, a table of constants, a tied weight."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.register_buffer("grid", torch.zeros(5), persistent=False)
        self.position = nn.Parameter(torch.zeros(1, 4))
        self.first = nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4)
        self.tied.weight = self.first.weight


PLAN = NetworkPlan(
    Small,
    constants=lambda: {"grid": torch.arange(5.0)},
    interpolated={"position": lambda tensor, shape: tensor[:, : shape[1]].contiguous()},
)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return Small().state_dict()


Make = Callable[..., Built]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    def make(state: dict[str, Any], plan: NetworkPlan = PLAN, **options: Any) -> Built:
        path = tmp_path / "small.pth"
        torch.save(state, path)
        checkpoint = read_checkpoint(path)
        with FileTensors(checkpoint) as tensors:
            table = checkpoint.groups[0].table
            return build(plan, table, tensors, name=path.name, **options)

    return make


def test_every_tensor_is_the_files(made: Make, state: dict[str, torch.Tensor]) -> None:
    built = made(state)
    for key, value in built.network.state_dict().items():
        assert torch.equal(value, state[key]), key
    assert built.mapped.rate == 1.0
    assert not built.network.training
    assert not any(p.requires_grad for p in built.network.parameters())


def test_tied_weights_stay_one_tensor(made: Make, state: dict[str, torch.Tensor]) -> None:
    network = made(state).network
    assert network.tied.weight.data_ptr() == network.first.weight.data_ptr()


def test_a_tied_weight_under_one_of_its_names_is_enough(
    made: Make, state: dict[str, torch.Tensor]
) -> None:
    del state["tied.weight"]
    network = made(state).network
    assert network.tied.weight is network.first.weight


def test_constants_come_from_the_plan(made: Make, state: dict[str, torch.Tensor]) -> None:
    assert torch.equal(made(state).network.grid, torch.arange(5.0))


def test_counters_may_be_missing(made: Make, state: dict[str, torch.Tensor]) -> None:
    del state["bn.num_batches_tracked"]
    assert int(made(state).network.bn.num_batches_tracked) == 0


def test_missing_tensors_are_named(made: Make, state: dict[str, torch.Tensor]) -> None:
    del state["conv.bias"]
    with pytest.raises(ModelFileError, match=r"small\.pth: 1 tensors are missing: `conv\.bias`"):
        made(state)


def test_a_misshapen_tensor_is_named_with_both_shapes(
    made: Make, state: dict[str, torch.Tensor]
) -> None:
    state["conv.bias"] = torch.zeros(7)
    with pytest.raises(ModelFileError, match=r"`conv\.bias` is \[7\], not \[4\]"):
        made(state)


def test_what_may_be_missing_is_zero_and_told(made: Make, state: dict[str, torch.Tensor]) -> None:
    del state["conv.bias"]
    built = made(state, allow_missing=["conv.bias"])
    assert built.lacking == ("conv.bias",)
    assert not built.network.conv.bias.any()


def test_leave_for_one_tensor_is_no_leave_for_another(
    made: Make, state: dict[str, torch.Tensor]
) -> None:
    del state["conv.bias"]
    with pytest.raises(ModelFileError, match=r"conv\.bias"):
        made(state, allow_missing=["bn.bias"])


def test_a_position_table_is_resized_only_on_request(
    made: Make, state: dict[str, torch.Tensor]
) -> None:
    state["position"] = torch.ones(1, 9)
    with pytest.raises(ModelFileError, match="interpolate=True"):
        made(state)
    built = made(state, interpolate=True)
    assert built.interpolated == (("position", (1, 9)),)
    assert built.network.position.shape == (1, 4)


def test_a_cast_keeps_whole_numbers(made: Make, state: dict[str, torch.Tensor]) -> None:
    network = made(state, dtype=torch.float16).network
    assert network.conv.weight.dtype == torch.float16
    assert network.bn.num_batches_tracked.dtype == torch.int64


def test_keys_that_the_network_has_no_place_for_are_told(
    made: Make, state: dict[str, torch.Tensor]
) -> None:
    state["head.weight"] = torch.ones(2)
    assert made(state).mapped.unused == ("head.weight",)


def test_renamed_keys_find_their_place(made: Make, state: dict[str, torch.Tensor]) -> None:
    plan = NetworkPlan(Small, KeyMap(renames=(("stem", "conv"),)), PLAN.constants)
    renamed = {key.replace("conv.", "stem."): value for key, value in state.items()}
    assert torch.equal(made(renamed, plan).network.conv.weight, state["conv.weight"])


def test_writing_to_a_weight_leaves_the_file_alone(
    made: Make, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    network = made(state).network
    before = (tmp_path / "small.pth").read_bytes()
    network.conv.weight.data.fill_(3.0)
    assert (tmp_path / "small.pth").read_bytes() == before
