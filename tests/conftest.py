"""What many tests need: the embedded networks in the cache, and the two photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import skimage.data

from mycloset.hub import download, index
from mycloset.images import RGB, read_picture


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--goldens", metavar="DIR", help="run tests/parity on the manifests in DIR")


@pytest.fixture(scope="session", autouse=True)
def _indexes_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests keep of their folders does not go into the user's own cache."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "home", lambda: home)
        yield


@pytest.fixture(scope="session")
def embedded_models() -> list[Path]:
    """The embedded networks, fetched into the user's own cache if they are not there yet."""
    return download.pull("embedded")


@pytest.fixture(scope="session")
def astronaut_photo() -> RGB:
    """Eileen Collins, 512x512, public domain."""
    return np.asarray(skimage.data.astronaut())


@pytest.fixture(scope="session")
def hopper_photo() -> RGB:
    """Grace Hopper, 512x600, public domain."""
    return read_picture(f"{matplotlib.get_data_path()}/sample_data/grace_hopper.jpg").rgb
