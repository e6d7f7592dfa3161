from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mycloset.architectures.alexnet.network import AlexNet
from network_trials import apart, built_at_once, filled, image, loaded, outputs

TINY: dict[str, Any] = {
    "widths": (16, 24, 32, 24, 16),
    "hidden": (20, 12),
    "pooled": 6,
    "input_channels": 3,
    "classes": 4,
}


@pytest.mark.parametrize("layout", ["torchvision", "torchvision-sequential"])
def test_unseen_widths_and_classes_load_under_every_layout(layout: str, tmp_path: Path) -> None:
    bare = layout != "torchvision"
    network = filled(AlexNet(**{**TINY, "classes": 0 if bare else 4}))
    state = network.state_dict()
    if bare:
        state = {key.removeprefix("features."): value for key, value in state.items()}
    model = loaded(state, tmp_path)
    assert model.info.layout == layout
    assert apart(outputs(network, image(96)), outputs(model.network, image(96))) < 1e-6


def test_several_threads_build_it_on_the_meta_device() -> None:
    assert built_at_once(lambda: AlexNet(**TINY)) == [{"meta"}] * 4
