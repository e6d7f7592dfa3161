"""The hostile corpus: files that attack a reader, and files that only look as if they did."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from calls import HARMLESS, hidden_calls, plain_calls
from changes import changes
from corpus import (
    ALARM,
    CLEAN,
    DAMAGED,
    DANGEROUS,
    KINDS,
    NO_MODEL,
    QUIET,
    STATE,
    SURVIVED,
    Case,
    payload,
    whole,
    zip_of,
)
from opcodes import call, glob, pickle, text
from places import places

import foreign_files
from model_files import (
    Tensor,
    write_torch_legacy,
    write_torch_zip,
    write_zip,
)


def cases() -> Iterator[Case]:
    """Every case."""
    yield from _calls()
    yield from _containers()
    yield from _damage()
    yield from _lies()
    yield from _exhaustion()
    yield from places()
    yield from changes()
    yield from _harmless()


def _calls() -> Iterator[Case]:
    marker_free = "MARKER"
    for maker, group in ((plain_calls, "call of"), (hidden_calls, "hidden:")):
        for name, _ in maker(marker_free):
            yield Case(f"{group} {name}, bare", "calls", _bare(maker, name), DANGEROUS)
            yield Case(f"{group} {name}, in an archive", "calls", _zipped(maker, name), DANGEROUS)
    yield Case("call behind a legacy magic", "calls", _legacy_call, DANGEROUS)
    yield Case("legacy magic that is computed", "calls", _computed_magic, DANGEROUS)


def _made(maker: Any, name: str, marker: Path) -> bytes:
    found: bytes = dict(maker(str(marker)))[name]
    return found


def _bare(maker: Any, name: str) -> Callable[[Path, Path], Path]:
    def make(folder: Path, marker: Path) -> Path:
        path = folder / "model.pkl"
        path.write_bytes(_made(maker, name, marker))
        return path

    return make


def _zipped(maker: Any, name: str) -> Callable[[Path, Path], Path]:
    def make(folder: Path, marker: Path) -> Path:
        return zip_of(folder / "model.pth", _made(maker, name, marker))

    return make


def _legacy_call(folder: Path, marker: Path) -> Path:
    path = folder / "model.pth"
    write_torch_legacy(path, STATE)
    data = path.read_bytes()
    magic = pickle(b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")
    assert data.startswith(magic)
    path.write_bytes(magic + pickle(b"M\xe9\x03") + pickle(b"}") + payload(marker) + pickle(b"]"))
    return path


def _computed_magic(folder: Path, marker: Path) -> Path:
    path = folder / "model.bin"
    code = f"open({str(marker)!r}, 'w').close() or 119547037146038801333356"
    path.write_bytes(pickle(call(glob("builtins", "eval"), text(code))) + pickle(b"M\xe9\x03"))
    return path


def _containers() -> Iterator[Case]:
    def twice(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        write_zip(
            path,
            [
                ("archive/data.pkl", pickle(b"}")),
                ("archive/data.pkl", payload(marker)),
                ("archive/version", b"3"),
            ],
        )
        return path

    def two_folders(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        write_zip(path, [("a/data.pkl", pickle(b"}")), ("b/data.pkl", payload(marker))])
        return path

    def other_case(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        members = [("archive/data.pkl", pickle(b"}")), ("archive/DATA.PKL", payload(marker))]
        write_zip(path, members)
        return path

    def unreferenced(folder: Path, marker: Path) -> Path:
        return zip_of(folder / "model.pth", pickle(b"}"), ("archive/hidden.bin", payload(marker)))

    def code_member(folder: Path, marker: Path) -> Path:
        more = ("archive/extra.pickle", payload(marker))
        return zip_of(folder / "model.pth", pickle(b"}"), more)

    def wrong_suffix(folder: Path, marker: Path) -> Path:
        return zip_of(folder / "model.safetensors", payload(marker))

    def changed(field: int, value: bytes, central: bool) -> Callable[[Path, Path], Path]:
        def make(folder: Path, marker: Path) -> Path:
            path = zip_of(folder / "model.pth", payload(marker))
            data = bytearray(path.read_bytes())
            start = data.index(b"PK\1\2" if central else b"PK\3\4")
            data[start + field : start + field + len(value)] = value
            path.write_bytes(bytes(data))
            return path

        return make

    def other_name(folder: Path, marker: Path) -> Path:
        path = zip_of(folder / "model.pth", payload(marker))
        data = path.read_bytes()
        place = data.index(b"archive/data.pkl")
        path.write_bytes(data[:place] + b"archive/data.txt" + data[place + 16 :])
        return path

    def appended(folder: Path, marker: Path) -> Path:
        inner = zip_of(folder / "inner.zip", payload(marker))
        path = foreign_files.write_safetensors(folder / "model.bin", [("a", "float32", (4,))])
        path.write_bytes(path.read_bytes() + inner.read_bytes())
        return path

    def picture_first(folder: Path, marker: Path) -> Path:
        inner = zip_of(folder / "inner.zip", payload(marker))
        path = folder / "model.pt"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200) + inner.read_bytes())
        return path

    def pickle_then_zip(folder: Path, marker: Path) -> Path:
        inner = zip_of(folder / "inner.zip", pickle(b"}"))
        path = folder / "model.bin"
        path.write_bytes(payload(marker) + inner.read_bytes())
        return path

    def commented(folder: Path, marker: Path) -> Path:
        path = zip_of(folder / "model.pth", payload(marker))
        data = path.read_bytes()
        note = b"PK\5\6 not the end " + bytes(20)
        path.write_bytes(data[:-2] + struct.pack("<H", len(note)) + note)
        return path

    def by_zipfile(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x/data.pkl", payload(marker))
        return path

    def tarred(folder: Path, marker: Path) -> Path:
        path = folder / "model.tar"
        with tarfile.open(path, "w") as archive:
            for name, data in (("sys_info", pickle(b"}")), ("pickle", payload(marker))):
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return path

    def nested(inner: str) -> Callable[[Path, Path], Path]:
        def make(folder: Path, marker: Path) -> Path:
            if inner == "zip":
                data = zip_of(folder / "inner.zip", payload(marker)).read_bytes()
            elif inner == "tar":
                data = tarred(folder, marker).read_bytes()
            else:
                data = b"7z\xbc\xaf\x27\x1c" + bytes(64)
            path = folder / "model.pth"
            write_zip(path, [(f"archive/model.{inner}", data)])
            return path

        return make

    for name, make, verdicts in (
        ("data.pkl twice", twice, DANGEROUS),
        ("two data.pkl in two folders", two_folders, DANGEROUS),
        ("data.pkl twice by case", other_case, DANGEROUS),
        ("a pickle under another name", unreferenced, DANGEROUS),
        ("a second pickle member", code_member, DANGEROUS),
        ("archive named .safetensors", wrong_suffix, DANGEROUS),
        ("flag of encryption in the directory", changed(8, b"\x01\x08", True), DANGEROUS),
        ("flag of encryption in the header", changed(6, b"\x01\x08", False), DANGEROUS),
        ("flag of patched data", changed(8, b"\x20\x08", True), DANGEROUS),
        ("flag of strong encryption", changed(8, b"\x40\x08", True), DANGEROUS),
        ("wrong checksum in the directory", changed(16, b"\1\2\3\4", True), DANGEROUS),
        ("name in the header differs", other_name, DANGEROUS),
        ("method in the header differs", changed(8, b"\x08\x00", False), DANGEROUS),
        ("archive behind safetensors", appended, DANGEROUS),
        ("archive behind a picture", picture_first, DANGEROUS),
        ("pickle before an archive", pickle_then_zip, ALARM),
        ("comment with a false end", commented, DANGEROUS | DAMAGED),
        ("deflated archive", by_zipfile, DANGEROUS),
        ("tar of old torch", tarred, DANGEROUS),
        ("zip in a zip", nested("zip"), ALARM),
        ("tar in a zip", nested("tar"), ALARM),
        ("7z in a zip", nested("7z"), ALARM),
    ):
        yield Case(name, "containers", make, verdicts)


def _damage() -> Iterator[Case]:
    for kind in KINDS:
        for share in range(1, 10):
            # A tar ends with blocks of zeros that nothing needs.
            padding = kind == "tar" and share > 4

            def cut(folder: Path, marker: Path, kind: str = kind, share: int = share) -> Path:
                path = whole(folder, kind)
                data = path.read_bytes()
                path.write_bytes(data[: len(data) * share // 10])
                return path

            verdicts = SURVIVED if padding else DAMAGED
            yield Case(f"{kind} cut off at {share}/10", "damage", cut, verdicts)

        def one(folder: Path, marker: Path, kind: str = kind) -> Path:
            path = whole(folder, kind)
            path.write_bytes(path.read_bytes()[:-1])
            return path

        padded = kind in ("tar", "gguf")
        verdicts = SURVIVED if padded else DAMAGED
        yield Case(f"{kind} without its last byte", "damage", one, verdicts)

        def empty_tail(folder: Path, marker: Path, kind: str = kind) -> Path:
            path = whole(folder, kind)
            data = path.read_bytes()
            path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
            return path

        yield Case(f"{kind} with zeros for its second half", "damage", empty_tail, SURVIVED)

    for name, content in (
        ("empty file", b""),
        ("one byte", b"\x80"),
        ("web page", b"<!DOCTYPE html><html><title>404 Not Found</title></html>"),
        ("web page behind spaces", b"\n\n  <HTML><body>Sign in</body></HTML>"),
        ("git-lfs pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"),
        ("error as JSON", b'{"error":"Repository not found"}'),
        ("text", b"Access denied. Please log in.\n"),
        ("zeros", bytes(5000)),
        ("half of a zip's header", b"PK\x03\x04" + bytes(20)),
        ("zip without members", b"PK\x05\x06" + bytes(18)),
        ("PNG", b"\x89PNG\r\n\x1a\n" + bytes(100)),
    ):

        def plain(folder: Path, marker: Path, content: bytes = content) -> Path:
            path = folder / "model.bin"
            path.write_bytes(content)
            return path

        yield Case(name, "damage", plain, NO_MODEL)

    def without_pickle(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        write_zip(path, [("archive/readme.txt", b"hello")])
        return path

    yield Case("zip without data.pkl", "damage", without_pickle, NO_MODEL)

    def bad_text(folder: Path, marker: Path) -> Path:
        path = folder / "model.bin"
        path.write_bytes(b"\x80\x02c\xff\xfe\n\xff\n.")
        return path

    yield Case("global that is no UTF-8", "damage", bad_text, DAMAGED)


def _lies() -> Iterator[Case]:
    def tensor(
        shape: tuple[int, ...], stride: tuple[int, ...], offset: int
    ) -> Callable[[Path, Path], Path]:
        def number(value: int) -> bytes:
            raw = value.to_bytes(16, "little", signed=True)
            return b"\x8a\x10" + raw

        def make(folder: Path, marker: Path) -> Path:
            key = args_of(
                text("storage"), glob("torch", "FloatStorage"), text("0"), text("cpu"), number(12)
            )
            body = call(
                glob("torch._utils", "_rebuild_tensor_v2"),
                key + b"Q",
                number(offset),
                args_of(*map(number, shape)),
                args_of(*map(number, stride)),
                b"\x89",
                call(glob("collections", "OrderedDict")),
            )
            pickled = pickle(b"}" + text("w") + body + b"s")
            return zip_of(folder / "model.pth", pickled, ("archive/data/0", bytes(48)))

        return make

    def args_of(*parts: bytes) -> bytes:
        return b"(" + b"".join(parts) + b"t"

    yield Case("negative shape", "lies", tensor((-4, 3), (3, 1), 0), DAMAGED)
    yield Case("huge shape", "lies", tensor((2**62, 2**62), (1, 1), 0), DAMAGED)
    yield Case("huge shape of stride 0", "lies", tensor((2**40,), (0,), 0), SURVIVED)
    yield Case("offset outside the storage", "lies", tensor((4, 3), (3, 1), 5), DAMAGED)
    yield Case("stride outside the storage", "lies", tensor((4, 3), (30, 1), 0), DAMAGED)
    yield Case("negative stride", "lies", tensor((4, 3), (-3, 1), 11), DAMAGED)
    yield Case("negative offset", "lies", tensor((4, 3), (3, 1), -1), DAMAGED)

    def missing(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        write_torch_zip(path, STATE)
        data = path.read_bytes().replace(b"archive/data/2", b"archive/data/9")
        path.write_bytes(data)
        return path

    yield Case("storage without a member", "lies", missing, DAMAGED)

    def escaping(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        tensor_ = Tensor("float32", (2,), storage="x")
        write_torch_zip(path, {"w": tensor_})
        data = path.read_bytes().replace(b"X\x01\x00\x00\x000", b"X\x05\x00\x00\x00../..")
        path.write_bytes(data)
        return path

    yield Case("storage key that climbs", "lies", escaping, DAMAGED)

    header = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    for name, content in (
        ("overlap", {"a": header, "b": {**header, "data_offsets": [4, 12]}}),
        ("hole", {"a": header, "b": {**header, "data_offsets": [12, 20]}}),
        ("reversed", {"a": {**header, "data_offsets": [8, 0]}}),
        ("past the end", {"a": {**header, "shape": [2000], "data_offsets": [0, 8000]}}),
        ("overflow", {"a": {**header, "shape": [2**62, 4], "data_offsets": [0, 2**63]}}),
        ("negative shape", {"a": {**header, "shape": [-2]}}),
        ("list as header", [1, 2]),
        ("metadata that is no map", {"__metadata__": {"a": 1}, "a": header}),
    ):

        def safetensors(folder: Path, marker: Path, content: Any = content) -> Path:
            return foreign_files.write_header(folder / "m.safetensors", content, 20)

        yield Case(f"safetensors: {name}", "lies", safetensors, DAMAGED)

    for name, location in (
        ("climbs", "../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("missing", "nothing.data"),
    ):

        def external(folder: Path, marker: Path, location: str = location) -> Path:
            path = folder / "model.onnx"
            foreign_files.write_onnx(path, [("w", "float32", (2, 2))], external="w.data")
            data = path.read_bytes().replace(b"w.data", location.encode()[:6].ljust(6, b"."))
            path.write_bytes(data)
            return path

        yield Case(f"onnx: external data {name}", "lies", external, DAMAGED)


def _exhaustion() -> Iterator[Case]:
    def header_of(length: int) -> Callable[[Path, Path], Path]:
        def make(folder: Path, marker: Path) -> Path:
            path = folder / "m.safetensors"
            path.write_bytes(length.to_bytes(8, "little") + b'{"a":' + bytes(100))
            return path

        return make

    for length in (2**31, 2**40, 2**63, 90_000_000):
        yield Case(f"safetensors header of {length}", "exhaustion", header_of(length), DAMAGED)

    def deep_json(folder: Path, marker: Path) -> Path:
        raw = b"[" * 100_000
        path = folder / "m.safetensors"
        path.write_bytes((len(raw) + 5).to_bytes(8, "little") + b'{"a":' + raw)
        return path

    yield Case("safetensors header nested deeply", "exhaustion", deep_json, DAMAGED)

    bodies = {
        "memo bomb": b"]q\x00" + b"(" + b"h\x00" * 500 + b"e",
        "DUP bomb": b"]" + b"2" * 200_000,
        "tuples doubled": b"K\x01" + b"2\x86" * 200,
        "lists nested": b"(" * 50_000 + b"l" * 50_000,
        "tuples nested": b"K\x01" + b"\x85" * 200_000,
        "dictionaries nested": (b"}" + text("a")) * 30_000 + b"N" + b"s" * 30_000,
        "cycle": b"]q\x00h\x00a",
        "marks": b"(" * 200_000,
        "text of 4 GB": b"X\xff\xff\xff\xffabc",
        "text of 2**63": b"\x8d" + b"\xff" * 8 + b"abc",
        "bytes of 2**62": b"\x8e" + b"\xff" * 7 + b"\x3f" + b"abc",
        "long of 2**31": b"\x8b\xff\xff\xff\x7f",
        "memo index of 2**31": b"Nr\xff\xff\xff\x7f",
        "decimal of a million digits": b"I" + b"9" * 1_000_000 + b"\n",
        "frame of 2**63": b"\x95" + b"\xff" * 8,
        "keys that cannot be hashed": b"}]Ns",
        "item set on a number": b"K\x01NNs",
        "a million numbers": b"](" + b"K\x01" * 1_000_000 + b"e",
    }
    for name, body in bodies.items():

        def bomb(folder: Path, marker: Path, body: bytes = body) -> Path:
            path = folder / "model.pkl"
            path.write_bytes(pickle(body, 4))
            return path

        yield Case(f"pickle: {name}", "exhaustion", bomb, SURVIVED)

    def zip_bomb(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
            archive.open("archive/data.pkl", "w", force_zip64=True) as member,
        ):
            for _ in range(300):
                member.write(bytes(1_000_000))
        return path

    yield Case("data.pkl that unpacks to 300 MB", "exhaustion", zip_bomb, DAMAGED)

    def many_members(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        write_zip(path, [(f"a/{i}", b"") for i in range(20_000)])
        return path

    yield Case("twenty thousand members", "exhaustion", many_members, SURVIVED)

    def varint(folder: Path, marker: Path) -> Path:
        path = folder / "model.onnx"
        path.write_bytes(b"\x08\x08\x3a" + b"\xff" * 5000)
        return path

    yield Case("onnx: a number without end", "exhaustion", varint, DAMAGED)

    def deep_graph(folder: Path, marker: Path) -> Path:
        graph = b""
        for _ in range(2000):
            attribute = foreign_files.message(6, graph)
            graph = foreign_files.message(1, foreign_files.message(5, attribute))
        path = folder / "model.onnx"
        path.write_bytes(foreign_files.scalar(1, 8) + foreign_files.message(7, graph))
        return path

    yield Case("onnx: graphs in graphs", "exhaustion", deep_graph, DAMAGED)

    for name, tensors, values in (("tensors", 2**60, 0), ("values", 0, 2**60)):

        def gguf(folder: Path, marker: Path, counts: tuple[int, int] = (tensors, values)) -> Path:
            path = folder / "model.gguf"
            path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, *counts) + bytes(100))
            return path

        yield Case(f"gguf: 2**60 {name}", "exhaustion", gguf, DAMAGED)


def _harmless() -> Iterator[Case]:
    for name, content in HARMLESS:

        def bare(folder: Path, marker: Path, content: bytes = content) -> Path:
            path = folder / "model.pkl"
            path.write_bytes(content)
            return path

        yield Case(f"harmless {name}, bare", "harmless", bare, QUIET)

        def zipped(folder: Path, marker: Path, content: bytes = content) -> Path:
            return zip_of(folder / "model.pth", content)

        yield Case(f"harmless {name}, in an archive", "harmless", zipped, CLEAN)
    for kind in KINDS:

        def undamaged(folder: Path, marker: Path, kind: str = kind) -> Path:
            return whole(folder, kind)

        yield Case(f"whole {kind}", "harmless", undamaged, CLEAN)

    def like_pickle(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        raw = payload(Path("nowhere"))
        write_torch_zip(path, {"w": Tensor("uint8", (len(raw),), raw)})
        return path

    yield Case("tensor whose bytes are a pickle", "harmless", like_pickle, CLEAN)

    def shared(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        tensors = {
            "a": Tensor("float32", (4, 4), storage="s"),
            "b": Tensor("float32", (2, 4), storage="s", offset=8),
            "t": Tensor("float32", (4, 4), storage="s", stride=(1, 4)),
        }
        write_torch_zip(path, tensors)
        return path

    yield Case("shared storages and views", "harmless", shared, CLEAN)

    def many(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        write_torch_zip(path, {f"ключ.{i}.重み": Tensor("float16", (2,)) for i in range(3000)})
        return path

    yield Case("three thousand keys in other scripts", "harmless", many, CLEAN)

    def training(folder: Path, marker: Path) -> Path:
        path = folder / "model.pth"
        state = {0: {"step": 3, "exp_avg": Tensor("float32", (4, 3))}}
        optimizer = {"state": state, "param_groups": [{"lr": 0.1, "params": [0]}]}
        write_torch_zip(path, {"epoch": 3, "state_dict": STATE, "optimizer": optimizer})
        return path

    yield Case("training state", "harmless", training, CLEAN)
