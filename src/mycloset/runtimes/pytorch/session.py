"""TorchSession: a network that takes and gives NumPy arrays; threads may share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mycloset.runtimes.pytorch.precision import Tuning


class TorchSession:
    """Runs a network's methods without gradients; a `Forward`.

    Args:
        network: in evaluation mode.
        device: where its tensors are.
        dtype: which floating inputs are cast to.
        tuning: what was done to the network for speed.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        *,
        device: torch.device | str,
        dtype: torch.dtype,
        tuning: Tuning | None = None,
    ) -> None:
        self.network = network
        self.device = torch.device(device)
        self.dtype = dtype
        self.tuning = tuning or Tuning(dtype)

    def __call__(self, method: str = "forward", /, **inputs: Any) -> dict[str, NDArray[Any]]:
        """Call one of the network's methods; see `architectures.plans.Forward`."""
        called = self.network if method == "forward" else getattr(self.network, method)
        with torch.inference_mode(), self.tuning.casting(self.device):
            given = {name: self._tensor(value) for name, value in inputs.items()}
            return self._arrays(called(**given))

    def _tensor(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            tensor = torch.from_numpy(np.ascontiguousarray(value))
            dtype = self.dtype if tensor.is_floating_point() else tensor.dtype
            tensor = tensor.to(device=self.device, dtype=dtype)
            if self.tuning.channels_last and tensor.dim() == 4:
                tensor = tensor.contiguous(memory_format=torch.channels_last)
            return tensor
        return value

    def _arrays(self, found: Any) -> dict[str, NDArray[Any]]:
        if isinstance(found, torch.Tensor):
            return {"output": _array(found)}
        if isinstance(found, Mapping):
            return {
                str(name): _array(value)
                for name, value in found.items()
                if isinstance(value, torch.Tensor)
            }
        return {str(number): _array(value) for number, value in enumerate(found)}


def _array(tensor: torch.Tensor) -> NDArray[Any]:
    if tensor.is_floating_point():
        tensor = tensor.float()
    found: NDArray[Any] = tensor.contiguous().cpu().numpy()
    return found
