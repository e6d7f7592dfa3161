from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mycloset.architectures.facenet.network import FaceNet
from network_trials import apart, built_at_once, filled, image, loaded, outputs
from network_trials import picture as drawn


@pytest.mark.parametrize("classes", [0, 6])
def test_unseen_depths_and_classes_load(classes: int, tmp_path: Path) -> None:
    network = filled(FaceNet(repeats=(1, 2, 1), embedding=32, classes=classes))
    model = loaded(network.state_dict(), tmp_path)
    assert apart(outputs(network, image(96)), outputs(model.network, image(96))) < 1e-6
    found = model(drawn(70, 300))
    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-5)
    assert len(found.classes()) == min(classes, 5)


def test_several_threads_build_it_on_the_meta_device() -> None:
    found = built_at_once(lambda: FaceNet(repeats=(1, 1, 1), embedding=32, classes=2), 2)
    assert found == [{"meta"}] * 2
