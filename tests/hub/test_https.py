from __future__ import annotations

import os
import resource
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from misbehaving_server import Served, Server, running
from mycloset.errors import DiskFullError, DownloadError
from mycloset.hub import addresses, https
from mycloset.hub.https import Patience

DATA = bytes(range(256)) * 400
PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"


def patience(**changes: object) -> Patience:
    """Waits for nothing; what it was asked to wait is in `slept`."""
    settings: dict[str, object] = {
        "seconds": 0.5, "attempts": 3, "least": 1, "sleep": slept.append, **changes,
    }  # fmt: skip
    return Patience(**settings)  # type: ignore[arg-type]


slept: list[float] = []


@pytest.fixture(autouse=True)
def _nothing_slept() -> None:
    slept.clear()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_and_nothing_else_stays(server: Server, tmp_path: Path) -> None:
    told: list[tuple[int, int | None, str]] = []
    url = server.put("/net.pth", Served(DATA))
    path = https.fetch(
        url, tmp_path / "net.pth", size=len(DATA), report=lambda *news: told.append(news)
    )
    assert path.read_bytes() == DATA
    assert left(tmp_path) == ["net.pth"]
    assert told[-1] == (len(DATA), len(DATA), "fetched net.pth")


def test_what_was_cut_off_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, cut=30_000))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA
    assert server.asked("range") == ["", "bytes=30000-", "bytes=60000-", "bytes=90000-"]
    assert server.asked("if-range") == ["", '"one"', '"one"', '"one"']


def test_another_day_goes_on_from_there(server: Server, tmp_path: Path) -> None:
    served = Served(DATA, cut=30_000)
    url = server.put("/net.pth", served)
    with pytest.raises(DownloadError, match="30,000 bytes stay") as caught:
        https.fetch(url, tmp_path / "n", patience=patience(attempts=1))
    assert "ended after 30000 of 102400 bytes" in str(caught.value)
    served.cut = None
    https.fetch(url, tmp_path / "n", patience=patience())
    assert server.asked("range") == ["", "bytes=30000-"]
    assert (tmp_path / "n").read_bytes() == DATA


def test_a_server_without_parts_sends_it_anew(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, cut=30_000, cuts=1, ranges=False))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA


def test_a_file_that_changed_meanwhile_begins_anew(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, cut=30_000))
    with pytest.raises(DownloadError):
        https.fetch(url, tmp_path / "n", patience=patience(attempts=1))
    server.put("/net.pth", Served(DATA[::-1], etag='"two"'))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA[::-1]


def test_a_part_of_another_file_is_not_taken(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, cut=30_000))
    with pytest.raises(DownloadError):
        https.fetch(url, tmp_path / "n", patience=patience(attempts=1))
    # This server heeds no If-Range: it sends the rest of its new file.
    server.put("/net.pth", Served(DATA[::-1], headers={"ETag": '"two"'}))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA[::-1]


def test_without_a_validator_nothing_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, etag="", cut=30_000, cuts=1))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA
    assert server.asked("range") == ["", ""]


def test_a_weak_tag_gives_way_to_the_date(server: Server, tmp_path: Path) -> None:
    date = formatdate(1_700_000_000, usegmt=True)
    headers = {"ETag": 'W/"one"', "Last-Modified": date}
    url = server.put("/net.pth", Served(DATA, etag="", headers=headers, cut=30_000))
    with pytest.raises(DownloadError):
        https.fetch(url, tmp_path / "n", patience=patience(attempts=1))
    with pytest.raises(DownloadError):
        https.fetch(url, tmp_path / "n", patience=patience(attempts=1))
    assert server.asked("if-range") == ["", date]


def test_a_part_of_another_address_is_not_gone_on_with(server: Server, tmp_path: Path) -> None:
    url = server.put("/old.pth", Served(DATA[::-1], cut=30_000))
    with pytest.raises(DownloadError):
        https.fetch(url, tmp_path / "n", patience=patience(attempts=1))
    url = server.put("/new.pth", Served(DATA))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA


@pytest.mark.parametrize("note", ["", "[]", "{", '{"url": 3}'])
def test_a_damaged_note_means_to_begin_anew(server: Server, tmp_path: Path, note: str) -> None:
    (tmp_path / "n.part").write_bytes(b"what is this")
    (tmp_path / "n.part.json").write_text(note)
    url = server.put("/net.pth", Served(DATA))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA


def test_a_part_that_is_too_long_begins_anew(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, cut=30_000))
    with pytest.raises(DownloadError):
        https.fetch(url, tmp_path / "n", patience=patience(attempts=1))
    (tmp_path / "n.part").write_bytes(DATA + b"and more")
    server.put("/net.pth", Served(DATA))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_an_answer_that_will_not_change_ends_it(
    server: Server, tmp_path: Path, status: int
) -> None:
    url = server.put("/net.pth", Served(b"gone", status=status))
    with pytest.raises(DownloadError, match=f"answers {status}") as caught:
        https.fetch(url, tmp_path / "n", patience=patience())
    assert "homepage" in caught.value.hint
    assert len(server.requests) == 1
    assert left(tmp_path) == []


def test_busy_servers_are_asked_again_when_they_say(server: Server, tmp_path: Path) -> None:
    busy = Served(DATA, status=503, fail=2, headers={"Retry-After": "7"})
    url = server.put("/net.pth", busy)
    https.fetch(url, tmp_path / "n", patience=patience())
    assert slept == [7.0, 7.0]


def test_a_date_to_come_back_at_is_understood(server: Server, tmp_path: Path) -> None:
    past = formatdate(0, usegmt=True)
    busy = Served(DATA, status=429, fail=1, headers={"Retry-After": past})
    https.fetch(server.put("/net.pth", busy), tmp_path / "n", patience=patience())
    assert slept == [0.0]


def test_pauses_grow(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, status=500, fail=4))
    https.fetch(url, tmp_path / "n", patience=patience(attempts=5, pause=2.0, longest=10.0))
    assert slept == [2.0, 4.0, 8.0, 10.0]


def test_a_server_that_asks_for_an_hour_is_not_waited_for(server: Server, tmp_path: Path) -> None:
    busy = Served(DATA, status=429, headers={"Retry-After": "3600"})
    with pytest.raises(DownloadError, match="asks to wait 3600 s"):
        https.fetch(server.put("/net.pth", busy), tmp_path / "n", patience=patience())
    assert slept == []


@pytest.mark.parametrize(
    "served",
    [Served(PAGE, headers={"Content-Type": "text/html; charset=utf-8"}), Served(b"\n" + PAGE)],
)
def test_a_page_is_no_file(server: Server, tmp_path: Path, served: Served) -> None:
    with pytest.raises(DownloadError, match="sent a web page") as caught:
        https.fetch(server.put("/net.pth", served), tmp_path / "n", patience=patience())
    assert "browser" in caught.value.hint
    assert left(tmp_path) == []


def test_a_stall_is_noticed_and_gone_on_from(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, stall=30_000, cuts=1))
    path = https.fetch(url, tmp_path / "n", patience=patience(seconds=0.2))
    assert path.read_bytes() == DATA
    assert server.asked("range") == ["", "bytes=30000-"]


def test_a_server_that_never_sends_is_given_up(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, stall=0))
    with pytest.raises(DownloadError, match="not answer in time"):
        https.fetch(url, tmp_path / "n", patience=patience(seconds=0.1, attempts=2))


def test_a_trickle_is_a_stall(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, drip=0.02))
    slow = patience(attempts=2, window=0.1, least=10**6)
    with pytest.raises(DownloadError, match="all but stopped"):
        https.fetch(url, tmp_path / "n", patience=slow)


def test_a_closed_connection_is_tried_again(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, status=0, fail=2))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA


def test_nobody_at_the_port_is_said(server: Server, tmp_path: Path) -> None:
    port = server.base.rsplit(":", 1)[1]
    url = f"http://127.0.0.1:{1 if port != '1' else 2}/net.pth"
    with pytest.raises(DownloadError, match="refused"):
        https.fetch(url, tmp_path / "n", patience=patience())
    assert slept == [1.0, 2.0]


def test_a_length_that_is_too_long_is_found(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, length=len(DATA) + 5, etag=""))
    with pytest.raises(DownloadError, match="ended after 102400 of 102405"):
        https.fetch(url, tmp_path / "n", patience=patience())


def test_a_length_that_is_too_short_is_found_by_the_size(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, length=len(DATA) - 5))
    with pytest.raises(DownloadError, match="has 102395 bytes; the file has 102400"):
        https.fetch(url, tmp_path / "n", size=len(DATA), patience=patience())
    assert left(tmp_path) == []


def test_without_a_length_the_size_decides(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, length=None))
    assert https.fetch(url, tmp_path / "n", size=len(DATA)).read_bytes() == DATA
    assert https.fetch(url, tmp_path / "n").read_bytes() == DATA
    with pytest.raises(DownloadError, match="more than the 102390 bytes"):
        https.fetch(url, tmp_path / "m", size=len(DATA) - 10, patience=patience())
    assert left(tmp_path) == ["n"]


def test_redirects_are_followed_with_the_range(server: Server, tmp_path: Path) -> None:
    server.put("/real.pth", Served(DATA, cut=60_000))
    url = server.put("/net.pth", Served(status=302, headers={"Location": "/real.pth"}))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA
    assert server.asked("range") == ["", "", "bytes=60000-", "bytes=60000-"]


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("/net.pth", "leads in a circle"),
        ("http://example.invalid/net.pth", "plain http"),
        ("file:///etc/hostname", "could not be fetched"),
        ("ftp://127.0.0.1/net.pth", "only https"),
    ],
)
def test_some_ways_are_not_gone(
    server: Server, tmp_path: Path, location: str, message: str
) -> None:
    url = server.put("/net.pth", Served(status=302, headers={"Location": location}))
    with pytest.raises(DownloadError, match=message):
        https.fetch(url, tmp_path / "n", patience=patience())
    assert left(tmp_path) == []


def test_redirects_without_end_are_not_followed(server: Server, tmp_path: Path) -> None:
    for number in range(30):
        headers = {"Location": f"/{number + 1}"}
        server.put(f"/{number}", Served(status=301, headers=headers))
    with pytest.raises(DownloadError, match="leads on and on"):
        https.fetch(f"{server.base}/0", tmp_path / "n", patience=patience())
    assert len(server.requests) <= 12


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[Server]:
    """A server on TLS, whose certificate nobody has signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
         certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with running(context) as made:
        yield made


def test_a_certificate_that_nobody_signed_is_refused_at_once(
    certified: Server, tmp_path: Path
) -> None:
    url = certified.put("/net.pth", Served(DATA))
    with pytest.raises(DownloadError, match="certificate does not hold"):
        https.fetch(url, tmp_path / "n", patience=patience())
    assert slept == []


def test_no_way_leads_out_of_https(
    certified: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    addresses.opener.cache_clear()
    url = certified.put("/net.pth", Served(DATA))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA
    plain = certified.base.replace("https", "http")
    moved = Served(status=302, headers={"Location": f"{plain}/net.pth"})
    with pytest.raises(DownloadError, match="out of https"):
        https.fetch(certified.put("/moved.pth", moved), tmp_path / "m", patience=patience())
    addresses.opener.cache_clear()


def test_without_a_network_it_is_said_soon(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DownloadError, match="no network, or the name is not known"):
        https.fetch("https://nobody.invalid/net.pth", tmp_path / "n", patience=patience(attempts=5))
    assert len(slept) == 1


@pytest.mark.parametrize(
    "url",
    ["http://example.org/x", "file:///etc/hostname", "ftp://example.org/x", "https:///x", "x"],
)
def test_only_https_is_fetched(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match=r"plain http|only https"):
        https.fetch(url, tmp_path / "n")


def test_plain_http_can_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(addresses.PLAIN_HTTP, "1")
    addresses.check("http://mirror.lan/x")


def test_a_mirror_stands_for_all_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://example.org/a/b.pth?raw=1"
    assert addresses.mirrored(url) == url
    monkeypatch.setenv(addresses.MIRROR, "http://127.0.0.1:9/models/")
    assert addresses.mirrored(url) == "http://127.0.0.1:9/models/example.org/a/b.pth?raw=1"


def test_packed_answers_are_refused(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(DownloadError, match="comes packed"):
        https.fetch(url, tmp_path / "n", patience=patience())


def test_room_is_looked_for_ahead(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DiskFullError, match="102,400 bytes more are needed, and 1,000 are free"):
        https.fetch(server.put("/net.pth", Served(DATA)), tmp_path / "n", patience=patience())


FULL = """
import resource, sys
from pathlib import Path
from mycloset.errors import DiskFullError
from mycloset.hub import https
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    https.fetch(sys.argv[1], Path(sys.argv[2]))
except DiskFullError as error:
    print(error)
"""


def test_a_full_disk_is_named_and_what_has_come_stays(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA))
    environment = os.environ | {"PYTHONPATH": str(Path(https.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", FULL, url, str(tmp_path / "n")],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "the disk is full, or a limit is reached" in done.stdout
    assert (tmp_path / "n.part").stat().st_size == 50_000
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 50_000
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA
    assert server.asked("range") == ["", "bytes=50000-"]


def test_an_interrupt_keeps_what_has_come(server: Server, tmp_path: Path) -> None:
    url = server.put("/net.pth", Served(DATA, drip=0.001))

    def interrupt(done: int, _total: int | None, _text: str) -> None:
        if done > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        https.fetch(url, tmp_path / "n", report=interrupt, patience=patience())
    server.put("/net.pth", Served(DATA))
    assert https.fetch(url, tmp_path / "n", patience=patience()).read_bytes() == DATA
    assert server.asked("range")[1] not in ("", "bytes=0-")
