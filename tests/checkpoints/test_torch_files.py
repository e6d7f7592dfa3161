"""Damaged, contradictory and foreign files: each is called what it is."""

from __future__ import annotations

import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_files import (
    Call,
    Global,
    Persistent,
    Pickler,
    Tensor,
    Zeros,
    state_dict,
    write_torch_legacy,
    write_torch_tar,
    write_torch_zip,
    write_zip,
)
from mycloset.checkpoints.contents import Checkpoint
from mycloset.checkpoints.formats import plain_pickle, torch_legacy, torch_tar, torch_zip
from mycloset.checkpoints.source import DamagedError, Source

SYSTEM = Call(Global("os", "system"), ("touch x",))


def weights() -> dict[str, Any]:
    tensors = {f"l{n}.weight": Tensor("float32", (2, 3), data=bytes(24)) for n in range(5)}
    return {"state_dict": state_dict(tensors), "epoch": 3}


def read(path: Path, reader: Callable[[Source], Checkpoint] = torch_zip.read) -> Checkpoint:
    with Source(path) as source:
        return reader(source)


def kinds(found: Checkpoint) -> list[str]:
    return [finding.kind for finding in found.findings]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.pth"


def test_seven_gigabytes_are_listed_by_their_headers(path: Path) -> None:
    tensors = {f"l{n}.weight": Tensor("float32", (1024, 1024, 64)) for n in range(28)}
    write_torch_zip(path, tensors)
    found = read(path)
    (group,) = found.groups
    last = group.table["l27.weight"]
    assert found.size > 7_000_000_000
    assert last.byte_range is not None
    assert last.byte_range[0] > 1 << 32
    assert found.findings == ()


def test_packed_members_have_no_place(path: Path) -> None:
    write_torch_zip(path, weights(), compress=True)
    entry = read(path).groups[0].table["l0.weight"]
    assert (entry.storage.offset, entry.storage.nbytes) == (None, 24)


def test_an_archive_cut_off_still_names_its_tensors(path: Path) -> None:
    write_torch_zip(path, weights())
    path.write_bytes(path.read_bytes()[:-200])
    found = read(path)
    assert kinds(found)[0] == "corrupt"
    assert "cut off" in found.findings[0].message
    assert len(found.groups[0].table) == 5


def test_every_truncation_is_corrupt_or_damaged(path: Path) -> None:
    writers: list[tuple[Any, Any]] = [
        (write_torch_zip, torch_zip.read),
        (write_torch_legacy, torch_legacy.read),
        (write_torch_tar, torch_tar.read),
    ]
    for write, reader in writers:
        write(path, weights())
        raw = path.read_bytes().rstrip(b"\0") if write is write_torch_tar else path.read_bytes()
        for length in range(0, len(raw) - 1, 41):
            path.write_bytes(raw[:length])
            try:
                found = read(path, reader)
            except DamagedError:
                continue
            assert "corrupt" in kinds(found), (write.__name__, length)


def test_an_old_stream_cut_off_names_its_tensors_once(path: Path) -> None:
    write_torch_legacy(path, weights())
    path.write_bytes(path.read_bytes()[:-30])
    found = read(path, torch_legacy.read)
    assert [f.message for f in found.findings] == [
        "The file was cut off: 1 of 5 storages are not whole."
    ]
    assert len(found.groups[0].table) == 5


def test_what_follows_an_old_stream_is_told(path: Path) -> None:
    write_torch_legacy(path, weights())
    path.write_bytes(path.read_bytes() + Pickler().dump(SYSTEM))
    found = read(path, torch_legacy.read)
    assert kinds(found) == ["unusual", "dangerous"]


def test_a_stream_whose_magic_number_is_computed_is_read_as_such(path: Path) -> None:
    write_torch_legacy(path, weights())
    made = Call(Global("builtins", "eval"), ("0x1950a86a20f9469cfc6c",))
    path.write_bytes(Pickler().dump(made) + path.read_bytes()[15:])
    found = read(path, plain_pickle.read)
    assert found.format == "torch-legacy"
    assert "dangerous" in kinds(found)
    assert len(found.groups[0].table) == 5


LIES: dict[str, tuple[tuple[Any, ...], str]] = {
    "missing member": (("9", 6, 0, (2, 3), (3, 1)), "does not have"),
    "size": (("0", 7, 0, (2, 3), (3, 1)), "24 bytes where 28 are said"),
    "offset": (("0", 6, 1, (2, 3), (3, 1)), "reaches to element 7"),
    "stride": (("0", 6, 0, (2, 3), (9, 1)), "reaches to element 12"),
    "negative shape": (("0", 6, 0, (-2, 3), (3, 1)), "as its shape"),
    "negative offset": (("0", 6, -1, (2, 3), (3, 1)), "begins at -1"),
    "overflow": (("0", 6, 0, (2**40, 2**40), (2**40, 1)), "more than can be"),
    "ranks differ": (("0", 6, 0, (2, 3), (1,)), "2 sizes but 1 strides"),
    "no shape": (("0", 6, 0, "x", (1,)), "as its shape"),
    "a path as key": (("../../x", 6, 0, (2, 3), (3, 1)), "does not have"),
}


@pytest.mark.parametrize("name", LIES)
def test_lies_about_tensors_are_told_with_the_key(path: Path, name: str) -> None:
    (key, elements, offset, shape, stride), expected = LIES[name]
    storage = ("storage", Global("torch", "FloatStorage"), key, "cpu", elements)
    rebuild = Global("torch._utils", "_rebuild_tensor_v2")
    hooks = Call(Global("collections", "OrderedDict"))
    tensor = Call(rebuild, (Persistent(storage), offset, shape, stride, False, hooks))
    pickled = Pickler().dump({"conv.weight": tensor})
    write_zip(path, [("a/data.pkl", pickled), ("a/data/0", bytes(24)), ("a/version", b"3\n")])
    found = read(path)
    assert kinds(found) == ["corrupt"]
    assert "'conv.weight'" in found.findings[0].message
    assert expected in found.findings[0].message


def test_data_pkl_twice(path: Path) -> None:
    members = [("a/data.pkl", Pickler().dump(weights_of_nothing())), ("a/version", b"3\n")]
    write_zip(path, [*members, ("a/data.pkl", Pickler().dump(SYSTEM))])
    found = read(path)
    assert set(kinds(found)) == {"suspicious", "dangerous"}


def test_names_that_differ_only_in_case(path: Path) -> None:
    write_zip(
        path,
        [("a/DATA.PKL", Pickler().dump(SYSTEM)), ("a/data.pkl", Pickler().dump({"x": 1}))],
    )
    assert set(kinds(read(path))) == {"suspicious", "dangerous"}


def weights_of_nothing() -> dict[str, Any]:
    return {"epoch": 1}


@pytest.mark.parametrize("name", ["a/hidden.pkl", "a/data/7", "a/readme.txt", "b/data.pkl"])
def test_a_pickle_that_nothing_refers_to_is_walked(path: Path, name: str) -> None:
    members = [("a/data.pkl", Pickler().dump({"x": 1})), (name, Pickler().dump(SYSTEM))]
    write_zip(path, members)
    assert "dangerous" in kinds(read(path))


def test_weights_that_look_like_a_pickle_raise_no_alarm(path: Path) -> None:
    raw = Pickler().dump(SYSTEM).ljust(60, b"\0")
    write_torch_zip(path, {"x.y": Tensor("uint8", (60,), data=raw)})
    assert read(path).findings == ()


def test_a_header_that_disagrees_with_the_directory(path: Path) -> None:
    write_torch_zip(path, weights())
    raw = path.read_bytes().replace(b"archive/data.pkl", b"archive/date.pkl", 1)
    path.write_bytes(raw)
    found = read(path)
    assert kinds(found) == ["suspicious"]
    assert found.findings[0].details["name"] == "archive/date.pkl"
    assert len(found.groups[0].table) == 5


def test_members_marked_as_encrypted_are_read_all_the_same(path: Path) -> None:
    write_zip(path, [("a/data.pkl", Pickler().dump(SYSTEM))])
    raw = bytearray(path.read_bytes())
    place = raw.find(b"PK\1\2")
    struct.pack_into("<H", raw, place + 8, 0x0809)
    path.write_bytes(raw)
    assert set(kinds(read(path))) == {"suspicious", "dangerous"}


def test_bytes_around_the_archive(path: Path) -> None:
    write_torch_zip(path, weights())
    raw = path.read_bytes()
    path.write_bytes(b"x" * 100 + raw)
    found = read(path)
    assert kinds(found) == ["unusual"]
    entry = found.groups[0].table["l0.weight"]
    path.write_bytes(raw)
    plain = read(path).groups[0].table["l0.weight"]
    assert entry.storage.offset == (plain.storage.offset or 0) + 100
    path.write_bytes(raw + b"y" * 100)
    assert kinds(read(path)) == ["unusual"]


def test_a_pickle_before_the_archive_is_walked(path: Path) -> None:
    write_torch_zip(path, weights())
    path.write_bytes(Pickler().dump(SYSTEM) + path.read_bytes())
    assert kinds(read(path)) == ["unusual", "suspicious", "dangerous"]


def test_two_members_in_the_same_place(path: Path) -> None:
    write_torch_zip(path, weights())
    raw = bytearray(path.read_bytes())
    places = []
    place = raw.find(b"PK\1\2")
    while place >= 0:
        if raw[place + 46 :].startswith(b"archive/data/"):
            places.append(place)
        place = raw.find(b"PK\1\2", place + 4)
    raw[places[1] + 42 : places[1] + 46] = raw[places[0] + 42 : places[0] + 46]
    path.write_bytes(raw)
    assert "corrupt" in kinds(read(path)) or "suspicious" in kinds(read(path))


def test_a_bomb_is_refused(path: Path) -> None:
    write_zip(path, [("a/data.pkl", Zeros(80 << 20))], compress=True)
    found = read(path)
    assert kinds(found) == ["corrupt"]
    assert "more than" in found.findings[0].message


FOREIGN = {
    "it is empty": [],
    "torch.export": [("a/archive_format", b"pt2"), ("a/models/model.json", b"{}")],
    "it holds word/document.xml": [("word/document.xml", b"<x/>")],
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_zip_that_is_no_model(path: Path, what: str) -> None:
    write_zip(path, FOREIGN[what])
    found = read(path)
    assert (found.format, kinds(found)) == ("zip", ["not-a-model"])
    assert what in found.findings[0].message


@pytest.mark.parametrize(
    ("data", "what"), [(b"7z\xbc\xaf\x27\x1c", "7z archive"), (b"PK\3\4", "zip archive")]
)
def test_an_archive_in_the_archive_is_told(path: Path, data: bytes, what: str) -> None:
    write_zip(path, [("a/data.pkl", Pickler().dump({})), ("a/inner", data + bytes(30))])
    found = read(path)
    assert kinds(found) == ["suspicious"]
    assert what in found.findings[0].message


def test_a_tar_that_is_no_model(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "some.py")
    found = read(path, torch_tar.read)
    assert (found.format, kinds(found)) == ("tar", ["not-a-model"])


def test_a_dangerous_file_is_still_listed(path: Path) -> None:
    for write, reader in (
        (write_torch_zip, torch_zip.read),
        (write_torch_legacy, torch_legacy.read),
        (write_torch_tar, torch_tar.read),
    ):
        write(path, {**weights(), "run": SYSTEM})
        found = read(path, reader)
        assert not found.safe
        assert len(found.groups[0].table) == 5


def test_big_endian_files_say_so(path: Path) -> None:
    write_torch_zip(path, weights(), big_endian=True)
    assert read(path).metadata["byteorder"] == "big"


def test_text_is_no_pickle(path: Path) -> None:
    path.write_bytes(b"<html><body>not found</body></html>")
    with pytest.raises(DamagedError):
        read(path, plain_pickle.read)


def test_a_pickle_without_tensors_is_no_model(path: Path) -> None:
    path.write_bytes(Pickler().dump({"a": 1}))
    found = read(path, plain_pickle.read)
    assert (kinds(found), found.values) == (["not-a-model"], {"a": 1})


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    files: dict[str, bytes] = {}
    for write in (write_torch_zip, write_torch_legacy, write_torch_tar):
        write(folder / "x.pth", weights())
        files[write.__name__] = (folder / "x.pth").read_bytes()
    return files


READERS: dict[str, Callable[[Source], Checkpoint]] = {
    "write_torch_zip": torch_zip.read,
    "write_torch_legacy": torch_legacy.read,
    "write_torch_tar": torch_tar.read,
}


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_changed_bytes_never_escape(
    whole_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(whole_files)))
    raw = bytearray(whole_files[name])
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed.pth"
    path.write_bytes(raw)
    for reader in (READERS[name], plain_pickle.read):
        try:
            found = read(path, reader)
        except DamagedError:
            continue
        assert found.size == len(raw)
