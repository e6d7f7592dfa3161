"""Writes model files with their real layouts and holes for weights: 7 GB cost a few kilobytes."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from pickle_writer import (
    ITEMSIZE,
    STORAGE_CLASS,
    Call,
    Global,
    Module,
    Persistent,
    Pickler,
    Tensor,
    state_dict,
)

__all__ = [
    "ITEMSIZE",
    "STORAGE_CLASS",
    "Call",
    "Global",
    "Module",
    "Persistent",
    "Pickler",
    "Tensor",
    "Zeros",
    "module_tree",
    "state_dict",
    "tensors_of",
    "write_torch_legacy",
    "write_torch_tar",
    "write_torch_zip",
    "write_torchscript",
    "write_zip",
]


class Zeros(int):
    """So many zero bytes, written as a hole."""


def tensors_of(thing: Any) -> Iterator[Tensor]:
    """Every tensor in a nest of the writers' objects, in the order in which they are pickled."""
    if isinstance(thing, Tensor):
        yield thing
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from tensors_of(value)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from tensors_of(value)
    elif isinstance(thing, Call):
        yield from tensors_of([thing.args, thing.appended, thing.items or {}, thing.state])
    elif isinstance(thing, Module):
        yield from tensors_of([thing.parameters, thing.buffers, thing.modules, thing.attributes])


def module_tree(
    tensors: Mapping[str, Tensor],
    *,
    class_name: str = "ultralytics.nn.tasks.DetectionModel",
    inner: str = "torch.nn.modules.conv.Conv2d",
    attributes: Mapping[str, Any] | None = None,
) -> Module:
    """The module tree whose dotted keys are those given; integers and running statistics become
    buffers, the rest parameters."""
    root = Module(class_name, attributes=dict(attributes or {}))
    for key, tensor in tensors.items():
        *path, name = key.split(".")
        place = root
        for part in path:
            found = place.modules.setdefault(part, Module(inner))
            assert found is not None
            place = found
        floating = tensor.dtype.startswith(("float", "bfloat", "complex"))
        buffer = not floating or name.startswith("running_")
        tensor.parameter = not buffer
        (place.buffers if buffer else place.parameters)[name] = tensor
    return root


def write_torch_zip(
    path: Path | str,
    thing: Any,
    *,
    prefix: str = "archive",
    compress: bool = False,
    big_endian: bool = False,
    sparse: bool = True,
    extra: Sequence[tuple[str, bytes]] = (),
) -> None:
    """What `torch.save` writes since 1.6.

    Args:
        path: where to.
        thing: the pickled object; its leaves may be Tensors.
        prefix: folder that all members lie in.
        compress: deflate every member, as other tools leave the file when they repack it.
        big_endian: bytes of the storages swapped, and said so.
        sparse: weights without data become holes; else zeros are written.
        extra: more members, name below the prefix and bytes.
    """
    storages = _Storages(thing)
    order = b"big" if big_endian else b"little"
    members: list[tuple[str, bytes | Zeros]] = [
        ("data.pkl", Pickler(storages.persistent).dump(thing)),
        (".format_version", b"1"),
        (".storage_alignment", b"64"),
        ("byteorder", order),
        *((f"data/{key}", data) for key, data in storages.contents(big_endian)),
        ("version", b"3\n"),
        (".data/serialization_id", b"0" * 40),
        *extra,
    ]
    named = [(f"{prefix}/{name}", data) for name, data in members]
    write_zip(path, named, compress=compress, sparse=sparse)


def write_torchscript(
    path: Path | str,
    tensors: Mapping[str, Tensor],
    *,
    prefix: str = "archive",
    class_name: str = "__torch__.Model",
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """What `torch.jit.save` writes: attribute bags, code, constants (the code here is a stub)."""
    root = _script_tree(tensors, class_name)
    root.state.update(attributes or {})
    storages = _Storages(root)
    pickled = Pickler(storages.persistent).dump(root)
    members: list[tuple[str, bytes | Zeros]] = [
        *((f"data/{key}", data) for key, data in storages.contents(False)),
        ("data.pkl", pickled),
        ("code/__torch__.py", b"class Model(Module):\n  pass\n"),
        ("code/__torch__.py.debug_pkl", Pickler().dump([])),
        ("constants.pkl", b"\x80\x02)."),
        ("version", b"3\n"),
        ("byteorder", b"little"),
    ]
    write_zip(path, [(f"{prefix}/{name}", data) for name, data in members])


def write_torch_legacy(path: Path | str, thing: Any, *, sparse: bool = True) -> None:
    """What `torch.save` wrote before 1.6: five pickles in a row, then the storages.

    Dtypes without a storage class of their own cannot be written so.
    """
    storages = _Storages(thing, legacy=True)
    system = {
        "protocol_version": 1001,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    head = b"".join(
        [
            Pickler().dump(0x1950A86A20F9469CFC6C),
            Pickler().dump(1001),
            Pickler().dump(system),
            Pickler(storages.persistent).dump(thing),
            Pickler().dump(sorted(storages.sizes)),
        ]
    )
    with Path(path).open("wb") as file:
        file.write(head)
        contents = dict(storages.contents(False))
        for key in sorted(storages.sizes):
            file.write(struct.pack("<q", storages.sizes[key]))
            _put(file, contents[key], sparse)
        file.truncate()


def write_torch_tar(path: Path | str, thing: Any) -> None:
    """What `torch.save` wrote before 0.2: a tar of sys_info, pickle, tensors and storages."""
    storages = _Storages(thing)
    tensors = list({id(tensor): tensor for tensor in tensors_of(thing)}.values())
    numbers = {id(tensor): 1000 + index for index, tensor in enumerate(tensors)}
    info = {"protocol_version": 1000, "little_endian": True, "type_sizes": {"long": 8}}
    stored = [Pickler().dump(len(storages.sizes))]
    for key, data in storages.contents(False):
        storage = Global("torch", STORAGE_CLASS[storages.dtypes[key]])
        stored.append(Pickler().dump((int(key), "cpu", storage)))
        stored.append(struct.pack("<q", storages.sizes[key]))
        stored.append(bytes(data) if not isinstance(data, Zeros) else b"\0" * data)
    stored.append(Pickler().dump([]))
    described = [Pickler().dump(len(tensors))]
    for tensor in tensors:
        kind = Global("torch", STORAGE_CLASS[tensor.dtype].replace("Storage", "Tensor"))
        described.append(Pickler().dump((numbers[id(tensor)], int(storages.key(tensor)), kind)))
        rank = len(tensor.shape)
        numbers_of = (*tensor.shape, *tensor.strides, tensor.offset)
        described.append(struct.pack(f"<ii{2 * rank + 1}q", rank, 0, *numbers_of))
    pickled = _TarPickler(numbers).dump(thing)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in (
            ("sys_info", Pickler().dump(info)),
            ("pickle", pickled),
            ("tensors", b"".join(described)),
            ("storages", b"".join(stored)),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def write_zip(
    path: Path | str,
    members: Sequence[tuple[str, bytes | Zeros]],
    *,
    compress: bool = False,
    sparse: bool = True,
) -> None:
    """A zip laid out as PyTorch's writer does: data on multiples of 64, sizes behind the data."""
    directory = []
    with Path(path).open("wb") as file:
        for name, data in members:
            start = file.tell()
            raw = name.encode()
            size, crc = len_of(data), _crc(data)
            packed = _deflated(data) if compress else data
            padding = -(start + 34 + len(raw)) % 64
            file.write(
                struct.pack("<4s5H3I2H", b"PK\3\4", 0, 0x0808, 8 if compress else 0, 0, 0, 0, 0, 0,
                            len(raw), 4 + padding)
            )  # fmt: skip
            file.write(raw + b"FB" + struct.pack("<H", padding) + b"Z" * padding)
            _put(file, packed, sparse)
            wide = max(size, len_of(packed)) >= 0xFFFFFFFF
            file.write(struct.pack("<4sI2Q" if wide else "<4s3I", b"PK\7\10", crc, len_of(packed),
                                   size))  # fmt: skip
            directory.append(_entry(raw, compress, crc, len_of(packed), size, start))
        start = file.tell()
        file.write(b"".join(directory))
        length, count = file.tell() - start, len(members)
        file.write(struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 0, 0x2D, 0, 0, count, count, length,
                               start))  # fmt: skip
        file.write(struct.pack("<4sIQI", b"PK\6\7", 0, start + length, 1))
        file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, min(count, 0xFFFF),
                               min(count, 0xFFFF), length, min(start, 0xFFFFFFFF), 0))  # fmt: skip


def len_of(data: bytes | Zeros) -> int:
    """Bytes that a member takes."""
    return int(data) if isinstance(data, Zeros) else len(data)


class _Storages:
    """The storages of a nest: which key each has, and what stands for it in the pickle."""

    def __init__(self, thing: Any, *, legacy: bool = False) -> None:
        self.sizes: dict[str, int] = {}
        self.dtypes: dict[str, str] = {}
        self._data: dict[str, bytes | None] = {}
        self._legacy = legacy
        self._keys: dict[Any, str] = {}
        self._tensors = list(tensors_of(thing))
        for tensor in self._tensors:
            name = tensor.storage if tensor.storage is not None else id(tensor)
            fresh = str(93000000000000 + len(self._keys)) if legacy else str(len(self._keys))
            key = self._keys.setdefault(name, fresh)
            self.sizes[key] = max(self.sizes.get(key, 0), tensor.reach)
            self.dtypes[key] = tensor.dtype
            if tensor.data is not None:
                self._data[key] = tensor.data

    def key(self, tensor: Tensor) -> str:
        return self._keys[tensor.storage if tensor.storage is not None else id(tensor)]

    def persistent(self, tensor: Tensor) -> tuple[Any, ...]:
        key = self.key(tensor)
        kind = STORAGE_CLASS.get(tensor.dtype)
        view = (None,) if self._legacy else ()
        if kind is None:
            count = self.sizes[key] * ITEMSIZE[tensor.dtype]
            return ("storage", Global("torch.storage", "UntypedStorage"), key, "cpu", count, *view)
        return ("storage", Global("torch", kind), key, "cpu", self.sizes[key], *view)

    def contents(self, big_endian: bool) -> Iterator[tuple[str, bytes | Zeros]]:
        for key, size in self.sizes.items():
            data = self._data.get(key)
            item = ITEMSIZE[self.dtypes[key]]
            if data is None:
                yield key, Zeros(size * item)
            elif big_endian:
                part = item // 2 if self.dtypes[key].startswith("complex") else item
                swapped = (data[at : at + part][::-1] for at in range(0, len(data), part))
                yield key, b"".join(swapped)
            else:
                yield key, data


class _TarPickler(Pickler):
    """Tensors stand in the pickle as the decimal numbers that the tensors member gave them."""

    def __init__(self, numbers: Mapping[int, int]) -> None:
        super().__init__(lambda tensor: None)
        self._numbers = numbers

    def _tensor(self, tensor: Tensor) -> None:
        self.save(Persistent(str(self._numbers[id(tensor)])))


def _script_tree(tensors: Mapping[str, Tensor], class_name: str) -> Any:
    root = Call(Global(*_split(class_name)), (), {"training": False}, new=True)
    for key, tensor in tensors.items():
        *path, name = key.split(".")
        place = root
        for part in path:
            inner = Global("__torch__.torch.nn.modules.container", "Sequential")
            fresh = Call(inner, (), {"training": False}, new=True)
            place = place.state.setdefault(part, fresh)
        place.state[name] = tensor
    return root


def _split(class_name: str) -> tuple[str, str]:
    module, _, name = class_name.rpartition(".")
    return module, name


def _entry(raw: bytes, compress: bool, crc: int, packed: int, size: int, start: int) -> bytes:
    wide = [number for number in (size, packed, start) if number >= 0xFFFFFFFF]
    more = struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    numbers = [min(number, 0xFFFFFFFF) for number in (packed, size)]
    head = struct.pack("<4s6H3I5H2I", b"PK\1\2", 0, 0, 0x0808, 8 if compress else 0, 0, 0, crc,
                       *numbers, len(raw), len(more), 0, 0, 0, 0,
                       min(start, 0xFFFFFFFF))  # fmt: skip
    return head + raw + more


def _put(file: BinaryIO, data: bytes | Zeros, sparse: bool) -> None:
    if isinstance(data, Zeros) and sparse:
        file.seek(int(data), io.SEEK_CUR)
    elif isinstance(data, Zeros):
        for start in range(0, int(data), 1 << 20):
            file.write(b"\0" * min(1 << 20, int(data) - start))
    else:
        file.write(data)


def _deflated(data: bytes | Zeros) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    if not isinstance(data, Zeros):
        return packer.compress(data) + packer.flush()
    parts = []
    for start in range(0, int(data), 1 << 20):
        parts.append(packer.compress(b"\0" * min(1 << 20, int(data) - start)))
    return b"".join([*parts, packer.flush()])


def _crc(data: bytes | Zeros) -> int:
    """CRC-32; of zeros without touching them: each bit of the count is one linear map."""
    if not isinstance(data, Zeros):
        return zlib.crc32(data)
    register, bit = 0xFFFFFFFF, 0
    while data >> bit:
        if data >> bit & 1:
            register = _mapped(_zero_map(bit), register)
        bit += 1
    return register ^ 0xFFFFFFFF


@cache
def _zero_map(power: int) -> tuple[int, ...]:
    """What 2**power zero bytes make of each bit of the CRC register."""
    if power == 0:
        table = []
        for bit in range(32):
            register = 1 << bit
            for _ in range(8):
                register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
            table.append(register)
        return tuple(table)
    half = _zero_map(power - 1)
    return tuple(_mapped(half, column) for column in half)


def _mapped(table: tuple[int, ...], register: int) -> int:
    result = 0
    for bit, column in enumerate(table):
        if register >> bit & 1:
            result ^= column
    return result
