"""Model files in published layouts for the benchmarks: hundreds with holes for weights, or filled.

Keys, dtypes and shapes are those of tests/goldens. A file with holes takes a few kilobytes on disk,
whatever its size; a filled one is written by PyTorch or safetensors themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from golden_files import manifest, names, tensors  # noqa: E402

Kind = Literal["zip", "legacy", "safetensors"]

ITEMSIZE = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4,
            "uint8": 1, "bool": 1}  # fmt: skip


def size_of(name: str) -> int:
    """Bytes of the tensors of a golden, by its "family/name"."""
    return sum(ITEMSIZE[dtype] * prod(shape) for _, dtype, shape in tensors(name))


def chosen(sizes: Mapping[str, int], files: int, apparent: float) -> list[str]:
    """Which names a collection of so many files has, repeated as needed.

    The small ones in turn, as often as it takes, and of the large ones one each as far as they
    fit: as collections are.

    Args:
        sizes: bytes by name.
        files: how many files there will be.
        apparent: bytes that all files together do not exceed.
    """
    left = sorted(sizes, key=lambda name: sizes[name])
    large = []
    while len(left) > 1 and sum(sizes[name] for name in left) * files / len(left) > apparent:
        large.append(left.pop())
    taken = [left[number % len(left)] for number in range(files)]
    room = apparent - sum(sizes[name] for name in taken)
    place = files - 1
    for name in large:
        more = sizes[name] - sizes[taken[place]]
        if more <= room and place >= 0:
            taken[place] = name
            room -= more
            place -= 1
    return taken


def make_closet(folder: Path, *, files: int = 185, apparent: float = 60e9) -> int:
    """So many files with holes, in folders by step, of the three formats; their apparent bytes."""
    sizes = {name: size_of(name) for name in names()}
    total = 0
    for number, name in enumerate(chosen(sizes, files, apparent)):
        kind: Kind = "zip"
        if number % 3 == 2:
            kind = "safetensors"
        elif number % 5 == 0:
            kind = "legacy"
        place = folder / f"step_{number % 8 + 1:02d}" / f"{name.replace('/', '_')}_{number}"
        total += write_holes(place, name, kind).stat().st_size
    return total


def write_holes(place: Path, name: str, kind: Kind) -> Path:
    """One golden's file with holes for weights at `place`, which gets the format's suffix."""
    from foreign_files import write_safetensors
    from model_files import Tensor, write_torch_legacy, write_torch_zip

    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "safetensors":
        return write_safetensors(place.with_name(f"{place.name}.safetensors"), tensors(name))
    path = place.with_name(f"{place.name}.pth")
    thing = wrapped(name, {key: Tensor(dtype, shape) for key, dtype, shape in tensors(name)})
    if kind == "legacy":
        write_torch_legacy(path, thing)
    else:
        write_torch_zip(path, thing)
    return path


def write_filled(place: Path, name: str, kind: Kind) -> Path:
    """As `write_holes`, with numbers in the tensors; PyTorch writes the file."""
    import torch

    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "safetensors":
        from safetensors.torch import save_file

        path = place.with_name(f"{place.name}.safetensors")
        save_file(filled(name), path)
        return path
    path = place.with_name(f"{place.name}.pth")
    thing = wrapped(name, filled(name))
    torch.save(thing, path, _use_new_zipfile_serialization=kind == "zip")
    return path


def wrapped(name: str, state: Mapping[str, Any]) -> Any:
    """A state dict with the prefix and wrappers of its published file."""
    prefix = manifest(name).get("prefix", "")
    thing: Any = {prefix + key: value for key, value in state.items()}
    for wrapper in reversed(manifest(name).get("wrapper", [])):
        thing = {wrapper: thing}
    return thing


def filled(name: str) -> dict[str, torch.Tensor]:
    """A golden's state dict of small numbers; what they are costs no load anything."""
    import torch

    drawn = torch.randn(1 << 20, generator=torch.Generator().manual_seed(0)) * 0.02
    state = {}
    for key, kind, shape in tensors(name):
        dtype = getattr(torch, kind)
        if not dtype.is_floating_point:
            state[key] = torch.zeros(shape, dtype=dtype)
            continue
        count = prod(shape)
        flat = drawn.repeat(-(-count // len(drawn)))[:count].clone()
        # A variance is positive.
        state[key] = (flat.abs() + 1 if key.endswith("running_var") else flat).view(shape).to(dtype)
    return state


def make_filled(folder: str, asked: Iterable[Sequence[str]]) -> dict[str, str]:
    """Paths by place of filled files; each asked for by its place in the folder, golden and kind.

    To be called in a process of its own: PyTorch is imported.
    """
    kinds: dict[str, Kind] = {"zip": "zip", "legacy": "legacy", "safetensors": "safetensors"}
    return {
        place: str(write_filled(Path(folder) / place, name, kinds[kind]))
        for place, name, kind in asked
    }
