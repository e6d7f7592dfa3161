"""`mycloset.load`: where a network goes, and as what: spread, int8, trainable, sharing its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import mycloset
from mycloset.architectures.srvgg.network import Compact
from mycloset.architectures.vgg.network import Vgg
from mycloset.errors import OptionError
from mycloset.runtimes.pytorch.measuring import resident, storages

CFG: list[int | str] = [4, "M", 4, "M", 8, 8, "M", 8, 8, "M", 8, 8, "M"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with most of its numbers in linear layers."""
    torch.manual_seed(3)
    made = Vgg(cfg=CFG, batch_norm=True, input_channels=3, widths=(8 * 49, 64, 64, 5), pooled=7)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    path = tmp_path_factory.mktemp("ways") / "vgg.pth"
    torch.save(made.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64).sin()


def logits(model: mycloset.Model, picture: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(model.session(image=picture.numpy())["logits"])


@pytest.fixture(scope="module")
def expected(path: Path, picture: torch.Tensor) -> torch.Tensor:
    return logits(mycloset.load(path), picture)


def test_auto_names_the_device_that_it_took(path: Path) -> None:
    told = mycloset.load(path, device="auto").info
    assert torch.device(told.device).type in ("cpu", "cuda", "mps")
    assert told.device_map == {}


@pytest.mark.parametrize(("precision", "most"), [("float32", 130_000), ("bfloat16", 65_000)])
def test_what_memory_has_no_room_for_stays_in_the_file(
    precision: str, most: int, path: Path, picture: torch.Tensor, expected: torch.Tensor
) -> None:
    pytest.importorskip("accelerate")
    model = mycloset.load(path, precision=precision, max_memory={"cpu": most})
    assert set(model.info.device_map.values()) == {"cpu", "disk"}
    assert model.info.device == "cpu + disk"
    found = logits(model, picture)
    close = 1e-5 if precision == "float32" else 0.03
    assert float((found - expected).abs().max()) <= close * float(expected.abs().max())
    away = [key for key, value in model.network.named_parameters() if value.is_meta]
    assert away


def test_what_stays_in_the_file_counts_as_no_memory(path: Path) -> None:
    pytest.importorskip("accelerate")
    whole = sum(storages(mycloset.load(path).network).values())
    model = mycloset.load(path, max_memory={"cpu": 130_000})
    assert sum(storages(model.network).values()) < whole - 100_000


def test_a_spread_network_is_neither_trained_nor_of_bytes(path: Path) -> None:
    for options in ({"trainable": True}, {"precision": "int8"}, {"precision": "auto"}):
        given: dict[str, Any] = options
        with pytest.raises(OptionError, match="spread"):
            mycloset.load(path, device="spread", **given)


def test_limits_are_not_for_one_device(path: Path) -> None:
    with pytest.raises(OptionError, match="max_memory"):
        mycloset.load(path, device="mps", max_memory={"cpu": 1000})


def test_int8_is_near_and_small(path: Path, picture: torch.Tensor, expected: torch.Tensor) -> None:
    model = mycloset.load(path, precision="int8")
    found = logits(model, picture)
    assert float((found - expected).abs().max()) < 0.02 * float(expected.abs().max())
    whole = sum(storages(mycloset.load(path).network).values())
    assert sum(storages(model.network).values()) < 0.4 * whole
    assert model.info.precision.startswith("int8: 88% of its numbers")


def test_int8_of_a_network_of_convolutions_is_refused(tmp_path: Path) -> None:
    made = Compact(channels=3, features=8, convolutions=4, scale=2, activation="prelu")
    torch.save({"params": made.state_dict()}, tmp_path / "x.pth")
    with pytest.raises(OptionError, match="linear layers"):
        mycloset.load(tmp_path / "x.pth", precision="int8")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_trainable_network_has_tensors_of_its_own(
    precision: str, path: Path, picture: torch.Tensor, expected: torch.Tensor
) -> None:
    model = mycloset.load(path, precision=precision, trainable=True)
    assert all(parameter.requires_grad for parameter in model.network.parameters())
    assert storages(model.network).keys().isdisjoint(storages(mycloset.load(path).network))
    dtype = getattr(torch, precision)
    model.network(picture.to(dtype))["logits"].float().square().sum().backward()
    with torch.no_grad():
        for parameter in model.network.parameters():
            assert parameter.grad is not None
            parameter.add_(1.0)
    assert torch.equal(logits(mycloset.load(path), picture), expected)


def test_checkpointing_a_network_that_repeats_nothing_is_refused(path: Path) -> None:
    with pytest.raises(OptionError, match="repeats no blocks"):
        mycloset.load(path, trainable=True, checkpointing=True)


def test_loads_of_one_file_share_its_memory(path: Path) -> None:
    first, second = mycloset.load(path), mycloset.load(path)
    assert set(storages(first.network)) == set(storages(second.network))
    for one, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert one.data_ptr() == other.data_ptr()
    assert resident(first.network, second.network) == resident(first.network)


def test_a_file_that_is_read_is_not_shared(path: Path) -> None:
    first, second = mycloset.load(path, mapped=False), mycloset.load(path, mapped=False)
    assert storages(first.network).keys().isdisjoint(storages(second.network))


@pytest.mark.parametrize("precision", ["auto", "float16", "int8"])
def test_what_is_done_to_one_model_leaves_the_others_of_its_file(
    precision: str, path: Path, picture: torch.Tensor
) -> None:
    plain = mycloset.load(path)
    before = {key: value.clone() for key, value in plain.network.state_dict().items()}
    logits(mycloset.load(path, precision=precision), picture)
    after = plain.network.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
