"""Devices by name, and which one "auto" is."""

from __future__ import annotations

import pytest
import torch

from mycloset.errors import OptionError
from mycloset.runtimes.pytorch.devices import best_device, device_of, room


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with three graphics cards."""
    free = [1000, 3000, 2000]

    def told(number: int) -> tuple[int, int]:
        return free[number], 4000

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "mem_get_info", told)


@pytest.fixture
def no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("cards")
def test_auto_is_the_card_with_the_most_free_memory() -> None:
    assert device_of("auto") == torch.device("cuda:1")


@pytest.mark.usefixtures("cards")
def test_a_card_has_room_for_less_than_is_free() -> None:
    assert room(torch.device("cuda:2"), 1999)
    assert not room(torch.device("cuda:2"), 2000)


@pytest.mark.usefixtures("no_cards")
@pytest.mark.parametrize(("metal", "kind"), [(True, "mps"), (False, "cpu")])
def test_without_cards_auto_is_metal_or_the_cpu(
    metal: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: metal)
    assert best_device() == torch.device(kind)


@pytest.mark.usefixtures("no_cards")
@pytest.mark.parametrize("name", ["cuda", "cuda:1", "tpu", "cpu:x"])
def test_what_is_not_there_is_refused_by_name(name: str) -> None:
    with pytest.raises(OptionError, match=name):
        device_of(name)


@pytest.mark.usefixtures("cards")
def test_a_card_too_many_is_refused() -> None:
    with pytest.raises(OptionError, match="cuda:3"):
        device_of("cuda:3")
