"""`QuantizedLinear`: linear layers of bytes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mycloset.errors import OptionError
from mycloset.runtimes.pytorch import quantising
from mycloset.runtimes.pytorch.quantising import QuantizedLinear, prepare


def quantised(layer: nn.Linear) -> QuantizedLinear:
    made = QuantizedLinear(layer.in_features, layer.out_features, bias=True)
    made.bias = nn.Parameter(layer.bias.detach(), requires_grad=False)
    made.fill(layer.weight.detach())
    return made


@pytest.fixture
def layer() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(96, 40)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("shape", [(96,), (1, 96), (7, 96), (2, 5, 96)])
def test_it_is_near_the_layer_whose_place_it_takes(
    shape: tuple[int, ...], exact: bool, layer: nn.Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exact:
        monkeypatch.setattr(quantising, "exact_products", lambda: False)
    given = torch.randn(shape)
    with torch.inference_mode():
        found, expected = quantised(layer)(given), layer(given)
    assert found.shape == expected.shape
    assert float((found - expected).abs().max()) < 0.02 * float(expected.abs().max())


def test_rows_that_are_far_apart_do_not_spoil_each_other(layer: nn.Linear) -> None:
    given = torch.randn(2, 96)
    given[1] *= 1e4
    with torch.inference_mode():
        found, expected = quantised(layer)(given)[0], layer(given)[0]
    assert float((found - expected).abs().max()) < 0.02 * float(expected.abs().max())


def test_nothing_becomes_nothing(layer: nn.Linear) -> None:
    with torch.inference_mode():
        assert torch.equal(quantised(layer)(torch.zeros(3, 96)), layer.bias.expand(3, -1))


def test_its_weights_can_be_asked_for(layer: nn.Linear) -> None:
    weight = quantised(layer).weight
    expected = layer.weight.detach()
    assert torch.allclose(weight, expected, atol=float(expected.abs().max()) / 200)


def test_shared_and_small_layers_stay() -> None:
    with torch.device("meta"):
        network = nn.Sequential(nn.Linear(99, 99), nn.Linear(4, 4), nn.Linear(90, 90))
        network.append(nn.Linear(90, 90))
    network[3].weight = network[2].weight
    share = prepare(network, "x")
    kinds = [type(module) for module in network]
    assert kinds == [QuantizedLinear, nn.Linear, nn.Linear, nn.Linear]
    assert 0.5 < share < 0.6


def test_a_network_of_few_linear_layers_is_refused() -> None:
    with torch.device("meta"):
        network = nn.Sequential(nn.Conv2d(64, 64, 3), nn.Linear(64, 64))
    with pytest.raises(OptionError, match="10% of its numbers"):
        prepare(network, "x.pth")
