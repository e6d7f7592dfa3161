from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from misbehaving_server import Served, Server
from mycloset.errors import DiskFullError, DownloadError, OptionError
from mycloset.hub import addresses, arrivals, cache, download
from mycloset.hub.catalogue import Catalogue
from mycloset.hub.entries import Entry, ManualSource
from mycloset.hub.https import Patience
from mycloset.inspection import walking
from published_files import entry, lpips_file, unsafe_file

QUICK = Patience(seconds=0.5, attempts=3, least=1, sleep=lambda _seconds: None)
URL = "https://files.example.org/models/alex.pth"
PATH = "/files.example.org/models/alex.pth"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> Path:
    """An empty cache; all addresses lead to the server."""
    monkeypatch.setenv("MYCLOSET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(addresses.MIRROR, server.base)
    return tmp_path / "home"


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    return lpips_file(tmp_path)


def known(monkeypatch: pytest.MonkeyPatch, *entries: Entry) -> None:
    names = {item.name: item for item in entries}
    catalogue = Catalogue(names, {"all": tuple(names)})
    monkeypatch.setattr(download, "load", lambda: catalogue)


def files(folder: Path) -> list[str]:
    """What lies there, but for locks and notes."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", "checked.json")
    )


def test_a_file_is_put_where_the_catalogue_says(home: Path, server: Server, data: bytes) -> None:
    server.put(PATH, Served(data))
    wanted = entry(URL)
    download.fetch([wanted], patience=QUICK)
    found = cache.find(wanted)
    assert found == home / "models" / "files.example.org" / "lpips" / "alex.pth"
    assert found.read_bytes() == data
    assert files(home) == ["models/files.example.org/lpips/alex.pth"]
    assert [path.name for path in home.iterdir() if path.name == "partial"] == []
    download.fetch([wanted], patience=QUICK)
    assert len(server.requests) == 1


def test_a_folder_of_ones_own_has_a_folder_a_step(
    home: Path, server: Server, data: bytes, tmp_path: Path
) -> None:
    server.put(PATH, Served(data))
    wanted = entry(URL)
    download.fetch([wanted], to=tmp_path / "mine", patience=QUICK)
    assert files(tmp_path / "mine") == ["step_08_quality_assessment/lpips/alex.pth"]
    assert cache.find(wanted, tmp_path / "mine") is not None
    assert cache.find(wanted) is None
    assert not home.exists()


@pytest.mark.parametrize(
    ("served", "changes", "message"),
    [
        (Served(b"", status=404), {}, "answers 404"),
        (Served(b"<html>Sign in</html>"), {}, "web page"),
        (Served(b"no model at all" * 99), {}, "not the model that it should be"),
        (Served(b"no model at all" * 99), {"size": 3}, "has 1485 bytes; the file has 3"),
        (Served(b"no model at all" * 99), {"sha256": "ab" * 32}, "with SHA-256 abab"),
    ],
)
def test_nothing_wrong_gets_the_name(
    home: Path, server: Server, served: Served, changes: dict[str, object], message: str
) -> None:
    server.put(PATH, served)
    with pytest.raises(DownloadError, match=message) as caught:
        download.fetch([entry(URL, **changes)], patience=QUICK)
    assert str(caught.value).startswith("net: ")
    assert files(home) == []


def test_code_never_gets_the_name(home: Path, server: Server, tmp_path: Path) -> None:
    server.put(PATH, Served(unsafe_file(tmp_path)))
    with pytest.raises(DownloadError, match=r"posix\.system"):
        download.fetch([entry(URL)], patience=QUICK)
    assert files(home) == []


def test_a_wrong_file_does_not_stand_in_the_way_of_the_right_one(
    home: Path, server: Server, data: bytes
) -> None:
    wanted = entry(URL, sha256=hashlib.sha256(data).hexdigest())
    server.put(PATH, Served(data[::-1]))
    with pytest.raises(DownloadError, match="expected are"):
        download.fetch([wanted], patience=QUICK)
    server.put(PATH, Served(data))
    download.fetch([wanted], patience=QUICK)
    assert cache.find(wanted) is not None
    assert server.asked("range") == ["", ""]


def test_a_server_gone_halfway_is_gone_on_with(home: Path, server: Server, data: bytes) -> None:
    server.put(PATH, Served(data, cut=1500))
    with pytest.raises(DownloadError, match="1,500 bytes stay"):
        download.fetch([entry(URL)], patience=replace(QUICK, attempts=1))
    waiting = [name.rsplit("/", 1)[1] for name in files(home)]
    assert waiting == ["alex.pth.part", "alex.pth.part.json"]
    server.put(PATH, Served(data))
    download.fetch([entry(URL)], patience=QUICK)
    assert server.asked("range") == ["", "bytes=1500-"]
    assert files(home) == ["models/files.example.org/lpips/alex.pth"]


def test_an_interrupt_between_fetch_and_check_costs_nothing(
    home: Path, server: Server, data: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server.put(PATH, Served(data))
    mine = tmp_path / "mine"

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(arrivals, "check", stop)
        with pytest.raises(KeyboardInterrupt):
            download.fetch([entry(URL)], to=mine, patience=QUICK)
    # What was not checked yet is not among a person's models.
    assert walking.find(mine)[0] == []
    download.fetch([entry(URL)], to=mine, patience=QUICK)
    assert len(server.requests) == 1
    assert walking.find(mine)[0] == [cache.place(entry(URL), mine)]


def test_one_failure_leaves_what_came_before(home: Path, server: Server, data: bytes) -> None:
    server.put(PATH, Served(data))
    first = entry(URL)
    second = entry("https://files.example.org/gone.pth", name="gone", file="gone.pth")
    with pytest.raises(DownloadError, match="gone: "):
        download.fetch([first, second], patience=QUICK)
    assert cache.find(first) is not None


def test_a_large_file_is_not_hashed_at_each_start(
    home: Path, server: Server, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_LARGE", 100)
    wanted = entry(URL, sha256=hashlib.sha256(data).hexdigest())
    server.put(PATH, Served(data))
    download.fetch([wanted], patience=QUICK)
    cache._verified.clear()

    def refuse(_path: Path) -> str:
        raise AssertionError("hashed again")

    monkeypatch.setattr(arrivals, "sha256", refuse)
    path = cache.find(wanted)
    assert path is not None
    cache._verified.clear()
    path.write_bytes(data)
    os.utime(path, ns=(1, 1))
    assert cache.find(wanted) is None


def test_an_entry_that_changed_is_checked_anew(home: Path, server: Server, data: bytes) -> None:
    server.put(PATH, Served(data))
    download.fetch([entry(URL)], patience=QUICK)
    cache._verified.clear()
    assert cache.find(entry(URL, variant="vgg")) is None


@pytest.mark.parametrize("note", ["gone", "damaged"])
def test_what_lies_in_its_place_is_checked_and_not_fetched(
    home: Path, server: Server, data: bytes, tmp_path: Path, note: str
) -> None:
    mine = tmp_path / "mine"
    place = cache.place(entry(URL), mine)
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    if note == "damaged":
        (mine / ".mycloset").mkdir()
        (mine / ".mycloset" / "checked.json").write_text("{")
    download.fetch([entry(URL)], to=mine, patience=QUICK)
    assert server.requests == []
    assert cache.find(entry(URL), mine) == place


def test_what_lies_in_its_place_and_is_something_else_is_replaced(
    home: Path, server: Server, data: bytes
) -> None:
    place = cache.place(entry(URL))
    place.parent.mkdir(parents=True)
    place.write_bytes(b"<html>")
    server.put(PATH, Served(data))
    download.fetch([entry(URL)], patience=QUICK)
    assert place.read_bytes() == data


def test_a_folder_that_cannot_be_written_is_named(
    home: Path, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match=r"The folder .*/file/mine cannot be written"):
        download.fetch([entry(URL)], to=tmp_path / "file" / "mine", patience=QUICK)


def test_a_full_disk_keeps_what_came(
    home: Path, server: Server, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(PATH, Served(data))
    full = DiskFullError("full", hint="Make room.")

    def refuse(*_: object, **__: object) -> None:
        raise full

    with monkeypatch.context() as patched:
        patched.setattr(cache, "put", refuse)
        with pytest.raises(DiskFullError):
            download.fetch([entry(URL)], patience=QUICK)
    download.fetch([entry(URL)], patience=QUICK)
    assert len(server.requests) == 1


def test_what_a_person_must_get_is_said_and_taken(
    home: Path, tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "https://drive.example.org/net"
    by_hand = entry(ManualSource(page, "it asks a person"), name="byhand")
    known(monkeypatch, by_hand)
    with pytest.raises(DownloadError) as caught:
        download.pull("byhand")
    assert f"alex.pth must be got by hand from {page} (it asks a person)" in str(caught.value)
    assert "mycloset pull byhand --from alex.pth" in caught.value.hint
    (path,) = download.pull("byhand", given=tmp_path / "alex.pth")
    assert path.read_bytes() == data
    assert (tmp_path / "alex.pth").is_file()


def test_a_file_by_hand_is_checked(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, entry(ManualSource("https://example.org/x", "it asks"), name="byhand"))
    unsafe_file(tmp_path)
    with pytest.raises(DownloadError, match="code that is not known"):
        download.pull("byhand", given=tmp_path / "unsafe.pth")
    assert files(home) == []


def test_a_bundle_brings_what_it_can(
    home: Path, server: Server, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(PATH, Served(data))
    by_hand = entry(ManualSource("https://example.org/x", "it asks"), name="byhand", file="b.pth")
    known(monkeypatch, by_hand, entry(URL))
    with pytest.raises(DownloadError, match=r"byhand: b\.pth must be got by hand"):
        download.pull("all")
    assert cache.find(entry(URL)) is not None


def test_one_file_is_not_a_bundle(
    home: Path, tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, entry(URL), entry(URL, name="other", file="other.pth"))
    with pytest.raises(OptionError, match="one file cannot be all of net, other"):
        download.pull("all", given=tmp_path / "alex.pth")


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from published_files import entry
from mycloset.hub import download
texts = []
download.fetch([entry(sys.argv[2])], on_progress=lambda done, total, text: texts.append(text))
print("fetched" if any("fetched" in text for text in texts) else "found")
"""


def test_several_processes_at_once_fetch_once(home: Path, server: Server, data: bytes) -> None:
    server.put(PATH, Served(data))
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parents[1]), URL]
    environment = os.environ | {"PYTHONPATH": str(Path(download.__file__).parents[2])}
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=60)[0].strip() for process in running]
    assert sorted(answers) == ["fetched", "found", "found"]
    assert len(server.requests) == 1
