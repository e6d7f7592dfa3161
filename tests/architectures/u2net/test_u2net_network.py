"""U²-Nets on pictures: masks of one channel, clothes of several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mycloset
import parsing_files
from mycloset.architectures.u2net.layout import _SMALL, _tensors
from mycloset.architectures.u2net.processing import processing
from mycloset.errors import OptionError
from mycloset.tasks.masks import Mask

SALIENT = {"out_ch": 1, "stem": None}


@pytest.mark.parametrize("size", parsing_files.ODD)
def test_one_channel_gives_a_soft_mask_at_the_picture_s_size(
    size: tuple[int, int], tmp_path: Path
) -> None:
    file = parsing_files.saved(tmp_path / "u2netp.pth", _tensors(_SMALL))
    model = mycloset.load(file, config={"size": 64})
    found = model.processing(model.session, parsing_files.picture(*size))
    assert isinstance(found, Mask)
    assert found.alpha.shape == size
    assert 0.0 <= found.alpha.min() <= found.alpha.max() <= 1.0


def _bright(method: str = "forward", /, **inputs: Any) -> dict[str, Any]:
    """A network that finds what is bright."""
    return {"d0": inputs["image"][:, :1]}


def _half() -> np.ndarray:
    picture = np.zeros((40, 100, 3), np.uint8)
    picture[:, 50:] = 200
    return picture


def test_the_mask_lies_where_the_thing_is() -> None:
    alpha = processing("u2net", "original", SALIENT)(_bright, _half()).alpha
    assert alpha[:, :45].max() < 0.05
    assert alpha[:, 55:].min() > 0.95


def test_portraits_are_drawn_in_black() -> None:
    portrait = processing("u2net", "original", {**SALIENT, "purpose": "portrait"})
    alpha = portrait(_bright, _half()).alpha
    assert alpha[:, :45].min() > 0.95
    assert alpha[:, 55:].max() < 0.05


def test_a_map_without_contrast_is_not_stretched() -> None:
    found = processing("u2net", "original", SALIENT)(_bright, np.zeros((20, 20, 3), np.uint8))
    assert (np.isfinite(found.alpha).all(), found.confidence) == (True, 0.0)


def test_an_unknown_purpose_is_refused() -> None:
    with pytest.raises(OptionError, match="purpose"):
        processing("u2net", "original", {**SALIENT, "purpose": "cats"})
