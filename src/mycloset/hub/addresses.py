"""Which addresses are gone to, and how: https, few redirects, a mirror where one is set."""

from __future__ import annotations

import ipaddress
import os
import urllib.request
from functools import cache
from typing import IO, Any
from urllib.parse import urlsplit

from mycloset.errors import DownloadError

MIRROR = "MYCLOSET_MIRROR"
"""Environment variable: an address that stands for all others; `BASE/HOST/PATH` is asked."""
PLAIN_HTTP = "MYCLOSET_PLAIN_HTTP"
"""Environment variable: `1` allows http to other machines, too."""

_MOST_REDIRECTS = 10


def mirrored(url: str) -> str:
    """The address to ask instead of `url`: on the mirror where one is set."""
    base = os.environ.get(MIRROR, "").rstrip("/")
    if not base:
        return url
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{base}/{parts.netloc}{parts.path}{query}"


def check(url: str) -> None:
    """Refuse an address that is not gone to.

    Raises:
        DownloadError: it is neither https nor http to this machine.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname:
        if _is_this_machine(parts.hostname) or os.environ.get(PLAIN_HTTP) == "1":
            return
        raise DownloadError(
            f"{url}: what comes by plain http can be changed on its way.",
            hint=f"Use an https address, or set {PLAIN_HTTP}=1 within a network that you trust.",
        )
    raise DownloadError(f"{url}: only https addresses can be fetched.")


@cache
def opener() -> urllib.request.OpenerDirector:
    """Opens http and https, by the proxies of the environment; no files, no other protocols."""
    made = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
    ):
        made.add_handler(handler)
    return made


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never in circles and never out of https."""

    max_redirections = _MOST_REDIRECTS + 1
    max_repeats = _MOST_REDIRECTS + 1

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise DownloadError(f"{req.full_url} leads to {newurl}, out of https.")
        check(newurl)
        visited = getattr(req, "redirect_dict", {})
        if newurl in visited or len(visited) >= _MOST_REDIRECTS:
            how = "in a circle" if newurl in visited else "on and on"
            raise DownloadError(f"{req.full_url} leads {how} ({newurl}).")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
