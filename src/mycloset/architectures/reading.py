"""Sizes and counts read off a table that may lack a tensor here and there."""

from __future__ import annotations

from mycloset.architectures.family import NotThisError, Shapes

Place = tuple[str, int]
"""A key and an axis of its tensor."""


def size_of(shapes: Shapes, *places: Place, default: int | None = None) -> int:
    """The size at the first of the places that is there.

    A network states each of its widths several times (a convolution, the norm behind it, the
    convolution behind that): naming two or three places keeps a damaged copy readable.

    Args:
        shapes: the table.
        places: where the size stands, the most telling first.
        default: what the published networks have, where one tensor alone tells.

    Raises:
        NotThisError: none is there, and there is no default.
    """
    for key, axis in places:
        shape = shapes.get(key)
        if shape is not None and -len(shape) <= axis < len(shape):
            return shape[axis]
    if default is not None:
        return default
    key, axis = places[0]
    if key in shapes:
        raise NotThisError(f"`{key}` is {list(shapes[key])}: it has no axis {axis}")
    raise NotThisError(f"no `{key}`")


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
