from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mycloset.architectures.mobilefacenet.layout import INSIGHTFACE, OLDER, Network, tensors
from mycloset.architectures.mobilefacenet.network import MobileFaceNet
from network_trials import apart, built_at_once, filled, image, loaded, outputs

TINY = Network(
    inputs=3,
    widths=(16, 24),
    blocks=(1, 2, 1, 3),
    hidden=(0, 20, 18, 26, 30, 34, 28),
    last=40,
    embedding=12,
    kernel=4,
    groups=8,
)
ROWS = TINY._replace(blocks=(2, 1, 2, 1), hidden=(14, 20, 18, 26, 30, 34, 28), kernel=7)


def _built(sizes: Network, *, unit: bool = False) -> MobileFaceNet:
    given: dict[str, Any] = sizes._asdict()
    return MobileFaceNet(input_channels=given.pop("inputs"), unit=unit, **given)


@pytest.mark.parametrize("names", [INSIGHTFACE, OLDER], ids=lambda names: names.layout)
@pytest.mark.parametrize("sizes", [TINY, ROWS], ids=["grouped", "rows"])
def test_unseen_widths_and_depths_load_under_every_layout(
    names: Any, sizes: Network, tmp_path: Path
) -> None:
    network = filled(_built(sizes, unit=names is OLDER))
    keys = list(tensors(sizes, names))
    own = network.state_dict()
    state = {key: own[mine] for key, mine in zip(keys, tensors(sizes, INSIGHTFACE), strict=True)}
    model = loaded(state, tmp_path)
    given = image(16 * sizes.kernel)
    assert model.info.layout == names.layout
    assert model.info.unused == ()
    assert apart(outputs(network, given), outputs(model.network, given)) < 1e-6


def test_the_older_network_gives_embeddings_of_length_1() -> None:
    found = outputs(filled(_built(TINY, unit=True)), image(64))["embedding"]
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))


def test_several_threads_build_it_on_the_meta_device() -> None:
    assert built_at_once(lambda: _built(ROWS)) == [{"meta"}] * 4
