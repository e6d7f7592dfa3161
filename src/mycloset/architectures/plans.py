"""NetworkPlan: how a recognised network is built and which key of its file goes where."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.keymapper import IDENTITY, KeyMap
from mycloset.images import RGB

if TYPE_CHECKING:
    import torch

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class NetworkPlan:
    """How one network is made; what a family's `network.plan(variant, layout, config)` returns.

    Each is equal to itself alone.

    Attributes:
        build: makes the network. It is called with the meta device as default and must be pure: no
            values, no `.item()`, nothing global.
        keymap: from the file's keys (without wrapper and prefix) to the network's.
        constants: gives the values of tensors that no file holds (grids, masks, tables), by the
            network's key, buffers that are not in its state dict included; called when the network
            has been built. A constant that the file holds all the same is taken from the file.
        optional: the network's keys that a file may lack although they are weights; a network that
            lacks one must not use it. None of them is ever filled with made-up numbers.
        interpolated: the network's keys of position tables, which may be resized when the caller
            asks for it; each with the function (tensor, wanted shape) -> tensor.
        backbone: where the file holds only a head: how the keys of the backbone's own file (another
            published file, which the caller names) become this network's; None where the file
            must be whole.
        exact: says of a module, by its path, whether it stays float32 (with all below it) where
            the network is float16 or bfloat16; what goes into it is cast, and what comes out.
        choices: what shapes cannot tell and was chosen, by name, for `Model.info`; the caller
            overrides them by `load(..., config={name: value})`.
    """

    build: Callable[[], torch.nn.Module]
    keymap: KeyMap = IDENTITY
    constants: Callable[[], Mapping[str, torch.Tensor]] = dict
    optional: frozenset[str] = frozenset()
    interpolated: Mapping[str, Callable[[torch.Tensor, tuple[int, ...]], torch.Tensor]] = field(
        default_factory=dict
    )
    backbone: KeyMap | None = None
    exact: Callable[[str, torch.nn.Module], bool] | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)


def is_norm(path: str, module: torch.nn.Module) -> bool:
    """Whether a module normalises: for `NetworkPlan.exact`."""
    return type(module).__name__ in _NORMS


_NORMS = frozenset({"BatchNorm2d", "GroupNorm", "LayerNorm", "LayerNorm2d"})


class Forward(Protocol):
    """A network that takes and gives NumPy arrays, whatever runs it."""

    def __call__(self, method: str = "forward", /, **inputs: Any) -> dict[str, NDArray[Any]]:
        """Call one of the network's methods.

        Args:
            method: its name.
            inputs: arrays (floating ones are cast to the network's precision) and plain numbers.

        Returns:
            The outputs by name, floating ones as float32; a lone tensor is called "output".
        """


Processing = Callable[..., Any]
"""Pictures in, a typed result out; what a family's `processing.processing(...)` returns.

Called as `(forward, *pictures, **options)`: the network, as many pictures ((H, W, 3) uint8 RGB)
as the family takes (two for optical flow), and its own options. One that can put several pictures
through the network at once has `batch(forward, pictures, **options)` too, which gives a list.
"""


def has_network(family: str) -> bool:
    """Whether a family's networks can be built, not only recognised."""
    return importlib.util.find_spec(f"mycloset.architectures.{family}.network") is not None


def plan_of(family: str, variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a recognised network is built.

    Args:
        family, variant, layout, config: as the family's Claim gives them.

    Raises:
        ModuleNotFoundError: the family has no network, or a library that it needs is missing.
        OptionError: the config asks for what cannot be.
    """
    module = importlib.import_module(f"mycloset.architectures.{family}.network")
    made: NetworkPlan = module.plan(variant, layout, dict(config))
    return made


def processing_of(family: str, variant: str, layout: str, config: Mapping[str, Any]) -> Processing:
    """How pictures go into a family's network and results come out.

    Raises:
        OptionError: the config asks for what cannot be.
    """
    module = importlib.import_module(f"mycloset.architectures.{family}.processing")
    made: Processing = module.processing(variant, layout, dict(config))
    return made


def normalised(
    picture: RGB, mean: Sequence[float], std: Sequence[float], *, scale: float = 255.0
) -> NDArray[np.float32]:
    """(1, 3, H, W) float32: a picture divided by `scale`, less `mean`, divided by `std`."""
    # One multiplication and one addition a number, in place.
    factor = (1.0 / (scale * np.asarray(std, np.float64))).astype(np.float32)
    offset = (-np.asarray(mean, np.float64) / np.asarray(std, np.float64)).astype(np.float32)
    values = np.ascontiguousarray(picture.transpose(2, 0, 1)).astype(np.float32)
    values *= factor[:, None, None]
    values += offset[:, None, None]
    return values[None]
