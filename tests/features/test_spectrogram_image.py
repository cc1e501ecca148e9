"""Tests of spectrogram images: the colour map, orientation, and both renderers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.features import spectrogram_image

DARK, PALE = spectrogram_image.MAGMA[0][::-1], spectrogram_image.MAGMA[255][::-1]


@pytest.fixture(scope="module")
def mel() -> np.ndarray:
    """Levels that fall with frequency, with a louder stretch of time."""
    rng = np.random.default_rng(0)
    levels = np.linspace(-10, -70, 216)[:, np.newaxis] + rng.uniform(-5, 5, (216, 1_293))
    levels[:, 400:500] += 10
    return (levels - levels.max()).clip(-80).astype(np.float32)


@pytest.fixture(scope="module")
def figure(mel) -> np.ndarray:
    return spectrogram_image.figure(mel)


def test_magma_is_that_of_matplotlib():
    from matplotlib import colormaps

    assert spectrogram_image.MAGMA.dtype == np.uint8
    expected = colormaps["magma"](np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(spectrogram_image.MAGMA, expected)


def test_magma_grows_lighter():
    luminance = spectrogram_image.MAGMA @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > -0.5).all()
    assert luminance[0] < 1
    assert luminance[-1] > 240


def test_colour_clips_and_keeps_order():
    values = np.linspace(-120, 40, 100, dtype=np.float32)
    coloured = spectrogram_image.colour(values, -80.0, 0.0)
    assert coloured.dtype == np.uint8
    assert (coloured[values <= -80] == spectrogram_image.MAGMA[0]).all()
    assert (coloured[values >= 0] == spectrogram_image.MAGMA[255]).all()
    positions = [np.flatnonzero((rgb == spectrogram_image.MAGMA).all(axis=1))[0] for rgb in coloured]
    assert positions == sorted(positions)


def test_canvas_shape_and_type(mel):
    drawn = spectrogram_image.canvas(mel)
    assert drawn.shape == (480, 640, 3)
    assert drawn.dtype == np.uint8


def test_canvas_is_deterministic_and_does_not_modify_its_argument(mel):
    before = mel.copy()
    np.testing.assert_array_equal(spectrogram_image.canvas(mel), spectrogram_image.canvas(mel))
    np.testing.assert_array_equal(mel, before)


def test_low_frequencies_lie_at_the_bottom():
    matrix = np.full((216, 1_293), -80, np.float32)
    matrix[:36] = 0
    drawn = spectrogram_image.canvas(matrix)
    assert (drawn[400:] == PALE).all()
    assert (drawn[:400] == DARK).all()


def test_time_runs_to_the_right():
    matrix = np.full((10, 64), -80, np.float32)
    matrix[:, :16] = 0
    drawn = spectrogram_image.canvas(matrix)
    assert (drawn[:, :160] == PALE).all()
    assert (drawn[:, 160:] == DARK).all()


def test_channels_are_blue_green_red():
    middle = spectrogram_image.canvas(np.array([[0.0, 128.5, 256.0]], np.float32))[0, 320]
    blue, green, red = middle
    assert (red, green, blue) == tuple(spectrogram_image.MAGMA[128])
    assert red > blue > green


def test_a_matrix_of_the_images_size_is_drawn_cell_by_cell():
    matrix = np.random.default_rng(0).uniform(-80, 0, (480, 640)).astype(np.float32)
    matrix[0, 0], matrix[0, 1] = -80, 0
    expected = spectrogram_image.colour(matrix, -80.0, 0.0)[::-1, :, ::-1]
    np.testing.assert_array_equal(spectrogram_image.canvas(matrix), expected)


def test_a_finer_matrix_is_averaged():
    matrix = np.zeros((960, 1_280), np.float32)
    matrix[::2] = 100
    matrix[-2:, -2:] = 100
    matrix[-2:, :2] = 0
    drawn = spectrogram_image.canvas(matrix)
    assert tuple(drawn[200, 300]) == tuple(spectrogram_image.MAGMA[128][::-1])
    assert (drawn[0, -1] == PALE).all()
    assert (drawn[0, 0] == DARK).all()


@pytest.mark.parametrize("value", [-80.0, 0.0, 1e6])
def test_a_constant_matrix_is_all_dark(value):
    assert (spectrogram_image.canvas(np.full((216, 1_293), value, np.float32)) == DARK).all()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(-80, 80), st.sampled_from([0.5, 2.0, 4.0]), st.integers(0, 100))
def test_only_relative_levels_count(shift, scale, seed):
    matrix = np.random.default_rng(seed).integers(0, 80, (12, 20)).astype(np.float32)
    difference = spectrogram_image.canvas(scale * matrix + shift).astype(int) - spectrogram_image.canvas(
        matrix
    )
    assert np.abs(difference).max() <= 6


def test_a_figure_has_the_size_of_a_canvas(figure):
    assert figure.shape == (480, 640, 3)
    assert figure.dtype == np.uint8


def test_a_figure_has_white_margins_and_axes(figure):
    for row in (slice(0, 40), slice(460, 480)):
        for column in (slice(0, 10), slice(600, 640)):
            assert (figure[row, column] == 255).all()
    assert (figure[58:427, 10:80] < 128).any()
    assert (figure[430:480, 80:576] < 128).any()


def test_inside_its_axes_a_figure_has_the_colours_of_magma(figure):
    inside = figure[62:424, 84:572].reshape(-1, 3)[:, ::-1]
    distance = (
        np.abs(inside[::97, np.newaxis].astype(int) - spectrogram_image.MAGMA).max(axis=2).min(axis=1)
    )
    assert (distance <= 2).mean() > 0.99


def test_low_frequencies_lie_at_the_bottom_of_a_figure(figure):
    assert figure[380:420, 100:200].mean() > figure[70:110, 100:200].mean() + 30


def test_a_figure_is_not_a_canvas(figure, mel):
    assert np.abs(figure.astype(int) - spectrogram_image.canvas(mel)).mean() > 10


def test_a_figure_is_deterministic_whatever_the_settings(figure, mel):
    import matplotlib

    with matplotlib.rc_context({"figure.facecolor": "black", "image.cmap": "viridis"}):
        np.testing.assert_array_equal(spectrogram_image.figure(mel), figure)
