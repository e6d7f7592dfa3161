"""Stream: a file's numbers into tensors of their own, read once and in order, cast on the way."""

from __future__ import annotations

import mmap
import os

import torch

from mycloset.checkpoints.source import DamagedError, Source
from mycloset.runtimes.pytorch.mappings import mapping_of

CHUNK = 1 << 20
"""Bytes that are read at once: of what is cast, and of small tensors that lie together.

What was read is then still in the processor's cache; a cast in longer pieces takes longer.
"""


NEAR = 1 << 16
"""Bytes behind the last read within which a small one takes more with it, for those that follow."""

WINDOW = 2 << 20
"""Bytes of a mapped file that a cast looks at, at least, before it lets go of them."""
WIDEST = 16 << 20
"""The same at most."""
SHARE = 64
"""Of a long cast, one of so many bytes is looked at before it is let go of: every window goes back
to Python, and may have to wait for other threads there."""


class Stream:
    """Reads tensors from an open file; no byte twice where they are asked for in its order.

    Beside the tensors themselves it holds twice `CHUNK`, whatever they measure. Threads must not
    share one.

    Args:
        source: the file.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._ahead = bytearray()
        self._start = 0
        self._behind = 0
        self._scratch: torch.Tensor | None = None
        advise = getattr(os, "posix_fadvise", None)
        if advise is not None:
            advise(source.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)

    def read(
        self,
        offset: int,
        count: int,
        dtype: torch.dtype,
        *,
        into: torch.dtype,
        swapped: bool = False,
        out: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(count,) numbers.

        Args:
            offset: of the first one's first byte.
            count: how many; at least one.
            dtype: the file's.
            into: the tensor's.
            swapped: whether the file has each number's bytes in the other order.
            out: (count,) of that dtype, to be filled; a new tensor by default.

        Raises:
            DamagedError: the file ends before.
        """
        made = torch.empty(count, dtype=into) if out is None else out
        if dtype == into and not swapped:
            self._into(offset, _bytes_of(made))
            return made
        if self._scratch is None:
            self._scratch = torch.empty(CHUNK, dtype=torch.uint8)
        step = CHUNK // dtype.itemsize
        for first in range(0, count, step):
            raw = self._scratch[: min(step, count - first) * dtype.itemsize]
            self._into(offset + first * dtype.itemsize, _bytes_of(raw))
            numbers = turned(raw, dtype) if swapped else raw.view(dtype)
            made[first : first + step].copy_(numbers)
        return made

    def _into(self, offset: int, place: memoryview) -> None:
        """Fill a place with the file's bytes."""
        while place:
            known = len(self._ahead) - (offset - self._start)
            if offset >= self._start and known > 0:
                length = min(known, len(place))
                first = offset - self._start
                place[:length] = memoryview(self._ahead)[first : first + length]
            elif len(place) >= CHUNK or not 0 <= offset - self._behind <= NEAR:
                length = self._fill(offset, place)
            else:
                length = 0
                ahead = bytearray(max(0, min(CHUNK, self._source.size - offset)))
                del ahead[self._fill(offset, memoryview(ahead)) :]
                self._ahead, self._start = ahead, offset
            offset += length
            place = place[length:]

    def _fill(self, offset: int, place: memoryview) -> int:
        """Read what the system gives at once; how many bytes."""
        handle = self._source.fileno()
        if hasattr(os, "preadv"):
            length = os.preadv(handle, [place], offset)
        else:
            part = os.pread(handle, len(place), offset)
            length = len(part)
            place[:length] = part
        self._behind = offset + length
        if not length:
            raise DamagedError(
                f"{self._source.path.name} became shorter while it was read.", place=offset
            )
        return length


class MappedCasts:
    """Casts a mapped file's numbers into tensors of their own; what was cast is let go of.

    A cast is one call that holds no lock of Python's, so that several threads cast at once; a
    `Stream` goes back to Python for every piece. Beside the tensors, about one window of the file
    is in the process's memory, whatever they measure. Threads must not share one.

    Args:
        source: the file, which must not be cut off meanwhile.
        window: bytes after which what was cast is let go of.
    """

    def __init__(self, source: Source, *, window: int = WINDOW) -> None:
        self._mapping = mapping_of(source, shared=False)
        self._window = window
        self._touched: tuple[int, int] | None = None

    def read(
        self,
        offset: int,
        count: int,
        dtype: torch.dtype,
        *,
        into: torch.dtype,
        out: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(count,) numbers; as `Stream.read`."""
        made = torch.empty(count, dtype=into) if out is None else out
        window = max(self._window, min(WIDEST, count * dtype.itemsize // SHARE))
        step = max(1, window // dtype.itemsize)
        for first in range(0, count, step):
            number = min(step, count - first)
            start = offset + first * dtype.itemsize
            there = torch.frombuffer(self._mapping, dtype=dtype, offset=start, count=number)
            made[first : first + number].copy_(there)
            self._let_go(start, start + number * dtype.itemsize)
        return made

    def _let_go(self, start: int, end: int) -> None:
        """Take note of what was looked at; let go of it where it is enough."""
        if self._touched is not None:
            start, end = min(start, self._touched[0]), max(end, self._touched[1])
        self._touched = start, end
        if end - start >= self._window and hasattr(self._mapping, "madvise"):
            first = start // mmap.PAGESIZE * mmap.PAGESIZE
            self._mapping.madvise(mmap.MADV_DONTNEED, first, end - first)
            self._touched = None


def turned(raw: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Numbers whose bytes lie in the other order; the two of a complex one each for itself."""
    size = dtype.itemsize // (2 if dtype.is_complex else 1)
    return raw.view(-1, size).flip(1).contiguous().view(-1).view(dtype)


def _bytes_of(tensor: torch.Tensor) -> memoryview:
    """A flat tensor's own bytes."""
    return tensor.view(torch.uint8).numpy().data
