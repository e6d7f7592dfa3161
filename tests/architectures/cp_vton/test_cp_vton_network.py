from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mycloset
import try_on_files
from mycloset.architectures.cp_vton.layout import FAMILY
from mycloset.architectures.cp_vton.network import plan
from mycloset.architectures.garment_networks import matching
from mycloset.errors import GarmentError, ModelFileError, OptionError, PersonError
from mycloset.tasks.masks import Mask


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cp_vton")


@pytest.fixture(scope="module")
def gmm(folder: Path) -> mycloset.Model:
    return mycloset.load(try_on_files.gmm(folder / "gmm.pth"))


def _known(height: int = 320, width: int = 240) -> dict[str, Any]:
    _, parsing, pose = try_on_files.person(height, width)
    return {"parsing": parsing, "pose": pose}


def test_published_networks_are_built_on_meta_by_several_threads() -> None:
    claims = list(FAMILY.examples())

    def build(number: int) -> int:
        claim = claims[number % len(claims)]
        with torch.device("meta"):
            network = plan(claim.variant, claim.layout, claim.config).build()
        return sum(value.numel() for value in network.parameters())

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(build, range(8)))
    assert found[:4] == [19_057_650, 19_055_602, 21_349_252, 21_350_276]
    assert found[4:] == found[:4]


@pytest.mark.parametrize(
    ("net", "grid"),
    [
        (try_on_files.GMM._replace(person=19, cloth=3), (256, 192)),
        (try_on_files.GMM._replace(theta=18), (256, 192)),
        (
            try_on_files.GMM._replace(
                widths=(8,) * 5, kernels=(4, 4, 4, 3, 3), correlation=768, features=384
            ),
            (256, 192),
        ),
        (try_on_files.GMM._replace(correlation=768, features=384), (512, 384)),
    ],
)
def test_other_inputs_depths_and_grids_load(
    net: matching.Matching, grid: tuple[int, int], tmp_path: Path
) -> None:
    model = mycloset.load(try_on_files.gmm(tmp_path / "any.pth", net), family="cp_vton")
    with torch.inference_mode():
        found = model.network(torch.zeros(1, net.person, *grid), torch.zeros(1, net.cloth, *grid))
    assert found["grid"].shape == (1, *grid, 2)
    assert found["theta"].shape == (1, net.theta)


def test_a_spline_without_offsets_is_the_identity() -> None:
    from mycloset.architectures.garment_networks.grids import spline_grid

    grid = spline_grid(torch.zeros(1, 50), size=(9, 7), control=5, span=1.0)
    ys, xs = torch.meshgrid(torch.linspace(-1, 1, 9), torch.linspace(-1, 1, 7), indexing="ij")
    assert torch.allclose(grid[0], torch.stack([xs, ys], dim=-1), atol=1e-5)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    shapes = dict(matching.tensors(try_on_files.GMM))
    del shapes["regression.linear.bias"]
    with pytest.raises(ModelFileError, match=r"regression\.linear\.bias"):
        mycloset.load(try_on_files.write(tmp_path / "cut.pth", shapes))


@pytest.mark.parametrize("size", [(320, 240), (300, 500), (900, 120), (64, 64)])
def test_a_warp_has_the_photos_size(gmm: mycloset.Model, size: tuple[int, int]) -> None:
    rgb, _, _ = try_on_files.person(*size)
    cloth, mask = try_on_files.garment()
    warp = gmm(rgb, cloth, cloth_mask=mask, **_known(*size))
    assert warp.grid.shape == (*size, 2)
    assert warp.picture.shape == rgb.shape
    assert warp.draw(rgb).shape == rgb.shape
    assert 0 < warp.alpha.mean() < 1
    assert np.allclose(warp.apply(mask.alpha), warp.alpha)


def test_control_points_lie_on_the_grid(gmm: mycloset.Model) -> None:
    rgb, _, _ = try_on_files.person(256, 192)
    cloth, mask = try_on_files.garment(256, 192)
    warp = gmm(rgb, cloth, cloth_mask=mask, **_known(256, 192))
    x, y = np.round(warp.target[12]).astype(int)
    assert np.abs(warp.grid[y, x] - warp.source[12]).max() < 1.5


def test_both_modules_of_both_systems_make_a_picture(folder: Path) -> None:
    rgb, _, _ = try_on_files.person()
    cloth, mask = try_on_files.garment()
    for plus in (False, True):
        net = try_on_files.GMM._replace(cloth=1 if plus else 3)
        first = mycloset.load(try_on_files.gmm(folder / f"g{plus}.pth", net))
        second = mycloset.load(try_on_files.tom(folder / f"t{plus}.pth", 25 + plus))
        warp = first(rgb, cloth, cloth_mask=mask, **_known())
        found = second(rgb, warp=warp, **_known())
        assert found.picture.shape == rgb.shape
        assert found.frame.shape == (256, 192, 3)
        assert 0.5 <= found.confidence <= 1


def test_the_try_on_module_is_the_published_composition(tmp_path: Path) -> None:
    model = mycloset.load(try_on_files.tom(tmp_path / "tom.pth", widths=(4, 8)))
    person, cloth = torch.randn(1, 22, 16, 16), torch.randn(1, 3, 16, 16)
    with torch.inference_mode():
        found = model.network(person, cloth)
    mask = found["raw"][:, 3:].sigmoid()
    expected = cloth * mask + found["raw"][:, :3].tanh() * (1 - mask)
    assert torch.allclose(found["image"], expected, atol=1e-6)


def test_what_is_missing_is_asked_for(gmm: mycloset.Model) -> None:
    rgb, parsing, pose = try_on_files.person()
    cloth, mask = try_on_files.garment()
    with pytest.raises(OptionError, match="cloth_mask"):
        gmm(rgb, cloth, parsing=parsing, pose=pose)
    with pytest.raises(GarmentError, match="empty"):
        gmm(rgb, cloth, parsing=parsing, pose=pose, cloth_mask=Mask(np.zeros_like(mask.alpha)))
    with pytest.raises(PersonError, match="parsing"):
        gmm(rgb[:100], cloth, parsing=parsing, pose=pose, cloth_mask=mask)


def test_unknown_inputs_are_refused_by_the_processing(tmp_path: Path) -> None:
    file = try_on_files.gmm(tmp_path / "x.pth", try_on_files.GMM._replace(person=30))
    rgb, _, _ = try_on_files.person()
    cloth, mask = try_on_files.garment()
    with pytest.raises(OptionError, match="30 channels"):
        mycloset.load(file, family="cp_vton")(rgb, cloth, cloth_mask=mask, **_known())


def test_corners_are_a_choice_that_can_be_overridden(folder: Path, gmm: mycloset.Model) -> None:
    other = mycloset.load(folder / "gmm.pth", config={"align_corners": False})
    rgb, _, _ = try_on_files.person(256, 192)
    cloth, mask = try_on_files.garment(256, 192)
    first = gmm(rgb, cloth, cloth_mask=mask, **_known(256, 192))
    second = other(rgb, cloth, cloth_mask=mask, **_known(256, 192))
    # Pixels' centres and edges are apart by half a pixel at the border.
    assert 0.1 < np.nanmax(np.abs(first.grid - second.grid)) < 1.0


