"""What a try-on gives back: the picture, and the honest story of how it came about."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mycloset import __version__
from mycloset.images import RGB, check_writable_file, make_folder, write_bytes, write_picture
from mycloset.tryon.state import TryOnState

Hindrance: TypeAlias = Literal["absent", "other way", "unsuited", "damaged", "too large", "failed"]
"""Why a way or a model does not serve: the folders hold none of it; an earlier step went a way that
it cannot follow; it is none for this garment or photo; its file is known to be damaged; it is
larger than the memory for models; or it could not be loaded although nothing had spoken against it.
"""

FALLBACKS: frozenset[Hindrance] = frozenset({"damaged", "too large", "failed"})
"""Hindrances for which one model stands in for another that was there."""


@dataclass(frozen=True)
class PassedOver:
    """A way or a model that stood before the one that served.

    Attributes:
        way: its name in the pipeline file.
        model: title and file; "" where there is none.
        kind: why, of a few kinds.
        reason: why, in a sentence.
    """

    way: str
    model: str
    kind: Hindrance
    reason: str


@dataclass(frozen=True)
class StepRecord:
    """How one step went.

    Attributes:
        name: the step.
        way: `embedded` or the model's name in the pipeline file.
        used: what exactly did the work.
        seconds: wall time.
        confidence: 0..1.
        notes: findings, in plain language.
        model: the step's `model_info`: `kind`, `name` and `licence` of what served it.
        wanted: the best model that the pipeline and the folders name for it; `used` where that
            served.
        passed_over: what stood before the one that served, best first, and why it did not.
    """

    name: str
    way: str
    used: str
    seconds: float
    confidence: float
    notes: tuple[str, ...]
    model: Mapping[str, str] = field(default_factory=dict)
    wanted: str = ""
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def reason(self) -> str:
        """Why another one than the wanted serves; "" where it does not."""
        return " ".join(dict.fromkeys(f"{p.way}: {p.reason}" for p in self.passed_over))

    @property
    def fell_back(self) -> bool:
        """Whether a file that was there could not serve."""
        return any(passed.kind in FALLBACKS for passed in self.passed_over)

    @property
    def failed(self) -> bool:
        """Whether one failed that should have served: another time, it may."""
        return any(passed.kind == "failed" for passed in self.passed_over)


@dataclass(frozen=True)
class TryOnResult:
    """A finished try-on.

    Attributes:
        image: (H, W, 3) uint8, of the photo's own size.
        state: every intermediate result.
        steps: one record a step, in the order they ran.
        pipeline: name of the pipeline that ran.
        seconds: wall time of the call, reading included.
        cached: whether it was made before, for the same pictures; the times in `steps` are of then.
        remarks: what is to be said of the whole call.
    """

    image: RGB
    state: TryOnState
    steps: tuple[StepRecord, ...]
    pipeline: str
    seconds: float
    cached: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said of the call, and the findings of all steps, each once."""
        found = (note for step in self.steps for note in step.notes)
        return tuple(dict.fromkeys((*self.remarks, *found)))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture (.png, .jpg, .webp); whole or not at all.

        Raises:
            OutputError: the file cannot be written.
        """
        return write_picture(path, self.image)

    def save_json(self, path: str | os.PathLike[str]) -> Path:
        """Write `to_dict()` as JSON; whole or not at all.

        Raises:
            OutputError: the file cannot be written.
        """
        path = Path(path)
        check_writable_file(path)
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        write_bytes(path, (text + "\n").encode())
        return path

    def save_steps(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write every intermediate result as a picture into `folder`, and a contact sheet."""
        return save_step_pictures(self.state, folder)

    def to_dict(self) -> dict[str, Any]:
        """Everything but pixels, ready for JSON."""
        state = self.state
        quality = state.quality.to_dict() if state.quality is not None else None
        measured = state.measurements
        return {
            "mycloset": __version__,
            "pipeline": self.pipeline,
            "seconds": round(self.seconds, 4),
            "cached": self.cached,
            "width": int(self.image.shape[1]),
            "height": int(self.image.shape[0]),
            "category": str(state.category) if state.category else None,
            "steps": [
                asdict(step)
                | {
                    "seconds": round(step.seconds, 4),
                    "confidence": round(step.confidence, 4),
                    "notes": list(step.notes),
                    "reason": step.reason,
                    "passed_over": [asdict(passed) for passed in step.passed_over],
                }
                for step in self.steps
            ],
            "notes": list(self.notes),
            "quality": quality,
            "measurements": measured.to_dict() if measured is not None else None,
        }


def save_step_pictures(state: TryOnState, folder: str | os.PathLike[str]) -> list[Path]:
    """Write what `state` holds so far as pictures into `folder` (made if missing).

    Raises:
        OutputError: the folder cannot be made or written.
    """
    from mycloset.tryon.drawings import contact_sheet, step_pictures

    pictures = step_pictures(state)
    if not pictures:
        return []
    folder = make_folder(folder)
    written = [write_picture(folder / f"{name}.png", rgb) for name, rgb in pictures.items()]
    written.append(write_picture(folder / "contact_sheet.png", contact_sheet(state)))
    return written
