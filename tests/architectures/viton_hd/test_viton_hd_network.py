from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mycloset
import try_on_files
from mycloset.architectures.garment_networks.alias_network import AliasGenerator, SpectralConv2d
from mycloset.architectures.viton_hd.labels import GROUPS_7, GROUPS_13, VITON_HD_13
from mycloset.architectures.viton_hd.layout import FAMILY
from mycloset.architectures.viton_hd.network import plan
from mycloset.errors import ModelFileError, OptionError

SIZE = {"load_height": 256, "load_width": 256}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, mycloset.Model]:
    folder = tmp_path_factory.mktemp("viton_hd")
    net = try_on_files.GMM._replace(person=7)
    files = {
        "seg": try_on_files.seg(folder / "seg.pth"),
        "gmm": try_on_files.gmm(folder / "gmm.pth", net),
        "alias": try_on_files.generator(folder / "alias.pth"),
    }
    return {name: mycloset.load(file, config=SIZE) for name, file in files.items()}


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

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(build, range(3))) == [34_531_149, 19_042_290, 100_498_115]


@pytest.mark.parametrize("size", [(320, 240), (256, 256), (200, 500)])
def test_the_whole_chain_gives_pictures_of_the_photos_size(
    models: dict[str, mycloset.Model], size: tuple[int, int]
) -> None:
    rgb, _, _ = try_on_files.person(*size)
    cloth, mask = try_on_files.garment()
    known = _known(*size)
    dressed = models["seg"](rgb, cloth, cloth_mask=mask, **known)
    warp = models["gmm"](rgb, cloth, cloth_mask=mask, dressed=dressed, **known)
    found = models["alias"](rgb, dressed=dressed, warp=warp, **known)
    assert dressed.table == VITON_HD_13
    assert dressed.labels.shape == size
    assert dressed.framed.shape == (256, 256)
    assert warp.grid.shape == (*size, 2)
    assert found.picture.shape == rgb.shape
    assert found.frame.shape == (256, 256, 3)


def test_noise_is_reproducible_by_its_seed(models: dict[str, mycloset.Model]) -> None:
    rgb, _, _ = try_on_files.person()
    cloth, mask = try_on_files.garment()
    dressed = models["seg"](rgb, cloth, cloth_mask=mask, **_known())
    warp = models["gmm"](rgb, cloth, cloth_mask=mask, dressed=dressed, **_known())
    given = {"dressed": dressed, "warp": warp, **_known()}
    first, again, other, none = (
        models["alias"](rgb, seed=seed, **given).frame for seed in (3, 3, 4, None)
    )
    assert (first == again).all()
    assert (first != other).any()
    assert (first != none).any()


def test_a_size_that_cannot_be_halved_often_enough_is_refused(tmp_path: Path) -> None:
    file = try_on_files.generator(tmp_path / "alias.pth")
    model = mycloset.load(file, config={"load_height": 320, "load_width": 256})
    least = mycloset.load(file, config={"load_height": 128, "load_width": 128})
    rgb, parsing, _ = try_on_files.person()
    cloth, mask = try_on_files.garment()
    gmm = mycloset.load(
        try_on_files.gmm(tmp_path / "g.pth", try_on_files.GMM._replace(person=7)), config=SIZE
    )
    dressed = mycloset.load(try_on_files.seg(tmp_path / "s.pth"), config=SIZE)(
        rgb, cloth, cloth_mask=mask, **_known()
    )
    warp = gmm(rgb, cloth, cloth_mask=mask, dressed=dressed, **_known())
    with pytest.raises(OptionError, match="multiples of 128"):
        model(rgb, dressed=dressed, warp=warp, **_known())
    with pytest.raises(OptionError, match="at least twice"):
        least(rgb, dressed=dressed, warp=warp, **_known())
    with pytest.raises(OptionError, match="LIP-20"):
        gmm(rgb, cloth, cloth_mask=mask, dressed=parsing, **_known())


def test_a_weight_is_divided_by_its_estimated_largest_singular_value() -> None:
    layer = SpectralConv2d(3, 5, 3, padding=1, bias=True)
    with torch.no_grad():
        for value in (layer.weight_orig, layer.bias, layer.weight_u, layer.weight_v):
            assert isinstance(value, torch.Tensor)
            value.normal_()
        matrix = layer.weight_orig.flatten(1)
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        layer.get_buffer("weight_u").copy_(left[:, 0])
        layer.get_buffer("weight_v").copy_(right[0])
        picture = torch.randn(1, 3, 6, 6)
        expected = torch.nn.functional.conv2d(
            picture, layer.weight_orig / values[0], layer.bias, padding=1
        )
        assert torch.allclose(layer(picture), expected, atol=1e-5)


def test_a_generator_without_spectral_norms_and_with_fewer_blocks_loads(tmp_path: Path) -> None:
    net = try_on_files.ALIAS._replace(
        spectral=False, widths=(16, 16, 16, 8, 8, 8, 8), labels=(8,) * 5 + (7,) * 2
    )
    model = mycloset.load(try_on_files.generator(tmp_path / "folded.pth", net))
    assert isinstance(model.network, AliasGenerator)
    labels = torch.zeros(1, 7, 128, 64)
    labels[:, 0] = 1
    region = torch.zeros(1, 1, 128, 64)
    with torch.inference_mode():
        found = model.network(
            torch.randn(1, 9, 128, 64), labels, torch.cat([labels, region], 1), region
        )
    assert found["image"].shape == (1, 3, 128, 64)
    assert torch.isfinite(found["image"]).all()


def test_other_widths_of_the_segmentation_generator_load(tmp_path: Path) -> None:
    model = mycloset.load(try_on_files.seg(tmp_path / "seg.pth", (4, 6, 8, 10, 12)))
    with torch.inference_mode():
        found = model.network(torch.randn(1, 21, 32, 32))
    assert found["scores"].shape == (1, 13, 32, 32)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    from mycloset.architectures.garment_networks import alias

    shapes = dict(alias.tensors(try_on_files.ALIAS))
    del shapes["up_0.conv_0.weight_u"]
    with pytest.raises(ModelFileError, match=r"up_0\.conv_0\.weight_u"):
        mycloset.load(try_on_files.write(tmp_path / "cut.pth", shapes))


@pytest.mark.parametrize(("groups", "labels"), [(GROUPS_13, 20), (GROUPS_7, 13)])
def test_every_label_is_in_one_group(groups: tuple[tuple[int, ...], ...], labels: int) -> None:
    assert sorted(label for group in groups for label in group) == list(range(labels))


def test_the_frames_size_is_a_choice(models: dict[str, mycloset.Model]) -> None:
    assert {**models["alias"].info.choices} == SIZE
    assert np.isclose(models["gmm"].info.config["load_height"], 256)
