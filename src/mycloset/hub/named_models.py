"""Names that somebody gave to model files: `mycloset.yaml` in a folder, or a map in a call."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mycloset.architectures.steps import TRY_ON_STEPS
from mycloset.errors import OptionError

FILE = "mycloset.yaml"
"""The file in a folder that names models of it."""

_LIMIT = 1_000_000
_FIELDS = ("family", "step", "file")
_STEP = re.compile(r"step_?0?([1-8])(?:_|$)", re.I)


class NamedModel(NamedTuple):
    """A file that was given a name.

    Attributes:
        name: the name.
        path: the file, or the folder of a model in several files.
        said: where it was said, for messages ("closet/mycloset.yaml: gmm_final").
        family: the family that it must be of; None for any.
        step: the step for which it comes before all others; None for none.
    """

    name: str
    path: Path
    said: str
    family: str | None = None
    step: str | None = None


def step_named(word: str) -> str | None:
    """The step of a folder's or role's name: "step_01", "step_01_human_parsing", "human_parsing";
    None where it is no step's."""
    lower = word.lower()
    if lower in TRY_ON_STEPS:
        return lower
    numbered = _STEP.match(lower)
    return TRY_ON_STEPS[int(numbered[1]) - 1] if numbered else None


def read_named(file: Path) -> dict[str, NamedModel]:
    """The names that a YAML file gives; files are relative to its folder.

    Raises:
        OptionError: it cannot be read, is no YAML, or a field is not what it should be.
    """
    import yaml  # Most folders have no such file.

    try:
        if file.stat().st_size > _LIMIT:
            raise OptionError(f"{file} has more than {_LIMIT} bytes.", hint="Name fewer models.")
        document = yaml.safe_load(file.read_text("utf-8"))
    except OSError as error:
        raise OptionError(f"{file}: {error.strerror or error}.", hint="Check the path.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:300]
        raise OptionError(
            f"{file} is no YAML: {said}.", hint="Write lines of NAME: FILE."
        ) from error
    if document is None:
        return {}
    return named(document, str(file), (file.parent,))


def named(document: Any, said: str, bases: Iterable[Path]) -> dict[str, NamedModel]:
    """The names that a mapping gives.

    Args:
        document: name -> file, or name -> {file, family, step}; all of it below `models`, or
            not. A name that is a step's puts the
            file first for that step.
        said: who says so, for messages.
        bases: folders below which files are looked for, the first that has it; then the folder
            of the process.

    Raises:
        OptionError: a field is not what it should be.
    """
    if isinstance(document, Mapping) and set(document) == {"models"}:
        document = document["models"]
    if not isinstance(document, Mapping):
        raise OptionError(f"{said} holds no names.", hint="Write lines of NAME: FILE.")
    places = (*bases, Path())
    return {str(name): _one(str(name), value, said, places) for name, value in document.items()}


def _one(name: str, value: Any, said: str, places: Iterable[Path]) -> NamedModel:
    where = f"{said}: {name}"
    fields = value if isinstance(value, Mapping) else {"file": value}
    unknown = [str(field) for field in fields if field not in _FIELDS]
    if unknown:
        raise OptionError(
            f"{where}: {unknown[0]!r} is no field.", hint=f"Use {', '.join(_FIELDS)}."
        )
    file, family, step = (fields.get(field) for field in ("file", "family", "step"))
    if not isinstance(file, str | os.PathLike) or not os.fspath(file):
        raise OptionError(
            f"{where}.file is {file!r}, no file.", hint="Write the file's path as text."
        )
    if family is not None and not (isinstance(family, str) and is_family(family)):
        raise OptionError(
            f"{where}.family is {family!r}, no family that MyCloset knows.",
            hint="`mycloset models FOLDER --json` tells the family of each file.",
        )
    wanted = step_named(step) if isinstance(step, str) else None
    if step is not None and wanted is None:
        raise OptionError(
            f"{where}.step is {step!r}, no step.", hint=f"Use one of {', '.join(TRY_ON_STEPS)}."
        )
    path = Path(file).expanduser()
    found = next((base / path for base in places if (base / path).exists()), None)
    if found is None:
        found = next(iter(places)) / path
    return NamedModel(name, found, where, family, wanted or step_named(name))


def is_family(word: str) -> bool:
    """Whether a word is the name of a family that MyCloset knows."""
    if not word.isidentifier():
        return False
    package = Path(__file__).parents[1] / "architectures"
    return (package / word / "layout.py").is_file()
