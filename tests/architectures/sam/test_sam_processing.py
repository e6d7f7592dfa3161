"""Prompts into Segment Anything and masks out, on a network whose masks are known."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mycloset.architectures.sam.processing import KEPT, SamProcessing
from mycloset.errors import OptionError
from network_trials import picture


class Fake:
    """A network that gives the same logits for every prompt, and notes what it is given."""

    def __init__(self, logits: NDArray[np.float32], quality: float = 0.95) -> None:
        self.logits, self.quality = logits, quality
        self.encoded = 0
        self.prompts: list[dict[str, Any]] = []

    def __call__(self, method: str = "forward", /, **inputs: Any) -> dict[str, NDArray[Any]]:
        if method == "encode":
            self.encoded += 1
            return {"output": np.zeros((1, 4, 64, 64), np.float32)}
        self.prompts.append(inputs)
        first = next(inputs[k] for k in ("points", "boxes", "masks") if k in inputs)
        count = len(first)
        scores = self.quality - 0.01 * np.arange(4, dtype=np.float32)
        return {
            "masks": np.broadcast_to(self.logits, (count, 4, 256, 256)).copy(),
            "iou": np.tile(scores, (count, 1)),
        }


def block(rows: slice, columns: slice) -> NDArray[np.float32]:
    """Logits that are high on a block of the network's 256 x 256."""
    logits = np.full((256, 256), -9, np.float32)
    logits[rows, columns] = 9
    return logits


def test_prompts_are_brought_to_the_networks_pixels() -> None:
    fake = Fake(block(slice(0, 50), slice(0, 50)))
    SamProcessing()(fake, picture(256, 512), points=[(100, 50)], labels=[0])
    assert np.allclose(fake.prompts[0]["points"], [[[200, 100]]])
    assert fake.prompts[0]["labels"].tolist() == [[0]]


def test_masks_are_those_of_the_picture_without_its_padding() -> None:
    fake = Fake(block(slice(0, 64), slice(128, 256)))
    found = SamProcessing()(fake, picture(256, 512), points=[(400, 50)])
    box = found.best.box
    assert found.best.alpha.shape == (256, 512)
    assert box is not None and np.allclose(box, (256, 0, 512, 128), atol=2)


@pytest.mark.parametrize(
    ("prompt", "number"),
    [
        ({"points": [(5, 5)]}, 3),
        ({"points": [(5, 5)], "multimask": False}, 1),
        ({"points": [(5, 5), (9, 9)]}, 1),
        ({"boxes": [(0, 0, 9, 9)]}, 1),
        ({"boxes": [(0, 0, 9, 9), (5, 5, 30, 40)]}, 2),
        ({"mask": np.zeros((256, 256), np.float32)}, 1),
    ],
)
def test_one_point_is_ambiguous_and_has_three_masks(prompt: dict[str, Any], number: int) -> None:
    fake = Fake(block(slice(0, 50), slice(0, 50)))
    assert len(SamProcessing()(fake, picture(100, 90), **prompt)) == number


def test_a_picture_is_encoded_once_for_many_prompts_and_by_its_content() -> None:
    fake, made = Fake(block(slice(0, 50), slice(0, 50))), SamProcessing()
    first = picture(64, 64)
    for point in ((1, 1), (2, 2), (3, 3)):
        made(fake, first.copy(), points=[point])
    assert fake.encoded == 1
    first[0, 0, 0] ^= 1
    made(fake, first, points=[(1, 1)])
    assert fake.encoded == 2


def test_the_oldest_embedding_leaves() -> None:
    fake, made = Fake(block(slice(0, 50), slice(0, 50))), SamProcessing()
    for seed in (*range(KEPT + 1), 0):
        made(fake, picture(64, 64, seed), points=[(1, 1)])
    assert fake.encoded == KEPT + 2


def test_everything_is_one_mask_where_all_points_find_the_same() -> None:
    fake = Fake(block(slice(10, 50), slice(10, 60)))
    found = SamProcessing()(fake, picture(200, 200), points_per_side=5)
    assert sum(len(prompt["points"]) for prompt in fake.prompts) == 25
    assert len(found) == 1


def test_stability_is_judged_in_the_picture_alone() -> None:
    logits = block(slice(20, 50), slice(50, 120))
    logits[80:] = 0.5  # Vague, but below a picture of 1000 x 300.
    assert len(SamProcessing()(Fake(logits), picture(300, 1000), points_per_side=2)) == 1


def test_vague_masks_are_left_out() -> None:
    logits = block(slice(20, 50), slice(50, 120))
    logits[50:74] = 0.5
    assert len(SamProcessing()(Fake(logits), picture(300, 1000), points_per_side=2)) == 0


@pytest.mark.parametrize(("least", "number"), [(9_000, 1), (11_000, 0)])
def test_small_masks_are_left_out_on_request(least: int, number: int) -> None:
    fake = Fake(block(slice(0, 100), slice(0, 100)))
    found = SamProcessing()(fake, picture(256, 256), points_per_side=2, least_area=least)
    assert len(found) == number


def test_memory_does_not_grow_with_the_pictures_size_for_each_candidate() -> None:
    fake = Fake(block(slice(10, 50), slice(10, 60)))
    shown = picture(900, 1200)
    tracemalloc.start()
    SamProcessing()(fake, shown, points_per_side=8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 192 candidates: 830 MB as full masks, 50 MB as the network gives them.
    assert peak < 300e6


@pytest.mark.parametrize(
    "prompt",
    [
        {"points": [1, 2, 3]},
        {"points": np.zeros((0, 2))},
        {"points": [(1, 1)], "labels": [1, 0]},
        {"points": [(1, 1)], "labels": [2]},
        {"labels": [1]},
        {"boxes": [(9, 9, 1, 1)]},
        {"points": [(1, 1)], "boxes": [(0, 0, 9, 9), (0, 0, 8, 8)]},
        {"mask": np.zeros((64, 64), np.float32)},
        {"points_per_side": 0},
        {"least_area": -1},
    ],
)
def test_prompts_that_do_not_fit_are_refused(prompt: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        SamProcessing()(Fake(block(slice(0, 9), slice(0, 9))), picture(64, 64), **prompt)
