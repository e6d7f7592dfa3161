"""Reading sizes and counts off a table of shapes that may be foreign, or damaged.

A network states each of its widths several times (a convolution, the norm behind it, the
convolution behind that): the readers take several places, so that a damaged copy stays readable.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import isqrt

from mycloset.architectures.family import Claim, NotThisError, Shape, Shapes

Place = tuple[str, int]
"""A key and an axis of its tensor."""
MOST = 1 << 20
"""No width of a network is larger."""
Renames = Sequence[tuple[str, str]]
"""Pattern and replacement (`re.sub`), applied one after the other to each key."""
_CITED = re.compile(r"`([^`…]+)` is \[")


def shape_of(shapes: Shapes, key: str, *, dims: int | None = None) -> Shape:
    """A tensor's shape.

    Raises:
        NotThisError: it is not there, or has another number of dimensions.
    """
    shape = shapes.get(key)
    if shape is None:
        raise NotThisError(f"no `{key}`")
    if dims is not None and len(shape) != dims:
        raise NotThisError(f"`{key}` is {list(shape)}, not of {dims} dimensions")
    return shape


def size(shapes: Shapes, *places: Place, default: int | None = None) -> int:
    """The size at the first of the places that the table has; at least 1.

    Args:
        shapes: the table.
        places: where the size stands, the most telling first.
        default: what the published networks have, where one tensor alone tells.

    Raises:
        NotThisError: none of the places is there, and there is no default.
    """
    for key, axis in places:
        shape = shapes.get(key)
        if shape is not None and -len(shape) <= axis < len(shape) and shape[axis] > 0:
            return shape[axis]
    if default is not None:
        return default
    key, axis = places[0]
    if key in shapes:
        raise NotThisError(f"`{key}` is {list(shapes[key])}: it has no size at axis {axis}")
    raise NotThisError(f"no `{key}`")


def common_size(shapes: Shapes, *places: tuple[str, int]) -> int:
    """The size that most of the places (key and axis) show; the first of them on a tie.

    Raises:
        NotThisError: none is there, or the size is that of no network.
    """
    found = [shapes[key][axis] for key, axis in places if len(shapes.get(key, ())) > axis]
    if not found:
        raise NotThisError(f"no `{places[0][0]}`")
    shown = found[0] if len(found) < 3 else Counter(found).most_common(1)[0][0]
    if not 0 < shown <= MOST:
        raise NotThisError(f"`{places[0][0]}` has a size of {shown}")
    return shown


def extent(shapes: Shapes, *patterns: str, start: int = 0, limit: int = 256) -> int:
    """How many numbers in a row, put for `{}`, give keys that exist.

    Args:
        shapes: the table.
        patterns: a number counts where any of them gives a key that exists, so that one lost
            tensor does not end the count.
        start: the first number.
        limit: no more than this are counted: a hostile table must not make us build without end.
    """
    end = start
    while end - start < limit and any(pattern.format(end) in shapes for pattern in patterns):
        end += 1
    return end - start


def counted(shapes: Shapes, start: str, *ends: str, most: int = 256) -> int:
    """The extent of keys of a start, a number and one of the ends.

    Raises:
        NotThisError: more than any network of the kind has.
    """
    # Not by `extent`: its patterns made recognising a UNet about a fifth slower.
    number = 0
    while any(f"{start}{number}{end}" in shapes for end in ends):
        number += 1
        if number > most:
            raise NotThisError(f"more than {most} of `{start}N{ends[0]}`")
    return number


def numbered(shapes: Shapes, start: str, *, most: int = 128) -> int:
    """One more than the highest number that follows `start` in any key; 0 where there is none.

    Holes do not end it, so that a copy which lost a whole block is still measured.

    Raises:
        NotThisError: more than `most`, which no network of the family has.
    """
    cut = len(start)
    numbers = {key[cut:].partition(".")[0] for key in shapes if key.startswith(start)}
    highest = max((int(text) for text in numbers if text.isdecimal() and len(text) < 9), default=-1)
    if highest >= most:
        raise NotThisError(f"`{start}` is followed by numbers up to {highest}")
    return highest + 1


def renamed(shapes: Shapes, rules: Renames) -> dict[str, Shape]:
    """The table with its keys renamed; order kept."""
    compiled = [(re.compile(pattern), replacement) for pattern, replacement in rules]
    found = {}
    for key, shape in shapes.items():
        for pattern, replacement in compiled:
            key = pattern.sub(replacement, key)
        found[key] = shape
    return found


def supported(claim: Claim, shapes: Shapes) -> Claim:
    """The claim without the evidence that cites a tensor that the table lacks."""
    told = tuple(
        text
        for text in claim.evidence
        if (cited := _CITED.match(text)) is None or cited[1] in shapes
    )
    return claim if len(told) == len(claim.evidence) else replace(claim, evidence=told)


def ratio(whole: int, part: int) -> int | float:
    """Their quotient; an integer where it is one."""
    return whole // part if whole % part == 0 else round(whole / part, 6)


def root(number: int) -> int | None:
    """The integer whose square the number is, or None."""
    found = isqrt(number)
    return found if found * found == number else None
