"""Which format a file's bytes are, whatever its name says."""

from __future__ import annotations

import re

from mycloset.checkpoints.source import Source

HEAD = 4096
TAIL = 65_557
"""Bytes in which the end record of a zip archive lies, the longest comment included."""

WALKED = 1 << 16
"""Bytes of a text that are tried as a pickle of protocol 0."""

TORCH_LEGACY = bytes.fromhex("80028a0a6cfc9c46f9206aa85019")
"""PyTorch before 1.6: protocol 2, then the magic number 0x1950a86a20f9469cfc6c."""

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (TORCH_LEGACY, "torch-legacy"),
    (b"GGUF", "gguf"),
    (b"\x93NUMPY", "npy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"version https://git-lfs.github.com/spec/", "lfs-pointer"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x7fELF", "elf"),
    (b"MZ", "executable"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"%PDF-", "pdf"),
    (b"RIFF", "riff"),
    (b"GIF8", "gif"),
    (b"II*\0", "tiff"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"SQLite format 3\0", "sqlite"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"7767517\n", "ncnn"),
)
_MARKUP = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script|title)",
    re.I | re.S,
)
_PICKLE_STARTS = frozenset(
    b"(]})NFGIJKLMPSTUVXBCchi\x80\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96"
)
_TENSORFLOW_INDEX = bytes.fromhex("57fb808b247547db")
"""What the table in TensorFlow's `.index` files ends with (LevelDB's magic number)."""


def identify(source: Source) -> str:
    """The format's name, as in `Checkpoint.format`; "unknown" where nothing fits."""
    return formats_of(source)[0]


def formats_of(source: Source) -> tuple[str, ...]:
    """Every format that a reader could take the bytes for, the one that counts first.

    A zip archive is one by its end record, whatever stands before it, so that a file may be both
    an archive and what its beginning says. What can be read as a model counts before what cannot.
    """
    if source.size == 0:
        return ("empty",)
    start = _by_beginning(source)
    if not _has_archive(source):
        return (start,)
    if start in ("zip", "unknown"):
        return ("zip",)
    return (start, "zip") if start in _READ else ("zip", start)


_READ = frozenset({"torch-legacy", "pickle", "safetensors", "onnx", "tflite", "gguf", "npy", "tar"})


def _by_beginning(source: Source) -> str:
    head = source.head(HEAD)
    if head[4:8] == b"TFL3":
        return "tflite"
    if head[4:8] in (b"ET12", b"ET13"):
        return "executorch"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip" if _has_archive(source) else "unknown"
    for start, name in _BEGINNINGS:
        if head.startswith(start):
            return name
    if _is_safetensors(head, source.size):
        return "safetensors"
    if _is_tar(head):
        return "tar"
    if not head.strip(b"\0"):
        empty = not any(source.read(place, 64).strip(b"\0") for place in _spots(source))
        return "zeros" if empty else "unknown"
    if _MARKUP.match(head):
        return "html"
    if (text := _text(head)) is not None:
        return "pickle" if _is_pickle(source) else text
    if head[0] == 0x80 and len(head) > 1 and head[1] <= 5:
        return "pickle"
    if name := _message(source, head):
        return name
    if source.tail(8) == _TENSORFLOW_INDEX:
        return "tensorflow"
    if _is_pickle(source):
        return "pickle"
    return "unknown"


def _is_pickle(source: Source) -> bool:
    """Whether a walk from the beginning comes to its end, or calls something on the way there.

    An unpickler runs what stands before the damage, so that a broken one counts, too.
    """
    from mycloset.checkpoints.pickles.machine import read_pickle
    from mycloset.checkpoints.pickles.nodes import Tape

    head = source.head(WALKED)
    if head[0] not in _PICKLE_STARTS:
        return False
    found = read_pickle(Tape.of(head), 0)
    if found.calls:
        return True
    return found.whole and (bool(found.globals) or found.end >= min(source.size, WALKED) - 1)


def _has_archive(source: Source) -> bool:
    """Whether a zip archive's end record lies near the end, and its directory where it says.

    Four bytes alone are found among weights now and then; of a file that begins as an archive
    they are enough, since it may be a damaged one.
    """
    tail = source.tail(TAIL)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < 22:
        return False
    if starts_as_zip(source) or tail[place - 20 : place - 16] == b"PK\x06\x07":
        return True
    length = int.from_bytes(tail[place + 12 : place + 16], "little")
    start = source.size - len(tail) + place - length
    if not length or start < 0:
        return not length and not any(tail[place + 4 : place + 20])
    return source.read(start, 4) == b"PK\x01\x02"


def starts_as_zip(source: Source) -> bool:
    """Whether a file begins like a zip archive, though its end may be gone."""
    return source.head(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _is_safetensors(head: bytes, size: int) -> bool:
    if len(head) < 9:
        return False
    length = int.from_bytes(head[:8], "little")
    if length + 8 <= size and length <= 100_000_000:
        # White space before the brace breaks a rule, but is no other format.
        return head[8:].lstrip(b" \t\r\n")[:1] == b"{"
    # A header that is too long for the file is a damaged one rather than another format.
    return head[8:9] == b"{" and head[9:10] in b'"} '


def _is_tar(head: bytes) -> bool:
    if len(head) < 512:
        return False
    block = head[:512]
    try:
        stated = int(block[148:156].strip(b" \0") or b"-1", 8)
    except ValueError:
        return False
    return sum(block[:148]) + sum(block[156:]) + 8 * 32 == stated


def _spots(source: Source) -> list[int]:
    """A few places all over the file, 64 bytes each."""
    last = max(0, source.size - 64)
    return [last * i // 16 for i in range(17)] if source.size >= 64 else []


def _text(head: bytes) -> str | None:
    """ "json", "xml" or "text" for what a person could read; None for anything else."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return None
        text = head[: error.start].decode("utf-8")
    if any(character < " " and character not in "\t\n\r\f" for character in text):
        return None
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped.startswith(("{", "[")):
        return "json"
    if stripped.startswith("<"):
        return "openvino" if re.search(r"<net\s+[^>]*version=", stripped) else "xml"
    return "text"


def _message(source: Source, head: bytes) -> str:
    """Which protocol buffer a file is by its outermost fields; "" for none that is known.

    ONNX: a ModelProto's ir_version 1, producer's name 2 and so on, graph 7, opset 8. TensorFlow: a
    SavedModel is a version 1 and a graph 2 that fills the file; a GraphDef, nodes 1 with a name 1
    and an operator 2. Core ML: a version 1, a description 2.
    """
    place = version = fields = 0
    while place < len(head) - 2:
        number, wire = head[place] >> 3, head[place] & 7
        value, start = _varint(head, place + 1)
        if start < 0 or wire not in (0, 2) or head[place] > 0x7F:
            return ""
        if wire == 0:
            if fields or number != 1 or not 0 < value <= 64:
                return "onnx" if version and number == 5 else ""
            version, place = value, start
        elif number == 7:
            return "onnx" if version or fields else ""
        elif number == 8 and value <= 512:
            place = start + value
        elif number in (2, 3, 4, 6) and value <= 4096:
            told = head[start : start + value]
            if not _is_printable(told):
                return "coreml" if version and number == 2 and told[:1] == b"\n" else ""
            place = start + value
        elif number == 2 and version == 1 and start + value == source.size:
            return "tensorflow"
        elif number == 1 and not fields and head[start : start + 1] == b"\n":
            length, name = _varint(head, start + 1)
            graph = name >= 0 and head[name + length : name + length + 1] == b"\x12"
            return "tensorflow" if graph and _is_printable(head[name : name + length]) else ""
        else:
            return ""
        fields += 1
    return "onnx" if version and fields > 1 else ""


def _varint(head: bytes, place: int) -> tuple[int, int]:
    """A number and the place behind it; the place is -1 where it does not end."""
    value = shift = 0
    for at in range(place, min(place + 9, len(head))):
        value |= (head[at] & 0x7F) << shift
        if head[at] < 0x80:
            return value, at + 1
        shift += 7
    return 0, -1


def _is_printable(text: bytes) -> bool:
    try:
        return text.decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return False
