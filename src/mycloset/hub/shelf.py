"""Shelf: what the user's folders hold, and which of it is meant by a step, a family or a name.

Which model is meant, in this order:

1. **What was named explicitly**: `models=` of the call, then `mycloset.yaml` in the folders.
2. **The step's folder**: files below `step_01_human_parsing` (`step_01`, `human_parsing`), however
   deep, before files elsewhere.
3. **The whole tree**, any layout.

Within each, only files that are valid and recognised are taken, the surest first, then the
largest, then by the order of the folders and by path. What a file holds decides, never its name: a
VGG named `u2net.pth` in `step_03` is nobody's U2-Net.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mycloset.errors import InputError, ModelFileError
from mycloset.hub.closet import Closet, ShelvedFile
from mycloset.hub.named_models import FILE, NamedModel, is_family, named, read_named, step_named
from mycloset.hub.records import FileRecord, ShelvedNetwork, describe, is_current, stamp_of
from mycloset.hub.shelved import NoModelError, ShelvedModel


class Shelf:
    """What the user's folders hold. Threads may share one.

    Nothing is read before the first question; then the headers of files that are not in the index
    or changed since, and nothing more.

    Args:
        roots: folders with model files.
        models: names for files: name -> file, or name -> {file, family, step}; or a YAML file
            that says so. They come before those of `mycloset.yaml` in the roots.
        index: whether what was read is kept on disk for the next process; a path: in files whose
            names begin so.

    Attributes:
        roots: the folders.

    Raises:
        InputError: a root is no folder.
    """

    def __init__(
        self,
        roots: Iterable[str | os.PathLike[str]],
        *,
        models: Mapping[str, object] | str | os.PathLike[str] | None = None,
        index: bool | str | os.PathLike[str] = True,
    ) -> None:
        self.roots = tuple(Path(root) for root in roots)
        for root in self.roots:
            if not root.is_dir():
                raise InputError(f"{root} is no folder.", hint="Give a folder of model files.")
        self._given = models
        self._closet = Closet(self.roots, index)
        self._lock = threading.RLock()
        self._look: _Look | None = None
        self._lost: tuple[ShelvedModel, ...] = ()

    def models(self) -> tuple[ShelvedModel, ...]:
        """Every network in the folders' files, by path.

        Raises:
            InputError: `models=` or a `mycloset.yaml` is not what it should be.
        """
        return self._now().models

    def files(self) -> tuple[ShelvedFile, ...]:
        """Every file that is named like a model's, by path; those that hold no network as well."""
        return self._now().files

    @property
    def explicit(self) -> Mapping[str, NamedModel]:
        """The files that were given names, by name."""
        return self._now().explicit

    @property
    def notes(self) -> tuple[str, ...]:
        """What went otherwise than wished: an index that cannot be used, names without a file."""
        return self._now().notes

    def refresh(self) -> tuple[ShelvedModel, ...]:
        """Look again; only files that changed are read. What was lost since is forgotten."""
        with self._lock:
            self._look_again()
            self._lost = ()
            return self._now().models

    def candidates(
        self,
        step_name: str | None = None,
        model_type: str | None = None,
        variants: Collection[str] = (),
        *,
        damaged: bool = False,
    ) -> tuple[ShelvedModel, ...]:
        """Models that can run, the best first (see the top of this module); of copies the first.

        Args:
            step_name: one of the eight steps, or "step_01"; None for any.
            model_type: a family; None for any.
            variants: of the family, whatever steps they are said to serve; empty for any.
            damaged: also those that could run, if their files were whole; and those that were
                there at an earlier look and are lost, until somebody asks for a new one.

        A file that changed since it was looked at stays among them: `check`, before it is loaded,
        says what became of it, so that nothing falls back in silence.
        """
        return self._candidates(self._now(), step_name, model_type, variants, damaged)

    def find(
        self,
        model_name: str | os.PathLike[str],
        step_name: str | None = None,
        model_type: str | None = None,
    ) -> ShelvedModel:
        """The model that is meant by a name.

        A name is, in this order: an explicit one; a path or the end of one ("sd15/unet" for the
        weights in that folder); a family, if MyCloset knows one of this name and there is a file
        of it; a file's name without suffix; a family or variant. So "u2net" is a U2-Net, whatever
        its file is called, before it is a VGG that is called `u2net.pth`; that one is given where
        there is no U2-Net, and its `note` tells what it is. Of copies the first is given, unless a
        path is asked for.

        Raises:
            NoModelError: there is none, or none for this step and family.
            ModelFileError: there is, but it cannot be run, or is not what was said of it.
        """
        name = os.fspath(model_name)
        step = _step(step_name)
        found = self._find(self._now(), name, step, model_type)
        if found is None or not _is_fresh(found):
            # The file may have come, changed or gone since somebody last looked.
            self._look_again()
            found = self._find(self._now(), name, step, model_type)
        if found is None:
            raise self._absent(self._now(), name, step, model_type)
        return found

    def path(self, name: str | os.PathLike[str], step_name: str | None = None) -> Path:
        """The file that is meant by a name, whether what it holds can be run or not; see `find`.

        Raises:
            NoModelError: there is none.
        """
        asked = os.fspath(name)
        given = self.explicit.get(asked)
        if given is not None and given.path.exists():
            return given.path
        try:
            return self.find(asked, step_name).path
        except ModelFileError:
            for file in self.files():
                if asked in _file_names(file) or asked in _paths(file.path):
                    return file.path
            raise

    def check(self, shelved: ShelvedModel) -> ShelvedModel:
        """The same model, made sure that its file is still what it was: called before loading.

        Costs one look at each of its files; one that changed is read again.

        Returns:
            the model as it is now: with another stamp, where its file changed and still holds it.

        Raises:
            ModelFileError: the file was deleted, cut off, or holds something else now.
        """
        path = str(shelved.path)
        if shelved.record is not None and is_current(path, shelved.record):
            return shelved
        if stamp_of(path) is None:
            self._forget(shelved.path, None)
            raise ModelFileError(
                f"{path} is no longer there (it was {shelved.network.title}).",
                hint="Put it back, or let another model serve.",
            )
        _, record = describe(shelved.path)
        self._forget(shelved.path, record)
        before, now = shelved.network, record.networks if record is not None else ()
        for network in now:
            if _place(network) == _place(before) and network.runnable:
                return next(
                    m for m in self.models() if m.path == shelved.path and m.network == network
                )
        size = shelved.record.size if shelved.record is not None else before.bytes
        held = "nothing" if record is None else record.title
        why = next((f" ({network.reason})" for network in now if network.reason), "")
        shrunk = record is not None and record.size < size
        told = f", {size - record.size} bytes shorter" if record is not None and shrunk else ""
        raise ModelFileError(
            f"{path} changed since it was looked at{told}: it was {before.title},"
            f" and is now {held}{why}.",
            hint="Fetch it again, or let another model serve.",
        )

    def _now(self) -> _Look:
        look = self._look
        if look is None:
            with self._lock:
                if self._look is None:
                    self._look = self._looked()
                look = self._look
        return look

    def _look_again(self) -> None:
        with self._lock:
            self._take(self._looked(), self._now())

    def _take(self, look: _Look, before: _Look) -> None:
        """Take a look for the last one, and remember what was lost since the one before."""
        there = {(model.path, _place(model.network)) for model in look.models}
        lost = {(model.path, _place(model.network)): model for model in self._lost}
        for model in before.models:
            place = (model.path, _place(model.network))
            if model.runnable and place not in there:
                what = "is gone" if stamp_of(model.path) is None else "has changed"
                reason = f"it {what} since it was looked at."
                lost[place] = replace(
                    model, runnable=False, damaged=True, reason=reason, record=None
                )
        self._lost = tuple(model for place, model in lost.items() if place not in there)
        self._look = look

    def _looked(self) -> _Look:
        explicit = self._read_names()
        files, notes = self._closet.look(given.path for given in explicit.values())
        return _look(files, explicit, notes)

    def _forget(self, path: Path, record: FileRecord | None) -> None:
        """Put another record in the place of a file's, or none."""
        with self._lock:
            self._closet.put(path, record)
            look = self._now()
            kept = [file for file in look.files if file.path != path]
            if record is not None:
                roots = [file.root for file in look.files if file.path == path]
                kept.extend(ShelvedFile(path, root, record) for root in roots)
                kept.sort(key=lambda file: str(file.path))
            self._take(_look(tuple(kept), look.explicit, look.notes), look)

    def _read_names(self) -> dict[str, NamedModel]:
        found: dict[str, NamedModel] = {}
        if isinstance(self._given, Mapping):
            found = named(self._given, "models", self.roots)
        elif self._given is not None:
            found = read_named(Path(self._given))
        for root in self.roots:
            if (root / FILE).exists():
                found = {**read_named(root / FILE), **found}
        return found

    def _candidates(
        self,
        look: _Look,
        step_name: str | None,
        model_type: str | None,
        variants: Collection[str],
        damaged: bool = False,
    ) -> tuple[ShelvedModel, ...]:
        step = _step(step_name)
        first = {
            (given.path, given.family)
            for given in look.explicit.values()
            if step is not None and given.step == step
        }

        def chosen(model: ShelvedModel) -> bool:
            """Whether somebody said that it serves this step, whatever it is known to serve."""
            return not first.isdisjoint({(model.path, None), (model.path, model.network.family)})

        found = [
            model
            for model in (*look.models, *(self._lost if damaged else ()))
            if (model.runnable or (damaged and model.damaged))
            and (model_type is None or model.network.family == model_type)
            and (not variants or model.network.variant in variants)
            and (step is None or variants or step in model.steps or chosen(model))
        ]
        order = {root: number for number, root in enumerate(self.roots)}
        found.sort(
            key=lambda model: (
                not chosen(model),
                step is not None and model.folder_step != step,
                model.network.role == "ema",
                -model.network.confidence,
                -model.network.parameters,
                order[model.root],
                str(model.path),
            )
        )
        return tuple(_without_copies(found))

    def _find(
        self, look: _Look, name: str, step: str | None, family: str | None
    ) -> ShelvedModel | None:
        given = look.explicit.get(name)
        if given is not None:
            return self._given_model(look, given, family)
        # A path means this very file, and no copy of it.
        every = [
            model
            for model in look.models
            if model.runnable
            and (family is None or model.network.family == family)
            and (step is None or step in model.steps)
        ]
        exact = [model for model in every if name in _paths(model.path) or _lies_at(model, name)]
        if exact:
            ordered = self._candidates(look, step, family, ())
            rank = {id(model): place for place, model in enumerate(ordered)}
            return min(exact, key=lambda model: rank.get(id(model), len(rank)))
        firsts = self._candidates(look, step, family, ())
        by_copy = {model.copy: model for model in reversed(firsts) if model.copy}
        if is_family(name):
            for model in firsts:
                if name == model.network.family:
                    return model
        ranked = [*firsts, *(model for model in every if model.copy)]
        for names in (_stems, _kinds):
            for model in ranked:
                if name in names(model):
                    return by_copy.get(model.copy, model) if model.copy else model
        return None

    def _given_model(self, look: _Look, given: NamedModel, family: str | None) -> ShelvedModel:
        wanted = given.family or family
        there = [model for model in look.models if model.path == given.path]
        if not given.path.exists():
            raise ModelFileError(
                f"{given.said}: there is no file {given.path}.", hint="Mend the line, or the path."
            )
        fit = [m for m in there if wanted is None or m.network.family == wanted]
        runnable = [model for model in fit if model.runnable]
        if runnable:
            return runnable[0]
        if fit:
            raise ModelFileError(f"{given.said}: {given.path}: {fit[0].reason}")
        held = there[0].network.title if there else "no network"
        what = f"holds {held}, not {wanted}" if wanted else f"holds {held}"
        raise ModelFileError(
            f"{given.said}: {given.path} {what}.", hint="Name another file, or another family."
        )

    def _absent(
        self, look: _Look, name: str, step: str | None, family: str | None
    ) -> ModelFileError:
        """Why there is no model of a name."""
        for model in (*look.models, *self._lost):
            if name in _stems(model) or name in _paths(model.path) or _lies_at(model, name):
                if not model.runnable:
                    return ModelFileError(f"{model.path}: {model.reason}")
                serves = ", ".join(model.steps) or "no step"
                return NoModelError(
                    f"{model.path} is {model.network.title} ({model.network.family}), which serves"
                    f" {serves}: not {' or '.join(filter(None, (step, family)))}."
                )
        for file in look.files:
            if not file.record.networks and (
                name in _file_names(file) or name in _paths(file.path)
            ):
                why = f" {file.record.notes[0]}" if file.record.notes else ""
                return ModelFileError(f"{file.path}: {file.record.title}.{why}")
        every = self._candidates(look, step, family, ())
        near = ", ".join(sorted({model.name for model in every})[:8]) or "nothing that can run"
        return NoModelError(f"there is no model {name!r}.", hint=f"The folders hold {near}.")


@dataclass(frozen=True)
class _Look:
    """What was there at one look."""

    models: tuple[ShelvedModel, ...]
    files: tuple[ShelvedFile, ...]
    explicit: Mapping[str, NamedModel]
    notes: tuple[str, ...]


def _look(
    files: tuple[ShelvedFile, ...], explicit: Mapping[str, NamedModel], notes: tuple[str, ...]
) -> _Look:
    there = {file.path: file for file in files}
    told = list(notes)
    for given in explicit.values():
        file = there.get(given.path)
        if file is None:
            told.append(f"{given.said}: there is no file {given.path}.")
        elif given.family and all(n.family != given.family for n in file.record.networks):
            told.append(
                f"{given.said}: {given.path} holds {file.record.title}, not {given.family}."
            )
    models = tuple(model for file in files for model in _models(file))
    return _Look(models, files, explicit, tuple(dict.fromkeys(told)))


def _models(file: ShelvedFile) -> Iterator[ShelvedModel]:
    record = file.record
    note = next((note for note in record.notes if note.startswith("The name suggests")), "")
    for network in record.networks:
        yield ShelvedModel(
            file.path,
            file.root,
            network,
            network.runnable,
            network.reason,
            network.damaged,
            record.files,
            note,
            file.copy,
            record,
        )


def _without_copies(found: list[ShelvedModel]) -> Iterator[ShelvedModel]:
    """Of files of the same content only the first."""
    taken: dict[str, Path] = {}
    for model in found:
        if not model.copy or taken.setdefault(model.copy, model.path) == model.path:
            yield model


def _is_fresh(model: ShelvedModel) -> bool:
    return model.record is None or is_current(str(model.path), model.record)


def _place(network: ShelvedNetwork) -> tuple[str | None, ...]:
    return network.family, network.variant, network.wrapper, network.prefix, network.role


def _step(word: str | None) -> str | None:
    """A step by its name or number; any other role as it is."""
    return None if word is None else step_named(word) or word


def _paths(path: Path) -> tuple[str, ...]:
    """The path, and every end of it."""
    parts = path.parts
    return (str(path), *(str(Path(*parts[start:])) for start in range(1, len(parts))))


def _lies_at(model: ShelvedModel, name: str) -> bool:
    """Whether a name is the path of the file by another way, or of the folder that it stands for
    ("sd15/unet" for `sd15/unet/diffusion_pytorch_model.safetensors`)."""
    if "/" not in name and os.sep not in name:
        return False
    generic = model.record is not None and model.record.generic
    if generic and re.sub(r"/+$", "", name) in _paths(model.path.parent):
        return True
    return os.path.realpath(name) == os.path.realpath(model.path)


def _stems(model: ShelvedModel) -> tuple[str, ...]:
    return (model.name,)


def _file_names(file: ShelvedFile) -> tuple[str, str]:
    stem = file.path.name.removesuffix(".tar").rpartition(".")[0] or file.path.name
    return stem, file.path.parent.name if file.record.generic else stem


def _kinds(model: ShelvedModel) -> tuple[str, ...]:
    return (model.network.variant or "", model.network.family or "")
