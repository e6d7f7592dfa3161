"""What typed results look like: a skeleton, a parsing with its legend, a mask, on their picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from mycloset.images import RGB
from mycloset.tasks.canvas import (
    FAINT,
    INK,
    PAPER,
    Color,
    blend,
    checkerboard,
    fade,
    font,
    pill,
    sheet,
    text_size,
    unit,
)
from mycloset.tasks.distances import Distance
from mycloset.tasks.embeddings import Embedding
from mycloset.tasks.flows import Flow
from mycloset.tasks.masks import Mask, Masks
from mycloset.tasks.parsing import HumanParsing
from mycloset.tasks.poses import Pose

LEFT: Color = (255, 128, 20)
RIGHT: Color = (20, 132, 255)
MIDDLE: Color = (70, 190, 110)
EDGE: Color = (24, 26, 32)
OUTLINE: Color = (230, 40, 110)

LEAST_SURE = 0.05
HEAD = ("nose", "eye", "ear", "mouth")
FINE = (*HEAD, "pinky", "index", "thumb", "middle", "ring", "little", "toe", "hand", "face")


def draw_pose(picture: RGB, pose: Pose) -> RGB:
    """The skeleton on a faded picture, of the picture's size.

    The person's left is orange, the right blue, what joins them green; a joint or limb is as
    opaque as it is sure, and one that is less sure than 0.05 is left out.
    """
    return draw_poses(picture, (pose,))


def draw_poses(picture: RGB, people: Sequence[Pose]) -> RGB:
    """The skeletons on a faded picture; see `draw_pose`. Lines grow with the person."""
    height, width = picture.shape[:2]
    scale = unit(height, width)
    drawn = fade(picture, 0.35)
    for pose in reversed(people):
        _skeleton(drawn, pose, scale if len(people) == 1 else min(scale, _breadth(pose)))
    return _key(drawn, (("left", LEFT), ("right", RIGHT)), scale)


def draw_parsing(picture: RGB, parsing: HumanParsing) -> RGB:
    """The classes in colours on the picture, and beside it a legend of those that occur.

    Returns:
        (H, W + legend, 3); the background is faded, the legend names each class and its share of
        the person.
    """
    height, width = picture.shape[:2]
    scale = unit(height, width)
    labels = parsing.labels
    if labels.shape != (height, width):
        resized = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)
        labels = np.asarray(resized, dtype=np.uint8)
    colors = np.array(parsing.table.colors, dtype=np.uint8)
    ground = _ground(parsing)
    body = np.ones_like(labels, dtype=bool) if ground is None else labels != ground
    drawn = np.where(body[..., None], blend(picture, colors[labels], 0.62), fade(picture, 0.6))
    # Where two classes meet, a line in white keeps like colours apart.
    kernel = np.ones((3, 3), np.uint8)
    meet = np.asarray(cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, kernel)) > 0
    if scale >= 1.5:
        meet = np.asarray(cv2.dilate(meet.astype(np.uint8), kernel)) > 0
    drawn = np.where(meet[..., None], np.uint8(255), drawn).astype(np.uint8)
    counts = np.bincount(labels[body].ravel(), minlength=len(parsing.table.labels))
    total = max(1, int(counts.sum()))
    shares = [
        (parsing.table.labels[number], colors[number], int(counts[number]) / total)
        for number in np.argsort(-counts, kind="stable")
        if counts[number] > 0
    ]
    return np.concatenate([drawn, _legend(height, shares, scale)], axis=1)


def draw_embedding(picture: RGB, embedding: Embedding) -> RGB:
    """The picture, and beneath it the vector as a strip: blue below 0, red above, white at 0."""
    height, width = picture.shape[:2]
    strip = max(12, round(36 * unit(height, width)))
    places = np.arange(width) * len(embedding.vector) // width
    values = embedding.vector[places]
    share = np.clip(values / max(float(np.abs(embedding.vector).max()), 1e-12), -1.0, 1.0)
    paint = np.where(share[:, None] > 0, np.array(OUTLINE), np.array(RIGHT))
    line = 255 + (paint - 255) * np.abs(share)[:, None]
    row = np.broadcast_to(line[None], (strip, width, 3)).round().astype(np.uint8)
    return np.concatenate([picture, row], axis=0)


def draw_distance(picture: RGB, distance: Distance) -> RGB:
    """The faded picture, red where the other one differs most from it."""
    places = distance.places
    most = float(places.max())
    share = np.clip(places / most, 0.0, 1.0) if most > 0 else np.zeros_like(places)
    return blend(fade(picture, 0.4), OUTLINE, 0.85 * share)


def draw_mask(picture: RGB, mask: Mask) -> RGB:
    """What the mask covers, cut out on a checkerboard, with its outline; of the picture's size."""
    height, width = picture.shape[:2]
    scale = unit(height, width)
    board = checkerboard(height, width, max(4, round(18 * scale)))
    drawn = blend(board, picture, mask.alpha)
    contours, _ = cv2.findContours(
        mask.binary.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    cv2.drawContours(drawn, contours, -1, OUTLINE, max(2, round(2.5 * scale)), cv2.LINE_AA)
    return drawn


def draw_flow(picture: RGB, flow: Flow) -> RGB:
    """The picture, and beside it where its pixels went: hue by direction, paler the less far."""
    speed = flow.speed
    most = max(float(np.percentile(speed, 99.0)), 1e-6)
    angle = np.arctan2(-flow.pixels[..., 1], -flow.pixels[..., 0]) / (2 * np.pi) + 0.5
    hsv = np.stack(
        [angle * 179, np.clip(speed / most, 0, 1) * 255, np.full_like(speed, 255)], -1
    ).astype(np.uint8)
    return np.concatenate([picture, np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))], axis=1)


def draw_masks(picture: RGB, masks: Masks) -> RGB:
    """The masks in colours on the picture, the largest below, each with its outline."""
    height, width = picture.shape[:2]
    thick = max(1, round(1.5 * unit(height, width)))
    drawn = fade(picture, 0.25)
    order = sorted(range(len(masks)), key=lambda number: -masks[number].area)
    for number in order:
        mask = masks[number]
        hue = np.array([[[round(number * 180 * 0.618) % 180, 190, 235]]], np.uint8)
        tint = np.asarray(cv2.cvtColor(hue, cv2.COLOR_HSV2RGB))[0, 0]
        color = (int(tint[0]), int(tint[1]), int(tint[2]))
        drawn = blend(drawn, color, 0.55 * mask.alpha)
        contours, _ = cv2.findContours(
            mask.binary.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(drawn, contours, -1, color, thick, cv2.LINE_AA)
    return drawn


def _skeleton(drawn: RGB, pose: Pose, scale: float) -> None:
    """Draw limbs and joints into `drawn`."""
    for first, second in pose.skeleton.limbs:
        sure = min(pose.sure(first), pose.sure(second))
        if sure >= LEAST_SURE:
            thick = scale * (1.5 if _tiny(first) else 3.0 if _fine(first) else 7.0)
            _limb(drawn, pose.point(first), pose.point(second), _side(first, second), thick, sure)
    for joint, sure in zip(pose.skeleton.joints, pose.confidence, strict=True):
        if sure >= LEAST_SURE:
            radius = scale * (1.2 if _tiny(joint) else 3.5 if _fine(joint) else 7.0)
            point = pose.point(joint)
            _limb(drawn, point, point, _side(joint, joint), 2 * radius, float(sure))


def _fine(joint: str) -> bool:
    return any(name in joint for name in FINE)


def _tiny(joint: str) -> bool:
    return joint.startswith("face_")


def _breadth(pose: Pose) -> float:
    """A scale for lines by the reach of a person's seen joints."""
    seen = pose.points[pose.confidence >= LEAST_SURE]
    reach = float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0
    return max(0.3, reach / 500.0)


def _side(first: str, second: str) -> Color:
    sides = {side for name in (first, second) for side in ("left", "right") if side in name}
    if sides == {"left"}:
        return LEFT
    return RIGHT if sides == {"right"} else MIDDLE


def _limb(
    drawn: RGB,
    start: np.ndarray[tuple[int], np.dtype[np.float32]],
    end: np.ndarray[tuple[int], np.dtype[np.float32]],
    color: Color,
    thick: float,
    sure: float,
) -> None:
    """Draw one line (or dot) with a dark edge into `drawn`, blended by `sure`, in its own box."""
    height, width = drawn.shape[:2]
    reach = thick / 2 + 4
    low = np.floor(np.minimum(start, end) - reach).astype(int).clip(0, (width, height))
    high = np.ceil(np.maximum(start, end) + reach).astype(int).clip(0, (width, height))
    if (high <= low).any():
        return
    box = drawn[low[1] : high[1], low[0] : high[0]]
    painted = box.copy()
    # cv2 takes fixed-point coordinates: four fractional bits are a sixteenth of a pixel.
    first, second = (tuple(int(v) for v in np.round((point - low) * 16)) for point in (start, end))
    for paint, extra in ((EDGE, max(1.0, 0.35 * thick)), (color, 0.0)):
        width_ = max(1, round(thick + extra))
        cv2.line(painted, first, second, paint, width_, cv2.LINE_AA, 4)
    box[:] = blend(box, painted, min(1.0, 0.15 + 0.85 * sure))


def _ground(parsing: HumanParsing) -> int | None:
    found = [n for n, label in enumerate(parsing.table.labels) if label == "background"]
    return found[0] if found else None


def _legend(
    height: int, shares: list[tuple[str, np.ndarray[tuple[int], np.dtype[np.uint8]], float]],
    scale: float,
) -> RGB:  # fmt: skip
    size = round(21 * scale)
    line = round(1.75 * size)
    if shares and line * len(shares) > height:
        line = max(10, height // len(shares))
        size = max(9, round(line / 1.75))
    names = [name.replace("-", " ") for name, _, _ in shares]
    widest = max((text_size(name, size)[0] for name in names), default=0)
    percent = text_size("100 %", size)[0]
    pad, box = round(16 * scale), size
    width = pad + box + pad // 2 + widest + pad + percent
    image = Image.fromarray(sheet(height, width))
    draw = ImageDraw.Draw(image)
    for row, (name, (_, color, share)) in enumerate(zip(names, shares, strict=True)):
        y = row * line
        if y + size > height:
            break
        draw.rounded_rectangle(
            (pad, y, pad + box, y + box), radius=box // 5, fill=tuple(int(c) for c in color)
        )
        draw.text((pad + box + pad // 2, y), name, fill=INK, font=font(size))
        figure = f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"
        draw.text((width, y), figure, fill=FAINT, font=font(size), anchor="ra")
    return np.asarray(image)


def _key(drawn: RGB, entries: tuple[tuple[str, Color], ...], scale: float) -> RGB:
    """Write which colour means what into the lower left corner, on paper."""
    size, pad = round(19 * scale), round(10 * scale)
    widths = [size + pad // 2 + text_size(name, size)[0] for name, _ in entries]
    height, width = size + 2 * pad, sum(widths) + pad * (len(entries) + 1)
    if height + pad > drawn.shape[0] or width + pad > drawn.shape[1]:
        return drawn
    top = drawn.shape[0] - pad - height
    pill(drawn, (pad, top, pad + width, top + height), pad * 0.7, PAPER)
    starts = [2 * pad + sum(widths[:number]) + pad * number for number in range(len(widths))]
    for x, (_, color) in zip(starts, entries, strict=True):
        pill(drawn, (x, top + pad, x + size, top + pad + size), size / 2, color)
    image = Image.fromarray(drawn)
    draw = ImageDraw.Draw(image)
    for x, (name, _) in zip(starts, entries, strict=True):
        place = (x + size + pad // 2, top + pad + size / 2)
        draw.text(place, name, fill=INK, font=font(size), anchor="lm")
    return np.asarray(image)
