"""Case: one file of the hostile corpus, and what its makers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from opcodes import call, glob, pickle, text

import foreign_files
from model_files import (
    Tensor,
    Zeros,
    write_torch_legacy,
    write_torch_tar,
    write_torch_zip,
    write_zip,
)

DANGEROUS = frozenset({"dangerous"})
ALARM = frozenset({"dangerous", "suspicious"})
DAMAGED = frozenset({"corrupt", "not-a-model", "suspicious", "dangerous"})
NO_MODEL = frozenset({"not-a-model", "corrupt"})
CLEAN = frozenset({"clean"})
QUIET = frozenset({"clean", "not-a-model"})
SURVIVED = frozenset({"clean", "suspicious", "corrupt", "not-a-model", "unreadable", "dangerous"})


@dataclass(frozen=True)
class Case:
    """One file of the corpus.

    Attributes:
        name: unique, in words.
        group: "calls", "containers", "damage", "lies", "exhaustion", "places",
            "changes" or "harmless".
        make: writes the file into a folder, given the marker that its payload would create.
        verdicts: those that are right.
        unprivileged: whether it is read as a user who owns nothing.
        meanwhile: what somebody does to the file while it is read; None: nothing.
        progress: share of the file's reads that are done by then, 0..1; one at least.
    """

    name: str
    group: str
    make: Callable[[Path, Path], Path]
    verdicts: frozenset[str]
    unprivileged: bool = False
    meanwhile: Callable[[Path], None] | None = None
    progress: float = 0.0


STATE = {f"layer{i}.weight": Tensor("float32", (4, 3)) for i in range(4)}

KINDS = ("zip", "legacy", "tar", "safetensors", "onnx", "gguf")


def whole(folder: Path, kind: str) -> Path:
    """An undamaged file of a format."""
    path = folder / f"whole-{kind}.bin"
    layout = [(key, tensor.dtype, tensor.shape) for key, tensor in STATE.items()]
    if kind == "zip":
        write_torch_zip(path, STATE)
    elif kind == "legacy":
        write_torch_legacy(path, STATE)
    elif kind == "tar":
        write_torch_tar(path, STATE)
    elif kind == "safetensors":
        foreign_files.write_safetensors(path, layout)
    elif kind == "onnx":
        foreign_files.write_onnx(path, layout)
    else:
        foreign_files.write_gguf(path, layout)
    return path


def zip_of(path: Path, pickled: bytes, *more: tuple[str, bytes | Zeros]) -> Path:
    """A torch archive around any pickle."""
    write_zip(path, [("archive/data.pkl", pickled), ("archive/version", b"3\n"), *more])
    return path


def payload(marker: Path) -> bytes:
    """os.system('touch MARKER')."""
    return pickle(call(glob("os", "system"), text(f"touch {marker}")))


def verdict_of(kinds: set[str]) -> str:
    """The verdict that findings of these kinds make."""
    for kind in ("dangerous", "suspicious", "unreadable", "not-a-model", "corrupt"):
        if kind in kinds:
            return kind
    return "clean"
