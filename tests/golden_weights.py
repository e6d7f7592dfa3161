"""Golden weights: the checkpoint of a manifest, bit for bit, and how far outputs are from it.

The recipe is that of the manifests (tests/goldens/README.md): values from each key's CRC-32.
"""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def fill(key: str, shape: tuple[int, ...], dtype: str = "float32") -> torch.Tensor:
    """The values of one tensor, from its key and shape alone."""
    stream = np.random.RandomState(zlib.crc32(key.encode()))
    drawn = stream.standard_normal(shape)
    name = key.rsplit(".", 1)[-1]
    if not shape:
        values = np.ones(())
    elif name == "running_var":
        values = 1.0 + 0.1 * np.abs(drawn)
    elif len(shape) > 1:
        values = drawn / np.sqrt(np.prod(shape[1:]))
    else:
        values = 0.1 * drawn + (1.0 if name in ("weight", "gamma", "scale") else 0.0)
    flat = np.ascontiguousarray(values, np.float32)
    return torch.from_numpy(flat).reshape(shape).to(getattr(torch, dtype))


def state_dict(manifest: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The bare state dict that a manifest describes."""
    kept = manifest.get("kept", {})
    return {
        key: _kept(kept[key]) if key in kept else fill(key, tuple(shape), dtype)
        for key, dtype, shape in manifest["tensors"]
    }


def checkpoint(manifest: Mapping[str, Any]) -> Any:
    """What the published file holds: the state dict with its prefix and wrappers."""
    prefix = manifest.get("prefix", "")
    nested: Any = {prefix + key: value for key, value in state_dict(manifest).items()}
    for name in reversed(manifest.get("wrapper", [])):
        nested = {name: nested}
    return nested


def inputs(manifest: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The inputs that a manifest's outputs were made of, by name."""
    return {given["name"]: _input(given) for given in manifest["inputs"]}


def worst(expected: Mapping[str, Any], output: torch.Tensor) -> float:
    """Largest difference at a manifest's samples, relative to the output's largest value."""
    if list(output.shape) != list(expected["shape"]):
        return float("inf")
    flat = output.detach().float().reshape(-1)
    apart = max(abs(float(flat[place]) - value) for place, value in expected["samples"])
    return float(apart / max(expected["absmax"], 1e-12))


def tolerance(manifest: Mapping[str, Any], output: str) -> float:
    """What the manifests' README allows for one output."""
    allowed = 1e-5
    for field in ("sensitivity", "float64_rel"):
        said = manifest.get(field)
        value = said.get(output, 0.0) if isinstance(said, Mapping) else (said or 0.0)
        allowed = max(allowed, 10.0 * float(value))
    return allowed


def _input(given: Mapping[str, Any]) -> torch.Tensor:
    kind, shape = given.get("kind", "normal"), tuple(given["shape"])
    if kind == "values":
        whole = all(isinstance(v, int) for v in np.ravel(given["values"]).tolist())
        values = torch.tensor(given["values"]).reshape(shape)
        return values.long() if whole else values.float()
    stream = np.random.RandomState(given["seed"])
    if kind.startswith("index:"):
        drawn: NDArray[Any] = stream.randint(0, int(kind[6:]), size=shape).astype(np.int64)
        return torch.from_numpy(drawn)
    drawn = stream.standard_normal(shape) if kind == "normal" else stream.random_sample(shape)
    return torch.from_numpy(drawn.astype(np.float32)) * given.get("scale", 1.0)


def _kept(packed: Mapping[str, str]) -> torch.Tensor:
    raw = zlib.decompress(base64.b64decode(packed["npy"]))
    return torch.from_numpy(np.load(io.BytesIO(raw)))
