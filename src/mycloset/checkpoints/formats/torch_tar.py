"""Reads what PyTorch before 0.2 wrote: a tar of sys_info, pickle, tensors and storages.

`storages` begins with a pickle of their number; each is a pickle (key, place, class), 8 bytes with
the number of its elements, and its bytes; views of storages end it. `tensors` begins likewise; each
is a pickle (key, key of its storage, class), rank (4 bytes, 4 more that mean nothing), sizes,
strides and offset, 8 bytes each (torch/serialization.py, `legacy_load`).
"""

from __future__ import annotations

import struct
from typing import Any

from mycloset.checkpoints.contents import Checkpoint, Finding, GlobalUse
from mycloset.checkpoints.objects import build_tree
from mycloset.checkpoints.pickles.nodes import Global, Persistent, Tape
from mycloset.checkpoints.pickles.rendering import shown
from mycloset.checkpoints.pickles.scanning import scan
from mycloset.checkpoints.rebuilding import Raw, Rebuilder, Stored, TroubleError, storage_dtype
from mycloset.checkpoints.source import DamagedError, Source
from mycloset.checkpoints.tarfiles import tar_members
from mycloset.checkpoints.tensors import BITS, Storage

_SMALL = 1 << 9
"""Bytes that are read for a pickle of a few numbers."""

_WALKED = 1 << 24
"""Bytes of a pickle up to which it is walked in an archive that is no checkpoint."""


def read(source: Source) -> Checkpoint:
    """What a tar archive holds, a checkpoint of PyTorch or not.

    Raises:
        DamagedError: its first header is broken.
    """
    members, findings = tar_members(source)
    if not {"pickle", "tensors", "storages"} <= members.keys():
        names = list(members)
        told = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        message = f"A tar archive that is no checkpoint of PyTorch: it holds {told}."
        finding = Finding("not-a-model", "error", message, {"members": names[:50]})
        scans = [
            scan(Tape.of(source.read(start, size), start), name, member=name)
            for name, (start, size) in members.items()
            if size <= _WALKED and (name == "pickle" or name.endswith((".pkl", ".pickle")))
        ]
        return Checkpoint(
            path=source.path,
            format="tar",
            size=source.size,
            files=(source.path.name,),
            globals=tuple(use for found in scans for use in found.globals),
            findings=(finding, *findings, *(f for found in scans for f in found.findings)),
        )
    return _Reading(source, members, findings).checkpoint()


class _Reading:
    def __init__(
        self, source: Source, members: dict[str, tuple[int, int]], findings: list[Finding]
    ) -> None:
        self._source = source
        self._members = members
        self._findings = findings
        self._globals: list[GlobalUse] = []
        self._storages: dict[str, Stored] = {}
        self._tensors: dict[str, Raw | str] = {}

    def checkpoint(self) -> Checkpoint:
        """All that the archive holds."""
        source = self._source
        try:
            self._read_storages()
            self._read_tensors()
        except (TroubleError, DamagedError) as error:
            self._findings.append(Finding("corrupt", "error", f"The archive {error}."))
        start, end = self._members["pickle"]
        found = scan(Tape.over(source, start, end), "pickle", member="pickle")
        contents = build_tree(found.pickle.value, Rebuilder(self._tensor, named=True))
        return Checkpoint(
            path=source.path,
            format="torch-tar",
            size=source.size,
            groups=contents.groups,
            files=(source.path.name,),
            values=contents.values,
            metadata={"byteorder": "little"},
            globals=(*self._globals, *found.globals),
            findings=(*self._findings, *found.findings, *contents.findings),
        )

    def _read_storages(self) -> None:
        origin, end = self._members["storages"]
        count, place = self._value("storages", 0)
        if count.__class__ is not int or count < 0:
            raise TroubleError("does not say how many storages it has")
        for _ in range(count):
            described, place = self._value("storages", place)
            if not isinstance(described, tuple) or len(described) != 3:
                raise TroubleError(f"has the broken storage {shown(described)}")
            if not isinstance(described[2], Global):
                raise TroubleError(f"has the broken storage {shown(described)}")
            dtype = storage_dtype(described[2]) or "uint8"
            elements = int.from_bytes(self._bytes("storages", place, 8), "little", signed=True)
            nbytes = elements * BITS[dtype] // 8
            start = origin + place + 8
            if elements < 0 or start + nbytes > end:
                raise TroubleError("was cut off: a storage reaches beyond it")
            key = shown(described[0])
            self._storages[key] = Stored(Storage(key, nbytes, start), dtype, 0, nbytes)
            place += 8 + nbytes
        views, _ = self._value("storages", place)
        for view in views if isinstance(views, list | tuple) else ():
            self._view(view)

    def _view(self, view: Any) -> None:
        if not isinstance(view, tuple | list) or len(view) != 4:
            raise TroubleError(f"has the broken view {shown(view)}")
        target, root, offset, size = view
        stored = self._storages.get(shown(root))
        if stored is None or offset.__class__ is not int or size.__class__ is not int:
            raise TroubleError(f"has the broken view {shown(view)}")
        bits = BITS[stored.dtype]
        start, nbytes = stored.start + offset * bits // 8, size * bits // 8
        if offset < 0 or size < 0 or start + nbytes > stored.storage.nbytes:
            raise TroubleError(f"has the broken view {shown(view)}")
        self._storages[shown(target)] = stored._replace(start=start, nbytes=nbytes)

    def _read_tensors(self) -> None:
        count, place = self._value("tensors", 0)
        if count.__class__ is not int or count < 0:
            raise TroubleError("does not say how many tensors it has")
        for _ in range(count):
            described, place = self._value("tensors", place)
            if not isinstance(described, tuple) or len(described) != 3:
                raise TroubleError(f"has the broken tensor {shown(described)}")
            (rank,) = struct.unpack("<i", self._bytes("tensors", place, 4))
            if not 0 <= rank <= 64:
                raise TroubleError(f"has a tensor of {rank} dimensions")
            numbers = struct.unpack(
                f"<{2 * rank + 1}q", self._bytes("tensors", place + 8, 16 * rank + 8)
            )
            place += 16 * rank + 16
            stored = self._storages.get(shown(described[1]))
            key = shown(described[0])
            if stored is None:
                self._tensors[key] = f"lies in storage {shown(described[1])}, which is not there"
            elif min(numbers) < 0:
                self._tensors[key] = f"has {shown(numbers)} as its shape and stride"
            else:
                shape, stride = numbers[:rank], numbers[rank:-1]
                self._tensors[key] = Raw(stored.dtype, shape, stored, numbers[-1], stride, None)

    def _value(self, member: str, place: int) -> tuple[Any, int]:
        """The value of the pickle at a place of a member, and the place after it."""
        start, end = self._members[member]
        tape = Tape.over(self._source, start, end, chunk=_SMALL)
        found = scan(tape, member, member=member, start=place, alone=False)
        known = {(use.name, use.called) for use in self._globals}
        self._globals += [use for use in found.globals if (use.name, use.called) not in known]
        if not found.pickle.whole:
            raise TroubleError(f"is broken in {member} at byte {found.pickle.end}")
        self._findings += found.findings
        return found.pickle.value, found.pickle.end

    def _bytes(self, member: str, place: int, length: int) -> bytes:
        start, end = self._members[member]
        if start + place + length > end:
            raise TroubleError(f"was cut off in {member}")
        return self._source.read(start + place, length)

    def _tensor(self, node: Any) -> Stored | Raw:
        """What a persistent id stands for: the decimal number of a tensor or storage."""
        if not isinstance(node, Persistent) or not isinstance(node.key, str):
            raise TroubleError(f"is no tensor of the archive: {shown(node)}")
        found = self._tensors.get(node.key)
        if isinstance(found, Raw):
            return found
        if isinstance(found, str):
            raise TroubleError(found)
        stored = self._storages.get(node.key)
        if stored is None:
            raise TroubleError("is not in the archive")
        return stored
