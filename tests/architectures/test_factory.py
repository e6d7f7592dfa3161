"""Networks from analyses, without weights."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import golden_files
import mycloset
from foreign_files import write_safetensors
from mycloset.architectures import ModelFactory
from mycloset.errors import ModelFileError

NAMES = [
    "hrnet_pose/w48_coco_256x192",
    "schp/atr",
    "sam/sam_vit_b_01ec64",
    "rrdb/RealESRGAN_x4plus",
]


@pytest.mark.parametrize("name", NAMES)
def test_an_analysis_is_enough_to_build_its_network(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_safetensors(path, golden_files.tensors(name))
    network = ModelFactory().create_model_from_analysis(mycloset.inspect(path))
    shapes = {
        key: tuple(value.shape)
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    assert shapes == {
        key: shape
        for key, shape in golden_files.shapes(name).items()
        if not key.endswith("num_batches_tracked")
    }
    assert all(value.is_meta for value in network.state_dict().values())


def test_many_threads_build_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_safetensors(path, golden_files.tensors(NAMES[0]))
    analysis = mycloset.inspect(path)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(ModelFactory().create_model_from_analysis, [analysis] * 8))
    assert all(parameter.is_meta for network in made for parameter in network.parameters())


def test_what_is_not_known_cannot_be_built(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_safetensors(path, [("layer.weight", "float32", (3, 5))])
    with pytest.raises(ModelFileError, match="no network that is known"):
        ModelFactory().create_model_from_analysis(mycloset.inspect(path))
