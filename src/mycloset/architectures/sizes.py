"""Sizes and counts read off a table of shapes that may be foreign, or damaged."""

from __future__ import annotations

from math import isqrt

from mycloset.architectures.family import NotThisError, Shapes

Place = tuple[str, int]
"""A key, and which of its sizes."""


def size(shapes: Shapes, *places: Place, default: int | None = None) -> int:
    """The size at the first of the places that the table has; at least 1.

    A width stands in several tensors: naming a second place keeps a copy readable that lost one.

    Args:
        shapes: the table.
        places: where the size stands, the most telling first.
        default: what the published networks have, where one tensor alone tells.

    Raises:
        NotThisError: none of the places is there, and there is no default.
    """
    for key, axis in places:
        shape = shapes.get(key)
        if shape is not None and axis < len(shape) and shape[axis] > 0:
            return shape[axis]
    if default is not None:
        return default
    raise NotThisError(f"no `{places[0][0]}` of at least {places[0][1] + 1} dimensions")


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


def ratio(whole: int, part: int) -> int | float:
    """Their quotient; an integer where it is one."""
    return whole // part if whole % part == 0 else round(whole / part, 6)


def root(number: int) -> int | None:
    """The integer whose square the number is, or None."""
    found = isqrt(number)
    return found if found * found == number else None
