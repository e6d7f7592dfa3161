"""The index on disk: trusted only where nothing changed, and never a reason to fail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shelf_files import write_vgg

from mycloset.hub import closet, index, records
from mycloset.hub.index import Index
from mycloset.hub.shelf import Shelf

OLD = 1_600_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of three models that have not changed for long."""
    folder = tmp_path / "root"
    for name in ("a", "b", "c"):
        path = write_vgg(folder / f"{name}.pth", classes=ord(name))
        os.utime(path, (OLD, OLD))
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "place" / "index"


@contextmanager
def reading() -> Iterator[list[str]]:
    """The names of the files that are read."""
    read: list[str] = []

    def describe(path: Path) -> tuple[Path, records.FileRecord | None]:
        read.append(path.name)
        return records.describe(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closet, "describe", describe)
        yield read


def names(root: Path, place: Path) -> list[str]:
    """What a shelf that starts now finds."""
    return [model.path.name for model in Shelf([root], index=place).models()]


def test_a_second_start_reads_nothing(root: Path, place: Path) -> None:
    first = Shelf([root], index=place).models()
    with reading() as read:
        assert Shelf([root], index=place).models() == first
    assert read == []


def test_a_second_start_imports_no_recogniser(root: Path, place: Path) -> None:
    names(root, place)
    script = (
        "import sys\nfrom pathlib import Path\nfrom mycloset.hub.shelf import Shelf\n"
        "assert len(Shelf([sys.argv[1]], index=Path(sys.argv[2])).models()) == 3\n"
        "heavy = {'torch', 'numpy', 'yaml', 'mycloset.architectures.registry',"
        " 'mycloset.inspection.analysis'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, root, place], check=True)


def test_only_what_changed_is_read(root: Path, place: Path) -> None:
    names(root, place)
    write_vgg(root / "b.pth", classes=50)
    (root / "c.pth").unlink()
    write_vgg(root / "d.pth", classes=60)
    with reading() as read:
        assert names(root, place) == ["a.pth", "b.pth", "d.pth"]
    assert sorted(read) == ["b.pth", "d.pth"]


def test_what_is_gone_is_forgotten(root: Path, place: Path) -> None:
    names(root, place)
    (root / "c.pth").unlink()
    names(root, place)
    assert set(Index(root, place).read().records) == {"a.pth", "b.pth"}


def test_a_file_of_the_same_size_and_time_in_its_place_is_noticed(root: Path, place: Path) -> None:
    names(root, place)
    other = write_vgg(root / "new", classes=ord("a"), fill=7)
    os.utime(other, (OLD, OLD))
    assert other.stat().st_size == (root / "a.pth").stat().st_size
    other.replace(root / "a.pth")
    with reading() as read:
        names(root, place)
    assert read == ["a.pth"]


def test_a_config_that_comes_later_is_noticed(root: Path, place: Path) -> None:
    names(root, place)
    (root / "config.json").write_text("{}")
    with reading() as read:
        names(root, place)
    assert sorted(read) == ["a.pth", "b.pth", "c.pth"]


def test_a_file_that_changed_a_moment_before_it_was_read_is_not_trusted(
    root: Path, place: Path
) -> None:
    (root / "b.pth").touch()
    names(root, place)
    with reading() as read:
        names(root, place)
    assert read == ["b.pth"]


def test_a_file_from_the_future_is_not_trusted(root: Path, place: Path) -> None:
    os.utime(root / "b.pth", (OLD * 2, OLD * 2))
    names(root, place)
    with reading() as read:
        names(root, place)
    assert read == ["b.pth"]


def test_another_version_reads_all_again(
    root: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(root, place)
    monkeypatch.setattr(index, "fingerprint", lambda: "00000000")
    with reading() as read:
        names(root, place)
    assert len(read) == 3


def test_the_fingerprint_changes_with_the_recogniser(monkeypatch: pytest.MonkeyPatch) -> None:
    before = index.fingerprint.__wrapped__()
    assert index.fingerprint.__wrapped__() == before
    monkeypatch.setattr(index, "_modules", lambda folder, deep=True: iter([("new.py", 1)]))
    assert index.fingerprint.__wrapped__() != before


def test_without_an_index_nothing_is_written(root: Path, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    Shelf([root], index=False).models()
    assert set(tmp_path.rglob("*")) == before


@given(data=st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_damage_leads_to_a_new_index(data: st.DataObject, root: Path, place: Path) -> None:
    whole = names(root, place)
    path = Index(root, place).path
    good = path.read_bytes()
    kind = data.draw(st.sampled_from(["cut", "flip", "random"]))
    if kind == "cut":
        bad = good[: data.draw(st.integers(0, len(good) - 1))]
    elif kind == "flip":
        at = data.draw(st.integers(0, len(good) - 1))
        bad = good[:at] + bytes([good[at] ^ (1 << data.draw(st.integers(0, 7)))]) + good[at + 1 :]
    else:
        bad = data.draw(st.binary(max_size=200))
    path.write_bytes(bad)
    assert not Index(root, place).read().records
    assert names(root, place) == whole
    assert path.read_bytes()[:20] == good[:20]
    assert len(Index(root, place).read().records) == 3


@pytest.mark.parametrize(
    "document",
    ["[]", "{}", '{"root":"ROOT","files":[]}', '{"root":"ROOT","files":{"a.pth":[1,2]}}',
     '{"root":"ROOT","files":{"a.pth":["f","x","t","s",[],true,[],"",[],"when"]}}',
     '{"root":"ROOT","files":{"a.pth":null}}', "[" * 100_000],
)  # fmt: skip
def test_an_index_of_another_form_is_made_anew(document: str, root: Path, place: Path) -> None:
    whole = names(root, place)
    path = Index(root, place).path
    body = document.replace("ROOT", os.path.realpath(root)).encode()
    head = path.read_bytes().split(b"\n")[0].split(b" ")
    path.write_bytes(b" ".join([*head[:3], index._sum(body).encode()]) + b"\n" + body)
    there = Shelf([root], index=place)
    assert [model.path.name for model in there.models()] == whole
    assert len(Index(root, place).read().records) == 3


def test_damage_is_told(root: Path, place: Path) -> None:
    names(root, place)
    Index(root, place).path.write_bytes(b"nonsense")
    there = Shelf([root], index=place)
    there.models()
    assert "damaged" in there.notes[0]


def test_a_place_that_cannot_be_written_is_told_and_does_no_harm(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    there = Shelf([root], index=tmp_path / "file" / "deeper")
    assert len(there.models()) == 3
    assert "cannot be" in there.notes[0]


def test_a_lock_that_is_never_given_back_is_waited_for_only_so_long(
    root: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(index, "PATIENCE", 0.05)
    place.parent.mkdir()
    with Index(root, place).path.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        there = Shelf([root], index=place)
        assert len(there.models()) == 3
        assert "another process" in there.notes[0]
    assert not Index(root, place).path.exists()


def test_processes_that_start_together_share_one_index(root: Path, place: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom mycloset.hub.shelf import Shelf\n"
        "there = Shelf([sys.argv[1]], index=Path(sys.argv[2]))\n"
        "for _ in range(20):\n"
        "    Path(sys.argv[1], sys.argv[3]).touch()\n"
        "    assert len(there.refresh()) == 3 and not there.notes, there.notes"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", script, root, place, f"{name}.pth"])
        for name in ("a", "b", "c")
    ]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert len(Index(root, place).read().records) == 3
    assert not list(place.parent.glob("*.new"))


def test_the_index_of_a_folder_that_is_long_gone_goes(root: Path, place: Path) -> None:
    gone = Index(root.with_name("gone"), place)
    gone.write({})
    os.utime(gone.path, (OLD, OLD))
    kept = Index(root, place)
    kept.write({})
    assert not gone.path.exists()
    assert kept.path.exists()
