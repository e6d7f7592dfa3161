"""Devices by name; "auto" is the graphics card with the most free memory, where there is one."""

from __future__ import annotations

import torch

from mycloset.errors import OptionError


def device_of(name: str) -> torch.device:
    """The device of a name: "auto", "cpu", "cuda", "cuda:1", "mps".

    Raises:
        OptionError: there is none of this name, or not on this machine.
    """
    if name == "auto":
        return best_device()
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise OptionError(
            f"device: {name!r} is no device.", hint="Use auto, cpu, cuda, cuda:1, mps or spread."
        ) from error
    there = {
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if not there.get(device.type, False):
        raise OptionError(f"device: there is no {name} on this machine.", hint="Use cpu.")
    return device


def best_device() -> torch.device:
    """The CUDA device with the most free memory; else MPS; else the CPU."""
    if torch.cuda.is_available():
        numbers = range(torch.cuda.device_count())
        return torch.device("cuda", max(numbers, key=lambda number: _free(number)))
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def room(device: torch.device, needed: int) -> bool:
    """Whether a device of its own memory has so many bytes free; True of the CPU and MPS, whose
    memory is the machine's."""
    if device.type != "cuda":
        return True
    return _free(device.index if device.index is not None else torch.cuda.current_device()) > needed


def _free(number: int) -> int:
    free: int = torch.cuda.mem_get_info(number)[0]
    return free
