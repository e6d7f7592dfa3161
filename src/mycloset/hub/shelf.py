"""Shelf: what the user's folders hold, and which of it is meant by a step, a family or a name.

Where several models could be meant, the first of this order is:

1. the one that the user's own names say (`models=`, then `mycloset.yaml` in a folder);
2. for a step: those that lie in the step's folder (`step_01_human_parsing`, `step_01`,
   `human_parsing`, with whatever folders below), then the whole tree;
3. among these: weights before moving averages, the surer recognised before the less sure, the
   larger before the smaller, then by path.

What a file is called decides nothing about what it is: a model serves a step or a family because
its tensors do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mycloset.errors import InputError, ModelFileError
from mycloset.hub.aliases import Alias, aliases
from mycloset.hub.cache import home
from mycloset.hub.index import Index, Record, now
from mycloset.hub.shelved import NoModelError, ShelvedModel, Stamp, shelved
from mycloset.inspection.folders import find

if TYPE_CHECKING:
    from mycloset.inspection.results import CheckpointAnalysis


class Shelf:
    """What the user's folders hold. Threads may share it.

    Args:
        roots: folders with model files.
        models: the user's own names: of a role or model to a file, as in `mycloset.yaml`.
        index: whether what was found is kept on disk; or in which file.

    Raises:
        InputError: a root is no folder.
        OptionError: a name's file is not there.
    """

    def __init__(
        self,
        roots: Iterable[str | os.PathLike[str]],
        *,
        models: Mapping[str, Any] | None = None,
        index: bool | str | os.PathLike[str] = True,
    ) -> None:
        self.roots = tuple(Path(root) for root in roots)
        for root in self.roots:
            if not root.is_dir():
                raise InputError(f"{root} is no folder.", hint="Give a folder of model files.")
        self.aliases = aliases(self.roots, models)
        self._index = None
        if index is not False:
            self._index = Index(home() / "index.sqlite" if index is True else Path(index))
        self._lock = threading.Lock()
        self._models: tuple[ShelvedModel, ...] | None = None
        self._lost: dict[tuple[Path, str, str], ShelvedModel] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know: an index that cannot be used."""
        return self._index.notes if self._index is not None else ()

    def models(self) -> tuple[ShelvedModel, ...]:
        """Every network in the folders' files, by path."""
        with self._lock:
            if self._models is None:
                self._models = tuple(self._look())
            return self._models

    def refresh(self) -> tuple[ShelvedModel, ...]:
        """Look again; only files that have changed are read."""
        with self._lock:
            self._lost.clear()
            self._models = tuple(self._look())
            return self._models

    def candidates(
        self,
        step_name: str | None = None,
        model_type: str | None = None,
        variants: Collection[str] = (),
        *,
        damaged: bool = False,
    ) -> tuple[ShelvedModel, ...]:
        """Models that can run, the best first; see the module's text for the order.

        Args:
            step_name: one of the eight steps; None for any.
            model_type: a family; None for any.
            variants: of the family, whatever steps they are said to serve; empty for any.
            damaged: also those that could run, if their files were whole.
        """
        chosen = {
            alias.path.resolve(): place
            for place, alias in enumerate(self.aliases.values())
            if step_name is not None and alias.step == step_name
        }
        found = [
            model
            for model in self.models()
            if (model.runnable or (damaged and model.damaged))
            and (model_type is None or model.network.family == model_type)
            and (not variants or model.network.variant in variants)
            and (
                step_name is None
                or variants
                or step_name in model.network.steps
                or model.path.resolve() in chosen
            )
        ]

        def rank(model: ShelvedModel) -> tuple[Any, ...]:
            return (
                chosen.get(model.path.resolve(), len(chosen)) if chosen else 0,
                model.folder_step != step_name,
                model.network.role == "ema",
                -model.network.confidence,
                -model.network.parameters,
                str(model.path),
            )

        return tuple(sorted(found, key=rank))

    def find(
        self,
        model_name: str | os.PathLike[str],
        step_name: str | None = None,
        model_type: str | None = None,
    ) -> ShelvedModel:
        """The model of a name: one of the user's own, a path or the end of one, a file's name with
        or without its suffix, a family or a variant.

        A family's name means a model that is of the family, even where a file of another kind is
        called so; such a file goes by its name with the suffix.

        Raises:
            NoModelError: the folders hold none of that name.
            ModelFileError: they do, but it cannot be used.
        """
        name = os.fspath(model_name)
        found = self._named(name, step_name, model_type)
        if found is None:
            # It may have come since.
            self.refresh()
            found = self._named(name, step_name, model_type)
        if found is not None:
            return found
        unusable = [model for model in self.models() if name in model.names]
        if unusable:
            raise ModelFileError(f"{unusable[0].path}: {unusable[0].reason}")
        every = self.candidates(step_name, model_type)
        near = ", ".join(sorted({model.name for model in every})[:8]) or "nothing that can run"
        raise NoModelError(f"there is no model {name!r}.", hint=f"The folders hold {near}.")

    def path(self, model_name: str | os.PathLike[str], step_name: str | None = None) -> Path:
        """The file of a name, whether or not it can be run; as `find`.

        Raises:
            NoModelError: the folders hold none of that name.
        """
        name = os.fspath(model_name)
        if name in self.aliases:
            return self.aliases[name].path
        for model in self.models():
            if name in model.names and step_name in (None, model.folder_step):
                return model.path
        return self.find(name, step_name).path

    def check(self, model: ShelvedModel) -> ShelvedModel:
        """The model as it is now: looked at again where its files have changed.

        One that is gone, or has become something else, stays among the damaged ones until the
        folders are looked at anew (`refresh`), so that what serves instead can say so.

        Raises:
            ModelFileError: its files are gone, or hold something else now.
        """
        if _unchanged(model.path, model.stamps):
            return model
        place = _place(model)
        with self._lock:
            self._models = tuple(self._look())
            now_there = {_place(fresh): fresh for fresh in self._models}
        fresh = now_there.get(place)
        if fresh is not None and fresh.network.family == model.network.family:
            if fresh.runnable:
                return fresh
            raise ModelFileError(f"{model.path}: it has changed: {fresh.reason}")
        reason = "it is gone since the folders were looked at."
        if model.path.exists():
            others = [other for other in now_there.values() if other.path == model.path]
            held = sorted({other.network.title for other in others})
            what = f"holds {' and '.join(held)}" if held else "holds no network"
            reason = f"it has changed since the folders were looked at, and {what} now."
        with self._lock:
            lost = replace(model, runnable=False, damaged=True, reason=reason)
            self._lost[place] = lost
            self._models = (*(self._models or ()), lost)
        raise ModelFileError(f"{model.path}: {reason}", hint="Put the file back.")

    def _named(
        self, name: str, step_name: str | None, model_type: str | None
    ) -> ShelvedModel | None:
        alias = self.aliases.get(name)
        every = self.candidates(step_name, model_type)
        if alias is not None:
            return self._of_alias(alias)
        for names in (_kinds, _files):
            for model in every:
                if name in names(model):
                    return model
        return None

    def _of_alias(self, alias: Alias) -> ShelvedModel:
        """The model that a name of the user's own means.

        Raises:
            ModelFileError: its file holds none, or none that can be run.
        """
        path = alias.path.resolve()
        held = [model for model in self.models() if model.path.resolve() == path]
        if not held:
            held = [
                m for r in _analysed([alias.path], alias.path.parent).values() for m in r.models
            ]
        fitting = [m for m in held if alias.family is None or m.network.family == alias.family]
        for model in fitting:
            if model.runnable:
                return model
        reason = (fitting or held)[0].reason if held else "it holds no weights."
        if held and not fitting:
            reason = f"it holds {held[0].network.title}, not {alias.family}."
        raise ModelFileError(f"{alias.where}: {alias.name}: {alias.path}: {reason}")

    def _look(self) -> Iterator[ShelvedModel]:
        """Every network in every file of the roots, and what was lost of them."""
        for root in self.roots:
            files, _ = find(root)
            known = self._index.records(root) if self._index is not None else {}
            kept = {
                path: record
                for path in files
                if (record := known.get(path)) is not None
                and record.sure
                and _unchanged(path, record.stamps)
            }
            fresh = _analysed([path for path in files if path not in kept], root)
            if self._index is not None:
                self._index.keep(root, fresh, known.keys() - set(files))
            for path in sorted(files):
                record = kept.get(path) or fresh.get(path)
                if record is not None:
                    for model in record.models:
                        self._lost.pop(_place(model), None)
                    yield from record.models
        yield from self._lost.values()


def _place(model: ShelvedModel) -> tuple[Path, str, str]:
    """The file, and where in it."""
    return model.path, model.network.wrapper, model.network.prefix


def _kinds(model: ShelvedModel) -> Collection[str]:
    return (model.network.variant or "", model.network.family or "")


def _files(model: ShelvedModel) -> Collection[str]:
    return model.names


def _analysed(files: list[Path], root: Path) -> dict[Path, Record]:
    """Read the headers of files; those that are gone by then are left out."""
    if not files:
        return {}
    from mycloset.inspection.folders import each

    began = now()
    found = {}
    for path, before, analysis in each(files, _analysis):
        if analysis is not None:
            # What changes while it is read no longer has the stamp of before.
            stamps = (*before, *_stamps(path, analysis.files))
            found[path] = Record(began, stamps, tuple(shelved(analysis, root, stamps)))
    return found


def _analysis(path: Path) -> tuple[Path, tuple[Stamp, ...], CheckpointAnalysis | None]:
    from mycloset.inspection.analysis import CheckpointAnalyzer

    try:
        before = (Stamp.of(path),)
        return path, before, CheckpointAnalyzer().analyze_checkpoint(path)
    except (OSError, InputError):  # it was there when the folder was listed
        return path, (), None


def _stamps(path: Path, files: Iterable[str]) -> Iterator[Stamp]:
    """Of a model's other files."""
    for name in files:
        if name != path.name:
            with suppress(OSError):
                yield Stamp.of(path.parent, name)


def _unchanged(path: Path, stamps: Iterable[Stamp]) -> bool:
    """Whether a model's files are what they were."""
    try:
        return all(
            stamp == Stamp.of(path if not stamp.name else path.parent, stamp.name)
            for stamp in stamps
        )
    except OSError:
        return False
