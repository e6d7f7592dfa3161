from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pytest

import golden_files
from foreign_files import write_safetensors
from model_files import Tensor, write_torch_zip
from mycloset import validate_checkpoint
from mycloset.errors import InputError, OptionError

PNET = golden_files.tensors("faces/mtcnn_pnet")


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A network with weights of every size."""
    path = tmp_path / "pnet.pth"
    state = {
        key: Tensor(dtype, shape, b"".join(struct.pack("<f", n + 1) for n in range(_size(shape))))
        for key, dtype, shape in PNET
    }
    write_torch_zip(path, state)
    return path


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def changed(path: Path, value: float) -> None:
    """Put a number in the place of the first weight."""
    data = bytearray(path.read_bytes())
    place = data.index(struct.pack("<4f", 1, 2, 3, 4))
    data[place : place + 4] = struct.pack("<f", value)
    path.write_bytes(bytes(data))


def kinds(path: Path, *, deep: bool = True) -> list[str]:
    return [finding.kind for finding in validate_checkpoint(path, deep=deep).findings]


def test_a_whole_file_is_valid(whole: Path) -> None:
    found = validate_checkpoint(whole, "mtcnn", deep=True)
    assert found.valid
    assert found.findings == ()
    assert found.sha256 == hashlib.sha256(whole.read_bytes()).hexdigest()


def test_a_variant_may_be_asked_for(whole: Path) -> None:
    assert validate_checkpoint(whole, "mtcnn/pnet").valid
    assert not validate_checkpoint(whole, "mtcnn/onet").valid


def test_another_architecture_is_a_mismatch_with_its_reason(whole: Path) -> None:
    found = validate_checkpoint(whole, "sam")
    assert not found.valid
    assert found.findings[-1].kind == "mismatch"
    assert "sam says: no `" in found.findings[-1].message


def test_an_architecture_that_nobody_knows_is_refused(whole: Path) -> None:
    with pytest.raises(OptionError, match="'nothing'"):
        validate_checkpoint(whole, "nothing")


def test_a_path_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        validate_checkpoint(tmp_path / "nothing.pth")


def test_missing_and_misshapen_keys_are_listed(tmp_path: Path) -> None:
    golden = golden_files.tensors("schp/lip")
    listed = [(key, dtype, shape) for key, dtype, shape in golden if key != "layer3.4.conv2.weight"]
    place = next(i for i, item in enumerate(listed) if item[0] == "layer2.1.conv1.weight")
    listed[place] = ("layer2.1.conv1.weight", "float32", (128, 511, 1, 1))
    write_safetensors(tmp_path / "schp.safetensors", listed)
    found = validate_checkpoint(tmp_path / "schp.safetensors", "schp")
    assert found.missing == ("layer3.4.conv2.weight",)
    assert found.misshapen == (("layer2.1.conv1.weight", (128, 511, 1, 1), (128, 512, 1, 1)),)
    assert not found.valid


def test_a_flipped_bit_shows_only_when_all_bytes_are_read(whole: Path) -> None:
    changed(whole, 1.5)
    assert kinds(whole, deep=False) == []
    assert kinds(whole) == ["corrupt"]


@pytest.mark.parametrize(("value", "said"), [(float("nan"), "NaN"), (float("inf"), "infinite")])
def test_numbers_that_no_weight_has_are_told(value: float, said: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    data = struct.pack("<f", value) + struct.pack("<f", 1.0) * 11
    write_safetensors(path, [("w", "float32", (4, 3))], data={"w": data})
    (message,) = [
        f.message for f in validate_checkpoint(path, deep=True).findings if said in f.message
    ]
    assert "`w`" in message


def test_a_weight_of_nothing_but_zeros_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    tensors = [("a", "float32", (2, 2)), ("b", "float32", (2, 2)), ("bias", "float32", (2,))]
    write_safetensors(path, tensors, data={"a": struct.pack("<4f", 1, 2, 3, 4)})
    messages = " ".join(f.message for f in validate_checkpoint(path, deep=True).findings)
    assert "1 weights hold nothing but zeros: `b`" in messages


def test_a_sidecar_that_disagrees_is_told(whole: Path) -> None:
    whole.with_name("pnet.pth.sha256").write_text(f"{'0' * 64}  pnet.pth\n")
    assert kinds(whole) == ["corrupt"]


def test_a_sidecar_that_agrees_is_fine(whole: Path) -> None:
    digest = hashlib.sha256(whole.read_bytes()).hexdigest()
    whole.with_name("pnet.pth.sha256").write_text(f"{digest}  pnet.pth\n")
    assert kinds(whole) == []


def test_digits_in_the_name_are_the_digests(whole: Path) -> None:
    renamed = whole.rename(whole.with_name("pnet-0123abcd.pth"))
    assert kinds(renamed) == ["corrupt"]


def test_the_result_becomes_json(whole: Path) -> None:
    assert json.loads(json.dumps(validate_checkpoint(whole).to_json()))["valid"] is True


def test_a_file_under_a_published_name_must_have_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "mobile_sam.pt"
    sam = golden_files.tensors("mobile_sam/mobile_sam")
    write_torch_zip(path, {key: Tensor(dtype, shape) for key, dtype, shape in sam})
    told = [finding.message for finding in validate_checkpoint(path, deep=True).findings]
    assert any("is not the published file of that name" in message for message in told)


def test_the_same_tensors_under_another_name_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "fine_tuned.pt"
    sam = golden_files.tensors("mobile_sam/mobile_sam")
    write_torch_zip(path, {key: Tensor(dtype, shape) for key, dtype, shape in sam})
    assert "altered" not in kinds(path)
