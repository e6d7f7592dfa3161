"""Hostile places: paths that are no file, may not be read, or have names that break printing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from corpus import CLEAN, DANGEROUS, STATE, Case, payload, zip_of

from model_files import write_torch_zip

REFUSED = frozenset({"unreadable", "not-a-model"})


def places() -> Iterator[Case]:
    """Every case of this kind."""

    def folder_named(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        path.mkdir()
        return path

    def pipe(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        os.mkfifo(path)
        return path

    def loop(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        path.symlink_to(path)
        return path

    def dangling(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        path.symlink_to(folder / "nothing")
        return path

    def device(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        path.symlink_to("/dev/zero")
        return path

    def linked(folder: Path, marker: Path) -> Path:
        target = zip_of(folder / "target.pth", payload(marker))
        path = folder / "model.pth"
        path.symlink_to(target)
        return path

    for name, make, verdicts in (
        ("folder named .pth", folder_named, REFUSED),
        ("pipe", pipe, REFUSED),
        ("link to itself", loop, REFUSED),
        ("link to nothing", dangling, REFUSED),
        ("link to a device", device, REFUSED),
        ("link to a dangerous file", linked, DANGEROUS),
    ):
        yield Case(name, "places", make, verdicts)

    for mode, name in ((0o000, "file that nobody may read"), (0o200, "file that may be written")):

        def locked(folder: Path, marker: Path, mode: int = mode) -> Path:
            path = zip_of(folder / "model.pth", payload(marker))
            path.chmod(mode)
            return path

        yield Case(name, "places", locked, frozenset({"unreadable"}), unprivileged=True)

    def in_locked_folder(folder: Path, marker: Path) -> Path:
        inner = folder / "locked"
        inner.mkdir()
        path = zip_of(inner / "model.pth", payload(marker))
        inner.chmod(0o000)
        return path

    yield Case(
        "file in a locked folder",
        "places",
        in_locked_folder,
        frozenset({"unreadable"}),
        unprivileged=True,
    )

    def locked_shard(folder: Path, marker: Path) -> Path:
        path = folder / "model.safetensors.index.json"
        path.write_text('{"weight_map": {"a": "model-00001-of-00001.safetensors"}}')
        shard = folder / "model-00001-of-00001.safetensors"
        shard.write_bytes(b"{}")
        shard.chmod(0o000)
        return path

    yield Case(
        "shard that may not be read",
        "places",
        locked_shard,
        frozenset({"unreadable", "corrupt"}),
        unprivileged=True,
    )

    def locked_config(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        write_torch_zip(path, STATE)
        config = folder / "config.json"
        config.write_text("{}")
        config.chmod(0o000)
        return path

    yield Case(
        "config.json that may not be read",
        "places",
        locked_config,
        frozenset({"unreadable", "clean"}),
        unprivileged=True,
    )

    def too_long(folder: Path, marker: Path) -> Path:
        return folder / ("m" * 300 + ".pth")

    def too_deep(folder: Path, marker: Path) -> Path:
        return folder.joinpath(*["m" * 200] * 30) / "model.pth"

    yield Case("name that is too long", "places", too_long, frozenset({"unreadable"}))
    yield Case("path that is too long", "places", too_deep, frozenset({"unreadable"}))

    for name, raw in (
        ("name that is no UTF-8", b"mod\xff\xfeel.pth"),
        ("name with a line end", b"mod\nel.pth"),
        ("name with escape codes", b"\x1b[2J\x1b]0;x\x07.pth"),
        ("name that turns the text round", "mod\u202eel.pth".encode()),
        ("name of one dot more", b"model.pth."),
        ("name of spaces", b"   "),
        ("name like an option", b"--help"),
    ):

        def named(folder: Path, marker: Path, raw: bytes = raw) -> Path:
            path = folder / os.fsdecode(raw)
            write_torch_zip(path, STATE)
            return path

        yield Case(name, "places", named, CLEAN)
