"""What the embedded steps say beside their results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_try_on import made_state

from mycloset.errors import OptionError, PersonError
from mycloset.tryon.state import Matching
from mycloset.tryon.steps.cloth_warping import ClothWarpingStep
from mycloset.tryon.steps.post_processing import PostProcessingStep


def _moved(by: float) -> Matching:
    matching = made_state().matching
    assert matching
    parts = tuple(replace(part, target=part.target + np.float32(by)) for part in matching.parts)
    return replace(matching, parts=parts)


def test_warping_is_sure_of_a_warp_without_folds() -> None:
    output = ClothWarpingStep().run(replace(made_state(), matching=_moved(0)))
    assert (output.confidence, output.notes) == (1.0, ())


def test_warping_tells_of_folds() -> None:
    matching = _moved(0)
    torso = matching.parts[0]
    x = torso.target.copy()
    crossed = replace(torso, target=np.concatenate([x[[1, 0]], x[2:]]))
    output = ClothWarpingStep().run(
        replace(made_state(), matching=replace(matching, parts=(crossed,)))
    )
    assert "folds over itself" in output.notes[0]


def test_a_garment_outside_of_the_photo_is_refused() -> None:
    with pytest.raises(PersonError, match="lies outside the picture"):
        ClothWarpingStep().run(replace(made_state(), matching=_moved(2000)))


@pytest.mark.parametrize("sharpen", [-0.1, 1.5])
def test_sharpening_outside_of_its_range_is_refused(sharpen: float) -> None:
    with pytest.raises(OptionError, match="sharpen"):
        PostProcessingStep(sharpen=sharpen)


def test_post_processing_leaves_unchanged_pixels_alone() -> None:
    state = made_state()
    assert state.fitted
    final = PostProcessingStep().run(state).changes["final"]
    still = state.fitted.changed == 0
    np.testing.assert_array_equal(final[still], state.person_picture.rgb[still])
