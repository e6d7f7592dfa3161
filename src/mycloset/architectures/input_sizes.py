"""The size of picture that a pose file was trained for, as its name tells it."""

from __future__ import annotations

import re

USUAL = (256, 192)
"""Height and width where a name does not tell."""

_SIZE = re.compile(r"(?<!\d)(\d{3})x(\d{3})(?!\d)")


def input_size(name: str) -> list[int]:
    """Height and width in a file's name ("…_384x288.pth"); the usual one where there is none.

    Both are multiples of 32, as the network needs them.
    """
    found = _SIZE.search(name)
    if found is None:
        return list(USUAL)
    height, width = int(found[1]), int(found[2])
    return [height, width] if height % 32 == 0 and width % 32 == 0 else list(USUAL)
