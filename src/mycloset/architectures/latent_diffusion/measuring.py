"""Sizes of a network from its tensors' shapes, even where one of them is missing or damaged."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from math import gcd

from mycloset.architectures.family import Claim, NotThisError, Shapes

MOST = 1 << 20
"""No width of a network is larger."""
LATENT = 4
"""Channels of the latent in every published UNet: taken where the first convolution is lost."""
_GROUPS = 32
_MOST_COUNTED = 256
_CITED = re.compile(r"`([^`…]+)` is \[")


def sized(shapes: Shapes, *places: tuple[str, int]) -> int:
    """The size that most of the places (key and axis) show; the first of them on a tie.

    Raises:
        NotThisError: none is there, or the size is that of no network.
    """
    found = [shapes[key][axis] for key, axis in places if len(shapes.get(key, ())) > axis]
    if not found:
        raise NotThisError(f"no `{places[0][0]}`")
    size = found[0] if len(found) < 3 else Counter(found).most_common(1)[0][0]
    if not 0 < size <= MOST:
        raise NotThisError(f"`{places[0][0]}` has a size of {size}")
    return size


def counted(shapes: Shapes, start: str, *ends: str, most: int = _MOST_COUNTED) -> int:
    """How many numbers from 0 on, put between start and one of the ends, give keys that exist.

    Raises:
        NotThisError: more than any network of the kind has.
    """
    number = 0
    while any(f"{start}{number}{end}" in shapes for end in ends):
        number += 1
        if number > most:
            raise NotThisError(f"more than {most} of `{start}N{ends[0]}`")
    return number


def groups(widths: tuple[int, ...]) -> int:
    """Groups of the norms: 32, as in every published network, or the most that divide them."""
    return gcd(_GROUPS, *widths)


def supported(claim: Claim, shapes: Shapes) -> Claim:
    """The claim without the evidence that cites a tensor that the table lacks."""
    told = tuple(
        text
        for text in claim.evidence
        if (cited := _CITED.match(text)) is None or cited[1] in shapes
    )
    return claim if len(told) == len(claim.evidence) else replace(claim, evidence=told)
