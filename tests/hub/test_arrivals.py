from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

import golden_files
from model_files import Call, Global, Tensor, write_torch_zip
from mycloset.errors import DownloadError
from mycloset.hub import arrivals
from published_files import entry, lpips_file, unsafe_file

URL = "https://example.org/net.pth"


@pytest.fixture
def alex(tmp_path: Path) -> Path:
    lpips_file(tmp_path, "net.pth")
    return tmp_path / "net.pth"


def test_the_network_that_is_wanted_passes(alex: Path) -> None:
    arrivals.check(entry(URL), alex)
    arrivals.check(entry(URL, variant=None), alex)
    data = alex.read_bytes()
    digest, md5 = hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest()
    arrivals.check(entry(URL, size=len(data), sha256=digest, md5=md5), alex, stated=digest)
    arrivals.check(entry(URL, sha256_start=digest[:8]), alex)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 17}, "expected are 17 bytes"),
        ({"sha256": "ab" * 32}, "expected are .* with SHA-256 abab"),
        ({"sha256_start": "abababab"}, "with SHA-256 abababab"),
        ({"md5": "ab" * 16}, "expected is abab"),
    ],
)
def test_other_bytes_are_refused(alex: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(DownloadError, match=message) as caught:
        arrivals.check(entry(URL, **changes), alex)
    assert "Nothing was kept" in caught.value.hint


def test_what_the_server_states_counts_too(alex: Path) -> None:
    with pytest.raises(DownloadError, match="abab"):
        arrivals.check(entry(URL), alex, stated="ab" * 32)


def test_another_family_is_refused_and_named(alex: Path) -> None:
    with pytest.raises(DownloadError, match="another model") as caught:
        arrivals.check(entry(URL, family="schp", variant="lip"), alex)
    assert "Wanted is schp lip; found was" in str(caught.value)
    assert "(lpips alex)" in str(caught.value)


def test_another_variant_is_refused(alex: Path) -> None:
    with pytest.raises(DownloadError, match=r"Wanted is lpips vgg; found was .*\(lpips alex\)"):
        arrivals.check(entry(URL, variant="vgg"), alex)


def test_code_is_refused_and_named(tmp_path: Path) -> None:
    unsafe_file(tmp_path)
    with pytest.raises(DownloadError, match=r"code that is not known.*posix\.system"):
        arrivals.check(entry(URL), tmp_path / "unsafe.pth")


def test_unknown_code_passes_only_with_its_authors_checksum(tmp_path: Path) -> None:
    keys = {
        key: Tensor(dtype, shape)
        for key, dtype, shape in golden_files.tensors("lpips/lpips_alex_lin")
    }
    path = tmp_path / "net.pth"
    held = {"state_dict": keys, "meta": Call(Global("somebody.config", "Config"))}
    write_torch_zip(path, held, sparse=False)
    with pytest.raises(DownloadError, match=r"somebody\.config\.Config"):
        arrivals.check(entry(URL), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    arrivals.check(entry(URL, sha256_start=digest[:8]), path)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<html><body>Sign in</body></html>", "web page"),
        (b"", "empty"),
        (b'{"error": "not found"}', "not a model"),
        (b"\0" * 5000, "found was"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, data: bytes, found: str) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(data)
    with pytest.raises(DownloadError, match=f"(?i){found}"):
        arrivals.check(entry(URL), path)


def test_half_a_file_is_refused(alex: Path) -> None:
    alex.write_bytes(alex.read_bytes()[:-400])
    with pytest.raises(DownloadError, match="not the model that it should be"):
        arrivals.check(entry(URL), alex)


def test_without_a_family_the_checksum_decides(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"whatever")
    digest = hashlib.sha256(b"whatever").hexdigest()
    wanted = replace(entry(URL, sha256=digest), family=None, variant=None)
    arrivals.check(wanted, path)


@pytest.mark.parametrize("text", ["<html>", "", "[1," + " " * (1 << 20)])
def test_only_json_lies_beside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(DownloadError, match="no configuration in JSON"):
        arrivals.check_neighbour(entry(URL), path)
    path.write_text("{}")
    arrivals.check_neighbour(entry(URL), path)
