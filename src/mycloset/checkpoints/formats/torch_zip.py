"""Reads what `torch.save` (since 1.6) and `torch.jit.save` write: a zip around a pickle."""

from __future__ import annotations

from typing import Any

from mycloset.checkpoints.contents import Checkpoint, Finding, GlobalUse, TensorGroup
from mycloset.checkpoints.objects import Contents, build_tree, with_role
from mycloset.checkpoints.pickles.nodes import Persistent, Tape
from mycloset.checkpoints.pickles.rendering import shown
from mycloset.checkpoints.pickles.scanning import Scan, scan
from mycloset.checkpoints.rebuilding import Rebuilder, Stored, TroubleError, storage_parts
from mycloset.checkpoints.source import DamagedError, Source
from mycloset.checkpoints.tarfiles import is_tar
from mycloset.checkpoints.tensors import BITS, Storage
from mycloset.checkpoints.zipfiles import STORED, Archive, Member

PICKLE = 64 << 20
"""Bytes of a pickle that are read."""

OTHERS = 16 << 20
"""Bytes of all other pickles together that are read."""

_SNIFFED = 20_000
"""Members whose first bytes are looked at."""

_ARCHIVES = {
    b"7z\xbc\xaf\x27\x1c": "7z archive", b"PK\3\4": "zip archive", b"\x1f\x8b": "gzip",
    b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"Rar!": "rar archive", b"\x28\xb5\x2f\xfd": "zstd",
    b"\x89HDF\r\n": "HDF5 file",
}  # fmt: skip


def read(source: Source) -> Checkpoint:
    """What a zip archive holds, a checkpoint of PyTorch or not.

    Raises:
        DamagedError: its directory cannot be read, and no pickle at its beginning either.
    """
    try:
        archive = Archive(source)
    except DamagedError as error:
        return _cut_off(source, error)
    return _Reading(source, archive).checkpoint()


class _Reading:
    def __init__(self, source: Source, archive: Archive) -> None:
        self._source = source
        self._archive = archive
        self._members = archive.by_name
        self._findings: list[Finding] = []
        self._globals: list[GlobalUse] = []
        self._used: set[str] = set()
        self._walked: set[int] = set()
        first = archive.members[0].name if archive.members else ""
        # PyTorch takes the folder of the first member for the archive's own.
        self._prefix = first.partition("/")[0] + "/" if "/" in first else ""
        self._data = f"{self._prefix}data/"
        self._order = "little"

    def checkpoint(self) -> Checkpoint:
        """All that the archive holds."""
        archive, prefix = self._archive, self._prefix
        # PyTorch's reader looks names up without regard to case, and takes the first.
        wanted = f"{prefix}data.pkl".lower()
        found = [m for m in archive.members if m.name.lower() == wanted]
        found = found or [m for m in archive.members if m.name.rpartition("/")[2] == "data.pkl"]
        main = found[0] if found else None
        if main is not None:
            prefix = self._prefix = main.name[: -len("data.pkl")]
            self._data = f"{prefix}data/"
        if main is None:
            return self._no_model()
        script = f"{prefix}constants.pkl" in archive.by_name or any(
            member.name.startswith(f"{prefix}code/") for member in archive.members
        )
        archive.survey()
        metadata = self._metadata()
        contents = self._pickle(main, ())
        groups, values = list(contents.groups), dict(contents.values)
        if script:
            groups += self._constants()
        self._other_pickles()
        self._front()
        archive.check_overlaps()
        findings = [*archive.findings, *self._findings]
        if script:
            metadata["code"] = [m.name for m in archive.members if m.name.endswith(".py")][:200]
        return Checkpoint(
            path=self._source.path,
            format="torchscript" if script else "torch-zip",
            size=self._source.size,
            groups=tuple(groups),
            files=(self._source.path.name,),
            values=values,
            metadata=metadata,
            globals=tuple(self._globals),
            findings=tuple(findings),
        )

    def _metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in ("version", ".format_version", ".storage_alignment", "byteorder"):
            member = self._archive.by_name.get(self._prefix + name)
            if member is not None and member.size <= 64:
                try:
                    data = self._archive.read(member, 64)
                except DamagedError as error:
                    self._damaged(error)
                    continue
                found[name.lstrip(".")] = data.decode("latin1").strip()
                self._used.add(member.name)
        if found.get("byteorder") == "big":
            self._order = "big"
        elif found.get("byteorder") not in (None, "little"):
            message = f"The archive states the byte order {found['byteorder']!r}."
            self._findings.append(Finding("corrupt", "error", message))
        return found

    def _pickle(self, member: Member, wrapper: tuple[str, ...]) -> Contents:
        """The tensors of one of the archive's pickles."""
        scanned = self._scan(member)
        if scanned is None:
            return Contents((), {}, ())
        rebuilder = Rebuilder(self._storage, sound=self._sound)
        contents = build_tree(scanned.pickle.value, rebuilder, wrapper)
        self._findings += contents.findings
        return contents

    def _scan(self, member: Member) -> Scan | None:
        self._used.add(member.name)
        self._walked.add(member.header)
        name = member.name.removeprefix(self._prefix)
        try:
            data = self._archive.read(member, PICKLE)
            origin = self._archive.place(member) if member.method == STORED else None
        except DamagedError as error:
            self._damaged(error)
            return None
        found = scan(Tape.of(data, origin), name, member=member.name)
        self._globals += found.globals
        self._findings += found.findings
        return found

    def _sound(self, dtype: str, key: str, elements: int) -> Storage | None:
        """Where a storage lies in a stored member of the right size whose place is known."""
        member = self._members.get(self._data + key)
        if member is None:
            return None
        name, _, method, _, packed, size, header, _ = member
        place = self._archive.places.get(header)
        nbytes = (elements * BITS[dtype] + 7) // 8
        if method != STORED or place is None or not packed == size == nbytes:
            return None
        self._used.add(name)
        # As Storage(…), which takes longer; there are as many as tensors.
        return tuple.__new__(Storage, (name, nbytes, place, ""))

    def _storage(self, node: Any) -> Stored:
        """Where a storage lies; its member has to be as large as the pickle says."""
        if node.__class__ is not Persistent:
            raise TroubleError(f"lies in what is no storage: {shown(node)}")
        dtype, key, elements, _ = storage_parts(node.key)
        nbytes = (elements * BITS[dtype] + 7) // 8 if dtype else elements
        member = self._members.get(f"{self._data}{key}")
        if member is None:
            member = self._members.get(f"{self._prefix}tensors/{key}")
        if member is None:
            lost = Storage(f"{self._prefix}data/{key}", nbytes, None)
            trouble = f"lies in data/{shown(key)[1:-1]}, which the archive does not have"
            return Stored(lost, dtype, 0, nbytes, trouble)
        self._used.add(member.name)
        trouble, place = "", None
        if member.size != nbytes:
            trouble = f"has {member.size} bytes where {nbytes} are said"
        elif member.method == STORED:
            try:
                place = self._archive.place(member)
            except DamagedError as error:
                trouble = f"is damaged: {error.message}"
            if member.packed != nbytes:
                place, trouble = None, "has two sizes that differ"
        if trouble:
            trouble = f"lies in data/{shown(key)[1:-1]}, which {trouble}"
        return Stored(Storage(member.name, nbytes, place), dtype, 0, nbytes, trouble)

    def _constants(self) -> list[TensorGroup]:
        member = self._archive.by_name.get(f"{self._prefix}constants.pkl")
        if member is None:
            return []
        contents = self._pickle(member, ("constants",))
        return [with_role(group, "other") for group in contents.groups if group.table]

    def _other_pickles(self) -> None:
        """Walk every other member that is a pickle by its name or its bytes."""
        left = OTHERS
        for count, member in enumerate(self._archive.members):
            if member.header in self._walked or (
                member.name in self._used and member is self._archive.by_name[member.name]
            ):
                continue
            again = member.name in self._used
            if count >= _SNIFFED or not member.size:
                continue
            named = member.name.lower().endswith((".pkl", ".pickle", ".pck", "_pkl"))
            try:
                head = self._archive.head(member, 512)
            except DamagedError as error:
                self._damaged(error)
                continue
            for magic, what in _ARCHIVES.items():
                if head.startswith(magic):
                    self._inside(member, what)
            if is_tar(head):
                self._inside(member, "tar archive")
            if not named and not _could_be_pickle(head):
                continue
            if member.size > left:
                message = f"Member {member.name!r} looks like a pickle and was not read."
                self._findings.append(Finding("suspicious", "warning", message))
                continue
            left -= member.size
            if named or again:
                self._scan(member)
            else:
                self._try(member)

    def _front(self) -> None:
        """Walk what stands before the archive: PyTorch reads a file by its first bytes, so that a
        pickle or tar there is what it would load."""
        end = self._archive.start
        if not end:
            return
        head = self._source.head(512)
        if is_tar(head):
            message = "The file begins with a tar archive and ends with a zip archive."
            self._findings.append(Finding("suspicious", "error", message))
        if not _could_be_pickle(head):
            return
        found = scan(Tape.over(self._source, 0, end), "what stands before the archive")
        if found.pickle.whole or found.globals:
            message = "The file begins with a pickle and ends with a zip archive."
            self._findings.append(Finding("suspicious", "error", message))
            self._globals += found.globals
            self._findings += [f for f in found.findings if f.kind != "corrupt"]

    def _try(self, member: Member) -> None:
        """Walk a member that may be a pickle; say nothing of it where it is none."""
        try:
            data = self._archive.read(member, OTHERS)
        except DamagedError as error:
            self._damaged(error)
            return
        found = scan(Tape.of(data), member.name, member=member.name)
        if found.pickle.whole or any(use.called for use in found.globals):
            self._globals += found.globals
            self._findings += [f for f in found.findings if f.kind != "corrupt"]

    def _inside(self, member: Member, what: str) -> None:
        message = f"Member {member.name!r} is a {what}, which was not looked into."
        self._findings.append(Finding("suspicious", "warning", message, {"member": member.name}))

    def _no_model(self) -> Checkpoint:
        archive = self._archive
        names = [member.name for member in archive.members]
        self._other_pickles()
        self._front()
        what = _named(names)
        message = f"A zip archive without data.pkl: {what}."
        finding = Finding("not-a-model", "error", message, {"members": names[:50]})
        return Checkpoint(
            path=self._source.path,
            format="zip",
            size=self._source.size,
            files=(self._source.path.name,),
            globals=tuple(self._globals),
            findings=(finding, *archive.findings, *self._findings),
        )

    def _damaged(self, error: DamagedError) -> None:
        details = {} if error.place is None else {"offset": error.place}
        self._findings.append(Finding("corrupt", "error", error.message, details))


def _could_be_pickle(head: bytes) -> bool:
    """Whether bytes may begin a pickle: PROTO, or an opcode that protocols 0 and 1 begin with."""
    if head[:1] == b"\x80":
        return len(head) > 1 and head[1] <= 5
    return head[:1] in (b"c", b"(", b"]", b"}", b")", b"i", b"F", b"I", b"L", b"S", b"V", b"U",
                        b"X", b"P", b"\x8c", b"\x95")  # fmt: skip


def _named(names: list[str]) -> str:
    """What an archive is, by its members' names."""
    if not names:
        return "it is empty"
    ends = {name.rpartition("/")[2] for name in names}
    if "archive_format" in ends or any("/models/model.json" in f"/{name}" for name in names):
        return "a package of torch.export, whose weights lie in files of their own"
    if "serialized_exported_program.json" in ends:
        return "a program of torch.export"
    if any("/.data/extern_modules" in f"/{name}" or "python_version" in name for name in names):
        return "a torch.package archive"
    if "model.json" in ends:
        return "an archive of PyTorch's first TorchScript format (model.json)"
    shown_names = ", ".join(names[:5])
    return f"it holds {shown_names}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _cut_off(source: Source, error: DamagedError) -> Checkpoint:
    """What is left of an archive without its directory: `torch.save` puts the pickle first."""
    head = source.head(1 << 12)
    if head[:4] != b"PK\3\4" or len(head) < 30:
        raise error
    named = int.from_bytes(head[26:28], "little")
    extra = int.from_bytes(head[28:30], "little")
    name = head[30 : 30 + named]
    stored = head[8:10] == b"\0\0"
    start = 30 + named + extra
    if not name.endswith(b"data.pkl") or not stored or start >= source.size:
        raise error
    found = scan(Tape.over(source, start), "data.pkl", alone=False)
    contents = build_tree(found.pickle.value, Rebuilder(_nowhere))
    finding = Finding("corrupt", "error", error.message, {"offset": source.size})
    return Checkpoint(
        path=source.path,
        format="torch-zip",
        size=source.size,
        groups=contents.groups,
        files=(source.path.name,),
        values=contents.values,
        globals=found.globals,
        findings=(finding, *found.findings, *contents.findings),
    )


def _nowhere(node: Any) -> Stored:
    if not isinstance(node, Persistent):
        raise TroubleError(f"lies in what is no storage: {shown(node)}")
    dtype, key, elements, _ = storage_parts(node.key)
    nbytes = (elements * BITS[dtype] + 7) // 8 if dtype else elements
    return Stored(Storage(f"data/{key}", nbytes, None), dtype, 0, nbytes)
