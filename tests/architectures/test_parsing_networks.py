"""What all networks that give a class for every pixel have in common."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mycloset
import parsing_files
from mycloset.architectures.family import Shapes
from mycloset.architectures.plans import plan_of
from mycloset.architectures.registry import families
from mycloset.errors import ModelFileError, OptionError

NAMES = sorted(parsing_files.SMALL)


def _load(folder: Path, name: str, **config: Any) -> mycloset.Model:
    shapes, size = parsing_files.SMALL[name]
    file = parsing_files.saved(folder / f"{name}.pth", shapes())
    return mycloset.load(file, config={size: 65, **config})


@pytest.mark.parametrize("name", NAMES)
def test_published_networks_are_built_on_meta_by_several_threads(name: str) -> None:
    claims = list({family.name: family for family in families()}[name].examples())

    def build(number: int) -> int:
        claim = claims[number % len(claims)]
        with torch.device("meta"):
            network = plan_of(name, claim.variant, claim.layout, claim.config).build()
        assert all(value.is_meta for value in network.state_dict().values())
        return sum(value.numel() for value in network.parameters())

    alone = [build(number) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(build, range(4))) == alone


@pytest.mark.parametrize("name", NAMES)
def test_unseen_sizes_load_whole_and_label_pictures_at_their_own_size(
    name: str, tmp_path: Path
) -> None:
    model = _load(tmp_path, name)
    assert (model.info.family, model.info.mapping["rate"], model.info.unused) == (name, 1.0, ())
    assert model(parsing_files.picture(70, 90)).labels.shape == (70, 90)


@pytest.mark.parametrize("size", parsing_files.ODD)
@pytest.mark.parametrize("name", NAMES)
def test_pictures_of_odd_sizes_are_labelled(
    name: str, size: tuple[int, int], tmp_path: Path
) -> None:
    # Past the check of what a picture is: crops of people may be as small.
    model = _load(tmp_path, name)
    found = model.processing(model.session, parsing_files.picture(*size))
    assert found.labels.shape == size
    assert found.labels.max() < len(found.table.labels)


@pytest.mark.parametrize("name", NAMES)
def test_a_list_gives_what_each_picture_gives_alone(name: str, tmp_path: Path) -> None:
    model = _load(tmp_path, name)
    pictures = [parsing_files.picture(80, 64), parsing_files.picture(64, 90)]
    together = model(list(pictures))
    for picture, found in zip(pictures, together, strict=True):
        # Sums of a batch may round otherwise, where two classes are equally likely.
        assert (found.labels == model(picture).labels).mean() > 0.99


@pytest.mark.parametrize("name", NAMES)
def test_the_caller_names_the_classes(name: str, tmp_path: Path) -> None:
    found = _load(tmp_path, name, labels=["ground", "coat", "hair", "boots", "tail"])
    assert found(parsing_files.picture(64, 64)).table.index("tail") == 4


@pytest.mark.parametrize("name", NAMES)
def test_another_number_of_names_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="2 labels, but the network has 5 classes"):
        _load(tmp_path, name, labels=["ground", "coat"])


@pytest.mark.parametrize("name", NAMES)
def test_a_lost_tensor_is_named(name: str, tmp_path: Path) -> None:
    shapes, _ = parsing_files.SMALL[name]
    kept: Shapes = dict(list(shapes().items())[:-1])
    (lost,) = set(shapes()) - set(kept)
    file = parsing_files.saved(tmp_path / "cut.pth", kept)
    with pytest.raises(ModelFileError, match=f"missing: `{lost}`"):
        mycloset.load(file)


def test_halves_of_a_picture_stay_where_they_are(tmp_path: Path) -> None:
    # A network that can only tell bright from dark: its labels must lie where the light does.
    model = _load(tmp_path, "segformer")
    picture = np.zeros((60, 200, 3), np.uint8)
    picture[:, 100:] = 255

    def forward(method: str = "forward", /, **inputs: Any) -> dict[str, Any]:
        bright = inputs["image"][:, :1, ::4, ::4]
        return {"logits": np.concatenate([-bright, bright], 1)}

    labels = model.processing(forward, picture).labels
    assert not labels[:, :96].any()
    assert (labels[:, 104:] == 1).all()
