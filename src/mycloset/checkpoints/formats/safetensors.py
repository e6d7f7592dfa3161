"""safetensors: a JSON header that says where each tensor lies, checked by all rules of the format.

Source: huggingface/safetensors, README "Format" (0.8.0): 8 bytes length (little endian), a JSON
object of at most 100 MB, then the data; offsets are contiguous, from 0 to the end of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from mycloset.checkpoints.bounded_json import load_json
from mycloset.checkpoints.contents import Checkpoint, Finding, TensorGroup, limited
from mycloset.checkpoints.source import DamagedError, Source
from mycloset.checkpoints.tensors import BITS, Storage, TensorEntry, TensorTable

FORMAT = "safetensors"
HEADER_LIMIT = 100_000_000
"""Bytes of header that the format allows."""
DIMENSIONS = 64
"""Dimensions of a tensor that NumPy and PyTorch can hold."""

DTYPES: Mapping[str, str] = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "U32": "uint32",
    "I32": "int32",
    "U64": "uint64",
    "I64": "int64",
    "F4": "float4_e2m1fn_x2",
    "F6_E2M3": "float6_e2m3",
    "F6_E3M2": "float6_e3m2",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
}
"""The format's dtypes by PyTorch's names."""

_BITS = {name: BITS.get(dtype, 8) for name, dtype in DTYPES.items()}
_BITS.update({"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6})


def read(source: Source) -> Checkpoint:
    """List the tensors of a safetensors file.

    Raises:
        DamagedError: the header cannot be read; the message says which rule is broken.
    """
    header, start = read_header(source)
    metadata = header.pop("__metadata__", None)
    entries, findings = _entries(source, header, start)
    if metadata is not None and not _is_metadata(metadata):
        text = f"{source.path.name} has a `__metadata__` that is no map of texts."
        findings.append(Finding("corrupt", "error", text))
        metadata = None
    table = TensorTable(entries)
    return Checkpoint(
        source.path,
        FORMAT,
        source.size,
        (TensorGroup((), table),),
        (source.path.name,),
        metadata=metadata or {},
        findings=tuple(findings),
    )


def read_header(source: Source) -> tuple[dict[str, Any], int]:
    """The header as it is, and where the data begin.

    Raises:
        DamagedError: its length is impossible, or it is no JSON object.
    """
    if source.size < 10:
        _damaged(source, f"has {source.size} bytes, too few for a safetensors header")
    length = int.from_bytes(source.read(0, 8), "little")
    if length > HEADER_LIMIT:
        _damaged(source, f"states a header of {length} bytes; the format allows {HEADER_LIMIT}")
    if length + 8 > source.size:
        _damaged(
            source,
            f"states a header of {length} bytes, but ends after {source.size - 8}: it is cut off",
        )
    if source.read(8, 1) != b"{":
        _damaged(source, "has a header that does not begin with `{`, as the format demands")
    header = load_json(source, 8, length, "header")
    if not isinstance(header, dict):
        _damaged(source, "has a header that is no JSON object")
    return header, 8 + length


def _is_metadata(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(text, str) for text in found.values())


def _entries(
    source: Source, header: Mapping[str, Any], start: int
) -> tuple[list[TensorEntry], list[Finding]]:
    entries: list[TensorEntry] = []
    findings: list[Finding] = []
    room = source.size - start
    spans: list[tuple[int, int, str]] = []
    for key, stated in header.items():
        wrong = _rule_broken(stated)
        if wrong:
            findings.append(_corrupt(f"`{key[:200]}` {wrong}.", key))
            continue
        dtype, shape = stated["dtype"], tuple(stated["shape"])
        begin, end = stated["data_offsets"]
        bits = _BITS[dtype]
        for length in shape:
            bits *= length
        if bits != 8 * (end - begin):
            told = f"{bits / 8:g} bytes" if bits < 1 << 60 else "more bytes than a file can have"
            text = (
                f"`{key[:200]}` has {end - begin} bytes; {list(shape)} of {DTYPES[dtype]} take"
                f" {told}."
            )
            findings.append(_corrupt(text, key))
        if end > room:
            text = (
                f"`{key[:200]}` ends at byte {start + end}, but the file at {source.size}: it is"
                " cut off."
            )
            findings.append(_corrupt(text, key))
        if dtype == "F4" and shape and shape[-1] % 2 == 0:
            # The format counts numbers; PyTorch's dtype, bytes of two.
            shape = (*shape[:-1], shape[-1] // 2)
        spans.append((begin, end, key))
        storage = Storage(key, end - begin, start + begin)
        entries.append(TensorEntry(key, DTYPES[dtype], shape, storage, 0, None, end - begin))
    findings = limited(findings)
    findings.extend(_gaps(spans, room))
    return entries, findings


def _rule_broken(stated: Any) -> str:
    """What is wrong with one tensor's description; "" for nothing."""
    if not isinstance(stated, dict):
        return "is not described by a JSON object"
    if stated.keys() != {"dtype", "shape", "data_offsets"}:
        told = ", ".join(map(repr, stated))[:100]
        return f"is described by {told}, not by dtype, shape, data_offsets"
    if not isinstance(stated["dtype"], str) or stated["dtype"] not in _BITS:
        return f"has the dtype {str(stated['dtype'])[:40]!r}, which the format does not know"
    shape, offsets = stated["shape"], stated["data_offsets"]
    if not isinstance(shape, list) or not all(type(n) is int and 0 <= n < 2**63 for n in shape):
        return f"has the impossible shape {str(shape)[:60]}"
    if len(shape) > DIMENSIONS:
        return f"has {len(shape)} dimensions"
    if (
        not isinstance(offsets, list)
        or len(offsets) != 2
        or not all(type(n) is int and 0 <= n < 2**63 for n in offsets)
        or offsets[0] > offsets[1]
    ):
        return f"has the impossible byte range {str(offsets)[:60]}"
    return ""


def _gaps(spans: list[tuple[int, int, str]], room: int) -> list[Finding]:
    """Where the data are not covered once and whole; the first place of each kind."""
    found: dict[str, Finding] = {}
    place = 0
    last = ""
    for begin, end, key in sorted(spans):
        if begin < place:
            found.setdefault("overlap", _corrupt(f"`{key[:200]}` overlaps `{last[:200]}`.", key))
        elif begin > place:
            found.setdefault(
                "hole",
                _corrupt(f"{begin - place} bytes before `{key[:200]}` belong to no tensor.", key),
            )
        place, last = max(place, end), key
    if place < room and "hole" not in found:
        text = f"{room - place} bytes after the last tensor belong to none."
        found["tail"] = _corrupt(text, last)
    return list(found.values())


def _corrupt(message: str, key: str) -> Finding:
    return Finding("corrupt", "error", message, {"key": key})


def _damaged(source: Source, what: str) -> NoReturn:
    raise DamagedError(f"{source.path.name} {what}.")
