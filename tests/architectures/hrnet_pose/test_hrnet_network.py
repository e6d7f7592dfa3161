"""HRNets of any width and depth load from every layout of their keys, to the same outputs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import mycloset
from mycloset.architectures.hrnet_pose.network import KEYMAPS, plan
from mycloset.architectures.hrnet_pose.processing import processing
from mycloset.architectures.hrnet_pose.tensors import Backbone, Head, Stage, tensors
from mycloset.architectures.top_down import TopDownProcessing

TINY = Backbone(
    3,
    (8, 8),
    ("BOTTLENECK", 2, 4),
    (
        Stage(1, "BASIC", (1, 2), (6, 12), 2),
        Stage(2, "BASIC", (1, 1, 1), (6, 12, 20), 3),
        Stage(2, "BASIC", (1, 1, 1, 1), (6, 12, 20, 28), 1),
    ),
)
"""Uneven on purpose: widths, blocks and modules that no published network has."""


def weights(head: Head, backbone: Backbone = TINY) -> dict[str, torch.Tensor]:
    """A tiny network's tensors under the authors' keys."""
    stream = torch.Generator().manual_seed(3)
    found = {}
    for key, shape in tensors(backbone, head, "", "final_layer").items():
        values = 0.2 * torch.randn(shape, generator=stream)
        found[key] = values.abs() + 0.5 if key.endswith("running_var") else values
    return found


def saved(folder: Path, tensors_: dict[str, torch.Tensor], name: str = "w.pth") -> Path:
    torch.save(tensors_, folder / name)
    return folder / name


@pytest.mark.parametrize("layout", ["mmpose-0.x", "mmpose-1.x"])
def test_each_layout_gives_what_the_authors_keys_give(tmp_path: Path, layout: str) -> None:
    given = weights(Head(joints=17))
    image = torch.randn(1, 3, 64, 64)
    first = mycloset.load(saved(tmp_path, given))
    renamed = {KEYMAPS[layout].restored(key): value for key, value in given.items()}
    second = mycloset.load(saved(tmp_path, renamed, "other.pth"))

    assert (first.info.layout, second.info.layout) == ("original", layout)
    expected = first.network(image)["heatmaps"]
    assert expected.shape == (1, 17, 16, 16)
    assert torch.equal(second.network(image)["heatmaps"], expected)


def test_classifiers_and_backbones_give_embeddings(tmp_path: Path) -> None:
    stages = (*TINY.stages[:-1], TINY.stages[-1]._replace(rows=4))
    whole = TINY._replace(stages=stages)
    head = Head(classes=5, incre=(4, 5, 6, 7), features=16)
    picture = np.full((80, 90, 3), 90, np.uint8)

    classified = mycloset.load(saved(tmp_path, weights(head, whole)))(picture)
    features = mycloset.load(saved(tmp_path, weights(Head(), whole), "b.pth"))(picture)

    assert classified.logits.shape == (5,)
    assert classified.vector.shape == (16,)
    assert features.vector.shape == (6 + 12 + 20 + 28,)


def test_networks_are_built_by_several_threads_at_once() -> None:
    def build(width: int) -> int:
        config = {
            "input_channels": 3,
            "stem_channels": [8, 8],
            "stage_outputs": [1],
            "num_joints": 3,
            "final_conv_kernel": 1,
            "stages": {
                "STAGE1": {"NUM_BLOCKS": [1], "NUM_CHANNELS": [4], "BLOCK": "BASIC"},
                "STAGE2": {
                    "NUM_MODULES": 1,
                    "BLOCK": "BASIC",
                    "NUM_BLOCKS": [1, 1],
                    "NUM_CHANNELS": [width, 2 * width],
                },
            },
        }
        with torch.device("meta"):
            made = plan(f"w{width}", "original", config).build()
        assert all(tensor.is_meta for tensor in made.state_dict().values())
        return int(made.state_dict()["final_layer.weight"].shape[1])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(build, range(4, 20, 4))) == [4, 8, 12, 16]


def test_the_crops_size_is_a_choice_that_the_caller_overrides(tmp_path: Path) -> None:
    file = saved(tmp_path, weights(Head(joints=17)))
    assert mycloset.load(file).info.choices["input_size"] == [256, 192]
    model = mycloset.load(file, config={"input_size": [96, 64]})
    assert isinstance(model.processing, TopDownProcessing)
    assert model.processing.size == (96, 64)


def test_the_files_name_tells_the_crops_size(tmp_path: Path) -> None:
    file = saved(tmp_path, weights(Head(joints=17)), "hrnet_w48_coco_384x288_udp-0f89c63e.pth")
    choices = mycloset.load(file).info.choices
    assert choices == {"input_size": [384, 288], "udp": True}


@pytest.mark.parametrize(
    ("joints", "skeleton"),
    [(17, "COCO-17"), (133, "COCO-WholeBody-133"), (16, "MPII-16"), (9, "9 joints")],
)
def test_the_number_of_joints_says_which_they_are(joints: int, skeleton: str) -> None:
    made = processing("w48", "original", {"num_joints": joints})
    assert isinstance(made, TopDownProcessing)
    assert made.skeleton.name == skeleton
    assert len(made.skeleton.joints) == joints
