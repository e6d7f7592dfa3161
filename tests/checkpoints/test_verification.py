from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

import foreign_files
import model_files
from mycloset.checkpoints.contents import Checkpoint, Finding, TensorGroup
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.checkpoints.source import Source
from mycloset.checkpoints.tensors import Storage, TensorEntry, TensorTable
from mycloset.checkpoints.verification import (
    check_archive,
    check_ranges,
    check_values,
    compare_sidecar,
    sha256,
)


def values(path: Path) -> list[Finding]:
    with Source(path) as source:
        return check_values(source, read_checkpoint(path))


def told(findings: list[Finding]) -> str:
    return " ".join(finding.message for finding in findings)


def with_numbers(path: Path, dtype: str, data: bytes, shape: tuple[int, ...]) -> Path:
    return foreign_files.write_safetensors(path, [("w", dtype, shape)], data={"w": data})


@pytest.mark.parametrize(
    ("dtype", "code", "bits"),
    [
        ("float64", "<d", float("nan")),
        ("float32", "<f", float("nan")),
        ("float16", "<H", 0x7E00),
        ("bfloat16", "<H", 0xFFC0),
        ("float8_e4m3fn", "<B", 0xFF),
        ("float8_e5m2", "<B", 0x7E),
    ],
)
def test_nan_is_found_in_every_floating_type(
    tmp_path: Path, dtype: str, code: str, bits: float
) -> None:
    data = struct.pack(code, 1) * 3 + struct.pack(code, bits)
    assert "1 tensors hold NaN" in told(
        values(with_numbers(tmp_path / "m.st", dtype, data, (2, 2)))
    )


@pytest.mark.parametrize(
    ("dtype", "code", "bits"),
    [
        ("float64", "<d", float("-inf")),
        ("float32", "<f", float("inf")),
        ("float16", "<H", 0xFC00),
        ("bfloat16", "<H", 0x7F80),
        ("float8_e5m2", "<B", 0xFC),
    ],
)
def test_infinite_numbers_are_found_and_are_no_nan(
    tmp_path: Path, dtype: str, code: str, bits: float
) -> None:
    data = struct.pack(code, 1) * 3 + struct.pack(code, bits)
    text = told(values(with_numbers(tmp_path / "m.st", dtype, data, (2, 2))))
    assert "hold infinite" in text
    assert "NaN" not in text


def test_the_largest_number_of_float8_e4m3fn_is_finite(tmp_path: Path) -> None:
    path = with_numbers(tmp_path / "m.st", "float8_e4m3fn", b"\x7e\xfe\x01\x00", (2, 2))
    assert values(path) == []


def test_integers_are_not_looked_at(tmp_path: Path) -> None:
    path = with_numbers(tmp_path / "m.st", "int32", b"\xff" * 16, (2, 2))
    assert values(path) == []


def test_a_weight_of_zeros_is_told_and_a_bias_is_not(tmp_path: Path) -> None:
    tensors = [("a", "float32", (2, 2)), ("b", "float32", (4,)), ("c", "float32", (1, 2))]
    data = {"c": struct.pack("<2f", 1, 2)}
    found = values(foreign_files.write_safetensors(tmp_path / "m.st", tensors, data=data))
    assert [(f.severity, f.details["keys"]) for f in found] == [("warning", ["a"])]


def test_nothing_but_zeros_is_an_error(tmp_path: Path) -> None:
    tensors = [("a", "float32", (2, 2)), ("b", "float32", (4,))]
    found = values(foreign_files.write_safetensors(tmp_path / "m.st", tensors))
    assert [finding.severity for finding in found] == ["error"]


def test_a_weight_of_one_number_is_told(tmp_path: Path) -> None:
    path = with_numbers(tmp_path / "m.st", "float32", struct.pack("<f", 0.5) * 4, (2, 2))
    assert "one number throughout: `w`" in told(values(path))


@pytest.mark.parametrize(("number", "said"), [(65519.0, False), (65520.0, True), (-1e30, True)])
def test_numbers_that_float16_cannot_hold_are_told(
    tmp_path: Path, number: float, said: bool
) -> None:
    data = struct.pack("<2f", 1, number)
    text = told(values(with_numbers(tmp_path / "m.st", "float32", data, (2,))))
    assert ("float16 cannot" in text) == said


def test_big_endian_numbers_are_read_as_such(tmp_path: Path) -> None:
    data = np.array([1.0, 2.0, float("nan"), 4.0], "<f4").tobytes()
    tensor = model_files.Tensor("float32", (2, 2), data=data)
    model_files.write_torch_zip(tmp_path / "m.pth", {"w": tensor}, big_endian=True)
    found = values(tmp_path / "m.pth")
    assert [finding.details["keys"] for finding in found] == [["w"]]


def test_a_tensor_with_gaps_is_told_by_its_own_numbers_alone(tmp_path: Path) -> None:
    path = tmp_path / "raw.bin"
    path.write_bytes(np.array([[1, np.nan], [2, np.nan]], "<f4").tobytes())
    storage = Storage("s", 16, 0)
    column = TensorEntry("w", "float32", (2,), storage, 0, (2,), 8)
    other = column._replace(key="v", offset=4)
    checkpoint = Checkpoint(path, "raw", 16, (TensorGroup((), TensorTable([column, other])),))
    with Source(path) as source:
        found = check_values(source, checkpoint)
    assert [finding.details["keys"] for finding in found] == [["v"]]


def test_repeated_rows_of_a_huge_claim_are_looked_at_once(tmp_path: Path) -> None:
    path = tmp_path / "raw.bin"
    path.write_bytes(struct.pack("<f", float("nan")))
    shape = (1 << 20, 1 << 20)
    entry = TensorEntry("w", "float32", shape, Storage("s", 4, 0), 0, (0, 0), 4 << 40)
    checkpoint = Checkpoint(path, "raw", 4, (TensorGroup((), TensorTable([entry])),))
    with Source(path) as source:
        assert "NaN" in told(check_values(source, checkpoint))


def test_packed_tensors_are_said_not_to_be_looked_at(tmp_path: Path) -> None:
    tensors = [("w", "float32", (2, 2))]
    path = foreign_files.write_npz(tmp_path / "m.npz", tensors, compress=True)
    assert "were not looked at (`w`)" in told(values(path))


@pytest.mark.parametrize("compress", [False, True])
def test_a_flipped_bit_shows_in_the_checksums_of_an_archive(tmp_path: Path, compress: bool) -> None:
    data = {"w": bytes(range(256)) * 4}
    tensors = [("w", "uint8", (1024,)), ("v", "uint8", (4,))]
    path = foreign_files.write_npz(tmp_path / "m.npz", tensors, compress=compress, data=data)
    content = bytearray(path.read_bytes())
    content[250] ^= 1
    path.write_bytes(content)
    with Source(path) as source:
        found = check_archive(source, read_checkpoint(path))
    assert [finding.details["member"] for finding in found] == ["w.npy"]


def test_an_archive_that_is_whole_has_its_checksums(tmp_path: Path) -> None:
    path = foreign_files.write_npz(tmp_path / "m.npz", [("w", "float32", (2, 2))])
    with Source(path) as source:
        assert check_archive(source, read_checkpoint(path)) == []


def test_formats_without_checksums_are_passed_over(tmp_path: Path) -> None:
    path = foreign_files.write_safetensors(tmp_path / "m.st", [("w", "float32", (2, 2))])
    with Source(path) as source:
        assert check_archive(source, read_checkpoint(path)) == []


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return foreign_files.write_safetensors(tmp_path / "m.safetensors", [("w", "float32", (2,))])


def test_sha256_is_the_whole_files(model: Path) -> None:
    assert sha256(model) == hashlib.sha256(model.read_bytes()).hexdigest()


WRONG = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("m.safetensors.sha256", "{digest}\n"),
        ("m.safetensors.sha256", "{digest} *m.safetensors\n"),
        ("m.safetensors.sha256sum", "{digest}  models/m.safetensors\n"),
        ("m.safetensors.sha256", "SHA256 (m.safetensors) = {digest}\n"),
        ("SHA256SUMS", "{other}  n.safetensors\n{digest}  m.safetensors\n"),
        ("m.safetensors.lfs", "version 1\noid sha256:{digest}\nsize 5\n"),
        (".cache/huggingface/download/m.safetensors.metadata", "{commit}\n{digest}\n1.5\n"),
    ],
)
def test_a_sidecar_is_believed_when_it_differs(model: Path, name: str, line: str) -> None:
    beside = model.parent / name
    beside.parent.mkdir(parents=True, exist_ok=True)
    digest = sha256(model)
    known = {"other": "f" * 64, "commit": "a" * 40}
    beside.write_text(line.format(digest=digest.upper() if "oid" not in line else digest, **known))
    assert compare_sidecar(model, digest) == []
    beside.write_text(line.format(digest=WRONG, **known))
    assert [finding.severity for finding in compare_sidecar(model, digest)] == ["error"]


def test_a_sidecar_that_states_nothing_is_told(model: Path) -> None:
    model.with_name("m.safetensors.sha256").write_text("<html>")
    assert "states no SHA-256" in told(compare_sidecar(model, sha256(model)))


def test_no_sidecar_is_no_finding(model: Path) -> None:
    assert compare_sidecar(model, sha256(model)) == []


def test_digits_in_the_name_are_compared(model: Path) -> None:
    digest = "0676ba61" + "0" * 56
    assert compare_sidecar(Path("resnet50-0676ba61.pth"), digest) == []
    assert "its name says 0676ba62" in told(compare_sidecar(Path("resnet50-0676ba62.pth"), digest))


def test_a_date_in_the_name_is_no_digest() -> None:
    assert compare_sidecar(Path("epoch-20210413.pth"), "f" * 64) == []


def test_a_link_to_a_blob_states_its_digest(model: Path) -> None:
    blob = model.rename(model.with_name(WRONG))
    link = model
    link.symlink_to(blob)
    assert "name of its blob" in told(compare_sidecar(link, sha256(link)))


def ranges(path: Path, *entries: TensorEntry) -> str:
    path.write_bytes(bytes(64))
    checkpoint = Checkpoint(path, "raw", 64, (TensorGroup((), TensorTable(entries)),))
    return told(check_ranges(checkpoint))


def entry(key: str, storage: Storage, offset: int = 0) -> TensorEntry:
    return TensorEntry(key, "float32", (4,), storage, offset, None, 16)


def test_tensors_side_by_side_are_fine(tmp_path: Path) -> None:
    entries = entry("a", Storage("1", 16, 0)), entry("b", Storage("2", 16, 16))
    assert ranges(tmp_path / "m", *entries) == ""


def test_tensors_that_share_a_storage_are_fine(tmp_path: Path) -> None:
    storage = Storage("1", 32, 0)
    assert ranges(tmp_path / "m", entry("a", storage), entry("b", storage, 8)) == ""


def test_storages_that_overlap_are_damage(tmp_path: Path) -> None:
    entries = entry("a", Storage("1", 16, 0)), entry("b", Storage("2", 16, 8))
    assert "`b` lies partly on the bytes of `a`" in ranges(tmp_path / "m", *entries)


def test_a_storage_beyond_the_file_is_damage(tmp_path: Path) -> None:
    assert "which has 64" in ranges(tmp_path / "m", entry("a", Storage("1", 16, 60)))


def test_a_tensor_beyond_its_storage_is_damage(tmp_path: Path) -> None:
    said = ranges(tmp_path / "m", entry("a", Storage("1", 16, 0), 4))
    assert "`a` takes bytes 4 to 20 of a storage that has 16" in said


def test_strides_count_in_what_a_tensor_takes(tmp_path: Path) -> None:
    wide = entry("a", Storage("1", 16, 0))._replace(stride=(2,))
    assert "takes bytes 0 to 28" in ranges(tmp_path / "m", wide)
