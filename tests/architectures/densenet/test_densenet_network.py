from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mycloset.architectures.densenet.network import DenseNet
from network_trials import apart, built_at_once, filled, image, loaded, outputs

TINY: dict[str, Any] = {
    "growth": 8,
    "blocks": (2, 3, 1, 2),
    "stem": 16,
    "bottleneck": 4,
    "transitions": (16, 20, 14),
    "input_channels": 3,
    "classes": 5,
}


@pytest.mark.parametrize("layout", ["torchvision", "torchvision-old"])
@pytest.mark.parametrize("classes", [0, 5])
def test_unseen_growth_and_depth_load_under_every_layout(
    layout: str, classes: int, tmp_path: Path
) -> None:
    network = filled(DenseNet(**{**TINY, "classes": classes}))
    state = network.state_dict()
    if layout == "torchvision-old":
        for kind in ("norm", "conv"):
            for number in ("1", "2"):
                state = {
                    key.replace(f".{kind}{number}.", f".{kind}.{number}.")
                    if ".denselayer" in key
                    else key: value
                    for key, value in state.items()
                }
    model = loaded(state, tmp_path)
    assert model.info.layout == layout
    assert apart(outputs(network, image(64)), outputs(model.network, image(64))) < 1e-6


def test_several_threads_build_it_on_the_meta_device() -> None:
    assert built_at_once(lambda: DenseNet(**TINY)) == [{"meta"}] * 4
