"""How near the try-on comes to the truth, beside two simple rivals on the same pairs.

Figures are drawn in one garment and in another (`mycloset.wardrobe`); the try-on gets the first
picture and the second garment laid flat, and is compared with the second picture. The rivals are
an affine paste of the garment on the torso's box, and one global thin-plate spline; both work from
the pipeline's own garment mask, garment landmarks and pose.

Run from the repository:

    python benchmarks/tryon_quality.py
    python benchmarks/tryon_quality.py --cases 3 --json quality.json --sheet quality.png

Columns:
    SSIM in, PSNR in    inside the changed region: where the truth differs from the photo, grown by
                        some pixels, together with everything that any of the methods changed
    SSIM, PSNR          over the whole picture
    IoU                 of the seen new garment with the true one
    off cm              median distance between the place of the cloth that a pixel shows and the
                        place that it should show, in cm of cloth, where both show the garment
    gain SSIM, PSNR     ours minus this rival, inside the changed region
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from mycloset.errors import MyClosetError
from mycloset.images import RGB, write_picture
from mycloset.tryon import InferenceEngine
from mycloset.tryon.result import TryOnResult
from mycloset.wardrobe import DrawnCase, paired_cases
from plain_table import number, table
from tryon_rivals import RIVALS, Given, Worn

Flags = NDArray[np.bool_]

OURS = "ours"
HEADER = (
    "case", "method", "SSIM in", "PSNR in", "SSIM", "PSNR", "IoU", "off cm", "gain SSIM",
    "gain PSNR",
)  # fmt: skip
DIFFERENT = 8
"""Grey levels (of 255, largest of three channels) from which the truth counts as changed."""
GROW = 5
"""Pixels by which the changed region is grown."""
TILE_HEIGHT = 512


@dataclass(frozen=True)
class Score:
    """How near one picture comes to the truth; see the module's columns."""

    ssim_in: float
    psnr_in: float
    ssim: float
    psnr: float
    iou: float
    off_cm: float | None


@dataclass(frozen=True)
class CaseResult:
    """What came of one case.

    Attributes:
        name, kind: the case, and its garment's category.
        scores: by method; empty where the try-on failed.
        failure: why it failed, or None.
        pictures: what the contact sheet shows, by title.
    """

    name: str
    kind: str
    scores: Mapping[str, Score]
    failure: str | None
    pictures: Mapping[str, RGB]


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; the exit code is the number of cases that failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, metavar="N", help="only the first N cases")
    parser.add_argument("--only", metavar="TEXT", help="only cases whose name holds TEXT")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="write a contact sheet")
    asked = parser.parse_args(arguments)
    cv2.setRNGSeed(0)
    engine = InferenceEngine()
    results = []
    for case in paired_cases()[: asked.cases]:
        if asked.only is None or asked.only in case.name:
            results.append(run_case(case.draw(), engine))
    print(report(results))
    if asked.json is not None:
        asked.json.write_text(json.dumps(as_dict(results), indent=2) + "\n", "utf-8")
    if asked.sheet is not None and results:
        write_picture(asked.sheet, contact_sheet(results))
    return sum(result.failure is not None for result in results)


def run_case(drawn: DrawnCase, engine: InferenceEngine) -> CaseResult:
    """Try on with the pipeline and with the rivals, and measure all against the truth."""
    case = drawn.case
    pictures = {"photo": drawn.person.rgb, "garment": drawn.garment.rgb, "truth": drawn.truth.rgb}
    try:
        result = engine.run_virtual_try_on(
            drawn.person.rgb, drawn.garment.rgb, category=case.category
        )
    except MyClosetError as error:
        reason = f"{type(error).__name__}: {error}"
        return CaseResult(case.name, case.category, {}, reason, pictures)
    given = given_to_rivals(result)
    worn = {OURS: as_worn(result)} | {name: put(given) for name, put in RIVALS.items()}
    scores = score_all(drawn, worn)
    pictures |= {name: made.rgb for name, made in worn.items()}
    return CaseResult(case.name, case.category, scores, None, pictures)


def given_to_rivals(result: TryOnResult) -> Given:
    """What the pipeline has found, as the rivals take it."""
    state = result.state
    assert state.cloth_mask is not None
    assert state.matching is not None
    assert state.pose is not None
    return Given(
        state.person_picture.rgb,
        state.garment_picture.rgb,
        state.cloth_mask.alpha,
        state.matching.shape,
        state.pose,
    )


def as_worn(result: TryOnResult) -> Worn:
    """The pipeline's result in the rivals' form."""
    fitted, warped = result.state.fitted, result.state.warped
    assert fitted is not None
    assert warped is not None
    return Worn(result.image, fitted.garment, warped.grid)


def score_all(drawn: DrawnCase, worn: Mapping[str, Worn]) -> dict[str, Score]:
    """Measure every method on the same region."""
    photo, truth = drawn.person.rgb, drawn.truth.rgb
    region = changed_region(photo, truth, [made.rgb for made in worn.values()])
    true_cover = drawn.truth.coverage[drawn.case.category] >= 0.5
    cloth_at = drawn.truth.cloth_at[drawn.case.category]
    scores = {}
    for name, made in worn.items():
        similarity = ssim_map(made.rgb, truth)
        cover = made.cover >= 0.5
        both = float((cover & true_cover).sum())
        cm = (made.grid - drawn.garment.origin) / drawn.garment.pixels_per_cm
        away = np.linalg.norm(cm - cloth_at, axis=-1)[cover & true_cover]
        away = away[np.isfinite(away)]
        scores[name] = Score(
            float(similarity[region].mean()),
            psnr(made.rgb, truth, region),
            float(similarity.mean()),
            psnr(made.rgb, truth),
            both / max(float((cover | true_cover).sum()), 1.0),
            float(np.median(away)) if away.size else None,
        )
    return scores


def changed_region(photo: RGB, truth: RGB, made: Sequence[RGB]) -> Flags:
    """(H, W) bool: where the truth differs from the photo, grown, and where any picture does."""
    differs = cv2.absdiff(photo, truth).max(axis=2) >= DIFFERENT
    # Single pixels differ by the grain and by light that garments throw back.
    whole = cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * GROW + 1, 2 * GROW + 1))
    region: Flags = cv2.dilate(whole, disc) > 0
    for picture in made:
        region |= (picture != photo).any(axis=2)
    return region


def ssim_map(picture: RGB, truth: RGB) -> NDArray[np.float64]:
    """(H, W) structural similarity, mean of the channels (Wang et al. 2004: Gaussian, 1.5 px)."""
    _, full = structural_similarity(
        truth,
        picture,
        channel_axis=2,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    averaged: NDArray[np.float64] = full.mean(axis=2)
    return averaged


def psnr(picture: RGB, truth: RGB, region: Flags | None = None) -> float:
    """Peak signal to noise in dB, at most 100 (pictures that are the same)."""
    off = picture.astype(np.float64) - truth
    square = float((off[region] if region is not None else off).__pow__(2).mean())
    return 10 * float(np.log10(255.0**2 / max(square, 255.0**2 * 1e-10)))


def report(results: Sequence[CaseResult]) -> str:
    """The table of all cases, that of the means, and what failed."""
    rows = []
    for result in results:
        for method, score in result.scores.items():
            rows.append(_row(result.name if method == OURS else "", method, score, result.scores))
    parts = [table(HEADER, rows)] if rows else []
    rows = []
    for kind, means in mean_scores(results).items():
        for method, score in means.items():
            rows.append(_row(kind if method == OURS else "", method, score, means))
    if rows:
        parts.append("Means\n" + table(HEADER, rows))
    for result in results:
        if result.failure is not None:
            parts.append(f"failed: {result.name}: {result.failure}")
    return "\n\n".join(parts)


def mean_scores(results: Sequence[CaseResult]) -> dict[str, dict[str, Score]]:
    """Means by kind and over all, by method."""
    done = [result for result in results if result.scores]
    groups = {kind: [r for r in done if r.kind == kind] for kind in ("upper", "lower", "dress")}
    groups = {f"{kind} ({len(group)})": group for kind, group in groups.items() if group}
    if done:
        groups[f"all ({len(done)})"] = done
    return {
        kind: {method: _mean([r.scores[method] for r in group]) for method in (OURS, *RIVALS)}
        for kind, group in groups.items()
    }


def as_dict(results: Sequence[CaseResult]) -> dict[str, object]:
    """All figures, ready for JSON."""
    return {
        "cases": [
            {
                "name": result.name,
                "kind": result.kind,
                "failure": result.failure,
                "scores": {method: asdict(score) for method, score in result.scores.items()},
            }
            for result in results
        ],
        "means": {
            kind: {method: asdict(score) for method, score in means.items()}
            for kind, means in mean_scores(results).items()
        },
    }


def contact_sheet(results: Sequence[CaseResult]) -> RGB:
    """A row a case: photo, garment, truth, ours, and the rivals."""
    titles = ("photo", "garment", "truth", OURS, *RIVALS)
    rows = []
    for result in results:
        tiles = [_tile(result.pictures.get(title), title, result) for title in titles]
        rows.append(np.hstack(tiles))
    widest = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 4), (0, widest - row.shape[1]), (0, 0))) for row in rows]
    return np.vstack(padded).astype(np.uint8)


def _tile(picture: RGB | None, title: str, result: CaseResult) -> RGB:
    if picture is None:
        picture = np.zeros_like(result.pictures["photo"])
    size = (round(picture.shape[1] * TILE_HEIGHT / picture.shape[0]), TILE_HEIGHT)
    tile = np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    text = title
    if title in result.scores:
        text = f"{title}  SSIM {result.scores[title].ssim_in:.3f}"
    elif title == "photo":
        text = result.name
    for color, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(tile, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, color, thick, cv2.LINE_AA)
    return tile


def _row(name: str, method: str, score: Score, all_: Mapping[str, Score]) -> tuple[str, ...]:
    gain: tuple[float | None, float | None] = (None, None)
    if method != OURS:
        ours = all_[OURS]
        gain = (ours.ssim_in - score.ssim_in, ours.psnr_in - score.psnr_in)
    return (
        name,
        method,
        number(score.ssim_in, 3),
        number(score.psnr_in, 2),
        number(score.ssim, 3),
        number(score.psnr, 2),
        number(score.iou, 3),
        number(score.off_cm, 1),
        number(gain[0], 3, signed=True),
        number(gain[1], 2, signed=True),
    )


def _mean(scores: Sequence[Score]) -> Score:
    off = [score.off_cm for score in scores if score.off_cm is not None]
    return Score(
        float(np.mean([score.ssim_in for score in scores])),
        float(np.mean([score.psnr_in for score in scores])),
        float(np.mean([score.ssim for score in scores])),
        float(np.mean([score.psnr for score in scores])),
        float(np.mean([score.iou for score in scores])),
        float(np.mean(off)) if off else None,
    )


if __name__ == "__main__":
    raise SystemExit(main())
