"""What folders of models hold, as a table for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mycloset.architectures.licences import forbids_commerce
from mycloset.architectures.steps import TRY_ON_STEPS
from mycloset.errors import OptionError
from mycloset.hub.closet import ShelvedFile
from mycloset.hub.named_models import is_family, step_named
from mycloset.hub.shelf import Shelf
from mycloset.hub.shelved import ShelvedModel
from mycloset.inspection.report.text import Line, Span, fit, padded, width_of, wrapped
from mycloset.inspection.report.wording import plural, size_text

_SIZE = 7
_STEPS = 5
_GAP = 2
_WHAT = 44
_LICENCE = 24
"""Columns of what a model is, and of its licence, at most."""
_INDENT = 11
"""Columns before a note: what stands under a model's steps."""
_NAME = 23
"""Columns before what serves a step."""


class Shown(NamedTuple):
    """What is to be shown.

    Attributes:
        shelf: the folders.
        models: the networks, by path.
        others: files that hold none; empty where a step or family was asked for.
        steps: the steps that are told.
        family: the family that was asked for, or None.
    """

    shelf: Shelf
    models: tuple[ShelvedModel, ...]
    others: tuple[ShelvedFile, ...]
    steps: tuple[str, ...]
    family: str | None


def shown(shelf: Shelf, *, step: str | None, family: str | None) -> Shown:
    """What of the folders is asked for.

    Raises:
        OptionError: there is no such step or family.
    """
    named = step_named(step) if step is not None else None
    if step is not None and named is None:
        raise OptionError(
            f"--step: {step!r} is no step.", hint=f"Use one of {', '.join(TRY_ON_STEPS)}."
        )
    if family is not None and not is_family(family):
        raise OptionError(
            f"--family: {family!r} is no family that MyCloset knows.",
            hint="Use a name as `mycloset models FOLDER --json` has them under `family`.",
        )
    models = tuple(
        model
        for model in shelf.models()
        if (named is None or named in model.steps)
        and (family is None or model.network.family == family)
    )
    empty = tuple(file for file in shelf.files() if not file.record.networks)
    others = empty if named is None and family is None else ()
    return Shown(shelf, models, others, TRY_ON_STEPS if named is None else (named,), family)


def document(found: Shown) -> dict[str, Any]:
    """JSON values: every network, files without one, and what each step has, the first first."""
    return {
        "roots": [str(root) for root in found.shelf.roots],
        "models": [_model_json(model) for model in found.models],
        "others": [
            {
                "path": str(file.path), "size": file.record.size, "format": file.record.format,
                "what": file.record.title, "notes": list(file.record.notes),
            }
            for file in found.others
        ],
        "steps": {
            step: [str(model.path) for model in found.shelf.candidates(step, found.family)]
            for step in found.steps
        },
        "names": {name: str(given.path) for name, given in found.shelf.explicit.items()},
        "notes": list(found.shelf.notes),
    }  # fmt: skip


def lines(found: Shown, *, width: int | None) -> list[Line]:
    """The table, and which file each step has.

    Args:
        found: what is to be shown.
        width: columns of the terminal; None cuts nothing.
    """
    what, licence, path = _columns(width, found)
    head = f"  {'size':>{_SIZE}}  {'steps':{_STEPS}}  {'what it is':{what}}"
    table: list[Line] = [[Span(f"{head}  {'licence':{licence}}  file", "dim")]]
    for model in found.models:
        table.append(_row(model, what, licence, path if width is not None else None))
        for told in _told(model):
            table += wrapped([Span(" " * _INDENT), Span(told, "dim")], width, indent=_INDENT)
    for file in found.others:
        size = padded(size_text(file.record.size), _SIZE, right=True)
        title = padded(fit(file.record.title, what), what)
        place = _shortened(_below(file.path, file.root), path if width is not None else None)
        blank = " " * (licence + _GAP)
        table.append(
            [Span("– ", "dim"), Span(f"{size}  {'':{_STEPS}}  {title}  {blank}{place}", "dim")]
        )
    return [*table, [], *_served(found, width), *_end(found, width)]


def _row(model: ShelvedModel, what: int, licence: int, path: int | None) -> Line:
    network = model.network
    mark, style = ("✓", "good bold") if model.runnable else ("✗", "bad bold")
    if not model.runnable and network.family is None:
        mark, style = "?", "warn bold"
    stated = network.licence
    if forbids_commerce(stated):
        stated = f"⊘ {stated}"
    return [
        Span(f"{mark} ", style),
        Span(padded(size_text(network.bytes), _SIZE, right=True)),
        Span("  "),
        Span(padded(_numbers(model.steps), _STEPS)),
        Span("  "),
        Span(padded(fit(network.title, what), what), "" if model.runnable else "dim"),
        Span("  "),
        Span(padded(fit(stated, licence), licence)),
        Span(f"  {_shortened(_below(model.path, model.root), path)}"),
    ]


def _told(model: ShelvedModel) -> Iterator[str]:
    if not model.runnable:
        yield f"cannot run: {model.reason}"
    if model.note:
        yield model.note


def _served(found: Shown, width: int | None) -> Iterator[Line]:
    """The first model of each step, and how many could stand in for it."""
    yield [Span("First for each step, surest and largest:", "bold")]
    for step in found.steps:
        number = TRY_ON_STEPS.index(step) + 1
        label = Span(padded(f"  {number} {step}", _NAME), "dim")
        able = found.shelf.candidates(step, found.family)
        if not able:
            yield [label, Span("none here", "dim")]
            continue
        first = able[0]
        more = f", and {plural(len(able) - 1, 'other')}" if len(able) > 1 else ""
        told = f"{first.network.title} · {_below(first.path, first.root)}"
        yield from wrapped([label, Span(told), Span(more, "dim")], width, indent=_NAME)


def _end(found: Shown, width: int | None) -> Iterator[Line]:
    runnable = sum(model.runnable for model in found.models)
    size = size_text(sum(file.record.size for file in found.shelf.files()))
    yield []
    text = (
        f"{plural(len(found.models), 'network')}, {runnable} of them can run;"
        f" {plural(len(found.shelf.files()), 'file')}, {size}. None is loaded: no server runs here."
        " What a try-on takes of them, and why: mycloset doctor --models FOLDER"
    )
    yield from wrapped([Span(text, "dim")], width)


def _columns(width: int | None, found: Shown) -> tuple[int, int, int]:
    """Columns of what a model is, of its licence, and of its path."""
    if width is None:
        titles = [model.network.title for model in found.models]
        titles += [file.record.title for file in found.others]
        licences = [model.network.licence for model in found.models]
        what = max(map(width_of, titles), default=_WHAT)
        return what, 2 + max(map(width_of, licences), default=_LICENCE), 0
    room = width - 2 - _SIZE - _STEPS - 4 * _GAP
    licence = max(4, min(_LICENCE, room // 6))
    what = max(8, min(_WHAT, (room - licence) // 2))
    return what, licence, max(8, room - licence - what)


def _numbers(steps: tuple[str, ...]) -> str:
    """Steps by their numbers ("1 6"); parts of the animation by their first letters."""
    told = [
        str(TRY_ON_STEPS.index(step) + 1) if step in TRY_ON_STEPS else "anim." for step in steps
    ]
    return " ".join(dict.fromkeys(told))


def _below(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _shortened(text: str, columns: int | None) -> str:
    return text if columns is None else fit(text, columns, keep_end=True)


def _model_json(model: ShelvedModel) -> dict[str, Any]:
    network = model.network
    return {
        "path": str(model.path), "name": model.name, "family": network.family,
        "variant": network.variant, "title": network.title, "verdict": network.verdict,
        "steps": list(model.steps), "folder_step": model.folder_step, "task": network.task,
        "size": model.size, "bytes": network.bytes, "parameters": network.parameters,
        "precision": network.precision, "confidence": network.confidence,
        "wrapper": network.wrapper, "prefix": network.prefix, "role": network.role,
        "licence": network.licence, "non_commercial": forbids_commerce(network.licence),
        "runnable": model.runnable, "reason": model.reason, "note": model.note, "loaded": False,
        "copy": model.copy,
    }  # fmt: skip
