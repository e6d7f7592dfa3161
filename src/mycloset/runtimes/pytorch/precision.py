"""`precision="auto"`: what makes a network fast on its device, and what was done to it.

Three things, each where it pays:

- Batch norms that follow a convolution, and nothing else sees that convolution, are folded into
  its weights (in float32; outputs stay within rounding).
- Convolutions see their maps channels last, which is how the kernels of CPUs and of graphics cards
  with half-precision units work.
- Convolutions and matrix products are done in a shorter type where the device does so at twice the
  speed or more: bfloat16 on CPUs with AVX512-BF16 or AMX, float16 on CUDA. Norms, tables,
  coordinates and whatever is mixed with them stay float32 (`torch.autocast`), and so do the last
  layers before a network's outputs.

`torch.compile` takes longer than many pictures do; it is not used.
"""

from __future__ import annotations

import inspect
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mycloset.runtimes.pytorch.folding import LAYERS, Flow, fold, watched

EXACT_TASKS = frozenset(
    {"geometric matching", "cloth warping", "optical flow", "perceptual distance"}
)
"""Tasks whose result is a measure, or places that are off by pixels where numbers are off by a
hundredth; their networks stay float32, and their kernels those of float32."""

_SIDES = (256, 224, 112, 512)
"""Sides of the pictures that are tried on the network without values, in pixels."""


@dataclass(frozen=True)
class Tuning:
    """What was done to a network.

    Attributes:
        dtype: of its convolutions and matrix products.
        channels_last: whether its maps are.
        folded: how many batch norms are gone.
        norms: how many there were.
        mixed: whether the rest of it is float32.
    """

    dtype: torch.dtype
    channels_last: bool = False
    folded: int = 0
    norms: int = 0
    mixed: bool = False

    def __str__(self) -> str:
        """As `Model.info.precision` tells it."""
        told = [str(self.dtype).removeprefix("torch.")]
        if self.channels_last:
            told.append("channels last")
        if self.norms:
            told.append(f"{self.folded} of {self.norms} batch norms folded")
        return f"auto: {', '.join(told)}"

    def casting(self, device: torch.device) -> AbstractContextManager[Any]:
        """The context in which the network runs."""
        return torch.autocast(device.type, self.dtype) if self.mixed else nullcontext()


def short_type(device: torch.device) -> torch.dtype:
    """The type in which a device is fastest: float32 where nothing shorter is."""
    if device.type == "cuda":
        return torch.float16
    if device.type == "cpu" and _short_on_cpu():
        return torch.bfloat16
    return torch.float32


def tune(
    network: nn.Module,
    twin: nn.Module,
    device: torch.device,
    *,
    task: str = "",
    dtype: torch.dtype | None = None,
) -> Tuning:
    """Make a network fast, in place.

    Args:
        network: float32, in evaluation mode, on the device.
        twin: the same on the meta device; it shows where tensors flow.
        device: where the network runs.
        task: what it does; see `EXACT_TASKS`.
        dtype: of convolutions and matrix products; that of `short_type` by default.
    """
    flow = _flow(twin)
    folded = fold(network, flow.pairs)
    if task in EXACT_TASKS:
        return Tuning(torch.float32, folded=folded, norms=flow.norms)
    dtype = dtype or short_type(device)
    convolutional = any(isinstance(module, nn.Conv2d) for module in network.modules())
    if dtype != torch.float32:
        _shorten(network, dtype, flow.last, device)
    if convolutional:
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.to(memory_format=torch.channels_last)
    return Tuning(dtype, convolutional, folded, flow.norms, dtype != torch.float32)


class Exact(nn.Module):
    """A layer that stays float32 while others around it do not.

    Args:
        layer: the layer.
        device: the kind of device.
    """

    def __init__(self, layer: nn.Module, device: str) -> None:
        super().__init__()
        self.layer = layer
        self.device = device

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """The layer's result, float32."""
        with torch.autocast(self.device, enabled=False):
            found: torch.Tensor = self.layer(maps.float())
        return found

    def __getattr__(self, name: str) -> Any:
        """The layer's own attributes (its weight, its channels), for those that ask."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("layer"), name)


def _shorten(
    network: nn.Module, dtype: torch.dtype, last: frozenset[str], device: torch.device
) -> None:
    """Give layers that are cast anyway their weights in the type that they are cast to."""
    held: dict[int, int] = {}
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            held[id(parameter)] = held.get(id(parameter), 0) + 1
    for path, module in list(network.named_modules()):
        if type(module) not in LAYERS:
            continue
        if any(held[id(parameter)] > 1 for parameter in module.parameters(recurse=False)):
            continue
        if path in last:
            parent, _, name = path.rpartition(".")
            network.get_submodule(parent)._modules[name] = Exact(module, device.type)
        else:
            module.to(dtype)


def _flow(twin: nn.Module) -> Flow:
    """Where tensors flow in a network that takes pictures."""
    first = next((m for m in twin.modules() if isinstance(m, nn.Conv2d)), None)
    norms = sum(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in twin.modules())
    unknown = Flow({}, frozenset(), norms)
    if first is None:
        return unknown
    asked = [
        name
        for name, parameter in inspect.signature(twin.forward).parameters.items()
        if parameter.default is inspect.Parameter.empty
        and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    for side in _SIDES:
        picture = torch.empty((1, first.in_channels, side, side), device="meta")
        try:
            return watched(twin, dict.fromkeys(asked, picture))
        except (RuntimeError, TypeError, ValueError, AssertionError, IndexError):
            # It takes another size, or something else than pictures: it stays as it is.
            continue
    return unknown


def _short_on_cpu() -> bool:
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    if capabilities:
        return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in asked)
