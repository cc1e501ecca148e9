"""Receptive fields: indices, boxes and units."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.analysis import receptive_fields
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.features import psychoacoustics, spectral, spectrogram_image
from soundalike.models import vgg16, vgg_features
from soundalike.representations import vgg_mel


@given(st.integers(0, vgg_mel.DIM - 1))
def test_dimension_cell_round_trip(dimension: int) -> None:
    cell = receptive_fields.cell(dimension)
    assert cell.dimension == dimension
    assert 0 <= cell.band < 5
    assert 0 <= cell.time < 10
    assert 0 <= cell.channel < 512


@pytest.mark.parametrize("dimension", [-1, vgg_mel.DIM])
def test_unknown_dimension(dimension: int) -> None:
    with pytest.raises(ValueError, match="0 to 25599"):
        receptive_fields.cell(dimension)


def test_cell_position_in_embedding(models, monkeypatch) -> None:
    """A map that is one at a single place sets off that place's dimension and no other."""
    feature_map = np.zeros((15, 20, 512), np.float32)
    feature_map[4, 13, 77] = 1.0
    monkeypatch.setattr(vgg_features, "feature_map", lambda clip, models: feature_map)
    clip = Clip(np.zeros(ANALYSIS_SAMPLES, np.float32))
    (dimension,) = np.flatnonzero(vgg_mel.embed(clip, models))
    assert receptive_fields.cell(int(dimension)) == receptive_fields.Cell(band=1, time=6, channel=77)


def test_receptive_field_is_212_pixels_with_stride_32() -> None:
    first, end = receptive_fields.receptive_field(7, 7)
    assert end - first == 212
    assert receptive_fields.receptive_field(8, 8)[0] - first == 32
    # Symmetric about the middle of the place's own 32 pixels.
    assert first + end == 2 * 7 * 32 + 32


@pytest.mark.sweep
def test_receptive_field_matches_network(models) -> None:
    """Noise everywhere outside changes nothing at all; each outermost line inside changes something.

    On a picture of 288 x 288, to save time; far louder than a picture's 255, since the rim of a field
    has little weight.
    """
    random = np.random.default_rng(0)
    plain = random.uniform(0, 255, (288, 288, 3)).astype(np.float32)
    loud = random.uniform(0, 1e4, plain.shape).astype(np.float32)
    (top, bottom), (left, right) = (
        receptive_fields.receptive_field(3, 5),
        receptive_fields.receptive_field(4, 5),
    )
    assert (top, bottom, left, right) == (6, 282, 38, 282)

    def cell(picture: np.ndarray) -> np.ndarray:
        return vgg16.max_pool(models.vgg16(picture)[3:6, 4:6], receptive_fields.POOL)[0, 0]

    expected = cell(plain)
    outside = loud.copy()
    outside[top:bottom, left:right] = plain[top:bottom, left:right]
    assert np.array_equal(cell(outside), expected)
    for line in (np.s_[top], np.s_[bottom - 1], np.s_[:, left], np.s_[:, right - 1]):
        changed = plain.copy()
        changed[line] = loud[line]
        assert np.abs(cell(changed) - expected).max() > 1


def test_corner_cells_are_clipped_to_the_picture() -> None:
    field = receptive_fields.field_of_view(receptive_fields.Cell(0, 0, 0))
    assert (field.left, field.top, field.right, field.bottom) == (0, 0, 154, 186)
    last = receptive_fields.field_of_view(receptive_fields.Cell(4, 9, 0))
    assert (last.right, last.bottom) == (640, 480)


def test_the_shares_tile_the_picture() -> None:
    covered = np.zeros((480, 640), int)
    for band in range(5):
        for time in range(10):
            box = receptive_fields.share(receptive_fields.Cell(band, time, 0))
            covered[box.top : box.bottom, box.left : box.right] += 1
    assert (covered == 1).all()


@given(st.floats(0, 11_025))
def test_mel_scale_matches_librosa(hertz: float) -> None:
    assert psychoacoustics.hz_to_mel(hertz) == pytest.approx(float(librosa.hz_to_mel(hertz)), abs=1e-9)
    assert psychoacoustics.mel_to_hz(psychoacoustics.hz_to_mel(hertz)) == pytest.approx(hertz, abs=1e-6)


@pytest.mark.parametrize("tone", [110.0, 440.0, 1_000.0, 3_000.0, 8_000.0])
def test_tone_is_in_its_band(tone: float) -> None:
    """The brightest row of a sine's picture lies in the share whose frequencies hold the tone."""
    t = np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE
    clip = Clip(np.sin(2 * np.pi * tone * t).astype(np.float32))
    picture = spectrogram_image.canvas(spectral.mel_spectrogram(clip)).astype(int).sum(axis=2)
    row = int(np.argmax(picture[:, 300]))
    bands = [receptive_fields.share(receptive_fields.Cell(band, 5, 0)) for band in range(5)]
    (band,) = [box for box in bands if box.top <= row < box.bottom]
    low, high = band.hertz
    assert low < tone < high
    pixel = receptive_fields.Box(300, row, 301, row + 1)
    assert pixel.hertz[0] * 0.97 - 30 < tone < pixel.hertz[1] * 1.03 + 30


def test_click_is_at_its_time() -> None:
    samples = np.zeros(ANALYSIS_SAMPLES, np.float32)
    samples[int(13.4 * SAMPLE_RATE)] = 1.0
    samples += 1e-5 * np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    picture = (
        spectrogram_image.canvas(spectral.mel_spectrogram(Clip(samples))).astype(int).sum(axis=(0, 2))
    )
    column = int(np.argmax(picture))
    begin, end = receptive_fields.Box(column, 0, column + 1, 480).seconds
    assert begin - 0.05 < 13.4 < end + 0.05
    assert receptive_fields.share(receptive_fields.Cell(0, 4, 0)).seconds == pytest.approx(
        (12.0, 15.0), abs=0.02
    )


def test_words() -> None:
    assert receptive_fields.share(receptive_fields.Cell(2, 3, 0)).words == "1.4 to 2.8 kHz, 9 to 12 s"
    assert receptive_fields.share(receptive_fields.Cell(4, 0, 0)).words == "8 to 670 Hz, 0 to 3 s"


def test_percent_is_of_the_picture() -> None:
    assert receptive_fields.share(receptive_fields.Cell(4, 9, 0)).percent() == {
        "left": 90.0,
        "top": 80.0,
        "width": 10.0,
        "height": 20.0,
    }
