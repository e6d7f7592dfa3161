"""Light read from old garments whose shading is known."""

from __future__ import annotations

import numpy as np
import pytest

from mycloset.tryon.embedded.light import Light, read_light

SHAPE = (240, 200)
UNIT = 100.0
OLD = np.zeros(SHAPE, bool)
OLD[20:220, 30:170] = True
Y, X = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)
SHADE = 1.0 + 0.18 * np.cos((X - 30) / 140 * np.pi)  # bright at the left, dark at the right


def _plain(lightness: float, shade: np.ndarray) -> np.ndarray:
    lab = np.full((*SHAPE, 3), (90.0, 0.0, 0.0), np.float32)
    lab[OLD] = (lightness, 4.0, -12.0)
    lab[..., 0] = np.where(OLD, lightness * shade, lab[..., 0])
    return lab


def _stripes() -> np.ndarray:
    lab = _plain(60.0, SHADE)
    second = OLD & ((Y // 9).astype(int) % 2 == 0)
    lab[second] = (30.0, 45.0, 30.0)
    return lab


def _core(light: Light) -> np.ndarray:
    return light.factor[60:180, 60:140]


def test_a_plain_garment_is_believed() -> None:
    assert read_light(_plain(60.0, SHADE), OLD, UNIT).folds > 0.8


def test_a_plain_garment_gives_its_shading() -> None:
    factor = _core(read_light(_plain(60.0, SHADE), OLD, UNIT))
    told = SHADE[60:180, 60:140] / np.median(SHADE[OLD])
    assert np.corrcoef(factor.ravel(), told.ravel())[0, 1] > 0.98


def test_shading_keeps_most_of_its_strength() -> None:
    factor = _core(read_light(_plain(60.0, SHADE), OLD, UNIT))
    assert 0.5 < np.ptp(factor) / np.ptp(SHADE[60:180, 60:140]) < 1.1


def test_folds_are_found() -> None:
    folds = 1.0 + 0.08 * np.cos(Y / 22 * 2 * np.pi)
    factor = _core(read_light(_plain(60.0, folds), OLD, UNIT))
    told = folds[60:180, 60:140]
    assert np.corrcoef(factor.ravel(), told.ravel())[0, 1] > 0.9


def test_a_loud_pattern_tells_no_folds() -> None:
    lab = _plain(60.0, SHADE)
    blots = 30 * np.stack([np.sin(X / 7) * np.cos(Y / 9), np.cos(X / 11 + Y / 6)], axis=2)
    lab[OLD, 1:] += blots[OLD]
    assert read_light(lab, OLD, UNIT).folds < 0.2


def test_a_pattern_leaves_no_stripes_in_the_light() -> None:
    rows = _core(read_light(_stripes(), OLD, UNIT)).mean(axis=1)
    assert np.abs(np.diff(rows)).max() < 0.02


def test_a_black_garment_tells_less_than_a_light_one() -> None:
    dark = _core(read_light(_plain(9.0, SHADE), OLD, UNIT))
    light = _core(read_light(_plain(60.0, SHADE), OLD, UNIT))
    assert np.ptp(dark) < 0.8 * np.ptp(light)


@pytest.mark.parametrize("lab", [_plain(60.0, SHADE), _stripes()], ids=["plain", "stripes"])
def test_light_makes_nothing_brighter_or_darker_as_a_whole(lab: np.ndarray) -> None:
    assert read_light(lab, OLD, UNIT).factor[OLD].mean() == pytest.approx(1.0, abs=0.06)


def test_far_from_the_old_garment_light_is_even() -> None:
    old = np.zeros(SHAPE, bool)
    old[20:220, 10:70] = True
    lab = np.full((*SHAPE, 3), (90.0, 0.0, 0.0), np.float32)
    lab[old] = (60.0, 4.0, -12.0)
    lab[..., 0] = np.where(old, 60.0 * SHADE, lab[..., 0])
    np.testing.assert_allclose(read_light(lab, old, UNIT).factor[:, 190:], 1.0, atol=0.02)


def test_too_little_of_a_garment_tells_nothing() -> None:
    old = np.zeros(SHAPE, bool)
    old[100:106, 100:106] = True
    light = read_light(_plain(60.0, SHADE), old, UNIT)
    assert (light.broad, light.folds, float(np.ptp(light.factor))) == (0.0, 0.0, 0.0)
