"""Makes the pictures of the READMEs in docs/images: `python docs/pictures.py [GARMENT ...]`.

`demo.jpg` shows the astronaut, and for each garment the garment and the astronaut in it;
`steps.jpg` is the contact sheet of the first garment's steps.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import data

from mycloset.images import RGB, write_bytes
from mycloset.tasks.canvas import fit, sheet
from mycloset.tryon import InferenceEngine
from mycloset.tryon.drawings import contact_sheet
from mycloset.wardrobe import demo_garment, draw_garment

FOLDER = Path(__file__).parent / "images"
GARMENTS = ("emblem_tee", "striped_tee")
SIDE, GAP = 400, 10
LIMIT = 190_000


def main() -> None:
    """Run the try-ons and write the pictures."""
    person: RGB = np.asarray(data.astronaut())
    engine = InferenceEngine()
    FOLDER.mkdir(exist_ok=True)
    row = [person]
    for number, name in enumerate(sys.argv[1:] or GARMENTS):
        garment = draw_garment(demo_garment(name)).rgb
        result = engine.run_virtual_try_on(person, garment)
        row += [garment, result.image]
        if number == 0:
            write(FOLDER / "steps.jpg", contact_sheet(result.state, side=380))
    write(FOLDER / "demo.jpg", beside(row))


def beside(pictures: list[RGB]) -> RGB:
    """The pictures in a row on paper, all of one height."""
    small = [fit(picture, SIDE, 2 * SIDE) for picture in pictures]
    width = sum(picture.shape[1] for picture in small) + GAP * (len(small) + 1)
    paper = sheet(SIDE + 2 * GAP, width)
    x = GAP
    for picture in small:
        paper[GAP : GAP + picture.shape[0], x : x + picture.shape[1]] = picture
        x += picture.shape[1] + GAP
    return paper


def write(path: Path, picture: RGB) -> None:
    """Write a JPEG below LIMIT bytes: as good as fits, then smaller."""
    while True:
        for quality in (92, 88, 84, 80):
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, "JPEG", quality=quality, optimize=True)
            if buffer.tell() <= LIMIT:
                write_bytes(path, buffer.getvalue())
                return
        picture = np.asarray(
            cv2.resize(picture, None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA)
        )


if __name__ == "__main__":
    main()
