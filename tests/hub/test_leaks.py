"""A thousand loads leave nothing behind."""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path

import pytest

from mycloset.hub.loader import ModelLoader
from small_vgg import save_vgg


def held() -> dict[str, int]:
    """Bytes and things that the process holds."""
    gc.collect()
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    named = dict(line.split(":", 1) for line in lines)
    return {
        "anonymous": int(named["RssAnon"].split()[0]) * 1024,
        "maps": Path("/proc/self/maps").read_text("ascii").count("\n"),
        "files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "threads": threading.active_count(),
    }


def cycles(loader: ModelLoader, count: int) -> None:
    for _ in range(count):
        loader.load_model("a")
        assert loader.unload_model("a")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("precision", "mapped", "count"),
    [
        ("float32", True, 60),
        ("float16", True, 60),
        ("float32", False, 60),
        pytest.param("float32", True, 1000, marks=pytest.mark.slow),
        pytest.param("float16", True, 1000, marks=pytest.mark.slow),
    ],
)
def test_loading_and_letting_go_leaves_nothing(
    precision: str, mapped: bool, count: int, tmp_path: Path
) -> None:
    path = save_vgg(tmp_path / "a.pth", width=600)
    loader = ModelLoader([tmp_path], precision=precision, mapped=mapped)
    cycles(loader, 10)
    before = held()
    cycles(loader, count)
    after = held()
    # Far less than one model's bytes a cycle.
    assert after["anonymous"] - before["anonymous"] < path.stat().st_size
    for thing in ("maps", "files", "threads"):
        assert after[thing] - before[thing] <= 5, thing
