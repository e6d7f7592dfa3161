"""Names of the user's own for model files: `mycloset.yaml` in a folder of models.

    models:
      viton_hd_checkpoint: step_06_virtual_fitting/hrviton_final.pth
      human_parsing: {file: parsing/exp-schp-201908301523-atr.pth, family: schp}

A name that is a step's says which model serves it before all others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mycloset.architectures.steps import TRY_ON_STEPS
from mycloset.errors import OptionError

FILE = "mycloset.yaml"
_FIELDS = ("file", "family", "step")


@dataclass(frozen=True)
class Alias:
    """A name for a file.

    Attributes:
        name: what it is called.
        path: the file.
        family: which of the networks in it; None for the first.
        step: what it serves; None for what it is known to.
        where: who says so, for messages.
    """

    name: str
    path: Path
    family: str | None
    step: str | None
    where: str


def aliases(roots: Iterable[Path], given: Mapping[str, Any] | None) -> dict[str, Alias]:
    """The names that the caller gives, then those in the folders' files; the first of each counts.

    Raises:
        OptionError: a file is none, or names a file that is not there.
    """
    found: dict[str, Alias] = {}
    for name, value in (given or {}).items():
        found.setdefault(name, _alias(name, value, Path(), "models"))
    for root in roots:
        path = root / FILE
        if path.is_file():
            for name, value in _read(path).items():
                found.setdefault(name, _alias(name, value, root, str(path)))
    return found


def _read(path: Path) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise OptionError(f"{path}: it cannot be read ({error}).", hint="Mend the file.") from error
    data = {} if data is None else data
    models = data.get("models", {}) if isinstance(data, dict) else None
    if not isinstance(models, dict) or set(data) - {"models"}:
        raise OptionError(
            f"{path}: it must hold `models`, a mapping of names to files, and nothing else.",
            hint="Write like: models: {gmm_final: step_04/gmm_final.pth}",
        )
    return {str(name): value for name, value in models.items()}


def _alias(name: str, value: Any, folder: Path, where: str) -> Alias:
    given = {"file": value} if isinstance(value, str | os.PathLike) else value
    if not isinstance(given, Mapping) or "file" not in given or set(given) - set(_FIELDS):
        raise OptionError(
            f"{where}: {name}: it is {value!r}, not a file.",
            hint=f"Give a file's path, or a mapping of {', '.join(_FIELDS)}.",
        )
    step = given.get("step", name if name in TRY_ON_STEPS else None)
    if step is not None and step not in TRY_ON_STEPS:
        raise OptionError(
            f"{where}: {name}: there is no step {step!r}.",
            hint=f"Steps are {', '.join(TRY_ON_STEPS)}.",
        )
    path = folder / str(given["file"])
    if not path.exists():
        raise OptionError(f"{where}: {name}: there is no file {path}.", hint="Mend the path.")
    family = given.get("family")
    return Alias(name, path, None if family is None else str(family), step, where)
