"""A package index in a folder, with one small wheel, and a catalogue that knows it."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from mycloset.hub import cache
from mycloset.hub.catalogue import Catalogue
from mycloset.hub.entries import Entry, PypiSource, Wheel

WHEEL_FILE = "fakemodels-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
FILES = {"one": b"first network" * 1000, "two": b"second network" * 2000}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_wheel(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    path = folder / WHEEL_FILE
    info = "fakemodels-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"fakemodels/{name}.bin", data)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: fakemodels\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: false\n"
            "Tag: cp311-cp311-manylinux_2_28_x86_64\n",
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def catalogue_for(wheel: Path, files: dict[str, bytes] = FILES) -> Catalogue:
    data = wheel.read_bytes()
    described = Wheel(
        "fakemodels", "1.0", WHEEL_FILE, len(data), sha(data), "3.11", "cp",
        "manylinux_2_28_x86_64",
    )  # fmt: skip
    entries = {
        name: Entry(
            name, f"network {name}", f"{name}.bin", ("pose_estimation",), "MIT", "Nobody",
            "https://example.org/x", PypiSource(described, f"fakemodels/{name}.bin"),
            size=len(content), sha256=sha(content),
        )
        for name, content in files.items()
    }  # fmt: skip
    return Catalogue(entries, {"both": tuple(entries)})


@dataclass(frozen=True)
class Index:
    """What the tests need to know of the place that pip looks at."""

    folder: Path
    wheel: Path
    home: Path
    catalogue: Catalogue

    def leftovers(self) -> list[str]:
        """Everything in the cache but the lock, what was checked, and finished files."""
        known = {cache.place(entry) for entry in self.catalogue.entries.values()}
        return [
            str(path.relative_to(self.home))
            for path in self.home.rglob("*")
            if path.is_file() and path not in known and path.name not in (".lock", "checked.json")
        ]
