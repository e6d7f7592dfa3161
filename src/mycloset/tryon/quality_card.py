"""The judgement as a card: the grade large, a bar for every part, what to do better."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from mycloset.images import RGB
from mycloset.tasks.canvas import FAINT, INK, RULE, Color, font, pill, plain, sheet, text_size, wrap
from mycloset.tasks.quality import QualityPart, QualityReport

GRADE_COLORS: dict[str, Color] = {
    "A": (34, 139, 84),
    "B": (104, 159, 56),
    "C": (203, 153, 20),
    "D": (222, 119, 24),
    "E": (212, 78, 42),
    "F": (176, 36, 46),
}
LEFT, RIGHT = 0.34, 0.80  # Where the bars begin and end, in shares of the width.

TITLES = {
    "identity": "Person unchanged",
    "coverage": "Coverage",
    "remnants": "Old garment gone",
    "colour": "Colour",
    "colour_tone": "Colour without light",
    "texture": "Pattern",
    "sharpness": "Sharp as the garment",
    "sharpness_photo": "Sharp as the photo",
    "seams": "No seams",
    "light": "Light and folds",
    "body_fit": "On the body",
    "sleeves": "Sleeves and legs",
    "hem": "Hem",
    "proportions": "Proportions",
    "warp_regularity": "Even warp",
}


def quality_card(report: QualityReport, width: int) -> RGB:
    """Draw a report on paper of a width in pixels; as high as it needs to be.

    Letters and spaces scale with the width.
    """
    scale = max(0.5, width / 768.0)
    size, small = round(22 * scale), round(18 * scale)
    row, gap = round(36 * scale), round(24 * scale)
    head = round(150 * scale)
    # Recommendations are numbered; a hanging indent keeps the numbers apart from the text.
    indent = text_size("00", size)[0]
    advice = [wrap(text, size, width - indent) for text in report.recommendations]
    line = round(1.35 * size)
    lines = sum(len(text) for text in advice)
    below = gap + line + lines * line + len(advice) * line // 3 if advice else 0
    height = head + gap + row * len(report.parts) + below + gap
    paper = sheet(height, width)
    top = head + gap
    pill(paper, (0, 0, head, head), 18 * scale, GRADE_COLORS[report.grade])
    for number, part in enumerate(report.parts):
        _bar(paper, part.score, top + number * row, row)
    image = Image.fromarray(paper)
    draw = ImageDraw.Draw(image)
    _head(draw, report, head, scale)
    for number, part in enumerate(report.parts):
        _words(draw, part, top + (number + 0.5) * row, width, (size, small))
    y = top + len(report.parts) * row
    if advice:
        y += gap
        draw.text((0, y), "What would make it better", fill=FAINT, font=font(small))
        y += line
        for number, text in enumerate(advice, 1):
            draw.text((0, y), str(number), fill=FAINT, font=font(size))
            for words in text:
                draw.text((indent, y), words, fill=INK, font=font(size))
                y += line
            y += line // 3
    return np.asarray(image)


def _head(draw: ImageDraw.ImageDraw, report: QualityReport, head: int, scale: float) -> None:
    draw.text(
        (head / 2, head / 2),
        report.grade,
        fill=(255, 255, 255),
        font=font(round(110 * scale)),
        anchor="mm",
    )
    x = head + round(28 * scale)
    draw.text(
        (x, head * 0.38), f"{100 * report.score:.0f}", fill=INK, font=font(round(72 * scale)),
        anchor="lm",
    )  # fmt: skip
    after = x + text_size(f"{100 * report.score:.0f}", round(72 * scale))[0] + round(8 * scale)
    draw.text((after, head * 0.48), "of 100", fill=FAINT, font=font(round(24 * scale)), anchor="lm")
    measured = sum(part.value is not None for part in report.parts)
    draw.text(
        (x, head * 0.82),
        f"{measured} of {len(report.parts)} parts could be measured",
        fill=FAINT,
        font=font(round(20 * scale)),
        anchor="lm",
    )


def _bar(paper: RGB, score: float | None, top: float, row: float) -> None:
    left, right = round(LEFT * paper.shape[1]), round(RIGHT * paper.shape[1])
    middle, half = top + row / 2, max(2, round(row * 0.18))
    if score is None:
        pill(paper, (left, middle - half / 5, right, middle + half / 5), half / 5, RULE)
        return
    pill(paper, (left, middle - half, right, middle + half), half, RULE)
    end = left + max(2 * half, (right - left) * score)
    pill(paper, (left, middle - half, end, middle + half), half, _shade(score))


def _words(
    draw: ImageDraw.ImageDraw, part: QualityPart, y: float, width: int, sizes: tuple[int, int]
) -> None:
    known = part.value is not None
    title = TITLES.get(part.name, part.name.replace("_", " ").capitalize())
    draw.text((0, y), title, fill=INK if known else FAINT, font=font(sizes[0]), anchor="lm")
    figure = "not measured" if part.value is None else _figure(part.value, part.unit)
    draw.text((width, y), figure, fill=INK if known else FAINT, font=font(sizes[1]), anchor="rm")


def _shade(score: float) -> Color:
    for letter, floor in (("A", 0.9), ("B", 0.75), ("C", 0.55), ("D", 0.35), ("E", 0.15)):
        if score >= floor:
            return GRADE_COLORS[letter]
    return GRADE_COLORS["F"]


def _figure(value: float, unit: str) -> str:
    if unit == "SSIM":
        return f"{value:.2f} SSIM"
    if unit == "ratio":
        return f"{value:.2f} x"
    if unit == "limb":
        return f"{value:.2f} limbs"
    if unit == "°":
        return f"{value:.1f}°"
    return plain(f"{value:.1f} {unit}")
