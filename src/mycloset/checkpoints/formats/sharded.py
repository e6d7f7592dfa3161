"""Models in several files: an index names the shard in which each tensor lies.

Source: transformers' and diffusers' `model.safetensors.index.json` and
`pytorch_model.bin.index.json`: {"metadata": {"total_size": …}, "weight_map": {key: file}}.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from mycloset.checkpoints.bounded_json import load_json
from mycloset.checkpoints.contents import Checkpoint, Finding, GlobalUse, TensorGroup, limited
from mycloset.checkpoints.source import DamagedError, Source, UnreadableError
from mycloset.checkpoints.tensors import TensorEntry, TensorTable

INDEX_LIMIT = 24_000_000
SHARDS_LIMIT = 2000
_TOLD = 5
_INDEX = re.compile(r"\.index(?:\.\w+)?\.json$")
_SHARD = re.compile(r"-(\d{1,6})-of-(\d{1,6})\.\w+$")


def read(path: Path) -> Checkpoint:
    """The whole model that an index describes, its shards' tensors in one table."""
    from mycloset.checkpoints.reading import read_file

    try:
        index, size = _index(path)
    except (DamagedError, UnreadableError) as error:
        kind = "unreadable" if isinstance(error, UnreadableError) else "corrupt"
        return Checkpoint(
            path, "json", 0, files=(path.name,), findings=(Finding(kind, "error", error.message),)
        )
    weight_map: dict[str, str] = index["weight_map"]
    names = sorted(set(weight_map.values()))
    entries: list[TensorEntry] = []
    findings: list[Finding] = []
    uses: list[GlobalUse] = []
    format_ = "safetensors-sharded"
    where: dict[str, str] = {}
    for name in names:
        shard = path.parent / name
        place = PurePosixPath(name.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or not place.parts or ":" in name:
            text = f"The index names a shard outside its folder, {name!r}: it is not read."
            findings.append(Finding("dangerous", "error", text, {"shard": name}))
            continue
        if not shard.exists():
            text = f"The shard {name} is missing."
            findings.append(Finding("corrupt", "error", text, {"shard": name}))
            continue
        part = read_file(shard)
        size += part.size
        if part.format.startswith(("torch", "pickle")):
            format_ = "torch-sharded"
        findings.extend(part.findings)
        uses.extend(part.globals)
        for group in part.groups:
            if group.role == "optimizer":
                continue
            for key, entry in group.table.items():
                if key in where:
                    text = f"`{key}` lies in {where[key]} and in {name}."
                    findings.append(Finding("corrupt", "error", text, {"key": key}))
                    continue
                where[key] = name
                storage = entry.storage._replace(file=name)
                entries.append(entry._replace(storage=storage))
    findings = limited(findings)
    findings.extend(_disagreements(weight_map, where, names, path))
    findings.extend(_extra(path, set(names)))
    order = {key: place for place, key in enumerate(weight_map)}
    entries.sort(key=lambda entry: (where[entry.key], order.get(entry.key, len(order))))
    config: dict[str, Any] = {}
    beside = path.with_name("config.json")
    if beside.is_file():
        from mycloset.checkpoints.reading import read_config

        config, wrong = read_config(beside)
        findings.extend(wrong)
    table = TensorTable(entries)
    stated = index.get("metadata")
    total = stated.get("total_size") if isinstance(stated, dict) else None
    if isinstance(total, int) and total and total != table.nbytes:
        text = f"The index states {total} bytes of tensors; its shards have {table.nbytes}."
        findings.append(Finding("unusual", "info", text))
    return Checkpoint(
        path,
        format_,
        size,
        (TensorGroup((), table),),
        (path.name, *names),
        metadata={
            **(stated if isinstance(stated, dict) else {}),
            **({"config": config} if config else {}),
        },
        globals=tuple(uses),
        findings=tuple(findings),
    )


def is_index(name: str) -> bool:
    """Whether a file's name is that of an index ("model.safetensors.index.json", "….fp16.json")."""
    return _INDEX.search(name) is not None


def part_of(name: str) -> tuple[int, int] | None:
    """Number and count, of a shard's name ("model-00002-of-00003.safetensors"); else None."""
    found = _SHARD.search(name)
    return (int(found[1]), int(found[2])) if found else None


def _index(path: Path) -> tuple[dict[str, Any], int]:
    with Source(path) as source:
        index = load_json(source, 0, source.size, "text", INDEX_LIMIT)
        size = source.size
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict) or not all(
        isinstance(name, str) for name in weight_map.values()
    ):
        raise DamagedError(f"{path.name} has no `weight_map` that says where each tensor lies.")
    if len(set(weight_map.values())) > SHARDS_LIMIT:
        raise DamagedError(f"{path.name} names more than {SHARDS_LIMIT} shards.")
    return index, size


def _disagreements(
    weight_map: dict[str, str], where: dict[str, str], names: list[str], path: Path
) -> list[Finding]:
    found = []
    gone = [
        key for key in weight_map if key not in where and (path.parent / weight_map[key]).exists()
    ]
    astray = [key for key, name in where.items() if weight_map.get(key, name) != name]
    unknown = [key for key in where if key not in weight_map]
    for keys, what in (
        (gone, "are in the index, but in none of its shards"),
        (astray, "lie in another shard than the index says"),
        (unknown, "lie in the shards, but not in the index"),
    ):
        if keys:
            told = ", ".join(f"`{key}`" for key in keys[:_TOLD])
            found.append(
                Finding(
                    "corrupt",
                    "error",
                    f"{len(keys)} tensors {what}: {told}.",
                    {"keys": keys[:100]},
                )
            )
    return found


def _extra(path: Path, names: set[str]) -> list[Finding]:
    """Files beside the index that are named like its shards, but are none of them."""
    stems = {_SHARD.sub("", name) for name in names if _SHARD.search(name)}
    try:
        names_there = sorted(beside.name for beside in path.parent.iterdir())
    except OSError:
        return []
    extra = [n for n in names_there if _SHARD.search(n) and _SHARD.sub("", n) in stems - names]
    extra = [n for n in extra if n not in names and Path(n).suffix == _suffix(names)]
    if not extra:
        return []
    text = f"{len(extra)} shards lie beside the index that it does not name: {extra[0]}."
    return [Finding("unusual", "warning", text, {"shards": extra[:20]})]


def _suffix(names: set[str]) -> str:
    return Path(min(names)).suffix if names else ""
