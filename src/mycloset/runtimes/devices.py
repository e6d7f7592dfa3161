"""Which device networks run on where the user names none."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")
"""What the drivers of graphics cards put there; without any, PyTorch need not be asked."""


def best_device() -> str:
    """The card with the most free memory ("cuda:1"), "mps", or "cpu".

    PyTorch is imported only where a driver tells of a card.
    """
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in _DRIVERS):
        return "cpu"
    if importlib.util.find_spec("torch") is None:
        return "cpu"
    from mycloset.runtimes.pytorch import devices

    return str(devices.best_device())
