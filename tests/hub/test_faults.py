"""What goes wrong with files and memory ends in a named error, and the hub works on."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mycloset.errors import ModelFileError
from mycloset.hub.loader import ModelLoader
from small_vgg import STEP, save_vgg

PICTURE = np.full((64, 64, 3), 127, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate("ab"):
        save_vgg(tmp_path / f"{name}.pth", seed=number)
    return tmp_path


def put(path: Path, data: bytes) -> None:
    """Another file in the place of one, as downloads and copies put it there."""
    beside = path.with_suffix(".new")
    beside.write_bytes(data)
    beside.replace(path)


def cut_off(path: Path) -> None:
    put(path, path.read_bytes()[:-3000])


def html(path: Path) -> None:
    put(path, b"<!DOCTYPE html><html>404 Not Found</html>")


def emptied(path: Path) -> None:
    put(path, b"")


def other_network(path: Path) -> None:
    put(path, (path.parent / "b.pth").read_bytes()[:200])


@pytest.mark.parametrize("harm", [cut_off, html, emptied, other_network, Path.unlink])
def test_a_file_harmed_after_it_was_seen_gives_way_and_says_so(harm: object, folder: Path) -> None:
    loader = ModelLoader([folder])
    best = loader.candidates(STEP)[0]
    assert best.path.stem == "a"
    harm(best.path)  # type: ignore[operator]
    with pytest.raises(ModelFileError, match=r"\ba\b"):
        loader.load_model("a")
    model = loader.load_model_for_step(STEP)
    assert model.info.path.stem == "b"
    assert model.info.fallback is not None
    assert "a.pth" in model.info.fallback.wanted
    assert model(PICTURE) is not None


def test_a_file_that_changed_is_loaded_as_it_is_now(folder: Path) -> None:
    loader = ModelLoader([folder])
    before = loader.load_model("a")(PICTURE).vector
    put(folder / "a.pth", save_vgg(folder.parent / "new.pth", seed=7).read_bytes())
    after = loader.load_model("a")(PICTURE).vector
    assert not np.array_equal(before, after)


def test_a_file_that_came_back_serves_again(folder: Path) -> None:
    loader = ModelLoader([folder])
    loader.candidates(STEP)
    data = (folder / "a.pth").read_bytes()
    html(folder / "a.pth")
    assert loader.load_model_for_step(STEP).info.fallback is not None
    put(folder / "a.pth", data)
    loader.shelf.refresh()
    assert loader.load_model_for_step(STEP).info.fallback is None


LIMITED = """
import resource, sys
import torch
from mycloset.errors import ModelFileError
from mycloset.hub.loader import ModelLoader
from mycloset.hub.memory import MemoryShortError

loader = ModelLoader([sys.argv[1]], memory="8GB", precision=sys.argv[2], index=False)
loader.load_model("a")
for name in loader.list_available_models(): pass
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (40 << 20), resource.RLIM_INFINITY))
try:
    loader.load_model("huge")
    print("loaded")
except MemoryShortError as error:
    print("short:", error)
print(loader.load_model("b").info.path.name)
print(loader.load_model_for_step("quality_assessment").info.fallback)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_at_the_limit_of_memory_the_error_is_named_and_the_hub_works_on(
    precision: str, folder: Path
) -> None:
    save_vgg(folder / "huge.pth", width=4500)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder), precision],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
    )
    told = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr[-2000:]
    assert told[0].startswith("short: huge.pth: the system has no memory left")
    assert told[1] == "b.pth"
    assert "huge.pth" in told[2]


def ask(root: str, name: str) -> int:
    """In another process: load a model, and how it classifies."""
    loader = ModelLoader([root])
    return int(loader.load_model(name)(PICTURE).vector.size)  # its last features


def test_processes_that_do_not_fork_share_folders(folder: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.starmap(ask, [(str(folder), name) for name in "abab"]) == [8, 8, 8, 8]
