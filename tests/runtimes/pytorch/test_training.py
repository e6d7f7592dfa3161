"""`checkpointing`: the same gradients from fewer kept activations."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from mycloset.runtimes.pytorch.training import checkpointing, repeated_blocks


class Block(nn.Module):
    """A residual block with a norm that counts what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(4, 16, 3, padding=1), nn.BatchNorm2d(16), nn.GELU(), nn.Conv2d(16, 4, 1)
        )
        self.drop = nn.Dropout(0.2)

    def forward(self, maps: torch.Tensor, *, scale: float = 1.0) -> torch.Tensor:
        found: torch.Tensor = maps + scale * self.drop(self.layers(maps))
        return found


class Network(nn.Module):
    """Repeats a block."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)
        self.blocks = nn.ModuleList(Block() for _ in range(4))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        maps = self.first(image)
        for block in self.blocks:
            maps = block(maps, scale=0.5)
        found: torch.Tensor = maps
        return found


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return Network().train()


def step(network: nn.Module) -> tuple[dict[str, Any], int]:
    """State and gradients after one step back, and bytes kept for it."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    torch.manual_seed(1)
    image = torch.linspace(-1, 1, 2 * 3 * 64).reshape(2, 3, 8, 8).sin()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = network(image).square().sum()
        held = sum(kept.values())
        loss.backward()
    found = {f"grad {key}": value.grad for key, value in network.named_parameters()}
    return {**found, **{key: value.clone() for key, value in network.named_buffers()}}, held


def test_gradients_and_counted_norms_are_the_same_and_less_is_kept(network: Network) -> None:
    state = {key: value.clone() for key, value in network.state_dict().items()}
    expected, before = step(network)
    network.load_state_dict(state)
    network.zero_grad()
    assert checkpointing(network) == 4
    found, after = step(network)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.allclose(found[key], value, rtol=1e-5, atol=1e-7), key
    assert after < 0.5 * before


def test_it_can_be_switched_off(network: Network) -> None:
    plain = step(network)[1]
    checkpointing(network)
    checkpointing(network)
    checkpointing(network, on=False)
    assert step(network)[1] == plain
    assert "forward" not in vars(network.blocks[0])


def test_without_gradients_nothing_changes(network: Network) -> None:
    image = torch.randn(1, 3, 8, 8)
    with torch.inference_mode():
        expected = network.eval()(image)
        checkpointing(network)
        assert torch.equal(network(image), expected)


def test_the_innermost_blocks_are_found() -> None:
    stages = nn.Sequential(*(nn.Sequential(Block(), Block()) for _ in range(2)))
    assert list(repeated_blocks(stages)) == ["0.0", "0.1", "1.0", "1.1"]


def test_plain_layers_are_no_blocks() -> None:
    assert repeated_blocks(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1))) == {}
