"""What GPUs report, by NVML, or by torch.cuda where that is in use already."""

from __future__ import annotations

import importlib
import logging
import sys
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GpuStatus:
    """One GPU.

    Attributes:
        index: its number, as the source counts.
        name: as its driver names it.
        memory_used, memory_total: bytes. By NVML of all processes; by torch what this process's
            allocator holds.
        utilisation: share of the last moments in which it worked, 0 to 100; None where the
            source does not say.
        source: "nvml" or "torch".
    """

    index: int
    name: str
    memory_used: int
    memory_total: int
    utilisation: float | None
    source: str


class Gpus:
    """Reads the machine's GPUs; opens NVML at the first reading, once."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._handles: list[tuple[int, str, Any]] | None = None

    def read(self) -> tuple[GpuStatus, ...]:
        """What each GPU reports now; empty where there is none that can be asked.

        NVML (the package nvidia-ml-py) is asked first. torch is asked only where this process
        has imported it and has used CUDA: it is not started for the sake of watching.
        """
        if self._handles is None:
            self._handles = self._open()
        if self._handles:
            found = [self._ask(*handle) for handle in self._handles]
            return tuple(status for status in found if status is not None)
        return _by_torch()

    def _open(self) -> list[tuple[int, str, Any]]:
        try:
            self._nvml = importlib.import_module("pynvml")
        except ImportError:  # the extra is not installed
            return []
        nvml = self._nvml
        try:
            nvml.nvmlInit()
            handles = []
            for index in range(nvml.nvmlDeviceGetCount()):
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                handles.append((index, _text(nvml.nvmlDeviceGetName(handle)), handle))
        except nvml.NVMLError as error:  # no driver, or one that does not answer
            logger.debug("NVML is not to be had: %s", error)
            return []
        return handles

    def _ask(self, index: int, name: str, handle: Any) -> GpuStatus | None:
        nvml = self._nvml
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        except nvml.NVMLError as error:  # it went away, or may not be asked
            logger.debug("GPU %d does not answer: %s", index, error)
            return None
        try:
            busy: float | None = float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        except nvml.NVMLError:  # parts of a divided GPU have no utilisation
            busy = None
        return GpuStatus(index, name, int(memory.used), int(memory.total), busy, "nvml")


def _by_torch() -> tuple[GpuStatus, ...]:
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)  # None, too, while another thread imports torch
    if cuda is None or not cuda.is_initialized():
        return ()
    found = []
    for index in range(cuda.device_count()):
        about = cuda.get_device_properties(index)
        held = int(cuda.memory_reserved(index))
        found.append(
            GpuStatus(index, str(about.name), held, int(about.total_memory), None, "torch")
        )
    return tuple(found)


def _text(value: Any) -> str:
    """Older bindings give bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
