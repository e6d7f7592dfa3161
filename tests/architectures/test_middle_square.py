from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mycloset.architectures.classification import middle_square
from network_trials import picture as drawn


@pytest.mark.parametrize("size", [(64, 2048), (1536, 64)])
def test_of_a_long_strip_the_same_middle_is_seen_as_of_the_whole(size: tuple[int, int]) -> None:
    strip = drawn(*size)
    scaled = (size[1] * 2, size[0] * 2)
    whole = np.asarray(Image.fromarray(strip).resize(scaled, Image.Resampling.BILINEAR))
    top, left = (whole.shape[0] - 112) // 2, (whole.shape[1] - 112) // 2
    wanted = whole[top : top + 112, left : left + 112]
    found = middle_square(strip, 128, 112, Image.Resampling.BILINEAR)
    assert int(np.abs(found.astype(int) - wanted).max()) <= 1


def test_a_very_long_strip_gives_a_square() -> None:
    assert middle_square(drawn(2, 400_000), 256, 224, Image.Resampling.BICUBIC).shape[:2] == (
        224,
        224,
    )
