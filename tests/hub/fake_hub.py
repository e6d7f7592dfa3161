"""The part of Hugging Face's protocol that one file's download uses, on the misbehaving server."""

from __future__ import annotations

import hashlib

from misbehaving_server import Served, Server

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def publish(
    server: Server, repo: str, path: str, data: bytes, *, revision: str = "main", lfs: bool = True
) -> Served:
    """Serve a file of a repository under a revision and under its commit; what is served."""
    digest = hashlib.sha256(data).hexdigest()
    etag = f'"{digest if lfs else digest[:40]}"'
    headers = {"X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
    if lfs:
        headers |= {"X-Linked-Etag": etag, "X-Linked-Size": str(len(data))}
    served = Served(data, etag=etag, headers=headers)
    for at in (revision, COMMIT):
        server.put(f"/{repo}/resolve/{at}/{path}", served)
    return served
