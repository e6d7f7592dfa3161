"""YOLOv8s of any width, depth, class and point count load from state dicts and pickled modules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import model_files
import mycloset
from mycloset.architectures.yolov8.layout import _claim
from mycloset.architectures.yolov8.network import KEYMAPS, plan
from mycloset.architectures.yolov8.tensors import Head, Network
from mycloset.architectures.yolov8.topology import CLASSIFIER, DETECTORS, Topology
from mycloset.errors import ModelFileError, OptionError

HEADS = {
    "detect": Head("detect", 3, box=8, hidden=12),
    "pose": Head("pose", 1, box=8, hidden=12, extra=(10, 15)),
    "segment": Head("segment", 2, box=8, hidden=12, extra=(10, 6), masks=(9, 6)),
    "obb": Head("obb", 2, box=8, hidden=12, extra=(10, 1)),
    "classify": Head("classify", 4, hidden=24),
}


def network(task: str, topology: Topology = DETECTORS[0], *, fused: bool = False) -> Network:
    """A tiny network that no scale has: every layer of another width, uneven depths."""
    topology = CLASSIFIER if task == "classify" else topology
    outs = tuple(
        0 if layer.kind in ("up", "cat") else 8 + 2 * (place % 3)
        for place, layer in enumerate(topology.layers)
    )
    repeats = tuple(
        1 + place % 2 if layer.kind in ("c2f", "c2") else 0
        for place, layer in enumerate(topology.layers)
    )
    return Network(topology, outs, repeats, HEADS[task], fused=fused)


def weights(made: Network, lead: str = "model.") -> dict[str, torch.Tensor]:
    stream = torch.Generator().manual_seed(5)
    found = {}
    for key, shape in _claim(made, lead).tensors.items():
        values = 0.3 * torch.randn(shape, generator=stream)
        if key.endswith("running_var"):
            values = values.abs() + 0.5
        found[key] = values
        if key.endswith("dfl.conv.weight"):
            found[key] = torch.arange(shape[1]).float().view(shape)
    return found


def saved(folder: Path, tensors: dict[str, torch.Tensor], name: str = "w.pt") -> Path:
    torch.save(tensors, folder / name)
    return folder / name


@pytest.mark.parametrize("task", HEADS)
@pytest.mark.parametrize("topology", DETECTORS, ids=["p5", "p2", "p6"])
def test_every_task_of_every_topology_runs(tmp_path: Path, task: str, topology: Topology) -> None:
    model = mycloset.load(saved(tmp_path, weights(network(task, topology))))
    assert model.info.mapping["rate"] == 1.0
    found = model.network(torch.rand(1, 3, 128, 192))
    if task == "classify":
        assert found["logits"].shape == (1, 4)
        return
    rows = {"detect": 4 + 3, "pose": 4 + 1 + 15, "segment": 4 + 2 + 6, "obb": 4 + 2 + 1}
    places = sum((128 // stride) * (192 // stride) for stride in topology.strides)
    assert found["predictions"].shape == (1, rows[task], places)


@pytest.mark.parametrize("task", HEADS)
def test_keys_without_the_outer_module_give_the_same(tmp_path: Path, task: str) -> None:
    given_ = weights(network(task))
    bare = {key.removeprefix("model."): value for key, value in given_.items()}
    image = torch.rand(1, 3, 64, 64)
    first = mycloset.load(saved(tmp_path, given_))
    second = mycloset.load(saved(tmp_path, bare, "bare.pt"))
    name = "logits" if task == "classify" else "predictions"
    assert torch.equal(first.network(image)[name], second.network(image)[name])
    assert all(KEYMAPS["sequential"].restored(key) in bare for key in given_)


def test_fused_files_load(tmp_path: Path) -> None:
    model = mycloset.load(saved(tmp_path, weights(network("detect", fused=True))))
    assert model.info.config["fused"]
    assert model.network(torch.rand(1, 3, 64, 64))["predictions"].shape == (1, 7, 84)


def test_the_bins_of_a_file_without_them_are_their_numbers() -> None:
    config = dict(_claim(network("detect"), "model.").config)
    (values,) = plan("yolov8", "ultralytics", config).constants().values()
    assert values.flatten().tolist() == list(range(16))


def test_a_pickled_module_names_its_classes(tmp_path: Path) -> None:
    tensors = {
        key: model_files.Tensor("float32", tuple(value.shape), value.numpy().tobytes())
        for key, value in weights(network("detect")).items()
    }
    names = {0: "shirt", 1: "shoe", 2: "hat"}
    module = model_files.module_tree(tensors, attributes={"names": names})
    model_files.write_torch_zip(tmp_path / "m.pt", {"model": module, "epoch": -1})
    model = mycloset.load(tmp_path / "m.pt")
    picture = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)
    assert model(picture, confidence=0.0).names == ("shirt", "shoe", "hat")


def test_the_caller_names_the_classes(tmp_path: Path) -> None:
    file = saved(tmp_path, weights(network("detect")))
    model = mycloset.load(file, config={"names": ["a", "b", "c"]})
    assert model(np.zeros((64, 64, 3), np.uint8)).names == ("a", "b", "c")
    with pytest.raises(OptionError, match="3 classes"):
        mycloset.load(file, config={"names": ["a"]})


@pytest.mark.parametrize("task", ["detect", "pose", "segment"])
@settings(max_examples=8, deadline=None)
@given(height=st.integers(64, 300), width=st.integers(64, 300))
def test_everything_that_is_found_lies_in_the_picture(
    tmp_path_factory: pytest.TempPathFactory, task: str, height: int, width: int
) -> None:
    folder = tmp_path_factory.mktemp(task)
    model = mycloset.load(saved(folder, weights(network(task))), config={"input_size": 128})
    picture = np.random.default_rng(height).integers(0, 255, (height, width, 3), np.uint8)
    found = model(picture, confidence=0.0, most=5)
    assert 0 < len(found) <= 5
    boxes = np.stack([pose.box for pose in found]) if task == "pose" else found.boxes
    assert boxes.min() >= 0
    assert (boxes <= (width, height, width, height)).all()
    if task == "segment":
        for mask, box in zip(found.masks, found.boxes, strict=True):
            low, high = np.floor(box[:2]), np.ceil(box[2:])
            assert mask.shape == tuple((high - low)[::-1].astype(int))


def test_oriented_boxes_have_no_result_for_pictures(tmp_path: Path) -> None:
    model = mycloset.load(saved(tmp_path, weights(network("obb"))))
    with pytest.raises(ModelFileError, match="oriented"):
        model(np.zeros((64, 64, 3), np.uint8))
