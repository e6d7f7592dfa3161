"""Collects the surfaces of a scene, nearest first, and lights them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.wardrobe.curves import Floats, blur, floats, smoothstep
from mycloset.wardrobe.patches import FAR, Frame, Patch

# What a surface is made of decides how it answers light.
CLOTH, SKIN, HAIR, SHOE = range(4)

LABELS = (
    "background", "hat", "hair", "sunglasses", "upper-clothes", "skirt", "pants", "dress",
    "belt", "left-shoe", "right-shoe", "face", "left-leg", "right-leg", "left-arm",
    "right-arm", "bag", "scarf", "neck",
)  # fmt: skip
"""Names of the part numbers: those of ATR-18 in their order, then the skin of neck and chest."""


@dataclass(frozen=True)
class Light:
    """One lamp and the light that is everywhere.

    Attributes:
        azimuth: degrees from straight ahead; positive comes from the picture's right.
        elevation: degrees above the camera.
        strength: of the lamp.
        ambient: of the light from everywhere.
        warmth: -1 (blue) .. 1 (orange), the lamp's tint.
    """

    azimuth: float = -35.0
    elevation: float = 38.0
    strength: float = 0.80
    ambient: float = 0.36
    warmth: float = 0.15

    @property
    def direction(self) -> Floats:
        """(3,) unit vector towards the lamp."""
        a, e = np.deg2rad(self.azimuth), np.deg2rad(self.elevation)
        return floats([np.sin(a) * np.cos(e), -np.sin(e), np.cos(a) * np.cos(e)])

    @property
    def tint(self) -> Floats:
        """(3,) factor on the lamp's light."""
        return floats([1 + 0.08 * self.warmth, 1.0, 1 - 0.12 * self.warmth])


class Stage:
    """The nearest surface at every pixel: depth, normal, colour, label, place in its cloth."""

    def __init__(self, frame: Frame) -> None:
        height, width = frame.size
        self.frame = frame
        self.z = np.full((height, width), FAR, np.float32)
        self.normal = np.zeros((height, width, 3), np.float32)
        self.color = np.zeros((height, width, 3), np.float32)
        self.label = np.zeros((height, width), np.uint8)
        self.material = np.zeros((height, width), np.uint8)
        self.group = np.zeros((height, width), np.uint8)
        self.cloth_at = np.full((height, width, 2), np.nan, np.float32)

    def put(
        self,
        patch: Patch | None,
        color: ArrayLike,
        label: str,
        *,
        material: int = CLOTH,
        group: int = 0,
        blend: ArrayLike = 0.0,
        cloth_at: tuple[Floats, Floats] | None = None,
        covers: tuple[str, ...] = (),
    ) -> None:
        """Add a surface where it is nearer than what is there.

        Args:
            patch: the surface; None adds nothing.
            color: (3,) or (h, w, 3) linear light.
            label: one of LABELS.
            material: CLOTH, SKIN, HAIR or SHOE.
            group: surfaces of one group melt into each other.
            blend: cm of depth over which they do; a number or (h, w).
            cloth_at: x and y in cm of the flat garment, NaN where its front does not show.
            covers: labels that lie under this surface whatever the depths say: what is worn is
                always outside of what it is worn on.
        """
        if patch is None:
            return
        here = (patch.window.rows, patch.window.columns)
        old_z = self.z[here]
        there = patch.there
        if covers:
            beneath = np.isin(self.label[here], [LABELS.index(name) for name in covers]) & there
            patch.z = np.where(beneath, np.maximum(patch.z, old_z + np.float32(0.3)), patch.z)
        difference = patch.z - old_z
        softness = np.broadcast_to(floats(blend), old_z.shape)
        wins = there & (difference > 0)
        melts = there & (self.group[here] == group) & (np.abs(difference) < softness)
        if melts.any():
            self._melt(patch, np.nonzero(melts), difference, softness)
            plain = wins & ~melts
        else:
            plain = wins
        rows, columns = np.nonzero(plain)
        at = (rows + patch.window.rows.start, columns + patch.window.columns.start)
        self.normal[at] = np.stack(
            [part[rows, columns] for part in (patch.nx, patch.ny, patch.nz)], axis=-1
        )
        self.z[at] = patch.z[rows, columns]
        rows, columns = np.nonzero(wins)
        at = (rows + patch.window.rows.start, columns + patch.window.columns.start)
        color = floats(color)
        self.color[at] = color if color.ndim == 1 else color[rows, columns]
        self.label[at] = LABELS.index(label)
        self.material[at] = material
        self.group[at] = group
        if cloth_at is None:
            self.cloth_at[at] = np.nan
        else:
            self.cloth_at[at] = np.stack([part[rows, columns] for part in cloth_at], axis=-1)

    def _melt(
        self,
        patch: Patch,
        where: tuple[NDArray[np.intp], ...],
        difference: Floats,
        softness: Floats,
    ) -> None:
        """Round the crease between the surface and what is there."""
        at = (where[0] + patch.window.rows.start, where[1] + patch.window.columns.start)
        k = softness[where]
        share = 0.5 + 0.5 * difference[where] / k
        new = np.stack([part[where] for part in (patch.nx, patch.ny, patch.nz)], axis=-1)
        mixed = self.normal[at] * (1 - share)[:, None] + new * share[:, None]
        self.normal[at] = mixed / (np.linalg.norm(mixed, axis=1, keepdims=True) + 1e-6)
        depth = self.z[at] * (1 - share) + patch.z[where] * share
        self.z[at] = depth + k * share * (1 - share)

    @property
    def there(self) -> NDArray[np.bool_]:
        """(H, W) bool: where anything is."""
        return self.z > FAR / 2

    def lit(self, light: Light) -> Floats:
        """(H, W, 3) linear light of the surfaces; zero where there are none."""
        rows = np.flatnonzero(self.there.any(axis=1))
        picture = np.zeros_like(self.color)
        if rows.size == 0:
            return picture
        columns = np.flatnonzero(self.there.any(axis=0))
        pad = round(6 * self.frame.scale)
        box = (
            slice(max(0, rows[0] - pad), rows[-1] + pad),
            slice(max(0, columns[0] - pad), columns[-1] + pad),
        )
        picture[box] = self._lit_box(light, box)
        return picture

    def _lit_box(self, light: Light, box: tuple[slice, slice]) -> Floats:
        there = self.there[box]
        lamp = light.direction
        sky_map, lamp_map = _occlusion(self.z[box], there, lamp, self.frame.scale)
        normal, material = self.normal[box][there], self.material[box][there]
        open_sky, lamp_seen = sky_map[there], lamp_map[there]
        facing = normal @ lamp
        skin = material == SKIN
        wrap = np.where(skin, np.float32(0.22), np.float32(0.10))
        diffuse = np.clip((facing + wrap) / (1 + wrap), 0, 1)
        key = np.float32(light.strength * 1.35) * diffuse * lamp_seen
        # A weak light from the other side keeps shadows from going flat.
        other = floats([-lamp[0], -0.1, 0.55])
        fill = np.clip(normal @ (other / np.float32(np.linalg.norm(other))), 0, 1)
        sky = np.float32(light.ambient) * (0.72 - 0.28 * normal[:, 1]) + 0.16 * fill
        total = key[:, None] * light.tint + (sky * open_sky)[:, None]
        # Light that wanders under the skin comes out red at the edge of the shadow.
        edge = np.exp(-((facing[skin] - 0.05) ** 2) / 0.06) * open_sky[skin]
        total[skin] += (0.16 * light.strength * edge)[:, None] * floats([1.0, 0.30, 0.18])
        lit = self.color[box][there] * total
        half = lamp + floats([0, 0, 1])
        shine = np.clip(normal @ (half / np.float32(np.linalg.norm(half))), 0, 1)
        for kind, strength, power in ((SKIN, 0.055, 18), (HAIR, 0.05, 10), (SHOE, 0.10, 30)):
            glossy = material == kind
            lit[glossy] += (strength * shine[glossy] ** power * lamp_seen[glossy])[:, None]
        picture = np.zeros((*there.shape, 3), np.float32)
        picture[there] = lit
        return picture


def _occlusion(
    z: Floats, there: NDArray[np.bool_], lamp: Floats, scale: float
) -> tuple[Floats, Floats]:
    """Shares (H, W) of the sky and of the lamp that each point sees, from the depths alone."""
    height, width = z.shape
    step = max(1, round(scale / 3.5))
    size = (max(1, width // step), max(1, height // step))
    inside = cv2.resize(there.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    floor = np.float32(-14.0)
    low = cv2.resize(np.where(there, z, floor), size, interpolation=cv2.INTER_AREA)
    cell = scale / step
    open_sky = np.ones(size[::-1], np.float32)
    for reach, strength in ((1.6, 0.40), (4.5, 0.40), (10.0, 0.22)):
        weight = blur(inside, reach * cell) + 0.05
        around = blur(low * inside, reach * cell) / weight
        open_sky *= 1 - strength * smoothstep(0.1 * reach, 2.2 * reach, around - low)
    shadow = np.zeros(size[::-1], np.float32)
    flat = float(np.hypot(lamp[0], lamp[1])) + 1e-6
    rise = float(lamp[2]) / flat
    for distance in (1.2, 2.4, 3.8, 5.5, 7.5, 10.0, 13.0, 17.0):
        dx, dy = lamp[0] / flat * distance * cell, lamp[1] / flat * distance * cell
        move = np.array([[1, 0, -dx], [0, 1, -dy]], np.float32)
        moved = cv2.warpAffine(
            low,
            move,
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=-100,
        )
        above = moved - low - np.float32(distance * rise)
        shadow = np.maximum(shadow, smoothstep(0.4, 1.2 + 0.25 * distance, above))
    shadow = blur(shadow, 0.5 * cell)

    def full(small: Floats) -> Floats:
        return floats(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))

    return full(open_sky), 1 - np.float32(0.72) * full(shadow)
