from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional
from torchvision.models import squeezenet1_1

from mycloset.architectures.lpips.network import SCALE, SHIFT, Lpips
from mycloset.errors import ModelFileError, OptionError
from network_trials import apart, built_at_once, filled, image, loaded, outputs
from network_trials import picture as drawn

WIDTHS = {
    "alex": (64, 192, 384, 256, 256),
    "squeeze": (64, 128, 256, 384, 384, 512, 512),
}
HEADS = {"dropout": True, "scaled": True}


def _network(net: str) -> Lpips:
    network = Lpips(net=net, widths=WIDTHS[net], **HEADS)
    filled(network)
    network.scaling_layer.shift.copy_(torch.tensor(SHIFT).view(1, 3, 1, 1))
    network.scaling_layer.scale.copy_(torch.tensor(SCALE).view(1, 3, 1, 1))
    return network


@pytest.fixture(scope="module")
def squeeze() -> Lpips:
    return _network("squeeze")


def _of_torchvision(network: Lpips) -> torch.nn.Module:
    trunk = squeezenet1_1()
    own = {".".join(k.split(".")[1:]): v for k, v in network.net.state_dict().items()}
    trunk.features.load_state_dict(own)
    return trunk.eval()


def test_the_squeeze_variant_follows_the_published_formula(squeeze: Lpips) -> None:
    trunk = _of_torchvision(squeeze).features
    first, second = image(64, count=1), image(96, count=1)[..., :64, :64]
    total = torch.zeros(1, 1, 1, 1)
    with torch.inference_mode():
        maps = []
        for given in (first, second):
            x = (given - squeeze.scaling_layer.shift) / squeeze.scaling_layer.scale
            taken = []
            for place, layer in enumerate(trunk):
                x = layer(x)
                if place in (1, 4, 7, 9, 10, 11, 12):
                    taken.append(functional.normalize(x, eps=1e-10))
            maps.append(taken)
        for number, (one, two) in enumerate(zip(*maps, strict=True)):
            weight = squeeze.state_dict()[f"lin{number}.model.1.weight"]
            total += (weight * (one - two) ** 2).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    found = outputs(squeeze, first, second)["distance"]
    assert float(found) == pytest.approx(float(total), rel=1e-5)


def test_heads_alone_load_with_their_backbones_file(squeeze: Lpips, tmp_path: Path) -> None:
    trunk = tmp_path / "squeezenet1_1.pth"
    torch.save(_of_torchvision(squeeze).state_dict(), trunk)
    heads = {key: value for key, value in squeeze.state_dict().items() if key.startswith("lin")}
    model = loaded(heads, tmp_path, backbone=trunk)
    given = image(64)
    here, there = (
        outputs(squeeze, given, given.flip(0)),
        outputs(model.network, given, given.flip(0)),
    )
    assert apart(here, there) < 1e-6


def test_heads_without_a_backbone_are_refused_by_name(squeeze: Lpips, tmp_path: Path) -> None:
    heads = {key: value for key, value in squeeze.state_dict().items() if key.startswith("lin")}
    with pytest.raises(ModelFileError, match=r"net\.slice1"):
        loaded(heads, tmp_path)


def test_several_threads_build_it_on_the_meta_device() -> None:
    found = built_at_once(lambda: Lpips(net="alex", widths=WIDTHS["alex"], **HEADS))
    assert found == [{"meta"}] * 4


@pytest.fixture(scope="module")
def model(squeeze: Lpips, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return loaded(squeeze.state_dict(), tmp_path_factory.mktemp("lpips"))


def test_equal_pictures_are_not_apart(model: Any) -> None:
    assert model(drawn(70, 80), drawn(70, 80)).value == 0


@pytest.mark.parametrize("size", [(64, 200), (301, 65), (97, 101)])
def test_odd_sizes_are_measured_at_each_pixel(model: Any, size: tuple[int, int]) -> None:
    found = model(drawn(*size), drawn(*size, seed=1))
    assert found.places.shape == size
    assert np.isfinite(found.value)


def test_other_sizes_are_refused_unless_resized(model: Any) -> None:
    with pytest.raises(OptionError, match="differ in size"):
        model(drawn(70, 80), drawn(80, 70))
    assert model(drawn(70, 80), drawn(80, 70), resize=True).places.shape == (70, 80)


def test_a_distance_draws_on_its_picture_and_tells_its_value(model: Any) -> None:
    found = model(drawn(70, 80), drawn(70, 80, seed=1))
    assert found.draw(drawn(70, 80)).dtype == np.uint8
    assert found.to_dict() == {"measure": found.measure, "value": found.value}
