from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mycloset.architectures.resnet.network import KEYMAPS, ResNet
from network_trials import ODD_SIZES, apart, built_at_once, filled, image, loaded, named, outputs
from network_trials import picture as drawn

TINY: dict[str, Any] = {
    "bottleneck": False,
    "layers": (1, 2, 1, 3),
    "planes": (8, 16, 24, 32),
    "groups": 1,
    "base_width": 64,
    "stem_channels": 8,
    "stem_kernel": 7,
    "input_channels": 3,
    "classes": 7,
}
DEEP = {**TINY, "bottleneck": True, "stem_channels": 16}


@pytest.mark.parametrize("layout", sorted(KEYMAPS))
@pytest.mark.parametrize("unseen", [TINY, DEEP], ids=["plain", "bottleneck"])
def test_unseen_depths_and_widths_load_under_every_layout(
    layout: str, unseen: dict[str, Any], tmp_path: Path
) -> None:
    sizes = unseen if layout == "torchvision" else {**unseen, "classes": 0}
    network = filled(ResNet(**sizes))
    model = loaded(named(network, KEYMAPS[layout]), tmp_path)
    assert model.info.layout == layout
    assert apart(outputs(network, image(64)), outputs(model.network, image(64))) < 1e-6


def test_a_picture_of_one_channel_and_wide_groups_load(tmp_path: Path) -> None:
    network = filled(ResNet(**{**DEEP, "input_channels": 1, "groups": 4, "base_width": 32}))
    model = loaded(network.state_dict(), tmp_path)
    given = image(64, channels=1)
    assert apart(outputs(network, given), outputs(model.network, given)) < 1e-6


def test_several_threads_build_it_on_the_meta_device() -> None:
    assert built_at_once(lambda: ResNet(**DEEP)) == [{"meta"}] * 4


@pytest.mark.parametrize("size", ODD_SIZES)
def test_any_size_of_picture_gets_an_embedding(size: tuple[int, int], tmp_path: Path) -> None:
    model = loaded(filled(ResNet(**TINY)).state_dict(), tmp_path)
    found = model(drawn(*size))
    assert found.vector.shape == (32,)
    assert np.isfinite(found.vector).all()
    assert [number for number, _ in found.classes(3)] == np.argsort(-found.logits)[:3].tolist()
