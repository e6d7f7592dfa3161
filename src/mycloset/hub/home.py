"""Where MyCloset keeps what it fetched and found out on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The cache folder: `MYCLOSET_HOME`, or the platform's place for caches."""
    chosen = os.environ.get("MYCLOSET_HOME")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("mycloset"))
