from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path

import huggingface_hub
import pytest
from fake_hub import COMMIT, publish
from huggingface_hub import constants, file_download

from misbehaving_server import Served, Server
from mycloset.errors import DiskFullError, DownloadError
from mycloset.hub import cache, download, huggingface, parts
from mycloset.hub.entries import HfSource
from mycloset.hub.https import Patience
from published_files import entry, lpips_file

QUICK = Patience(attempts=2, sleep=lambda _seconds: None)
SOURCE = HfSource("owner/nets", None, "lpips/alex.pth")


@pytest.fixture
def hub(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A Hugging Face of one's own, with an empty cache on this side."""
    monkeypatch.setenv("HF_ENDPOINT", server.base)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("MYCLOSET_HOME", str(tmp_path / "home"))
    return server


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    return lpips_file(tmp_path)


def test_a_file_comes_at_the_commit_that_was_seen(hub: Server, data: bytes, tmp_path: Path) -> None:
    publish(hub, "owner/nets", "lpips/alex.pth", data)
    told: list[tuple[int, int | None, str]] = []
    wanted = entry(SOURCE)
    download.fetch([wanted], on_progress=lambda *news: told.append(news), patience=QUICK)
    found = cache.find(wanted)
    assert found == tmp_path / "home/models/owner--nets/lpips/alex.pth"
    assert found.read_bytes() == data
    assert any(method == "GET" and f"/{COMMIT}/" in path for method, path, _ in hub.requests)
    assert (len(data), len(data), "fetching alex.pth") in told
    assert not (tmp_path / "home" / "partial").exists()


def test_a_revision_is_asked_for(hub: Server, data: bytes) -> None:
    publish(hub, "owner/nets", "lpips/alex.pth", data, revision="v2")
    download.fetch([entry(HfSource("owner/nets", "v2", "lpips/alex.pth"))], patience=QUICK)
    assert "/resolve/v2/" in hub.requests[0][1]


def test_the_name_of_large_files_is_their_checksum(
    hub: Server, data: bytes, tmp_path: Path
) -> None:
    served = publish(hub, "owner/nets", "lpips/alex.pth", data)
    served.headers["X-Linked-Etag"] = '"' + "ab" * 32 + '"'
    with pytest.raises(DownloadError, match="with SHA-256 abab"):
        download.fetch([entry(SOURCE)], patience=QUICK)
    assert list((tmp_path / "home").rglob("alex.pth*")) == []


def test_json_files_lie_beside(hub: Server, data: bytes, tmp_path: Path) -> None:
    publish(hub, "owner/nets", "unet/alex.pth", data)
    config = json.dumps({"size": 3}).encode()
    publish(hub, "owner/nets", "unet/config.json", config, lfs=False)
    publish(hub, "owner/nets", "scheduler/scheduler_config.json", b"{}", lfs=False)
    wanted = entry(
        HfSource("owner/nets", None, "unet/alex.pth"), file="system/unet/alex.pth",
        beside=("unet/config.json", "scheduler/scheduler_config.json"),
    )  # fmt: skip
    download.fetch([wanted], to=tmp_path / "mine", patience=QUICK)
    step = tmp_path / "mine" / "step_08_quality_assessment" / "system"
    assert (step / "unet" / "alex.pth").read_bytes() == data
    assert (step / "unet" / "config.json").read_bytes() == config
    assert (step / "scheduler" / "scheduler_config.json").is_file()
    (step / "unet" / "config.json").unlink()
    assert cache.find(wanted, tmp_path / "mine") is None


def test_what_belongs_beside_a_file_by_hand_is_taken_too(data: bytes, tmp_path: Path) -> None:
    wanted = entry(
        HfSource("owner/nets", None, "unet/net.pth"), file="system/unet/net.pth",
        beside=("unet/config.json", "scheduler/scheduler_config.json"),
    )  # fmt: skip
    brought, mine = tmp_path / "brought", tmp_path / "mine"
    (brought / "unet").mkdir(parents=True)
    (brought / "scheduler").mkdir()
    given = brought / "unet" / "net.pth"
    given.write_bytes(data)
    (brought / "unet" / "config.json").write_text("{}")
    with pytest.raises(DownloadError, match=r"scheduler_config\.json is not there; it belongs"):
        download.fetch([wanted], given=given, to=mine)
    (brought / "scheduler" / "scheduler_config.json").write_text("{}")
    download.fetch([wanted], given=given, to=mine)
    assert cache.find(wanted, mine) is not None
    assert given.is_file()


def test_a_page_beside_is_refused(hub: Server, data: bytes, tmp_path: Path) -> None:
    publish(hub, "owner/nets", "alex.pth", data)
    publish(hub, "owner/nets", "config.json", b"<html>", lfs=False)
    wanted = entry(
        HfSource("owner/nets", None, "alex.pth"), file="alex.pth", beside=("config.json",)
    )
    with pytest.raises(DownloadError, match=r"config\.json is no configuration"):
        download.fetch([wanted], patience=QUICK)
    assert cache.find(wanted) is None
    assert list((tmp_path / "home" / "models").rglob("*")) == []


def test_another_model_is_refused(hub: Server, data: bytes) -> None:
    publish(hub, "owner/nets", "lpips/alex.pth", data)
    with pytest.raises(DownloadError, match="another model than it should be"):
        download.fetch([entry(SOURCE, family="schp", variant="lip")], patience=QUICK)


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("EntryNotFound", 404, "not there any more"),
        ("RepoNotFound", 401, "not there"),
        ("GatedRepo", 403, "who fetches it"),
        ("", 418, "the server answers 418"),
    ],
)
def test_refusals_are_told_apart(hub: Server, code: str, status: int, message: str) -> None:
    headers = {"X-Error-Code": code} if code else {}
    refused = Served(b"", status=status, headers=headers)
    hub.put("/owner/nets/resolve/main/lpips/alex.pth", refused)
    with pytest.raises(DownloadError, match=message) as caught:
        download.fetch([entry(SOURCE)], patience=QUICK)
    assert str(caught.value).startswith("net: hf:owner/nets/lpips/alex.pth")


def test_a_server_that_is_no_hub_is_named(hub: Server) -> None:
    hub.put("/owner/nets/resolve/main/lpips/alex.pth", Served(b"<html>"))
    with pytest.raises(DownloadError, match="no Hugging Face hub"):
        download.fetch([entry(SOURCE)], patience=QUICK)


def test_what_was_cut_off_is_gone_on_with(
    hub: Server, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = publish(hub, "owner/nets", "lpips/alex.pth", data)
    served.cut, served.cuts = 1500, 1
    monkeypatch.setattr(file_download.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 500)
    download.fetch([entry(SOURCE)], patience=QUICK)
    assert any(asked.startswith("bytes=1500-") for asked in hub.asked("range"))
    assert cache.find(entry(SOURCE)) is not None


def test_offline_is_said(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE is set"):
        download.fetch([entry(SOURCE)], patience=QUICK)
    assert hub.requests == []


def test_what_hugging_faces_cache_holds_is_linked(
    hub: Server, data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(hub, "owner/nets", "lpips/alex.pth", data)
    cached = huggingface_hub.hf_hub_download(
        "owner/nets", "lpips/alex.pth", cache_dir=tmp_path / "hf", endpoint=hub.base
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    before = len(hub.requests)
    wanted = entry(SOURCE)
    download.fetch([wanted], patience=QUICK)
    assert len(hub.requests) == before
    assert cache.place(wanted).samefile(Path(cached).resolve())


def test_what_lies_damaged_in_its_cache_is_fetched_anew(
    hub: Server, data: bytes, tmp_path: Path
) -> None:
    publish(hub, "owner/nets", "lpips/alex.pth", data)
    cached = huggingface_hub.hf_hub_download(
        "owner/nets", "lpips/alex.pth", cache_dir=tmp_path / "hf", endpoint=hub.base
    )
    Path(cached).resolve().write_bytes(b"damaged")
    wanted = entry(SOURCE, sha256=hashlib.sha256(data).hexdigest())
    download.fetch([wanted], patience=QUICK)
    assert cache.place(wanted).read_bytes() == data


def test_a_full_disk_is_named(hub: Server, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(hub, "owner/nets", "lpips/alex.pth", data)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", full)
    with pytest.raises(DiskFullError, match="the disk is full"):
        download.fetch([entry(SOURCE)], patience=QUICK)


def test_servers_that_fail_are_asked_again(
    hub: Server, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = publish(hub, "owner/nets", "lpips/alex.pth", data)
    monkeypatch.setattr(file_download.time, "sleep", lambda _seconds: None)
    served.status, served.fail = 500, 1
    download.fetch([entry(SOURCE)], patience=QUICK)
    served.status, served.fail = 500, 10**9
    other = entry(SOURCE, file="other/alex.pth")
    with pytest.raises(DownloadError, match="the next attempt goes on from there"):
        download.fetch([other], patience=QUICK)


def test_room_is_looked_for_ahead(
    hub: Server, data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(hub, "owner/nets", "lpips/alex.pth", data)
    usage = parts.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(DiskFullError, match="are needed, and 10 are free"):
        download.fetch([entry(SOURCE)], patience=QUICK)


def test_a_small_file_has_no_checksum_for_a_name(hub: Server, data: bytes, tmp_path: Path) -> None:
    publish(hub, "owner/nets", "lpips/alex.pth", data, lfs=False)
    found = huggingface.fetch(SOURCE, tmp_path / "new", report=lambda *_: None, patience=QUICK)
    assert found.sha256 is None
    assert hashlib.sha256(found.path.read_bytes()).digest() == hashlib.sha256(data).digest()
