from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mycloset.architectures.vgg.network import KEYMAPS, Vgg
from network_trials import apart, built_at_once, filled, image, loaded, outputs

TINY: dict[str, Any] = {
    "cfg": [8, "M", 12, 12, "M", 16, "M", 20, 20, 20, "M", 24, 24, "M"],
    "batch_norm": True,
    "input_channels": 3,
    "widths": (24 * 49, 20, 16, 5),
    "pooled": 7,
}
BARE = {**TINY, "widths": (), "cfg": [64, "M", 128, "M", 256, 256, "M"]}


@pytest.mark.parametrize("normed", [False, True])
@pytest.mark.parametrize("layout", sorted(KEYMAPS))
def test_unseen_widths_depths_and_classes_load_under_every_layout(
    layout: str, normed: bool, tmp_path: Path
) -> None:
    sizes = BARE if layout == "torchvision-sequential" else TINY
    network = filled(Vgg(**{**sizes, "batch_norm": normed}))
    state = network.state_dict()
    if layout == "timm":
        state["classifier.0.weight"] = state["classifier.0.weight"].view(20, 24, 7, 7)
        state["classifier.3.weight"] = state["classifier.3.weight"].view(16, 20, 1, 1)
        state = {KEYMAPS["timm"].restored(key): value for key, value in state.items()}
    elif layout == "torchvision-sequential":
        state = {key.removeprefix("features."): value for key, value in state.items()}
    model = loaded(state, tmp_path)
    assert model.info.layout == layout
    assert apart(outputs(network, image(64)), outputs(model.network, image(64))) < 1e-6


def test_several_threads_build_it_on_the_meta_device() -> None:
    assert built_at_once(lambda: Vgg(**TINY)) == [{"meta"}] * 4
