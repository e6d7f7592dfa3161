"""A server on this machine that serves files, and misbehaves in the usual ways where it is told."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class Served:
    """What lies at one address, and how it is sent.

    Attributes:
        data: the bytes.
        status: other than 200, an answer of that number without the file.
        headers: further headers, that replace the server's own.
        etag: of the data; "" for none.
        ranges: whether a part can be asked for.
        cut: bytes after which the connection ends, for as many requests as `cuts` says.
        stall: bytes after which nothing more comes while the connection stays, `cuts` times.
        drip: seconds between single bytes.
        length: what Content-Length says where it lies; None for none at all.
        fail: how many requests first get `status`, or a closed connection for 0.
    """

    data: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = '"one"'
    ranges: bool = True
    cut: int | None = None
    stall: int | None = None
    cuts: int = 10**9
    drip: float = 0.0
    length: int | None = -1
    fail: int = 10**9


@dataclass
class Server:
    """The files by path, and the requests that came: method, path, headers in lower case."""

    base: str
    files: dict[str, Served] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def put(self, path: str, served: Served) -> str:
        """Serve something; its address."""
        self.files[path] = served
        return f"{self.base}{path}"

    def asked(self, name: str) -> list[str]:
        """What each GET said in one header."""
        return [headers.get(name, "") for method, _, headers in self.requests if method == "GET"]


@contextlib.contextmanager
def running(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """The server, on a port of its own, on TLS where that is given; it ends with the block."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self, *, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            told = {name.lower(): value for name, value in self.headers.items()}
            server.requests.append((self.command, path, told))
            served = server.files.get(path, Served(status=404))
            if served.status == 0:
                if served.fail > 0:
                    served.fail -= 1
                    self.close_connection = True
                    return
            elif served.status != 200 and served.fail > 0:
                served.fail -= 1
                self.send_response(served.status)
                headers = {"Content-Length": str(len(served.data)), **served.headers}
                self._headers(headers)
                if body:
                    self.wfile.write(served.data)
                return
            self._file(served, told, body=body)

        def _file(self, served: Served, told: dict[str, str], *, body: bool) -> None:
            start = 0
            wanted = told.get("range", "")
            same = told.get("if-range", served.etag) == served.etag
            if wanted and served.ranges and same:
                start = int(wanted.removeprefix("bytes=").split("-")[0])
            whole = len(served.data)
            if start >= whole > 0 and start:
                self.send_response(416)
                self._headers({"Content-Length": "0", "Content-Range": f"bytes */{whole}"})
                return
            self.send_response(206 if start else 200)
            headers = {"Content-Type": "application/octet-stream"}
            length = whole - start if served.length == -1 else served.length
            if length is None:
                self.close_connection = True
            else:
                headers["Content-Length"] = str(length)
            if start:
                headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
            if served.etag:
                headers["ETag"] = served.etag
            self._headers({**headers, **served.headers})
            if body:
                with contextlib.suppress(ConnectionError):
                    self._send(served, start)

        def _headers(self, headers: dict[str, str]) -> None:
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def _send(self, served: Served, start: int) -> None:
            end = len(served.data)
            broken = served.cuts > 0 and (served.cut is not None or served.stall is not None)
            if broken:
                served.cuts -= 1
                limit = served.cut if served.cut is not None else served.stall
                assert limit is not None
                end = min(end, start + limit)
            if served.drip:
                for place in range(start, end):
                    self.wfile.write(served.data[place : place + 1])
                    if stop.wait(served.drip):
                        break
            else:
                self.wfile.write(served.data[start:end])
            self.wfile.flush()
            if broken:
                if served.cut is None:
                    stop.wait(5)
                self.close_connection = True
            if served.length not in (-1, None) and served.length != len(served.data) - start:
                self.close_connection = True

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    if context is not None:
        http.socket = context.wrap_socket(http.socket, server_side=True)
    scheme = "http" if context is None else "https"
    server = Server(f"{scheme}://127.0.0.1:{http.server_address[1]}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        http.shutdown()
        http.server_close()
        thread.join()
