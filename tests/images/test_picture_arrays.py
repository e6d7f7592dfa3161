from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mycloset.errors import ImageError
from mycloset.images import read_picture

RAMP = np.arange(70 * 80 * 3, dtype=np.uint32).reshape(70, 80, 3) % 256


class FakeTensor:
    """What of torch's tensors is used, without torch."""

    def __init__(self, values: np.ndarray, *, bfloat16: bool = False) -> None:
        self._values, self._bfloat16 = values, bfloat16

    def detach(self) -> FakeTensor:
        return self

    def cpu(self) -> FakeTensor:
        return self

    def float(self) -> FakeTensor:
        return FakeTensor(self._values.astype(np.float32))

    def numpy(self) -> np.ndarray:
        if self._bfloat16:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self._values


def rgb_of(source: Any) -> np.ndarray:
    return read_picture(source).rgb


@pytest.mark.parametrize(
    "values",
    [
        RAMP.astype(np.uint8),
        (RAMP * 257).astype(np.uint16),
        (RAMP * 257).astype(">u2"),
        (RAMP / 255).astype(np.float32),
        (RAMP / 255).astype(np.float64),
        (RAMP / 255).astype(np.float16),
        np.asfortranarray(RAMP.astype(np.uint8)),
        RAMP.astype(np.uint8)[::-1][::-1],
    ],
    ids=["uint8", "uint16", "big-endian", "float32", "float64", "float16", "fortran", "strided"],
)
def test_types_of_arrays(values: np.ndarray) -> None:
    assert np.abs(rgb_of(values).astype(int) - RAMP).max() <= 1


def test_grey_arrays() -> None:
    grey = RAMP[..., 0].astype(np.uint8)
    for values in (grey, grey[..., None]):
        assert np.array_equal(rgb_of(values), np.repeat(grey[..., None], 3, axis=2))


def test_bool_arrays_are_black_and_white() -> None:
    mask = RAMP[..., 0] > 128
    assert np.array_equal(rgb_of(mask)[..., 0], np.where(mask, 255, 0))


def test_four_channels_are_alpha() -> None:
    alpha = np.full((70, 80), 255, np.uint8)
    alpha[:10] = 0
    found = read_picture(np.dstack([RAMP.astype(np.uint8), alpha]))
    assert np.array_equal(found.alpha, alpha)
    assert (found.rgb[:10] == 255).all()


def test_arrays_are_copied() -> None:
    values = RAMP.astype(np.uint8)
    found = read_picture(values)
    values[:] = 0
    assert found.rgb.any()


@pytest.mark.parametrize("bfloat16", [False, True])
def test_tensors_of_either_layout(bfloat16: bool) -> None:
    values = (RAMP / 255).astype(np.float32)
    channels_first = np.moveaxis(values, 2, 0)
    for layout in (values, channels_first, channels_first[None], values[None]):
        found = rgb_of(FakeTensor(layout, bfloat16=bfloat16))
        assert np.array_equal(found, RAMP.astype(np.uint8))
    assert rgb_of(FakeTensor(channels_first[:1])).shape == (70, 80, 3)
    assert read_picture(FakeTensor(np.ones((4, 70, 80), np.float32))).alpha is None


@pytest.mark.parametrize("shape", [(2, 3, 70, 80), (1, 1, 3, 70, 80), (70,), (5, 70, 80)])
def test_tensors_that_are_not_one_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="shape"):
        read_picture(FakeTensor(np.zeros(shape, np.float32)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(bad: float) -> None:
    values = np.zeros((70, 80, 3), np.float32)
    values[3, 4, 1] = bad
    with pytest.raises(ImageError, match="NaN or infinity"):
        read_picture(values)


@pytest.mark.parametrize(("low", "high"), [(0, 255), (-1, 1), (0, 1.1)])
def test_floats_outside_of_0_to_1_are_not_guessed_at(low: float, high: float) -> None:
    values = np.linspace(low, high, 70 * 80 * 3, dtype=np.float32).reshape(70, 80, 3)
    with pytest.raises(ImageError, match="run from"):
        read_picture(values)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32, np.complex64, object])
def test_other_types_are_refused(dtype: Any) -> None:
    with pytest.raises(ImageError, match="its values are"):
        read_picture(np.zeros((70, 80, 3), dtype))


@settings(max_examples=60, deadline=None)
@given(
    values=npst.arrays(
        dtype=st.one_of(
            npst.boolean_dtypes(),
            npst.unsigned_integer_dtypes(),
            npst.integer_dtypes(),
            npst.floating_dtypes(),
        ),
        shape=st.one_of(
            npst.array_shapes(min_dims=0, max_dims=5, max_side=5),
            st.tuples(st.integers(62, 70), st.integers(62, 70)),
            st.tuples(st.integers(62, 70), st.integers(62, 70), st.integers(0, 5)),
        ),
        fill=st.just(0),
    )
)
def test_any_array_is_read_or_refused(values: np.ndarray) -> None:
    try:
        found = read_picture(values)
    except ImageError:
        return
    assert found.rgb.dtype == np.uint8
    assert found.rgb.shape == (*values.shape[:2], 3)
    assert found.alpha is None or found.alpha.shape == values.shape[:2]
