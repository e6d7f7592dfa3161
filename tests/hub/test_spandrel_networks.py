"""Networks that only spandrel knows: loaded from our tensors, and told as what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from spandrel import ModelLoader
from spandrel.architectures.LaMa import LaMa
from spandrel.architectures.SAFMN import SAFMN
from spandrel.architectures.SPAN import SPAN

import mycloset
from mycloset.errors import ModelFileError, OptionError
from mycloset.images import RGB


def network() -> Any:
    torch.manual_seed(0)
    return SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2).eval()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "2x_unheard_of.pth"
    torch.save({"params_ema": network().state_dict()}, path)
    return path


@pytest.fixture
def picture() -> RGB:
    return np.random.default_rng(0).integers(0, 256, (70, 65, 3), dtype=np.uint8)


def test_a_picture_comes_out_as_from_spandrel(file: Path, picture: RGB) -> None:
    made = mycloset.load(file)(picture)
    tensor = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    expected = ModelLoader().load_from_state_dict(network().state_dict()).eval()(tensor)
    assert made.made_by == "spandrel:SPAN"
    assert np.abs(made.rgb - 255 * expected[0].permute(1, 2, 0).numpy()).max() < 0.51


def test_it_is_told_as_spandrels(file: Path) -> None:
    info = mycloset.load(file, family="spandrel:SPAN").info
    assert (info.family, info.task) == ("spandrel:SPAN", "super-resolution")
    assert info.mapping["rate"] == 1.0
    assert "not known" in info.licence


def test_another_network_of_spandrel_is_not_there(file: Path) -> None:
    with pytest.raises(ModelFileError, match="spandrel:SPAN"):
        mycloset.load(file, family="spandrel:HAT")


def test_a_precision_that_it_cannot_do_with_is_refused(file: Path) -> None:
    torch.save(SAFMN(dim=8, n_blocks=2, upscaling_factor=2).state_dict(), file)
    with pytest.raises(OptionError, match="float16"):
        mycloset.load(file, precision="float16")


def test_options_of_our_networks_are_refused(file: Path) -> None:
    with pytest.raises(OptionError, match="spandrel"):
        mycloset.load(file, allow_missing=True)


def test_a_tensor_that_is_missing_is_not_made_up(file: Path) -> None:
    state = network().state_dict()
    del state["conv_1.sk.bias"]
    torch.save(state, file)
    with pytest.raises(ModelFileError, match=r"conv_1\.sk\.bias"):
        mycloset.load(file)


def test_what_nobody_knows_stays_unknown(file: Path) -> None:
    torch.save({"strange.weight": torch.ones(3, 3), "strange.bias": torch.ones(3)}, file)
    with pytest.raises(ModelFileError, match="mycloset inspect"):
        mycloset.load(file)


def test_networks_that_take_a_mask_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "masked.pth"
    torch.save(LaMa().state_dict(), path)
    with pytest.raises(ModelFileError, match="mask"):
        mycloset.load(path)
