from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fake_index import FILES, Index, catalogue_for, write_wheel

from mycloset.errors import DownloadError, OptionError
from mycloset.hub import cache, download, wheels
from mycloset.hub.entries import Entry, HfSource


def test_a_file_comes_from_its_wheel_with_its_neighbours(index: Index) -> None:
    told: list[tuple[int, int | None, str]] = []
    path = download.ensure("one", on_progress=lambda *news: told.append(news))
    assert path.read_bytes() == FILES["one"]
    assert cache.find(index.catalogue.entry("two")) is not None
    assert index.leftovers() == []
    assert [news for news in told if "fetching" in news[2]]
    assert told[-1][0] == told[-1][1]


def test_what_is_there_is_not_fetched_again(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    first = download.ensure("one")

    def refuse(*_: object) -> Path:
        raise AssertionError("fetched again")

    monkeypatch.setattr(wheels, "bring", refuse)
    assert download.ensure("one") == first
    assert download.pull("both") == [first, first.with_name("two.bin")]


def test_no_network_and_no_cache_says_so_and_what_to_run(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(DownloadError) as caught:
        download.ensure("one")
    text = str(caught.value)
    assert "there is no network, or the package index did not answer" in text
    assert str(index.home) in text
    assert "mycloset pull embedded" in text
    assert "--from" in text
    assert index.leftovers() == []


def test_a_wheel_with_other_bytes_is_refused(index: Index) -> None:
    write_wheel(index.folder, FILES | {"three": b"not in the catalogue"})
    with pytest.raises(DownloadError, match="it has SHA-256"):
        download.ensure("one")
    assert index.leftovers() == []
    assert cache.find(index.catalogue.entry("one")) is None


def test_a_member_with_other_bytes_is_refused(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = write_wheel(index.folder, FILES | {"two": b"x" * len(FILES["two"])})
    changed = catalogue_for(wheel)
    monkeypatch.setattr(download, "load", lambda: changed)
    with pytest.raises(DownloadError, match=r"two: pypi:fakemodels==1\.0!.* expected are"):
        download.pull("both")
    assert index.leftovers() == []
    assert cache.find(changed.entry("one")) is not None
    assert cache.find(changed.entry("two")) is None


@pytest.mark.parametrize("stage", ["fetching", "taking out"])
def test_an_interrupted_fetch_leaves_nothing(index: Index, stage: str) -> None:
    def interrupt(_done: int, _total: int | None, text: str) -> None:
        if stage in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download.ensure("one", on_progress=interrupt)
    assert index.leftovers() == []
    assert cache.find(index.catalogue.entry("one")) is None
    assert download.ensure("one").read_bytes() == FILES["one"]


def test_an_interrupt_ends_the_tool_too(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = index.folder / "survived"
    script = f"import time, pathlib; time.sleep(1.5); pathlib.Path({str(mark)!r}).touch()"
    monkeypatch.setattr(wheels, "_command", lambda *_: [sys.executable, "-c", script])
    calls = []

    def interrupt(_done: int, _total: int | None, _text: str) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt

    children = []
    popen = subprocess.Popen

    def remember(*args: object, **kwargs: object) -> subprocess.Popen[bytes]:
        children.append(popen(*args, **kwargs))  # type: ignore[call-overload]
        return children[-1]

    monkeypatch.setattr(subprocess, "Popen", remember)
    with pytest.raises(KeyboardInterrupt):
        download.ensure("one", on_progress=interrupt)
    assert children[0].poll() is not None
    assert not mark.exists()


def test_leftovers_of_a_killed_process_go(index: Index) -> None:
    stale = index.home / ".fetch-stale"
    stale.mkdir(parents=True)
    (stale / "part").write_bytes(b"half")
    download.ensure("one")
    assert not stale.exists()


def test_a_damaged_file_in_the_cache_is_replaced(index: Index) -> None:
    path = download.ensure("one")
    path.write_bytes(FILES["one"][:-1] + b"?")
    os.utime(path, ns=(1, 1))
    assert cache.find(index.catalogue.entry("one")) is None
    assert download.ensure("one").read_bytes() == FILES["one"]


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from fake_index import catalogue_for
from mycloset.hub import download
catalogue = catalogue_for(Path(sys.argv[2]))
download.load = lambda: catalogue
texts = []
download.pull("both", on_progress=lambda done, total, text: texts.append(text))
print("fetched" if any("fetched" in text for text in texts) else "found")
"""


def test_two_processes_at_once_fetch_once(index: Index) -> None:
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(index.wheel)]
    source = str(Path(download.__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": source}
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=60)[0].strip() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert sorted(answers) == ["fetched", "found"]
    assert index.leftovers() == []
    assert all(cache.find(entry) for entry in index.catalogue.entries.values())


def test_a_cache_that_cannot_be_written_is_named(
    index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MYCLOSET_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(DownloadError, match="cannot be written") as caught:
        download.ensure("one")
    assert "MYCLOSET_HOME" in caught.value.hint


def test_a_full_cache_needs_no_writing(index: Index) -> None:
    path = download.ensure("one")
    (index.home / ".lock").unlink()
    (index.home / ".lock").mkdir()  # opening the lock would now fail, even for root
    cache._verified.clear()
    assert download.ensure("one") == path


def test_a_wheel_by_hand_needs_no_index(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = index.folder.with_name("elsewhere")
    shutil.copytree(index.folder, elsewhere)
    monkeypatch.delenv("PIP_FIND_LINKS")
    (path,) = download.pull("one", given=elsewhere / index.wheel.name)
    assert path.read_bytes() == FILES["one"]
    path.unlink()
    monkeypatch.setenv("MYCLOSET_WHEELS", str(elsewhere))
    assert download.ensure("one").read_bytes() == FILES["one"]
    assert (elsewhere / index.wheel.name).is_file()


def test_a_wheel_by_hand_is_checked(index: Index, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no such file"):
        download.pull("one", given=tmp_path / "gone.whl")
    other = tmp_path / "other.whl"
    other.write_bytes(b"PK not a wheel")
    with pytest.raises(DownloadError, match=r"other\.whl: it has SHA-256"):
        download.pull("one", given=other)
    assert index.leftovers() == []


def test_without_pip_uv_does_it(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = []

    def unpack(command: list[str], *_: object) -> str:
        commands.append(command)
        shutil.unpack_archive(index.wheel, command[command.index("--target") + 1], "zip")
        return ""

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name)
    )
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(wheels, "_run", unpack)
    assert download.ensure("one").read_bytes() == FILES["one"]
    assert commands[0][:4] == ["/bin/uv", "pip", "install", "fakemodels==1.0"]
    assert "x86_64-manylinux_2_28" in commands[0]
    assert index.leftovers() == []


def test_with_neither_pip_nor_uv_it_says_so(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(DownloadError, match="neither pip nor uv") as caught:
        download.ensure("one")
    assert "Install pip or uv" in caught.value.hint


def test_a_hugging_face_file_names_the_package_it_needs(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    entry = _with_source(index, HfSource("owner/repo", "a1b2c3", "model.safetensors"))
    with pytest.raises(DownloadError) as caught:
        download.fetch([entry])
    assert "pip install huggingface_hub" in caught.value.hint


def test_unknown_names_are_refused(index: Index) -> None:
    with pytest.raises(OptionError, match="no 'thre'"):
        download.pull("thre")


def test_the_tool_learns_of_no_network_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_RETRIES", raising=False)
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "77")
    environment = wheels._environment(Path("scratch"))
    assert environment["PIP_RETRIES"] == "2"
    assert environment["PIP_DEFAULT_TIMEOUT"] == "77"
    assert environment["TMPDIR"] == "scratch"


def _with_source(index: Index, source: HfSource) -> Entry:
    return replace(index.catalogue.entry("one"), source=source)
