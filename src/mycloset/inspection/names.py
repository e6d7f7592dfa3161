"""Name against content: what a file's name and folders suggest, and whether it is so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mycloset.architectures.registry import families, family
from mycloset.architectures.steps import TRY_ON_STEPS
from mycloset.checkpoints.contents import Finding
from mycloset.inspection.results import Network

SUFFIXES = (
    ".safetensors",
    ".pth",
    ".pt",
    ".ckpt",
    ".bin",
    ".onnx",
    ".tflite",
    ".gguf",
    ".tar",
    ".pkl",
    ".npz",
)

GENERIC = frozenset(
    {
        "backbone",
        "checkpoint",
        "diffusion_pytorch_model",
        "diffusion_pytorch_model_fp16",
        "inference",
        "model",
        "model_fp16",
        "pytorch_model",
        "pytorch_lora_weights",
        "weights",
    }
)
"""Names that say nothing about what lies in the file."""

_STEP = re.compile(r"^step_?0?([1-8])(?:_|$)")
_FOLDERS = 3
"""How many folders above the file are looked at for a step's name."""


class Hint(NamedTuple):
    """What a name suggests.

    Attributes:
        family: the suggested family.
        variants: suggested variants; empty where any will do.
        word: the part of the name that suggests it.
    """

    family: str
    variants: frozenset[str]
    word: str


def hints(path: Path) -> tuple[Hint, ...]:
    """The families that a file's name suggests, or its folder where the name is a generic one."""
    stem = _stem(path.name)
    published: dict[str, set[str]] = {}
    plain, patterns = _published()
    # In the order of the families, whether named in full or by a pattern.
    named = [*plain.get(stem, ()), *(file for file in patterns if _fits(stem, file[1]))]
    for _, _, folders, name, variant in sorted(named):
        if _lies_in(path, folders):
            published.setdefault(name, set()).add(variant)
    if published:
        return tuple(
            Hint(name, frozenset(variants), path.name) for name, variants in published.items()
        )
    word = _word(stem)
    if word in GENERIC:
        parent = _word(path.parent.name.lower())
        return tuple(Hint(name, frozenset(), parent) for name in _aliases().get(parent, ()))
    longest = 0
    found: dict[str, str] = {}
    for alias, names in _aliases().items():
        if len(alias) >= longest and _holds(word, alias):
            if len(alias) > longest:
                longest, found = len(alias), {}
            found.update(dict.fromkeys(names, alias))
    return tuple(Hint(name, frozenset(), alias) for name, alias in found.items())


def step_of(path: Path) -> str | None:
    """The try-on step after which one of the file's folders is named ("step_05_…")."""
    for folder in path.parts[-2 : -2 - _FOLDERS : -1]:
        word = _word(folder.lower())
        found = _STEP.match(word)
        if found is not None:
            return TRY_ON_STEPS[int(found[1]) - 1]
        if word in TRY_ON_STEPS:
            return word
    return None


def is_generic(path: Path) -> bool:
    """Whether a file's name says nothing about what lies in it."""
    return _word(_stem(path.name)) in GENERIC


def mismatches(path: Path, networks: tuple[Network, ...]) -> Iterator[Finding]:
    """Where a file's name and its content disagree."""
    if not networks:
        return
    first = networks[0]
    suggested = hints(path)
    if suggested and not any(_agrees(hint, network) for hint in suggested for network in networks):
        wanted = _told(suggested)
        held = first.title if first.family is not None else f"an {first.title}"
        yield Finding(
            "mismatch",
            "warning",
            f"The name suggests {wanted} (“{suggested[0].word}”), but the file holds {held}.",
            {
                "network": 0,
                "suggested": [hint.family for hint in suggested],
                "found": first.family,
            },
        )
    step = step_of(path)
    if step is not None and first.family is not None:
        served = {name for network in networks for name in network.steps}
        if step not in served:
            can = (
                ", ".join(name for name in TRY_ON_STEPS if name in served) or "no step of a try-on"
            )
            yield Finding(
                "mismatch",
                "warning",
                f"It lies in a folder for {step}, but {first.title} serves {can}.",
                {"network": 0, "step": step, "serves": sorted(served)},
            )


def _agrees(hint: Hint, network: Network) -> bool:
    if hint.family in network.also:
        return True
    if network.family != hint.family:
        return False
    return not hint.variants or network.variant in hint.variants


def _told(suggested: tuple[Hint, ...]) -> str:
    told = []
    for hint in suggested:
        owner = family(hint.family)
        title = owner.title if owner is not None else hint.family
        told.append(f"{title} {'/'.join(sorted(hint.variants))}".strip())
    return " or ".join(dict.fromkeys(told))


def _stem(name: str) -> str:
    stem = name.lower()
    while stem.endswith(SUFFIXES):
        stem = stem[: stem.rindex(".")]
    return stem


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def _holds(word: str, alias: str) -> bool:
    return f"_{alias}_" in f"_{word}_" or (len(alias) > 4 and alias in word)


def _fits(name: str, pattern: str) -> bool:
    """Whether a name is of a pattern in which `*` stands for anything; compiling hundreds of
    regular expressions for one name would take longer than the rest of an analysis."""
    first, *middle = pattern.split("*")
    if not middle:
        return name == pattern
    last = middle.pop()
    place, end = len(first), len(name) - len(last)
    if place > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:
        place = name.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


_File = tuple[int, str, tuple[str, ...], str, str]


@cache
def _published() -> tuple[Mapping[str, list[_File]], list[_File]]:
    """Number, stem, folders, family and variant of every file with a telling name: those named in
    full by their stem, and those whose stem is a pattern.

    Folders are told only where the name itself says nothing ("…/vae/model.safetensors").
    """
    plain: dict[str, list[_File]] = {}
    patterns: list[_File] = []
    number = 0
    for owner in families():
        for file in owner.published:
            *folders, name = file.file.lower().split("/")
            stem = _stem(name)
            if _word(stem.replace("*", "")) in GENERIC or not stem.strip("*"):
                if not folders:
                    continue
            else:
                folders = []
            number += 1
            found = (number, stem, tuple(folders), owner.name, file.variant)
            (patterns if "*" in stem else plain.setdefault(stem, [])).append(found)
    return plain, patterns


def _lies_in(path: Path, folders: tuple[str, ...]) -> bool:
    if not folders:
        return True
    above = [part.lower() for part in path.parts[-len(folders) - 1 : -1]]
    return len(above) == len(folders) and all(map(_fits, above, folders))


@cache
def _aliases() -> Mapping[str, tuple[str, ...]]:
    """Alias -> families that go by it."""
    found: dict[str, list[str]] = {}
    for owner in families():
        for alias in dict.fromkeys((owner.name, *owner.aliases)):
            found.setdefault(_word(alias.lower()), []).append(owner.name)
    return {alias: tuple(names) for alias, names in found.items()}
