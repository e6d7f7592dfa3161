"""SCHP's norms, and its square put back on the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mycloset.architectures.schp.network import ActivatedNorm
from mycloset.architectures.schp.processing import SchpProcessing
from mycloset.tasks.label_tables import LIP_20


def _norm(*, active: bool, sign: float) -> torch.Tensor:
    norm = ActivatedNorm(2, active=active)
    values = {"weight": [0.5, 2.0], "bias": [0.1, -0.1], "running_mean": [1.0, 0.0]}
    state = {name: torch.tensor(value) for name, value in values.items()}
    state["weight"] *= sign
    norm.load_state_dict({**state, "running_var": torch.tensor([4.0, 1.0])})
    with torch.inference_mode():
        return norm(torch.tensor([[[[-3.0]], [[-1.0]]]])).flatten()


def test_a_negative_scale_counts_as_positive() -> None:
    assert torch.equal(_norm(active=True, sign=1.0), _norm(active=True, sign=-1.0))


def test_what_is_below_zero_leaks_a_hundredth() -> None:
    plain = _norm(active=False, sign=1.0)
    assert plain.tolist() == pytest.approx([-0.9, -2.1], abs=1e-3)
    assert _norm(active=True, sign=1.0).tolist() == pytest.approx((plain * 0.01).tolist())


@pytest.mark.parametrize("size", [(60, 200), (200, 60), (301, 300)])
def test_labels_lie_where_the_light_lies(size: tuple[int, int]) -> None:
    height, width = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[height // 2 :, width // 2 :] = 255

    def forward(method: str = "forward", /, **inputs: Any) -> dict[str, Any]:
        bright = inputs["image"][:, :1, ::4, ::4]
        return {"fusion_result": np.concatenate([-bright, bright], 1)}

    labels = SchpProcessing(LIP_20, 473)(forward, picture).labels
    edge = 5
    assert labels[height // 2 + edge :, width // 2 + edge :].all()
    assert not labels[: height // 2 - edge].any()
    assert not labels[:, : width // 2 - edge].any()


def test_the_network_sees_blue_first() -> None:
    picture = np.zeros((50, 50, 3), np.uint8)
    picture[..., 2] = 255
    values, _ = SchpProcessing(LIP_20, 33).prepare(picture)
    blue, _, red = values[0, :, 16, 16]
    assert blue == pytest.approx((1 - 0.406) / 0.225, rel=1e-5)
    assert red == pytest.approx(-0.485 / 0.229, rel=1e-5)
