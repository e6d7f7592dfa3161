"""The walk of pickles: what it describes, where it ends, and that nothing makes it fail."""

from __future__ import annotations

import pickle
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import model_files
from model_files import Pickler, Tensor, state_dict
from mycloset.checkpoints.pickles import records
from mycloset.checkpoints.pickles.machine import read_pickle
from mycloset.checkpoints.pickles.nodes import Blob, Call, Global, Key, Persistent, Pickle, Tape
from mycloset.checkpoints.pickles.rendering import shown


def walk(data: bytes) -> Pickle:
    return read_pickle(Tape.of(data))


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=80)
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=8) | st.integers(-99, 99), inner, max_size=4)
        | st.frozensets(st.integers(-999, 999), max_size=3)
        | st.sets(st.text(max_size=4), max_size=3)
    ),
    max_leaves=12,
)


@given(PLAIN, st.integers(3, 5))
def test_plain_values_come_back_as_they_were(value: Any, protocol: int) -> None:
    found = walk(pickle.dumps(value, protocol=protocol))
    assert found.whole
    if protocol > 3:  # before, sets are calls
        assert found.value == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=8,
    ),
    st.integers(0, 2),
)
def test_old_protocols_give_the_same_values(value: Any, protocol: int) -> None:
    assert walk(pickle.dumps(value, protocol=protocol)).value == value


@given(st.binary(max_size=200))
def test_old_strings_are_unescaped_as_python_does(raw: bytes) -> None:
    data = b"S" + repr(raw)[1:].encode() + b"\n."
    read = walk(data).value
    assert (read.encode() if isinstance(read, str) else read) == pickle.loads(
        data, encoding="bytes"
    )


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_random_bytes_end_in_a_description(data: bytes) -> None:
    for beginning in (b"", b"\x80\x04", b"\x80\x02}q\x00("):
        found = walk(beginning + data)
        assert found.whole or found.hazards
        assert 0 <= found.end <= len(beginning + data)
        shown(found.value)


OPCODES = st.sampled_from([bytes([number]) for number in range(256)])


@given(st.lists(OPCODES | st.binary(min_size=1, max_size=5), max_size=60))
@settings(max_examples=200)
def test_random_opcodes_end_in_a_description(parts: list[bytes]) -> None:
    found = walk(b"\x80\x05(((" + b"".join(parts) + b".")
    assert found.whole or found.hazards
    shown(found.value)


def _weights() -> bytes:
    """A state dict of 62 tensors: the later ones are past the memo's first 256 numbers."""
    tensors: dict[str, Any] = {
        f"layer.{n}.weight": Tensor("float32", (n + 1, 3)) for n in range(60)
    }
    tensors["scalar"] = Tensor("int64", ())
    tensors["transposed"] = Tensor("float16", (4, 5), stride=(1, 4))
    for number, tensor in enumerate(tensors.values()):
        tensor.storage = str(number)

    def persistent(tensor: Tensor) -> Any:
        kind = model_files.Global("torch", "FloatStorage")
        return ("storage", kind, str(tensor.storage), "cpu", tensor.reach)

    return Pickler(persistent).dump({"state_dict": state_dict(tensors), "epoch": 3})


WEIGHTS = _weights()


def test_every_truncation_is_noticed() -> None:
    for length in range(0, len(WEIGHTS), 3):
        found = walk(WEIGHTS[:length])
        assert not found.whole
        assert found.hazards[-1].kind == "damage"


@given(st.data())
@settings(max_examples=150)
def test_changed_bytes_end_in_a_description(data: st.DataObject) -> None:
    raw = bytearray(WEIGHTS)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    found = walk(bytes(raw))
    assert found.whole or found.hazards


def _told(node: Any, depth: int = 0) -> Any:
    """All that a node says, places of opcodes included."""
    if depth > 25:
        return "…"
    if isinstance(node, Call):
        parts = (node.function, node.args, node.offset, node.how, node.state, node.items)
        return ("call", *(_told(part, depth + 1) for part in parts))
    if isinstance(node, Global):
        return ("global", node.path, node.offset)
    if isinstance(node, dict):
        return [(_told(key, depth + 1), _told(value, depth + 1)) for key, value in node.items()]
    if isinstance(node, list | tuple):
        return [type(node).__name__, *(_told(part, depth + 1) for part in node)]
    if isinstance(node, set | frozenset):
        return sorted(repr(_told(part, depth + 1)) for part in node)
    if isinstance(node, Key):
        return ("key", _told(node.value, depth + 1))
    return _told(node.key, depth + 1) if isinstance(node, Persistent) else node


@given(st.data())
@settings(max_examples=100)
def test_the_quick_way_through_tensor_records_changes_nothing(data: st.DataObject) -> None:
    raw = bytearray(WEIGHTS)
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(len(raw) // 2, len(raw) - 1))] = data.draw(st.integers(0, 255))
    quick = walk(bytes(raw))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records.Records, "run", lambda self, data, pos, *arguments: pos)
        patch.setattr(records.Records, "version", lambda *arguments: None)
        slow = walk(bytes(raw))
    assert _told(quick.value) == _told(slow.value)
    assert (quick.end, quick.whole) == (slow.end, slow.whole)
    assert [hazard.message for hazard in quick.hazards] == [
        hazard.message for hazard in slow.hazards
    ]
    assert len(quick.persistents) == len(slow.persistents)


def test_reading_in_small_parts_changes_nothing() -> None:
    for chunk in (1, 7, 64, 1000):

        def read(start: int, length: int) -> bytes:
            return WEIGHTS[start : start + length]

        found = read_pickle(Tape(read, len(WEIGHTS), None, chunk))
        assert _told(found.value) == _told(walk(WEIGHTS).value)


BOMBS = {
    "lists in lists": b"\x80\x02" + b"]" * 400_000 + b"a" * 399_999 + b".",
    "tuples in tuples": b"\x80\x02N" + b"\x85" * 400_000 + b".",
    "calls of calls": b"\x80\x02cos\nsystem\n" + b")R" * 300_000 + b".",
    "open marks": b"\x80\x02" + b"(" * 400_000,
    "doubling": b"\x80\x02]" + b"2\x86" * 200_000 + b".",
    "a deep key": b"\x80\x02}N" + b"\x85" * 300_000 + b"Ns.",
    "a long line": b"cos" + b"x" * 300_000,
    "dicts": b"\x80\x02" + b"}" * 1_500_000 + b".",
    "far memo": b"\x80\x02N" + b"".join(
        b"r" + struct.pack("<I", 4_000_000_000 - n) for n in range(99_999)) + b".",
    "huge string": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x.",
    "huge bytes": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 33) + b"x.",
    "huge number": b"\x80\x02\x8b" + struct.pack("<i", 1 << 30) + b"x.",
    "negative length": b"\x80\x02\x8b" + struct.pack("<i", -5) + b"x.",
    "huge decimal": b"I" + b"9" * 60_000 + b"\n.",
    "colliding keys": b"}(" + b"".join(
        b"\x8a\x0a" + ((2**61 - 1) * n).to_bytes(10, "little") + b"N"
        for n in range(1, 20_000)) + b"u.",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_in_a_description(name: str) -> None:
    found = walk(BOMBS[name])
    shown(found.value)
    assert found.whole or found.hazards


def test_a_list_within_itself() -> None:
    itself: list[Any] = []
    itself.append(itself)
    found = walk(pickle.dumps(itself))
    assert found.value[0] is found.value


def test_a_frame_that_lies_hides_nothing() -> None:
    system = b"\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R."
    for length in (0, 3, 10_000):
        found = walk(b"\x80\x04\x95" + struct.pack("<Q", length) + system)
        assert [call.function.path for call in found.calls] == ["os.system"]


def test_a_long_string_is_passed_over() -> None:
    data = pickle.dumps({"x": b"a" * 100_000, "y": 1}, protocol=4)
    found = walk(data)
    blob = found.value["x"]
    assert isinstance(blob, Blob)
    assert data[blob.start : blob.start + blob.length] == b"a" * 100_000
    assert found.value["y"] == 1


def test_a_key_without_a_hash_is_kept_apart() -> None:
    found = walk(b"\x80\x02}](K\x01e](K\x02es.")
    assert [type(key) for key in found.value] == [Key]
    assert found.hazards[0].kind == "odd"


def test_a_damaged_pickle_gives_what_was_there() -> None:
    found = walk(WEIGHTS[: len(WEIGHTS) * 2 // 3])
    tensors = found.value["state_dict"].items
    assert 30 < len(tensors) < 60
    assert all(isinstance(value, Call) for value in tensors.values())


REFUSED = [
    b"\x80\x02h\x05.",  # a memo that was never filled
    b"\x80\x07N.",  # a protocol that there is none of
    b"\x80\x02K\x01t.",  # no mark
    b"\x80\x02}(K\x01u.",  # a key without a value
    b"\x80\x02X\x02\x00\x00\x00\xff\xfe.",  # no UTF-8
    b"I12x\n.",
    b"S'abc\n.",
    b"\x80\x02N0.",  # nothing left for STOP
    b"\x80\x02(o.",
    b"p-1\n.",
]


@pytest.mark.parametrize("data", REFUSED)
def test_what_python_refuses_is_damage(data: bytes) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011
        pickle.loads(data)
    found = walk(data)
    assert not found.whole
    assert found.hazards[-1].kind == "damage"
