"""Arrays and tensors as pictures: which shapes and value ranges are meant by what."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mycloset.errors import ImageError
from mycloset.images.picture import check_size

_CHANNELS = (1, 3, 4)


def array_to_pil(values: NDArray[Any], name: str) -> Image.Image:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4); uint8, uint16, bool or floats of 0..1.

    Raises:
        ImageError: another shape, type or range.
    """
    shape = values.shape
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] not in _CHANNELS:
        raise ImageError(
            f"{name}: it has shape {shape}.", hint="Give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)."
        )
    check_size(shape[1], shape[0], name)
    data = _to_uint8(values, name)
    if data.shape[2] == 1:
        data = data[..., 0]
    return Image.fromarray(np.ascontiguousarray(data))


def tensor_to_array(tensor: Any, name: str) -> NDArray[Any]:
    """A torch tensor (or what behaves like one) as an array with its channels last.

    Raises:
        ImageError: a batch of several pictures.
    """
    held = tensor.detach().cpu()
    try:
        values: NDArray[Any] = held.numpy()
    except TypeError:  # numpy has no bfloat16
        values = held.float().numpy()
    if values.ndim == 4:
        if values.shape[0] != 1:
            raise ImageError(
                f"{name}: it has shape {values.shape}, a batch of {values.shape[0]}.",
                hint="Give one picture.",
            )
        values = values[0]
    if values.ndim == 3 and values.shape[0] in _CHANNELS and values.shape[2] not in _CHANNELS:
        values = np.moveaxis(values, 0, 2)
    return values


def _to_uint8(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    kind, size = values.dtype.kind, values.dtype.itemsize
    if (kind, size) == ("u", 1):
        return np.asarray(values, dtype=np.uint8)
    if kind == "b":
        return values.astype(np.uint8) * np.uint8(255)
    if (kind, size) == ("u", 2):
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind == "f":
        if not np.isfinite(values).all():
            raise ImageError(
                f"{name}: its values hold NaN or infinity.", hint="Give finite values of 0..1."
            )
        low, high = float(values.min()), float(values.max())
        if low < -1e-3 or high > 1.0 + 1e-3:
            raise ImageError(
                f"{name}: its {values.dtype} values run from {low:.3g} to {high:.3g}.",
                hint="Floats are read as 0..1; scale them, or give uint8.",
            )
        scaled = values.astype(np.float32) * np.float32(255.0) + np.float32(0.5)
        return np.asarray(np.clip(scaled, 0, 255), dtype=np.uint8)
    raise ImageError(
        f"{name}: its values are {values.dtype}.", hint="Give uint8, uint16, bool or floats 0..1."
    )
