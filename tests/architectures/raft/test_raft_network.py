"""RAFT: built without values, loaded under both layouts' names, and any pictures through it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchvision.models.optical_flow import raft_large, raft_small

import golden_files
from mycloset.architectures.raft.layout import read
from mycloset.architectures.raft.network import Raft
from mycloset.architectures.raft.processing import RaftProcessing, processing
from mycloset.errors import OptionError
from mycloset.tasks.flows import Flow
from network_trials import built_at_once, filled, loaded, outputs, picture

CONFIG = read(golden_files.shapes("raft/raft_things")).config


def pair(side: int = 128) -> tuple[torch.Tensor, torch.Tensor]:
    draw = np.random.RandomState(5).random_sample((2, 1, 3, side, side)).astype(np.float32)
    first, second = torch.from_numpy(2 * draw - 1)
    return first, second


def moving(seen: list[dict[str, Any]], motion: tuple[float, float] = (3.0, -5.0)) -> Any:
    """A network in which everything moved alike, and what it was given."""

    def forward(method: str = "forward", /, **inputs: Any) -> dict[str, NDArray[Any]]:
        seen.append(inputs)
        flow = np.empty((1, 2, *inputs["first"].shape[2:]), np.float32)
        flow[:, 0], flow[:, 1] = motion
        return {"flow": flow}

    return forward


def test_threads_build_it_without_values() -> None:
    assert built_at_once(lambda: Raft(config=CONFIG)) == [{"meta"}] * 4


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("build", [raft_large, raft_small], ids=["large", "small"])
def test_torchvisions_file_gives_torchvisions_flow(
    build: Callable[..., torch.nn.Module], prefix: str, tmp_path: Path
) -> None:
    theirs = filled(build(weights=None))
    state = {prefix + key: value for key, value in theirs.state_dict().items()}

    ours = loaded(state, tmp_path).network

    with torch.inference_mode():
        wanted = theirs(*pair(), num_flow_updates=2)[-1]
        found = ours(*pair(), 2)["flow"]
    assert float((found - wanted).abs().max() / wanted.abs().max()) < 1e-4  # Sums in other orders.


@pytest.mark.parametrize(
    "change", [{"corr_radius": 3}, {"hidden_dim": 96}, {"fnet_dim": 64}, {"corr_levels": 2}]
)
def test_other_sizes_load(change: dict[str, int], tmp_path: Path) -> None:
    network = filled(Raft(config=CONFIG | change))

    model = loaded(network.state_dict(), tmp_path)

    with torch.inference_mode():
        assert torch.equal(model.network(*pair(), 1)["flow"], network(*pair(), 1)["flow"])


def test_more_iterations_give_another_flow() -> None:
    network = filled(Raft(config=CONFIG))
    once = outputs(network, *pair())["flow"]
    with torch.inference_mode():
        assert not torch.equal(once, network(*pair(), 1)["flow"])


@pytest.mark.parametrize("size", [(64, 700), (131, 250), (300, 5000), (128, 128)])
def test_flow_is_that_of_the_pictures_own_pixels(size: tuple[int, int]) -> None:
    seen: list[dict[str, Any]] = []
    flow = RaftProcessing()(moving(seen), picture(*size), picture(*size, seed=1))

    height, width = seen[0]["first"].shape[2:]
    assert height % 8 == width % 8 == 0 and min(height, width) >= 128
    assert flow.pixels.shape == (*size, 2)
    shrunk = min(1.0, 1024 / max(size))
    assert flow.pixels[0, 0] == pytest.approx(np.array([3.0, -5.0]) / shrunk, rel=0.02)


@pytest.mark.parametrize(("levels", "least"), [(2, 64), (4, 128), (5, 256)])
def test_the_coarsest_level_is_two_cells_wide(levels: int, least: int) -> None:
    seen: list[dict[str, Any]] = []
    made = processing("raft", "original", CONFIG | {"corr_levels": levels})

    made(moving(seen), picture(64, 64), picture(64, 64))

    assert seen[0]["first"].shape[2:] == (max(least, 64),) * 2


def test_a_flow_to_begin_with_is_given_in_the_networks_cells() -> None:
    seen: list[dict[str, Any]] = []
    start = Flow(np.full((250, 2048, 2), (16.0, -8.0), np.float32))

    RaftProcessing()(moving(seen), picture(250, 2048), picture(250, 2048), flow_init=start)

    given = seen[0]["flow_init"]
    assert given.shape[2:] == tuple(side // 8 for side in seen[0]["first"].shape[2:])
    # Half the size, eight pixels a cell.
    assert np.allclose(given[0, 0], 1.0) and np.allclose(given[0, 1], -0.5)


@pytest.mark.parametrize(
    "options",
    [
        {"iterations": 0},
        {"longest": 100},
        {"flow_init": Flow(np.zeros((9, 9, 2), np.float32))},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        RaftProcessing()(moving([]), picture(128, 128), picture(128, 128), **options)


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(OptionError, match="differ in size"):
        RaftProcessing()(moving([]), picture(128, 128), picture(128, 136))


def test_places_stay_exact_where_the_network_is_of_a_shorter_type(tmp_path: Path) -> None:
    state = filled(raft_small(weights=None)).state_dict()
    whole = loaded(state, tmp_path).network
    short = loaded(state, tmp_path, precision="bfloat16").network
    # Bfloat16 tells places apart up to 256 only: beyond, it would round them to whole ones.
    start = torch.full((1, 2, 16, 16), 300.25)

    with torch.inference_mode():
        first, second = pair()
        wanted = whole(first, second, 1, start)["flow_low"]
        found = short(first.bfloat16(), second.bfloat16(), 1, start)["flow_low"]

    assert found.dtype == torch.float32
    step = float((wanted - start).abs().max())
    assert float((found - wanted).abs().max()) < 0.05 * step
