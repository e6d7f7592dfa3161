from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mycloset.errors import OutputError
from mycloset.images import (
    check_writable,
    check_writable_file,
    check_writable_folder,
    make_folder,
    read_picture,
    write_bytes,
    write_picture,
)

PICTURE = np.dstack([*np.meshgrid(np.arange(80), np.arange(70)), np.full((70, 80), 99)])
PICTURE = (PICTURE * (3, 3, 1)).astype(np.uint8)

as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.jpg", "a.jpeg", "a.webp"])
def test_written_pictures_can_be_read(name: str, tmp_path: Path) -> None:
    path = write_picture(tmp_path / name, PICTURE)
    found = read_picture(path).rgb.astype(int)
    assert np.abs(found - PICTURE).max() <= (0 if name.lower().endswith("png") else 12)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_png_keeps_every_pixel_and_alpha(tmp_path: Path) -> None:
    rgba = np.dstack([PICTURE, PICTURE[..., 0]])
    with Image.open(write_picture(tmp_path / "a.png", rgba)) as image:
        assert np.array_equal(np.asarray(image), rgba)
    with Image.open(write_picture(tmp_path / "a.jpg", rgba)) as image:
        assert image.mode == "RGB"


def test_the_file_has_the_rights_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"")
    path = write_picture(tmp_path / "a.png", PICTURE)
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.gif", "names no picture format"),
        ("a", "names no picture format"),
        ("missing/a.png", "does not exist"),
        ("folder.png", "a folder has this name"),
        ("a" * 300 + ".png", "nothing can be written"),
        ("a\0.png", "null"),
        ("file/a.png", "does not exist"),
    ],
)
def test_places_that_cannot_be_written(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OutputError, match=said):
        check_writable(tmp_path / name)
    with pytest.raises(OutputError, match=said):
        write_picture(tmp_path / name, PICTURE)
    assert sorted(tmp_path.iterdir()) == before


@as_root
def test_read_only_places(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    (tmp_path / "locked.png").write_bytes(b"")
    (tmp_path / "locked.png").chmod(0o444)
    folder.chmod(0o555)
    try:
        for path in (folder / "a.png", tmp_path / "locked.png"):
            with pytest.raises(OutputError):
                check_writable(path)
        with pytest.raises(OutputError):
            check_writable_folder(folder / "deeper")
    finally:
        folder.chmod(0o755)


def test_checking_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.png")
    check_writable_file(tmp_path / "a.json")
    check_writable_folder(tmp_path / "b" / "c")
    assert list(tmp_path.iterdir()) == []


def test_folders(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "b" / "c").is_dir()
    assert make_folder(tmp_path / "b" / "c").is_dir()
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "c"):
        with pytest.raises(OutputError, match="is a file"):
            make_folder(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        write_picture(path, PICTURE)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_self: Path, _target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(tmp_path / "a.png", b"new")
    assert list(tmp_path.iterdir()) == []


def test_links_are_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "real.png", tmp_path / "link.png"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_picture(link, PICTURE)
    assert link.is_symlink()
    assert np.array_equal(read_picture(target).rgb, PICTURE)


def test_devices_are_written_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check_writable_file(pipe)
        write_bytes(pipe, b"hello")
        assert os.read(reader, 100) == b"hello"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_sizes_that_a_format_does_not_hold(tmp_path: Path) -> None:
    wide = np.zeros((64, 16_400, 3), np.uint8)
    with pytest.raises(OutputError, match="16400x64"):
        write_picture(tmp_path / "a.webp", wide)
    assert list(tmp_path.iterdir()) == []
