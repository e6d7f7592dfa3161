"""Reads what `torch.save` wrote before 1.6: five pickles in a row, then the storages.

Magic number, protocol version, system, the object, the storages' keys; then for each key the number
of its elements (8 bytes, little-endian) and its bytes (torch/serialization.py, `_legacy_load`).
"""

from __future__ import annotations

import os
from typing import Any

from mycloset.checkpoints.contents import Checkpoint, Finding, GlobalUse
from mycloset.checkpoints.objects import build_tree
from mycloset.checkpoints.pickles.machine import read_pickle
from mycloset.checkpoints.pickles.nodes import Persistent, Tape
from mycloset.checkpoints.pickles.rendering import shown
from mycloset.checkpoints.pickles.scanning import Scan, scan
from mycloset.checkpoints.rebuilding import Rebuilder, Stored, TroubleError, storage_parts
from mycloset.checkpoints.source import DamagedError, Source
from mycloset.checkpoints.tensors import BITS, Storage

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

_NAMES = ("the magic number", "the protocol", "the system", "the object", "the storages' keys")


def read(source: Source) -> Checkpoint:
    """What a file of PyTorch before 1.6 holds.

    Raises:
        DamagedError: it ends before the object begins.
    """
    return read_from(source, 0)


def read_from(source: Source, start: int) -> Checkpoint:
    """The same for a stream that begins at `start`.

    Raises:
        DamagedError: it ends before the object begins.
    """
    return _Reading(source, start).checkpoint()


def inner_storage(tape: Tape) -> Stored:
    """The one storage of a stream within a pickle, as `pickle.dump` of a tensor writes it.

    Raises:
        TroubleError: not such a stream, or cut off.
    """
    values, place = [], 0
    for _ in _NAMES:
        found = read_pickle(tape, place)
        if not found.whole:
            raise TroubleError("lies in a storage that is broken")
        values.append(found.value)
        place = found.end
    if values[0] != MAGIC or not isinstance(values[3], Persistent):
        raise TroubleError("lies in what is no storage")
    dtype, key, elements, _ = storage_parts(values[3].key)
    nbytes = (elements * BITS[dtype or "uint8"] + 7) // 8
    if place + 8 + nbytes > tape.end:
        raise TroubleError("lies in a storage that was cut off")
    offset = None if tape.origin is None else tape.origin + place + 8
    return Stored(Storage(key, nbytes, offset), dtype, 0, nbytes)


class _Reading:
    def __init__(self, source: Source, start: int) -> None:
        self._source = source
        self._end = start
        self._findings: list[Finding] = []
        self._globals: list[GlobalUse] = []
        # Key to dtype and elements, as the object's persistent ids say.
        self._said: dict[str, tuple[str, int]] = {}
        self._storages: dict[str, Storage] = {}
        self._cut = False

    def checkpoint(self) -> Checkpoint:
        """All that the file holds."""
        source = self._source
        magic, protocol, system = (self._next(name, 1 << 12) for name in _NAMES[:3])
        if magic.pickle.value != MAGIC:
            self._wrong("the magic number", magic)
        if protocol.pickle.value != PROTOCOL:
            self._wrong("the protocol", protocol)
        found = self._next(_NAMES[3], 1 << 18)
        for node in found.pickle.persistents:
            self._learn(node)
        if found.pickle.whole:
            self._place_storages()
        else:
            self._cut = True
        order = system.pickle.value
        big = isinstance(order, dict) and order.get("little_endian") is False
        rebuilder = Rebuilder(self._storage, sound=self._sound)
        contents = build_tree(found.pickle.value, rebuilder)
        return Checkpoint(
            path=source.path,
            format="torch-legacy",
            size=source.size,
            groups=contents.groups,
            files=(source.path.name,),
            values=contents.values,
            metadata={"byteorder": "big" if big else "little"},
            globals=tuple(self._globals),
            findings=(*self._findings, *contents.findings),
        )

    def _next(self, name: str, chunk: int) -> Scan:
        source = self._source
        if self._end >= source.size:
            raise DamagedError(
                f"{source.path.name} ends where {name} should begin.", place=source.size
            )
        tape = Tape.over(source, 0, chunk=chunk)
        found = scan(tape, name, start=self._end, alone=False)
        self._end = found.pickle.end
        self._globals += found.globals
        self._findings += found.findings
        if not found.pickle.whole and name in _NAMES[:3]:
            raise DamagedError(
                f"{source.path.name} is broken in {name}: {found.findings[-1].message}",
                place=self._end,
            )
        return found

    def _wrong(self, name: str, found: Scan) -> None:
        message = f"Where {name} should be, there is {shown(found.pickle.value)}."
        self._findings.append(Finding("corrupt", "error", message))

    def _learn(self, node: Persistent) -> None:
        try:
            dtype, key, elements, _ = storage_parts(node.key)
        except TroubleError:
            return  # told when the tensor is built
        self._said.setdefault(key, (dtype or "uint8", elements))

    def _place_storages(self) -> None:
        """Find each storage's bytes, in the order of the list of keys."""
        source = self._source
        if self._end >= source.size and self._said:
            self._is_cut(len(self._said))
            return
        keys = self._next(_NAMES[4], 1 << 16).pickle.value
        if not isinstance(keys, list):
            self._findings.append(
                Finding("corrupt", "error", "The list of the storages' keys is no list.")
            )
            return
        place, handle = self._end, source.fileno()
        for count, name in enumerate(keys):
            key = name.decode("latin1") if isinstance(name, bytes) else name
            if not isinstance(key, str) or key not in self._said:
                message = f"Storage {shown(key)} is stored, but no tensor lies in it."
                self._findings.append(Finding("corrupt", "error", message))
                return
            dtype, elements = self._said[key]
            if place + 8 > source.size:
                self._is_cut(len(keys) - count)
                return
            # Past Source's own checks: there are as many storages as tensors.
            number = os.pread(handle, 8, place)
            if len(number) < 8:
                number = source.read(place, 8)
            stored = int.from_bytes(number, "little", signed=True)
            if stored != elements:
                message = f"Storage {key!r} has {stored} elements, but {elements} are said."
                self._findings.append(Finding("corrupt", "error", message, {"offset": place}))
                return
            nbytes = (elements * BITS[dtype] + 7) // 8
            if place + 8 + nbytes > source.size:
                self._is_cut(len(keys) - count)
                return
            if key not in self._storages:
                self._storages[key] = tuple.__new__(Storage, (key, nbytes, place + 8, ""))
            place += 8 + nbytes
        if place < source.size:
            self._leftover(place)

    def _is_cut(self, missing: int) -> None:
        self._cut = True
        message = f"The file was cut off: {missing} of {len(self._said)} storages are not whole."
        details = {"offset": self._source.size}
        self._findings.append(Finding("corrupt", "error", message, details))

    def _leftover(self, place: int) -> None:
        size = self._source.size - place
        message = f"{size} bytes follow after the last storage."
        self._findings.append(Finding("unusual", "warning", message, {"offset": place}))
        found = scan(Tape.over(self._source), "what follows the storages", start=place, alone=False)
        if found.pickle.whole or any(use.called for use in found.globals):
            self._globals += found.globals
            self._findings += [item for item in found.findings if item.kind != "corrupt"]

    def _sound(self, dtype: str, key: str, elements: int) -> Storage | None:
        """A storage that is stored whole and is asked for whole."""
        root = self._storages.get(key)
        if root is None or root[1] != (elements * BITS[dtype] + 7) // 8:
            return None
        return root

    def _storage(self, node: Any) -> Stored:
        if not isinstance(node, Persistent):
            raise TroubleError(f"lies in what is no storage: {shown(node)}")
        dtype, key, elements, more = storage_parts(node.key)
        root = self._storages.get(key)
        trouble, start = "", 0
        bits = BITS[dtype or "uint8"]
        nbytes = (elements * bits + 7) // 8
        if root is None:
            trouble = "" if self._cut else f"lies in storage {shown(key)}, which is not there"
            root = Storage(key, nbytes, None)
        elif nbytes > root.nbytes:
            raise TroubleError(f"lies in storage {shown(key)}, which is smaller than is said")
        view = more[0] if more else None
        if view is not None:
            if not isinstance(view, tuple) or len(view) != 3:
                raise TroubleError(f"lies in the broken view {shown(view)}")
            _, first, size = view
            whole = first.__class__ is int and size.__class__ is int
            if not whole or first < 0 or size < 0 or first + size > elements:
                raise TroubleError(f"lies in the broken view {shown(view)}")
            start, nbytes = first * bits // 8, size * bits // 8
        return Stored(root, dtype, start, nbytes, trouble)
