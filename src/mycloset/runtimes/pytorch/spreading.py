"""A network over several devices, by accelerate; what none has room for stays in its file."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from mycloset.errors import MissingExtraError, OptionError
from mycloset.runtimes.pytorch.training import repeated_blocks

DISK = "disk"
"""In a device map: the module's tensors are taken from the file for each call."""


@dataclass(frozen=True)
class Spread:
    """Where a network's modules are.

    Attributes:
        device: where inputs go, and outputs come from.
        devices: the device of each module by its path, "disk" for what stays in the file; ""
            where all are on one.
    """

    device: torch.device
    devices: Mapping[str, str]

    def __str__(self) -> str:
        """The devices' names, the first one's first, as "cuda:0 + cpu + disk"."""
        first = str(self.device)
        return " + ".join(dict.fromkeys([first, *sorted(set(self.devices.values()))]))


class FileWeights(Mapping[str, torch.Tensor]):
    """A network's tensors as they lie in its file, cast when they are asked for.

    Args:
        tensors: by the network's key; views on the file's mapping.
        dtypes: of the floating ones, by key; None for the file's.
    """

    def __init__(
        self, tensors: Mapping[str, torch.Tensor], dtypes: Mapping[str, torch.dtype | None]
    ) -> None:
        self._tensors = tensors
        self._dtypes = dtypes

    def __getitem__(self, key: str) -> torch.Tensor:
        tensor = self._tensors[key]
        dtype = self._dtypes.get(key) if tensor.is_floating_point() else None
        return tensor if dtype is None else tensor.to(dtype)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


def spread(
    network: nn.Module,
    dtypes: Mapping[str, torch.dtype | None],
    *,
    dtype: torch.dtype | None,
    most: Mapping[str, int] | None = None,
) -> Spread:
    """Put a network's modules where there is room: graphics cards, then memory, then the file.

    Args:
        network: on the CPU, its tensors views on its mapped file; in place.
        dtypes: what each of its tensors is cast to, by key.
        dtype: that of most of them, by which room is reckoned.
        most: bytes by device ("cuda:0", "cpu"); what is free on all there are by default.

    Raises:
        MissingExtraError: accelerate is not installed.
        OptionError: a device is not there.
    """
    if importlib.util.find_spec("accelerate") is None:
        raise MissingExtraError(
            "A network is spread over devices by accelerate, which is not installed.",
            hint="pip install 'mycloset[torch]'",
        )
    from accelerate import infer_auto_device_map
    from accelerate.hooks import attach_align_device_hook_on_blocks

    limits = None if most is None else {_number(name): size for name, size in most.items()}
    blocks = sorted({type(block).__name__ for block in repeated_blocks(network).values()})
    found = infer_auto_device_map(
        network, max_memory=limits, no_split_module_classes=blocks, dtype=dtype
    )
    devices = {path: _name(device) for path, device in found.items()}
    cards = [name for name in dict.fromkeys(devices.values()) if name not in ("cpu", DISK)]
    main = cards[0] if cards else "cpu"
    held: dict[str, torch.Tensor] = {}
    held |= dict(network.named_parameters(remove_duplicate=False))
    held |= dict(network.named_buffers(remove_duplicate=False))
    weights = FileWeights(held, dtypes)
    # A card takes what waits in memory for each call too; without one, memory is where it runs.
    waiting = {DISK, "cpu"} if cards else {DISK}
    modules = dict(network.named_modules(remove_duplicate=False))
    away = {path for path, name in devices.items() if name in waiting and path in modules}
    kept: dict[str, torch.Tensor] = {}
    in_memory: dict[str, torch.Tensor] = {}
    for key, tensor in held.items():
        path = next((path for path in devices if _below(key, path)), "")
        name = devices.get(path, main)
        dtype = dtypes.get(key) if tensor.is_floating_point() else None
        if path in away:
            kept[key] = tensor if name == DISK else weights[key]
            if name != DISK:
                in_memory[key] = kept[key]
            # What comes for a call is cast to the dtype of what stands in its place.
            stand_in = torch.empty_like(tensor, dtype=dtype or tensor.dtype, device="meta")
            _put(network, key, stand_in)
        else:
            _put(network, key, weights[key].to(main if name in waiting else name))
    if set(devices.values()) - {main}:
        execution = {path: main if name in waiting else name for path, name in devices.items()}
        attach_align_device_hook_on_blocks(
            network,
            execution_device={**execution, "": main},
            offload={path: path in away for path in devices},
            weights_map=FileWeights(kept, dtypes),
            offload_buffers=True,
            preload_module_classes=blocks,
        )
    # Who counts what the network holds finds what waits here; what is in the file is the system's.
    vars(network)["waiting"] = in_memory
    return Spread(torch.device(main), devices)


def _below(key: str, path: str) -> bool:
    return not path or key == path or key.startswith(f"{path}.")


def _put(network: nn.Module, key: str, value: torch.Tensor) -> None:
    parent, _, last = key.rpartition(".")
    module = network.get_submodule(parent)
    if last in module._parameters:
        module._parameters[last] = nn.Parameter(value, requires_grad=False)
    else:
        module._buffers[last] = value


def _number(name: str) -> int | str:
    """A device as accelerate calls it: the number of a graphics card."""
    device = torch.device(name)
    if device.type in ("cuda", "xpu"):
        if device.index is None or device.index >= torch.cuda.device_count():
            raise OptionError(f"max_memory: there is no {name} on this machine.")
        return device.index
    return name


def _name(device: int | str | torch.device) -> str:
    return f"cuda:{device}" if isinstance(device, int) else str(device)
