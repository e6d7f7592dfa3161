"""Rounded solids seen from the front; each has a closed form, so that nothing is traced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.wardrobe.curves import Floats, blur, floats, smoothstep
from mycloset.wardrobe.patches import FAR, Frame, Patch

_STEP = 0.02
"""cm between the entries of a profile's table."""


@dataclass(frozen=True)
class Stack:
    """Ellipses threaded on an axis in the picture plane: a torso, a head, a skirt.

    Attributes:
        origin: (x, y, z) in cm of the axis' start.
        lean: degrees by which the axis leans; positive moves its lower end to the left.
        yaw: degrees by which the solid is turned; positive turns its front to the picture's right.
        start, stop: cm along the axis.
        half_width, half_depth: cm at each place along the axis (functions of it).
        tilt: degrees by which the slices slope, at `start` and at `stop`; positive sinks the right.
        bow: cm by which the axis' middle lies to the right.
        camera: cm along the axis at which the camera's height is, and its distance; foreshortens
            the own coordinates as a camera at that distance would.
    """

    origin: tuple[float, float, float]
    lean: float
    yaw: float
    start: float
    stop: float
    half_width: Callable[[Floats], Floats]
    half_depth: Callable[[Floats], Floats]
    tilt: tuple[float, float] = (0.0, 0.0)
    bow: float = 0.0
    camera: tuple[float, float] = (20.0, 300.0)

    def place(self, across: float, along: float, depth: float) -> Floats:
        """(3,) camera position of a point given in the stack's own frame (before its tilt)."""
        c, s = np.cos(np.deg2rad(self.yaw)), np.sin(np.deg2rad(self.yaw))
        u = across * c + depth * s
        z = -across * s + depth * c
        share = (along - self.start) / (self.stop - self.start)
        slope = np.tan(np.deg2rad(self.tilt[0] + (self.tilt[1] - self.tilt[0]) * share))
        v = along + u * slope
        u += self.bow * np.sin(np.pi * np.clip(share, 0, 1))
        lean = np.deg2rad(self.lean)
        x = self.origin[0] + u * np.cos(lean) - v * np.sin(lean)
        y = self.origin[1] + u * np.sin(lean) + v * np.cos(lean)
        return floats([x, y, self.origin[2] + z])

    def seen(self, frame: Frame) -> Patch | None:
        """The front surface, or None where none of it is in the picture."""
        table_v = np.arange(self.start, self.stop + _STEP, _STEP, dtype=np.float32)
        table_a, table_b = floats(self.half_width(table_v)), floats(self.half_depth(table_v))
        slope_a, slope_b = np.gradient(table_a, _STEP), np.gradient(table_b, _STEP)
        reach = float(np.maximum(table_a, table_b).max()) + 2.0
        ends = np.stack(
            [self.place(a, v, 0.0) for a in (-reach, reach) for v in (self.start, self.stop)]
        )
        low, high = ends.min(axis=0) - abs(self.bow), ends.max(axis=0) + abs(self.bow)
        window = frame.window(float(low[0]), float(low[1]) - 1, float(high[0]), float(high[1]) + 1)
        if window.empty:
            return None
        x, y = window.grid()
        lean = np.deg2rad(self.lean)
        cl, sl = np.float32(np.cos(lean)), np.float32(np.sin(lean))
        u = (x - self.origin[0]) * cl + (y - self.origin[1]) * sl
        v = -(x - self.origin[0]) * sl + (y - self.origin[1]) * cl
        share = np.clip((v - self.start) / (self.stop - self.start), 0, 1)
        if self.bow:
            u = u - np.float32(self.bow) * np.sin(np.float32(np.pi) * share)
        if any(self.tilt):
            t0, t1 = np.tan(np.deg2rad(self.tilt))
            v = v - u * (np.float32(t0) + np.float32(t1 - t0) * share)
        row = np.clip(((v - self.start) / _STEP).astype(np.int32), 0, len(table_v) - 1)
        a, b = table_a[row], table_b[row]
        c = np.float32(np.cos(np.deg2rad(self.yaw)))
        s = np.float32(np.sin(np.deg2rad(self.yaw)))
        ia, ib = 1 / (a * a), 1 / (b * b)
        quad = s * s * ia + c * c * ib
        half = u * c * s * (ia - ib)
        inside = half * half - quad * (u * u * (c * c * ia + s * s * ib) - 1)
        there = (inside > 0) & (v >= self.start) & (v <= self.stop)
        z = (half + np.sqrt(np.maximum(inside, 0))) / quad
        own_x = u * c - z * s
        own_z = u * s + z * c
        gx, gz = own_x * ia, own_z * ib
        gv = -(own_x * own_x * ia * slope_a[row] / a + own_z * own_z * ib * slope_b[row] / b)
        nu, nz = gx * c + gz * s, -gx * s + gz * c
        nx, ny = nu * cl - gv * sl, nu * sl + gv * cl
        length = np.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-9)
        turn = np.arctan2(own_x / a, own_z / b)
        seen_v = v - z * (v - self.camera[0]) / self.camera[1]
        return Patch(
            window,
            np.where(there, z + np.float32(self.origin[2]), FAR).astype(np.float32),
            floats(nx / length),
            floats(ny / length),
            floats(nz / length),
            own_x.astype(np.float32),
            seen_v.astype(np.float32),
            turn.astype(np.float32),
        )


@dataclass(frozen=True)
class Tube:
    """A round tube along a line of joints: an arm, a leg, a finger, a lock of hair.

    Attributes:
        joints: (K, 3) in cm.
        radius: cm as a function of cm along the line.
        outer: +1 or -1: which side counts as the outer one (+1 is the picture's right of a tube
            that hangs down).
        start: what `along` is at the first joint.
    """

    joints: Floats
    radius: Callable[[Floats], Floats]
    outer: float = 1.0
    start: float = 0.0

    @property
    def lengths(self) -> Floats:
        """(K - 1,) cm of each bone."""
        return floats(np.linalg.norm(np.diff(self.joints, axis=0), axis=1))

    def seen(self, frame: Frame) -> Patch | None:
        """The front surface, or None where none of it is in the picture."""
        lengths = self.lengths
        total = float(lengths.sum())
        table_t = np.arange(-8.0, total + 8.0, 0.05, dtype=np.float32)
        table_r = np.maximum(floats(self.radius(table_t)), np.float32(0.05))
        slope_r = np.gradient(table_r, 0.05).astype(np.float32)
        reach = float(table_r.max()) + 0.5
        low, high = self.joints.min(axis=0) - reach, self.joints.max(axis=0) + reach
        window = frame.window(float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        if window.empty:
            return None
        x, y = window.grid()
        shape = (y.shape[0], x.shape[1])
        z = np.full(shape, FAR, np.float32)
        nx, ny, nz = (np.zeros(shape, np.float32) for _ in range(3))
        across, along = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        before = 0.0
        for bone, length in enumerate(lengths):
            bone_start, bone_end = self.joints[bone], self.joints[bone + 1]
            box_low = np.minimum(bone_start, bone_end) - reach
            box_high = np.maximum(bone_start, bone_end) + reach
            part = frame.window(*(float(v) for v in (*box_low[:2], *box_high[:2])))
            rows = slice(part.rows.start - window.rows.start, part.rows.stop - window.rows.start)
            columns = slice(
                part.columns.start - window.columns.start, part.columns.stop - window.columns.start
            )
            if part.empty:
                before += float(length)
                continue
            here = (rows, columns)
            px, py = x[:, columns] - bone_start[0], y[rows] - bone_start[1]
            axis = (bone_end - bone_start) / max(float(length), 1e-6)
            found = _bone(px, py, axis, float(length), before, table_t, table_r, slope_r)
            bz, bnx, bny, bnz, bphi, bt = found
            bz = bz + bone_start[2]
            nearer = bz > z[here]
            for target, value in (
                (z, bz), (nx, bnx), (ny, bny), (nz, bnz), (across, bphi), (along, bt),
            ):  # fmt: skip
                target[here] = np.where(nearer, value, target[here])
            before += float(length)
        across *= np.float32(self.outer)
        nx, ny, nz = _softened((nx, ny, nz), z > FAR / 2, 0.16 * reach * frame.scale)
        return Patch(window, z, nx, ny, nz, across, along + np.float32(self.start), across)


def _softened(
    normal: tuple[Floats, Floats, Floats], there: NDArray[np.bool_], sigma: float
) -> tuple[Floats, Floats, Floats]:
    """Normals without the edges that bones leave where they meet."""
    weight = there.astype(np.float32)
    total = blur(weight, sigma) + np.float32(1e-3)
    nx, ny, nz = (blur(part * weight, sigma) / total for part in normal)
    length = np.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-6)
    # Near the outline the average would look inwards; there the exact normals stay.
    inner = smoothstep(0.80, 0.98, total)
    mixed = [
        old + (new / length - old) * inner for old, new in zip(normal, (nx, ny, nz), strict=True)
    ]
    length = np.sqrt(sum(part * part for part in mixed)) + np.float32(1e-6)
    return mixed[0] / length, mixed[1] / length, mixed[2] / length


def _bone(
    px: Floats,
    py: Floats,
    axis: Floats,
    length: float,
    before: float,
    table_t: Floats,
    table_r: Floats,
    slope_r: Floats,
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Depth, normal, angle and place along of one tapered bone with round ends."""
    ax, ay, az = (float(v) for v in axis)
    flat = float(np.hypot(ax, ay))
    c = max(flat, 0.35)
    s = float(np.sign(az)) * float(np.sqrt(1 - c * c)) if flat < 0.9999 else 0.0
    dx, dy = (ax / flat, ay / flat) if flat > 1e-4 else (0.0, 1.0)
    along2 = px * np.float32(dx) + py * np.float32(dy)
    side = px * np.float32(dy) - py * np.float32(dx)

    def row(t: Floats) -> NDArray[np.int32]:
        index = ((t + np.float32(before) - table_t[0]) * np.float32(20)).astype(np.int32)
        return np.asarray(np.clip(index, 0, len(table_t) - 1), np.int32)

    axial = floats(along2 / np.float32(c))
    for _ in range(2 if s else 1):
        radius = table_r[row(floats(np.clip(axial, 0, length)))]
        q = np.sqrt(np.maximum(radius * radius - side * side, 0))
        axial = floats((along2 + np.float32(s) * q) / np.float32(c))
    place = floats(np.clip(axial, 0, length))
    at = row(place)
    radius = table_r[at]
    q2 = radius * radius - side * side
    tube = (axial >= 0) & (axial <= length) & (q2 > 0)
    z_tube = (along2 * np.float32(s) + np.sqrt(np.maximum(q2, 0))) / np.float32(c)
    # Beyond its ends the bone is a ball.
    first, last = table_r[row(np.zeros(1, np.float32))][0], table_r[row(floats([length]))][0]
    z0, z1 = np.float32(0), np.float32(length * s)
    end_x, end_y = np.float32(dx * c * length), np.float32(dy * c * length)
    ball0 = first * first - px * px - py * py
    ball1 = last * last - (px - end_x) ** 2 - (py - end_y) ** 2
    zb0 = np.where(ball0 > 0, z0 + np.sqrt(np.maximum(ball0, 0)), FAR)
    zb1 = np.where(ball1 > 0, z1 + np.sqrt(np.maximum(ball1, 0)), FAR)
    z_body = np.where(tube, z_tube, FAR)
    z = np.maximum(np.maximum(z_body, zb0), zb1)
    # From the surface point everything else follows.
    a3 = (np.float32(dx * c), np.float32(dy * c), np.float32(s))
    full = px * a3[0] + py * a3[1] + z * a3[2]
    t = floats(np.clip(full, 0, length))
    ex, ey, ez = px - t * a3[0], py - t * a3[1], z - t * a3[2]
    size = np.sqrt(ex * ex + ey * ey + ez * ez) + np.float32(1e-6)
    taper = np.where(z_body >= z, slope_r[row(t)], 0)
    nx, ny, nz = ex / size - taper * a3[0], ey / size - taper * a3[1], ez / size - taper * a3[2]
    length3 = np.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-6)
    # The angle is measured from the direction that faces the viewer most.
    front = (-a3[2] * a3[0], -a3[2] * a3[1], np.float32(c * c))
    norm = np.float32(max(np.sqrt(front[0] ** 2 + front[1] ** 2 + front[2] ** 2), 1e-6))
    fx, fy, fz = front[0] / norm, front[1] / norm, front[2] / norm
    sx, sy = np.float32(dy), np.float32(-dx)
    phi = np.arctan2(ex * sx + ey * sy, ex * fx + ey * fy + ez * fz)
    return z, nx / length3, ny / length3, nz / length3, phi, full + np.float32(before)


def ellipsoid(
    frame: Frame,
    center: ArrayLike,
    radii: tuple[float, float, float],
    angle: float = 0.0,
) -> Patch | None:
    """Front surface of an ellipsoid, turned by `angle` degrees in the picture plane.

    `across` and `along` are cm from the middle along its own first and second axis.
    """
    cx, cy, cz = (float(v) for v in floats(center))
    reach = max(radii[0], radii[1]) + 0.3
    window = frame.window(cx - reach, cy - reach, cx + reach, cy + reach)
    if window.empty:
        return None
    x, y = window.grid()
    c, s = np.float32(np.cos(np.deg2rad(angle))), np.float32(np.sin(np.deg2rad(angle)))
    u = (x - cx) * c + (y - cy) * s
    v = -(x - cx) * s + (y - cy) * c
    rest = 1 - (u / radii[0]) ** 2 - (v / radii[1]) ** 2
    height = radii[2] * np.sqrt(np.maximum(rest, 0))
    gu, gv, gz = u / radii[0] ** 2, v / radii[1] ** 2, height / radii[2] ** 2
    nx, ny = gu * c - gv * s, gu * s + gv * c
    length = np.sqrt(nx * nx + ny * ny + gz * gz) + np.float32(1e-9)
    z = np.where(rest > 0, height + cz, FAR).astype(np.float32)
    normal = (floats(nx / length), floats(ny / length), floats(gz / length))
    return Patch(window, z, *normal, floats(u), floats(v), floats(u))
