"""Tests of track descriptors with known signals."""

from __future__ import annotations

import numpy as np
import pytest
from small_library import write_index

from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.errors import IndexFolderError
from soundalike.features import descriptors, track_descriptors
from soundalike.features.track_descriptors import CLIP, SIZE
from soundalike.index import track_arrays

NAMES = [descriptor.name for descriptor in CLIP]


def measured(samples: np.ndarray) -> np.ndarray:
    return track_descriptors.summarise(Clip(samples.astype(np.float32)))


def of(values: np.ndarray, name: str) -> float:
    return float(values[NAMES.index(name)])


@pytest.fixture(scope="module")
def time() -> np.ndarray:
    return np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE


@pytest.fixture(scope="module")
def tone(time) -> np.ndarray:
    return measured(0.5 * np.sin(2 * np.pi * 2_000 * time))


@pytest.fixture(scope="module")
def noise(time) -> np.ndarray:
    return measured(0.1 * np.random.default_rng(0).standard_normal(len(time)))


def test_a_sine(tone, time) -> None:
    assert tone.shape == (SIZE,)
    # BS.1770's own calibration: a full-scale sine of 997 Hz has -3.01 LUFS.
    reference = measured(0.5 * np.sin(2 * np.pi * 997 * time))
    assert of(reference, "loudness (LUFS)") == pytest.approx(-9.03, abs=0.05)
    assert of(tone, "spectral centroid (Hz)") == pytest.approx(2_000, rel=0.02)
    assert of(tone, "level changes (dB)") < 0.1


def test_white_noise_is_flat_and_centred(noise) -> None:
    assert of(noise, "spectral centroid (Hz)") == pytest.approx(11_025 / 2, rel=0.02)
    assert of(noise, "spectral flatness (dB)") > -4


def test_a_sine_is_more_tonal_than_noise(tone, noise) -> None:
    assert of(tone, "spectral flatness (dB)") < of(noise, "spectral flatness (dB)") - 20
    assert of(tone, "bandwidth (Hz)") < of(noise, "bandwidth (Hz)") / 3


def test_clicks_are_counted(time) -> None:
    clicks = np.zeros(len(time))
    for beat in np.arange(0.25, 29.5, 0.5):
        start = int(beat * SAMPLE_RATE)
        clicks[start : start + 400] = np.hanning(400) * np.sin(np.arange(400))
    found = measured(clicks + 1e-4 * np.random.default_rng(0).standard_normal(len(time)))
    assert of(found, "onsets per second") == pytest.approx(2.0, abs=0.1)
    assert of(found, "tempo (BPM)") == pytest.approx(120, rel=0.03)


def test_a_burst_is_loudest_in_its_own_cell(time) -> None:
    """A 4 kHz tone from 12 to 15 s lies in band 1, time 4."""
    samples = 1e-3 * np.random.default_rng(0).standard_normal(len(time))
    samples += 0.5 * np.sin(2 * np.pi * 4_000 * time) * ((time >= 12) & (time < 15))
    levels = measured(samples)[len(CLIP) : len(CLIP) + 50].reshape(5, 10)
    assert np.unravel_index(levels.argmax(), levels.shape) == (1, 4)


def test_descriptors_of_another_library_are_rejected(tmp_path) -> None:
    index = write_index(tmp_path / "index", {"genre_head": np.ones((3, 32))}, ["genre_head"])
    assert track_arrays.descriptors(index) is None
    np.save(index.folder / "descriptors.npy", np.zeros((4, SIZE), np.float32))
    with pytest.raises(IndexFolderError, match=r"descriptors\.npy is damaged"):
        track_arrays.descriptors(index)


def test_tempo_loudness_and_brightness_are_those_of_the_anatomy_page(time) -> None:
    rng = np.random.default_rng(1)
    samples = (0.1 * rng.standard_normal(len(time)) * (np.sin(2 * np.pi * 2 * time) > 0)).astype(
        np.float32
    )
    clip, found = Clip(samples), measured(samples)
    tempo = descriptors.tempo(clip)
    assert tempo is not None
    assert of(found, "tempo (BPM)") == pytest.approx(tempo.bpm, rel=1e-6)
    assert of(found, "loudness (LUFS)") == pytest.approx(descriptors.loudness(samples), abs=1e-4)
    assert of(found, "spectral centroid (Hz)") == pytest.approx(descriptors.centroid(clip), rel=1e-6)


def test_silence_has_descriptors(time) -> None:
    found = measured(np.zeros(len(time)))
    assert np.isfinite(found).all()
    assert of(found, "tempo (BPM)") == 0
