"""Every intermediate result of a try-on as a picture that a person can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mycloset.images import RGB
from mycloset.tasks.canvas import blend, fit, frame, sheet, unit
from mycloset.tasks.drawing import draw_mask, draw_parsing, draw_pose
from mycloset.tasks.quality import QualityReport
from mycloset.tryon.drawing_matching import draw_matching
from mycloset.tryon.quality_card import quality_card
from mycloset.tryon.state import TryOnState

GREY = (176, 178, 182)


class Panel(NamedTuple):
    """One picture before it is framed."""

    title: str
    note: str
    picture: RGB


def step_pictures(state: TryOnState) -> dict[str, RGB]:
    """One framed and titled picture for every step that has brought something, by file name.

    `01_human_parsing`, `02_pose_estimation`, `03_cloth_segmentation`, `04_geometric_matching`,
    `05_cloth_warping`, `06_virtual_fitting`, `07_post_processing` and `08_quality_assessment`;
    what the state does not hold is left out. Pictures keep the resolution of their source; only
    the matching is drawn at up to 1600 pixels.
    """
    panels = _panels(state)
    return {
        name: frame(panel.picture, f"{int(name[:2])}  {panel.title}", panel.note)
        for name, panel in panels.items()
    }


def contact_sheet(state: TryOnState, *, columns: int = 5, side: int = 560) -> RGB:
    """Both given pictures and every step's on one sheet.

    Args:
        columns: how many pictures stand in a row.
        side: height of a picture on the sheet, in pixels; what is very wide is made smaller.
    """
    given = {
        "person": Panel("Person", _size(state.person_picture.rgb), state.person_picture.rgb),
        "garment": Panel("Garment", _size(state.garment_picture.rgb), state.garment_picture.rgb),
    }
    framed = []
    for name, panel in (given | _panels(state)).items():
        number = f"{int(name[:2])}  " if name[:2].isdigit() else ""
        small = fit(panel.picture, side, round(1.25 * side))
        framed.append(frame(small, number + panel.title, "", scale=side / 760))
    return _tile(framed, columns)


def _panels(state: TryOnState) -> dict[str, Panel]:
    makers: dict[str, Callable[[TryOnState], Panel | None]] = {
        "01_human_parsing": _parsing,
        "02_pose_estimation": _pose,
        "03_cloth_segmentation": _cloth,
        "04_geometric_matching": _matching,
        "05_cloth_warping": _warped,
        "06_virtual_fitting": _fitted,
        "07_post_processing": _final,
        "08_quality_assessment": _quality,
    }
    made = {name: maker(state) for name, maker in makers.items()}
    return {name: panel for name, panel in made.items() if panel is not None}


def _parsing(state: TryOnState) -> Panel | None:
    if state.parsing is None:
        return None
    picture = draw_parsing(state.person_picture.rgb, state.parsing)
    return Panel("Human parsing", _sure(state.parsing.confidence), picture)


def _pose(state: TryOnState) -> Panel | None:
    if state.pose is None:
        return None
    picture = draw_pose(state.person_picture.rgb, state.pose)
    return Panel("Pose", f"{state.pose.skeleton.name}, {_sure(state.pose.score)}", picture)


def _cloth(state: TryOnState) -> Panel | None:
    if state.cloth_mask is None:
        return None
    picture = draw_mask(state.garment_picture.rgb, state.cloth_mask)
    note = f"{100 * state.cloth_mask.area:.0f} % of the picture"
    return Panel("Cloth mask", f"{note}, {_sure(state.cloth_mask.confidence)}", picture)


def _matching(state: TryOnState) -> Panel | None:
    if state.matching is None:
        return None
    picture = draw_matching(
        state.person_picture.rgb,
        state.garment_picture.rgb,
        state.matching,
        state.warped,
        state.cloth_mask,
    )
    count = sum(len(part.source) for part in state.matching.parts)
    parts = ", ".join(part.name.replace("_", " ") for part in state.matching.parts)
    return Panel("Control points and grid", f"{count} points: {parts}", picture)


def _warped(state: TryOnState) -> Panel | None:
    if state.warped is None:
        return None
    ground = np.full_like(state.warped.rgb, GREY)
    picture = blend(ground, state.warped.rgb, state.warped.alpha)
    return Panel("Warped garment", f"{100 * state.warped.alpha.mean():.0f} % of the photo", picture)


def _fitted(state: TryOnState) -> Panel | None:
    if state.fitted is None:
        return None
    share = float((state.fitted.changed > 0).mean())
    return Panel("Fitted", f"{100 * share:.0f} % of the photo changed", state.fitted.rgb)


def _final(state: TryOnState) -> Panel | None:
    if state.final is None:
        return None
    return Panel("Result", _size(state.final), state.final)


def _quality(state: TryOnState) -> Panel | None:
    if not isinstance(state.quality, QualityReport):
        return None
    scale = unit(*state.person_picture.rgb.shape[:2])
    return Panel("Quality", "", quality_card(state.quality, max(640, round(768 * scale))))


def _sure(confidence: float) -> str:
    return f"{100 * confidence:.0f} % sure"


def _size(picture: RGB) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]}"


def _tile(pictures: list[RGB], columns: int) -> RGB:
    """Pictures in rows, each row as high as its highest, on one paper."""
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    heights = [max(picture.shape[0] for picture in row) for row in rows]
    paper = sheet(sum(heights), max(sum(picture.shape[1] for picture in row) for row in rows))
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for picture in row:
            paper[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
            left += picture.shape[1]
        top += height
    return paper
