"""SimpleBaselines load from every layout, with any number of transposed convolutions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import mycloset
from mycloset.architectures.pose_resnet.layout import Network, tensors
from mycloset.architectures.pose_resnet.network import KEYMAPS


def weights(made: Network) -> dict[str, torch.Tensor]:
    stream = torch.Generator().manual_seed(3)
    found = {}
    for key, shape in tensors(made, "original").items():
        values = 0.05 * torch.randn(shape, generator=stream)
        found[key] = values.abs() + 0.5 if key.endswith("running_var") else values
    return found


@pytest.mark.parametrize("layout", ["mmpose-0.x", "mmpose-1.x"])
def test_each_layout_gives_what_the_authors_keys_give(tmp_path: Path, layout: str) -> None:
    given = weights(Network(False, (1, 1, 1, 1), ((16, 4), (12, 3), (8, 2)), True, 17, 3))
    torch.save(given, tmp_path / "a.pth")
    torch.save({KEYMAPS[layout].restored(k): v for k, v in given.items()}, tmp_path / "b.pth")
    first, second = (mycloset.load(tmp_path / name) for name in ("a.pth", "b.pth"))
    image = torch.randn(1, 3, 64, 96)
    expected = first.network(image)["heatmaps"]
    assert (first.info.layout, second.info.layout) == ("original", layout)
    assert expected.shape == (1, 17, 16, 24)
    assert torch.equal(second.network(image)["heatmaps"], expected)


def test_a_picture_gives_a_pose(tmp_path: Path) -> None:
    torch.save(
        weights(Network(True, (1, 1, 1, 1), ((8, 4),) * 3, False, 16, 1)), tmp_path / "w.pth"
    )
    poses = mycloset.load(tmp_path / "w.pth")(np.full((90, 70, 3), 99, np.uint8), flip=True)
    assert poses[0].skeleton.name == "MPII-16"
