"""What networks that restore pictures share: padding, tiles that meet unseen, colours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.plans import Forward
from mycloset.errors import ModelFileError, OptionError
from mycloset.images import RGB
from mycloset.tasks.pictures import Image

Floats = NDArray[np.float32]
Mirror = Literal["reflect", "symmetric"]

TILE = 512
"""Side of the largest square that goes through a network at once, by default, in pixels."""
OVERLAP = 48
"""What neighbouring tiles share, in pixels. A third of it is cross-faded, and a third on either
side is context alone: the ten pixels that Real-ESRGAN gives its tiles, and some more."""
LEAST_TILE = 64


class Restoration:
    """Puts pictures through a network that takes and gives RGB of 0..1.

    A network of one channel gets the picture's luma; the colours are the picture's own, enlarged.

    Args:
        scale: by how much the network enlarges.
        channels: of its pictures, 3 or 1.
        multiple: what a picture's sides must be multiples of; the picture is mirrored at the right
            and below up to there.
        mirror: "reflect" leaves out the edge's own pixels, "symmetric" repeats them.
        beyond: whether a side that is a multiple gets one more (as SwinIR's authors pad).
        minimum: what each side must be at least.
        square: whether both sides must be the same.
        tile: side of the largest square that goes through at once, by default; 0 for any.
        name: what made a result, for `Image.made_by`.
    """

    def __init__(
        self,
        *,
        scale: float,
        channels: int = 3,
        multiple: int = 1,
        mirror: Mirror = "reflect",
        beyond: bool = False,
        minimum: int = 0,
        square: bool = False,
        tile: int = TILE,
        name: str = "",
    ) -> None:
        self.scale = scale
        self.channels = channels
        self.multiple = multiple
        self.mirror = mirror
        self.beyond = beyond
        self.minimum = minimum
        self.square = square
        self.tile = tile
        self.name = name

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        tile: int | None = None,
        overlap: int = OVERLAP,
        scale: float | None = None,
    ) -> Image:
        """The restored picture.

        Args:
            forward: the network.
            picture: (H, W, 3) uint8 RGB.
            tile: side of the squares that a larger picture is cut into, in its pixels; 0 never
                cuts.
            overlap: pixels that neighbouring tiles share. The result is that of the whole picture
                where the network (a purely convolutional one) sees no further than a third of it.
            scale: by how much the result shall be larger than the picture; what the network gives
                is resized (Lanczos).

        Raises:
            OptionError: an option has a value that it cannot have.
            ModelFileError: the network gives numbers that are none, or takes pictures of neither
                one channel nor three.
        """
        side = self._checked(tile, overlap, scale)
        if self.channels not in (1, 3):
            raise ModelFileError(
                f"the network takes pictures of {self.channels} channels.",
                hint="Call Model.network with tensors; pictures have 3 channels, or 1 of luma.",
            )
        height, width = picture.shape[:2]
        padded = self._padded(picture if self.channels == 3 else _luma(picture)[..., None])
        planes = self._through(forward, padded, side, overlap)
        planes = planes[:, : round(height * self.scale), : round(width * self.scale)]
        made = cv2.merge([*planes]) if len(planes) == 3 else _recoloured(planes[0], picture)
        factor = float(self.scale)
        if scale is not None and scale != self.scale:
            size = (max(1, int(width * scale)), max(1, int(height * scale)))
            made = cv2.resize(made, size, interpolation=cv2.INTER_LANCZOS4)
            factor = float(scale)
        return Image(np.asarray(made, np.uint8), factor, self.name)

    def batch(
        self,
        forward: Forward,
        pictures: Sequence[RGB],
        *,
        tile: int | None = None,
        overlap: int = OVERLAP,
        scale: float | None = None,
    ) -> list[Image]:
        """One result a picture; they go through one by one, because each may fill the memory."""
        return [self(forward, p, tile=tile, overlap=overlap, scale=scale) for p in pictures]

    def _checked(self, tile: int | None, overlap: int, scale: float | None) -> int:
        """The side of the tiles; 0 for none."""
        side = self.tile if tile is None else tile
        least = max(LEAST_TILE, self.multiple, self.minimum)
        if side != 0 and side < least:
            raise OptionError(f"tile: {side} pixels are too few.", hint=f"Give {least}, or 0.")
        if overlap < 0 or (side and 2 * (overlap + self.multiple) > side):
            raise OptionError(
                f"overlap: {overlap} pixels of tiles of {side} are not possible.",
                hint="Give at most a little less than half of the tile.",
            )
        if scale is not None and not 0 < scale <= 32:
            raise OptionError(
                f"scale: {scale} is not possible.", hint="Give more than 0, up to 32."
            )
        return side

    def _padded(self, picture: RGB) -> RGB:
        """The picture, mirrored to sides that the network takes."""
        sides = picture.shape[:2]
        wanted = [max(side, self.minimum) for side in sides]
        wanted = [side + (-side % self.multiple) for side in wanted]
        if self.beyond:
            wanted = [
                side + (self.multiple if side == had else 0)
                for side, had in zip(wanted, sides, strict=True)
            ]
        if self.square:
            wanted = [max(wanted)] * 2
        more = [side - had for side, had in zip(wanted, sides, strict=True)]
        if not any(more):
            return picture
        return np.pad(picture, ((0, more[0]), (0, more[1]), (0, 0)), mode=self.mirror)

    def _through(
        self, forward: Forward, picture: RGB, side: int, overlap: int
    ) -> NDArray[np.uint8]:
        """(C, h, w) uint8: a padded picture after the network, in tiles where it is large."""
        height, width = picture.shape[:2]
        if not side or max(height, width) <= side:
            return _bytes(_run(forward, picture))
        rows = _cuts(height, side, overlap, self.multiple)
        columns = _cuts(width, side, overlap, self.multiple)
        fade = overlap / 3
        across = [self._weights(cut, fade) for cut in columns]
        shape = (round(height * self.scale), round(width * self.scale))
        result: NDArray[np.uint8] | None = None
        carried: Floats | None = None
        for cut, after in zip(rows, [*rows[1:], None], strict=True):
            top, bottom = round(cut.start * self.scale), round(cut.stop * self.scale)
            band: Floats | None = None
            for column, weights in zip(columns, across, strict=True):
                made = _run(forward, picture[cut.start : cut.stop, column.start : column.stop])
                if band is None:
                    band = np.zeros((len(made), bottom - top, shape[1]), np.float32)
                left = round(column.start * self.scale)
                made *= weights
                band[:, :, left : left + made.shape[2]] += made
            assert band is not None
            band *= self._weights(cut, fade)[:, None]
            if carried is not None:
                band[:, : carried.shape[1]] += carried
            if result is None:
                result = np.empty((len(band), *shape), np.uint8)
            # What the next row of tiles does not touch is ready.
            done = bottom if after is None else round(after.start * self.scale)
            result[:, top:done] = _bytes(band[:, : done - top])
            carried = band[:, done - top :]
        assert result is not None
        return result

    def _weights(self, cut: _Cut, fade: float) -> Floats:
        """How much of a tile's result counts, along one side; all tiles' add up to 1."""
        start, stop = round(cut.start * self.scale), round(cut.stop * self.scale)
        places = (np.arange(start, stop, dtype=np.float32) + np.float32(0.5)) / self.scale
        weights = np.ones(stop - start, np.float32)
        if cut.first is not None:
            weights *= _rise(places, cut.first, fade)
        if cut.last is not None:
            weights -= _rise(places, cut.last, fade)
        return weights


class _Cut(NamedTuple):
    """A tile along one side: what it sees, and the middles of what it shares with neighbours."""

    start: int
    stop: int
    first: float | None
    last: float | None


def _cuts(length: int, side: int, overlap: int, multiple: int) -> list[_Cut]:
    """Tiles of at most `side` pixels that share at least `overlap`, on whole multiples."""
    side = side // multiple * multiple
    if length <= side:
        return [_Cut(0, length, None, None)]
    # Rounded starts may be up to `multiple` further apart.
    count = 1 + ceil((length - side) / (side - overlap - multiple))
    last = length - side
    starts = [round(last * number / (count - 1) / multiple) * multiple for number in range(count)]
    middles = [(first + side + second) / 2 for first, second in pairwise(starts)]
    return [
        _Cut(start, start + side, before, after)
        for start, before, after in zip(starts, [None, *middles], [*middles, None], strict=True)
    ]


def _rise(places: Floats, middle: float, fade: float) -> Floats:
    """0 before and 1 after a place, with a ramp `fade` pixels long between."""
    if fade <= 0:
        return np.asarray(places >= middle, np.float32)
    return np.asarray(np.clip((places - middle) / fade + 0.5, 0, 1), np.float32)


def _run(forward: Forward, picture: RGB) -> Floats:
    """(C, h, w) float32 that the network gives for one picture or tile."""
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1)).astype(np.float32)
    planes *= np.float32(1 / 255)
    found: Floats = forward(image=planes[None])["output"][0]
    if np.isnan(found.max()):
        raise ModelFileError(
            "the network gives numbers that are none (NaN).",
            hint='Load it with precision="float32" or "bfloat16"; float16 may overflow.',
        )
    return found


def _bytes(planes: Floats) -> NDArray[np.uint8]:
    """0..1 as 0..255, rounded."""
    scaled = planes * np.float32(255)
    np.rint(scaled, out=scaled)
    np.clip(scaled, 0, 255, out=scaled)
    return scaled.astype(np.uint8)


def _luma(picture: RGB) -> NDArray[np.uint8]:
    """(H, W): 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), as JPEG has it."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _recoloured(luma: NDArray[np.uint8], picture: RGB) -> RGB:
    """A luma with the colours of a picture, which is brought to its size."""
    size = (luma.shape[1], luma.shape[0])
    colors = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    if colors.shape[:2] != luma.shape:
        colors = cv2.resize(colors, size, interpolation=cv2.INTER_CUBIC)
    colors = np.array(colors)
    colors[..., 0] = luma
    return np.asarray(cv2.cvtColor(colors, cv2.COLOR_YCrCb2RGB), np.uint8)
