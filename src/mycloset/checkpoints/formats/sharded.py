"""Models in several files: an index names the shard in which each tensor lies.

Source: transformers' and diffusers' `model.safetensors.index.json` and
`pytorch_model.bin.index.json`: {"metadata": {"total_size": …}, "weight_map": {key: file}}.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mycloset.checkpoints.contents import Checkpoint, Finding, GlobalUse, TensorGroup
from mycloset.checkpoints.source import DamagedError, Source, UnreadableError
from mycloset.checkpoints.tensors import TensorEntry, TensorTable

INDEX_LIMIT = 50_000_000
SHARDS_LIMIT = 2000
_TOLD = 5


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
        if Path(name).name != name:
            text = f"The index names a shard outside its folder, {name!r}: it is not read."
            findings.append(Finding("dangerous", "error", text, {"shard": name}))
            continue
        if not shard.exists():
            text = f"The shard {name} is missing."
            findings.append(Finding("corrupt", "error", text, {"shard": name}))
            continue
        part = read_file(shard)
        size += part.size
        if part.format != "safetensors":
            format_ = "torch-sharded"
        findings.extend(part.findings)
        uses.extend(part.globals)
        for group in part.groups:
            for key, entry in group.table.items():
                if key in where:
                    text = f"`{key}` lies in {where[key]} and in {name}."
                    findings.append(Finding("corrupt", "error", text, {"key": key}))
                    continue
                where[key] = name
                storage = entry.storage._replace(file=name)
                entries.append(entry._replace(storage=storage))
    findings.extend(_disagreements(weight_map, where, names, path))
    order = {key: place for place, key in enumerate(weight_map)}
    entries.sort(key=lambda entry: (where[entry.key], order.get(entry.key, len(order))))
    config: dict[str, Any] = {}
    beside = path.with_name("config.json")
    if beside.is_file():
        from mycloset.checkpoints.reading import read_config

        config, wrong = read_config(beside)
        findings.extend(wrong)
    stated = index.get("metadata")
    return Checkpoint(
        path,
        format_,
        size,
        (TensorGroup((), TensorTable(entries)),),
        (path.name, *names),
        metadata={
            **(stated if isinstance(stated, dict) else {}),
            **({"config": config} if config else {}),
        },
        globals=tuple(uses),
        findings=tuple(findings),
    )


def is_shard(name: str) -> bool:
    """Whether a file's name is that of a part ("model-00002-of-00003.safetensors")."""
    stem = Path(name).stem
    head, _, last = stem.rpartition("-of-")
    return last.isdecimal() and head.rpartition("-")[2].isdecimal()


def _index(path: Path) -> tuple[dict[str, Any], int]:
    with Source(path) as source:
        if source.size > INDEX_LIMIT:
            raise DamagedError(f"{path.name} has {source.size} bytes: too many for an index.")
        try:
            index = json.loads(source.read(0, source.size).decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise DamagedError(f"{path.name} is no JSON ({error}).") from error
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
