"""What tests of networks share: builds in threads, files of tiny networks, odd pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mycloset
from golden_weights import fill
from mycloset.architectures.keymapper import KeyMap
from mycloset.hub.model import Model
from mycloset.images import RGB

ODD_SIZES = ((64, 3000), (2000, 65), (101, 97))
"""Heights and widths of pictures that no network was made for; 64 is the least that is read."""


def picture(height: int, width: int, seed: int = 0) -> RGB:
    return np.random.RandomState(seed).randint(0, 256, (height, width, 3)).astype(np.uint8)


def image(side: int, *, width: int | None = None, count: int = 2, channels: int = 3) -> Any:
    drawn = np.random.RandomState(7).standard_normal((count, channels, side, width or side))
    return torch.from_numpy(drawn.astype(np.float32))


def filled(network: torch.nn.Module) -> torch.nn.Module:
    """The network in evaluation mode, with values that its keys tell."""
    state = {key: fill(key, tuple(t.shape)) for key, t in network.state_dict().items()}
    for key in state:
        if key.endswith("num_batches_tracked"):
            state[key] = torch.tensor(1)
    network.load_state_dict(state)
    return network.eval()


def named(network: torch.nn.Module, keymap: KeyMap) -> dict[str, torch.Tensor]:
    """The network's tensors under a layout's keys, as far as renames go."""
    return {keymap.restored(key): value for key, value in network.state_dict().items()}


def loaded(state: Mapping[str, torch.Tensor], folder: Path, **options: Any) -> Model:
    """What `mycloset.load` makes of a file that holds these tensors."""
    # A file that a network is mapped from must not be written again.
    file = folder / f"weights_{len(list(folder.iterdir()))}.pth"
    torch.save(dict(state), file)
    return mycloset.load(file, **options)


def outputs(network: torch.nn.Module, *given: torch.Tensor) -> dict[str, torch.Tensor]:
    with torch.inference_mode():
        found: dict[str, torch.Tensor] = network(*given)
    return found


def apart(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> float:
    """The largest difference of any output, relative to its largest value."""
    assert first.keys() == second.keys()
    return max(
        float((first[name] - second[name]).abs().max() / first[name].abs().max().clamp_min(1e-12))
        for name in first
    )


def built_at_once(build: Callable[[], torch.nn.Module], threads: int = 4) -> list[set[str]]:
    """Devices of the tensors of networks that several threads built on the meta device."""

    def one(_: int) -> set[str]:
        with torch.device("meta"):
            network = build()
        return {str(tensor.device) for tensor in network.state_dict().values()}

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))
