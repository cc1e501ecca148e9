"""Tests of descriptors: signals of known tempo, key, loudness and brightness."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.features import descriptors, spectral

SECONDS = 20
TIME = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE


def clip(samples: np.ndarray) -> Clip:
    return Clip(samples.astype(np.float32))


def clicks(bpm: float) -> Clip:
    samples = np.zeros(len(TIME))
    click = np.sin(0.3 * np.arange(400)) * np.exp(-np.arange(400) / 80)
    for start in np.arange(0, len(TIME) - 400, SAMPLE_RATE * 60 / bpm).astype(int):
        samples[start : start + 400] += click
    return clip(samples)


def chords(*triads: tuple[int, int, int]) -> Clip:
    """Two seconds of each triad, given as semitones above middle C."""
    parts = []
    for triad in triads:
        time = TIME[: 2 * SAMPLE_RATE]
        parts.append(sum(np.sin(2 * np.pi * 261.63 * 2 ** (note / 12) * time) for note in triad) / 6)
    return clip(np.concatenate(parts))


def sine(hertz: float, rate: int = SAMPLE_RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(SECONDS * rate) / rate)


@pytest.mark.parametrize("bpm", [75.0, 97.0, 120.0, 133.3, 151.0])
def test_clicks_have_their_tempo(bpm: float) -> None:
    found = descriptors.tempo(clicks(bpm))
    assert found is not None
    assert found.bpm == pytest.approx(bpm, abs=0.5)
    assert found.clarity > 0.6


def test_noise_has_no_clear_pulse() -> None:
    found = descriptors.tempo(clip(np.random.default_rng(0).normal(0, 0.1, len(TIME))))
    assert found is not None
    assert found.clarity < 0.1


def test_a_clip_without_onsets_has_no_tempo() -> None:
    assert descriptors.tempo(clip(np.zeros(len(TIME)))) is None


@pytest.mark.parametrize(
    ("name", "triads"),
    [
        ("C major", [(0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)]),
        ("A minor", [(-3, 0, 4), (2, 5, 9), (4, 7, 11), (-3, 0, 4)]),
        ("D♯ major", [(3, 7, 10), (8, 12, 15), (10, 14, 17), (3, 7, 10)]),
    ],
)
def test_a_cadence_has_its_key(name: str, triads: list[tuple[int, int, int]]) -> None:
    found = descriptors.key(spectral.chroma(chords(*triads)))
    assert found is not None
    assert found.name == name
    assert found.correlation > 0.8
    assert found.margin == pytest.approx(found.correlation - found.second_correlation)
    assert found.margin > 0


def test_a_profile_matches_its_own_key_in_every_transposition() -> None:
    for tonic, name in enumerate(descriptors.PITCH_CLASSES):
        profile = np.roll(descriptors.MINOR, tonic)[:, np.newaxis].astype(np.float32)
        found = descriptors.key(profile)
        assert found is not None
        assert found.name == f"{name} minor"
        assert found.correlation == pytest.approx(1.0)


def test_twelve_equal_notes_have_no_key() -> None:
    assert descriptors.key(np.ones((12, 5), np.float32)) is None


@pytest.mark.parametrize("rate", [SAMPLE_RATE, 48_000])
def test_loudness_of_the_standard_s_sine(rate: int) -> None:
    """BS.1770: a full-scale sine of 997 Hz on one channel is -3.01 LKFS, on both 0."""
    tone = sine(997, rate).astype(np.float32)
    assert descriptors.loudness(tone, rate) == pytest.approx(-3.01, abs=0.05)
    both = np.stack([tone, tone], axis=1)
    assert descriptors.loudness(both, rate) == pytest.approx(0.0, abs=0.05)
    assert descriptors.loudness(0.1 * both, rate) == pytest.approx(-20.0, abs=0.05)


def test_low_frequencies_are_weighted_less() -> None:
    low, middle = (descriptors.loudness(sine(hertz).astype(np.float32)) for hertz in (30, 997))
    assert low is not None
    assert middle is not None
    assert low < middle - 6


def test_silence_has_no_loudness_and_pauses_do_not_count() -> None:
    assert descriptors.loudness(np.zeros(len(TIME), np.float32)) is None
    tone = sine(997).astype(np.float32)
    paused = np.concatenate([tone, np.zeros_like(tone)])
    assert descriptors.loudness(paused) == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize("track_id", ["0001", "0021", "0102"])
def test_loudness_of_library_clips_equals_ffmpeg(track_id: str) -> None:
    _, channels = decoding.decode_stereo(paths.LIBRARY / "clips" / f"{track_id}.opus")
    assert channels is not None
    assert descriptors.loudness(channels) == pytest.approx(-16.0, abs=0.1)


@pytest.mark.parametrize("hertz", [200.0, 1_000.0, 5_000.0])
def test_a_sine_s_centroid_is_its_frequency(hertz: float) -> None:
    quiet = np.where(TIME < SECONDS / 2, 0.5 * sine(hertz), 0.0)
    assert descriptors.centroid(clip(quiet)) == pytest.approx(hertz, rel=0.02)


def test_rms_of_a_sine_and_of_librosa() -> None:
    tone = clip(0.5 * sine(440))
    levels = descriptors.rms(tone)
    np.testing.assert_allclose(levels[5:-5], 0.5 / np.sqrt(2), rtol=1e-2)
    np.testing.assert_array_equal(levels, librosa.feature.rms(y=tone.samples)[0])


@pytest.mark.parametrize("points", [1, 7, 4_096])
def test_an_envelope_keeps_every_peak(points: int) -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, 100_003).astype(np.float32)
    samples[54_321], samples[777] = 0.9, -0.8
    low, high = descriptors.envelope(samples, points)
    assert len(low) == len(high) == points
    assert high.max() == np.float32(0.9)
    assert low.min() == np.float32(-0.8)
    assert (low <= high).all()


def test_an_envelope_of_few_samples_is_the_samples() -> None:
    samples = np.array([0.1, -0.2, 0.3], np.float32)
    np.testing.assert_array_equal(descriptors.envelope(samples), [samples, samples])
