"""OpenPose's networks of any number of joints, limbs and stages load from both layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import mycloset
from mycloset.architectures.family import Claim
from mycloset.architectures.openpose import layout
from mycloset.errors import OptionError

MADE: dict[str, Callable[[str], Claim]] = {
    "body": lambda keys: layout._body(keys, limbs=8, maps=6, stages=2, features=24),
    "hand": lambda keys: layout._part(keys, maps=5, stages=2, features=24),
    "body_25": lambda keys: layout._body_25(keys, limbs=6, maps=5, stages=(2, 2)),
}


def weights(claim: Claim) -> dict[str, torch.Tensor]:
    """Tensors whose values depend on the last parts of their keys, the same in every layout."""
    stream = torch.Generator()
    found = {}
    for key, shape in claim.tensors.items():
        stream.manual_seed(sum(".".join(key.split(".")[-2:]).encode()))
        values = torch.randn(shape, generator=stream)
        found[key] = values / max(1, values[0].numel()) ** 0.5
    return found


@pytest.mark.parametrize("kind", MADE)
def test_module_keys_give_what_caffes_keys_give(tmp_path: Path, kind: str) -> None:
    image = torch.randn(1, 3, 32, 40)
    found: list[dict[str, Any]] = []
    for keys in ("caffe", "pytorch"):
        file = tmp_path / f"{keys}.pth"
        torch.save(weights(MADE[kind](keys)), file)
        model = mycloset.load(file)
        assert model.info.layout == keys
        with torch.inference_mode():
            found.append(model.network(image))
    assert found[0].keys() == found[1].keys()
    for name, expected in found[0].items():
        assert expected.shape[2:] == (4, 5)
        assert torch.equal(found[1][name], expected)


def test_unknown_joints_need_limbs_before_people_can_be_found(tmp_path: Path) -> None:
    torch.save(weights(MADE["body"]("caffe")), tmp_path / "w.pth")
    picture = torch.zeros(64, 64, 3, dtype=torch.uint8).numpy()
    with pytest.raises(OptionError, match="limbs"):
        mycloset.load(tmp_path / "w.pth")(picture)
    limbs = [[0, 1], [1, 2], [2, 3], [3, 4]]
    model = mycloset.load(tmp_path / "w.pth", config={"limbs": limbs})
    assert model(picture, boxsize=64).to_dict().keys() == {"people"}


def test_limbs_that_the_network_does_not_have_are_refused(tmp_path: Path) -> None:
    torch.save(weights(MADE["body"]("caffe")), tmp_path / "w.pth")
    with pytest.raises(OptionError, match="4 limbs"):
        mycloset.load(tmp_path / "w.pth", config={"limbs": [[0, 1]]})


def test_the_last_heatmaps_relu_is_a_choice(tmp_path: Path) -> None:
    torch.save(weights(MADE["body"]("caffe")), tmp_path / "w.pth")
    image = 8 * torch.randn(1, 3, 32, 32)
    maps = [
        mycloset.load(tmp_path / "w.pth", config={"final_relu": on}).network(image)["heatmap"]
        for on in (True, False)
    ]
    assert maps[1].min() < 0
    assert torch.equal(maps[0], maps[1].relu())
