"""Which device networks run on where the user names none."""

from __future__ import annotations

import sys
from pathlib import Path

_DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")
"""What the drivers of graphics cards put there; without any, PyTorch need not be asked."""


def best_device() -> str:
    """The card with the most free memory ("cuda:1"), "mps", or "cpu"."""
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in _DRIVERS):
        return "cpu"
    try:
        import torch
    except ModuleNotFoundError:
        return "cpu"
    if torch.cuda.is_available():
        cards = range(torch.cuda.device_count())
        return f"cuda:{max(cards, key=lambda card: torch.cuda.mem_get_info(card)[0])}"
    return "mps" if torch.backends.mps.is_available() else "cpu"
