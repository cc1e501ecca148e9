"""Rooms, noise, telephones and loudspeakers, on signals with a known result."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from audio_files import clip_of, peak_hertz, sine

from soundalike.audio.clip import SAMPLE_RATE
from soundalike.evaluation import degradations
from soundalike.evaluation.degradations import Room

Noise = Callable[[int, np.random.Generator], np.ndarray]
NOISES = {"babble": degradations.babble, "pink": degradations.pink_noise}


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def tone(hertz: float, seconds: float = 2.0) -> np.ndarray:
    return sine(seconds, SAMPLE_RATE, hertz, 0.25)


def level_db(samples: np.ndarray) -> float:
    """Level of the second half, where filters have settled."""
    settled = samples[len(samples) // 2 :].astype(np.float64)
    return float(10 * np.log10(np.square(settled).mean()))


def magnitude(samples: np.ndarray, hertz: float) -> float:
    """Amplitude of one frequency, which makes whole periods of the samples."""
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / SAMPLE_RATE)
    return float(2 * np.abs((samples * turns).mean()))


def reverberation_time(response: np.ndarray) -> float:
    """By Schroeder's backward integration: the fall from -5 to -35 dB, twice over."""
    energy = np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1]
    decay = 10 * np.log10(energy / energy[0])
    fall = np.flatnonzero((decay < -5) & (decay > -35))
    slope, _ = np.polyfit(fall / SAMPLE_RATE, decay[fall], 1)
    return float(-60 / slope)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("rt60", "direct_db"), [(0.3, 6.0), (0.5, 3.0), (0.9, 0.0)])
def test_room_reverberation_time_and_ratio(rt60: float, direct_db: float, seed: int) -> None:
    response = Room(rt60, direct_db).impulse_response(generator(seed))
    assert reverberation_time(response[1:]) == pytest.approx(rt60, rel=0.1)
    ratio = 10 * np.log10(response[0] ** 2 / np.square(response[1:], dtype=np.float64).sum())
    assert ratio == pytest.approx(direct_db, abs=0.5)


def test_click_in_a_room_is_its_impulse_response() -> None:
    room = Room(0.3, 6.0)
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[100] = 0.5
    response = room.impulse_response(generator())
    recorded = degradations.in_room(click, room, generator())
    assert len(recorded) == len(click)
    np.testing.assert_allclose(recorded[100 : 100 + len(response)], 0.5 * response, atol=1e-6)
    np.testing.assert_allclose(recorded[:100], 0, atol=1e-6)


def test_another_seed_is_another_room() -> None:
    one, other = (Room(0.5, 3.0).impulse_response(generator(seed)) for seed in (0, 1))
    assert np.corrcoef(one[1:], other[1:])[0, 1] < 0.1


@pytest.mark.parametrize("snr_db", [20.0, 10.0, 5.0])
@pytest.mark.parametrize("make", NOISES.values(), ids=NOISES)
def test_noise_has_requested_snr(make: Noise, snr_db: float) -> None:
    samples = tone(440)
    noise = make(len(samples), generator())
    added = degradations.with_noise(samples, noise, snr_db).astype(np.float64) - samples
    ratio = 10 * np.log10(np.square(samples, dtype=np.float64).mean() / np.square(added).mean())
    assert ratio == pytest.approx(snr_db, abs=0.1)


def test_silent_noise_changes_nothing() -> None:
    samples = tone(440)
    same = degradations.with_noise(samples, np.zeros_like(samples), 10)
    np.testing.assert_array_equal(same, samples)


def test_pink_noise_falls_by_3_db_an_octave() -> None:
    noise = degradations.pink_noise(60 * SAMPLE_RATE, generator())
    power = np.square(np.abs(np.fft.rfft(noise)))
    hertz = np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE)
    edges = 40.0 * 2.0 ** np.arange(9)
    density = [10 * np.log10(power[(hertz >= low) & (hertz < 2 * low)].mean()) for low in edges[:-1]]
    slope, _ = np.polyfit(np.arange(len(density)), density, 1)
    assert slope == pytest.approx(-10 * np.log10(2), abs=0.1)
    np.testing.assert_allclose(np.diff(density), slope, atol=0.5)


@pytest.mark.parametrize("make", NOISES.values(), ids=NOISES)
def test_noise_is_seeded(make: Noise) -> None:
    noise = make(SAMPLE_RATE, generator(3))
    assert noise.shape == (SAMPLE_RATE,)
    assert noise.dtype == np.float32
    assert np.isfinite(noise).all()
    np.testing.assert_array_equal(noise, make(SAMPLE_RATE, generator(3)))
    assert not np.array_equal(noise, make(SAMPLE_RATE, generator(4)))


def syllabic_share(samples: np.ndarray) -> float:
    """How much of the level's movement is at 1 to 8 Hz, where that of speech is."""
    frame = SAMPLE_RATE // 50
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    envelope = np.sqrt(np.square(frames, dtype=np.float64).mean(axis=1))
    power = np.square(np.abs(np.fft.rfft(envelope - envelope.mean())))
    hertz = np.fft.rfftfreq(len(envelope), 0.02)
    return float(power[(hertz >= 1) & (hertz <= 8)].sum() / power.sum())


def test_babble_modulation_is_like_speech() -> None:
    count = 20 * SAMPLE_RATE
    crowd = degradations.babble(count, generator())
    white = generator().standard_normal(count)
    assert syllabic_share(white) < 0.45
    assert syllabic_share(crowd) > 0.6
    assert syllabic_share(degradations.babble(count, generator(), voices=1)) > 0.6


def test_babble_has_the_spectrum_of_voices() -> None:
    crowd = degradations.babble(10 * SAMPLE_RATE, generator())
    power = np.square(np.abs(np.fft.rfft(crowd)))
    hertz = np.fft.rfftfreq(len(crowd), 1 / SAMPLE_RATE)
    assert power[(hertz > 80) & (hertz < 3_500)].sum() > 0.6 * power.sum()
    # Consonants: there is something above the formants too.
    assert power[hertz > 5_000].sum() > 0.01 * power.sum()


@pytest.mark.parametrize(
    ("hertz", "low", "high"),
    [(75, -60, -45), (150, -26, -22), (300, -3.3, -2.7), (1_000, -0.1, 0.1), (3_400, -3.3, -2.7)]
    + [(6_800, -40, -24)],
)
def test_telephone_band(hertz: float, low: float, high: float) -> None:
    samples = tone(hertz)
    change = level_db(degradations.telephone(samples)) - level_db(samples)
    assert low <= change <= high


def test_open_ends_pass_everything() -> None:
    samples = tone(50) + tone(9_000)
    np.testing.assert_array_equal(degradations.band_limited(samples, None, None), samples)


def test_small_speaker_has_no_bass() -> None:
    played = degradations.small_speaker(tone(50) + tone(1_000), drive=0.1)[SAMPLE_RATE:]
    assert magnitude(played, 50) < 0.01 * magnitude(played, 1_000)


def test_small_speaker_clips_softly() -> None:
    quiet, loud = (degradations.small_speaker(tone(1_000), drive)[SAMPLE_RATE:] for drive in (0.1, 4.0))
    assert magnitude(quiet, 3_000) < 0.01 * magnitude(quiet, 1_000)
    assert 0.05 < magnitude(loud, 3_000) / magnitude(loud, 1_000) < 0.34
    assert np.abs(loud).max() <= 1


def test_small_speaker_is_bounded_and_level_invariant() -> None:
    spikes = generator().standard_normal(SAMPLE_RATE).astype(np.float32) ** 3
    played = degradations.small_speaker(spikes)
    assert np.abs(played).max() <= 1
    np.testing.assert_allclose(degradations.small_speaker(0.01 * spikes), played, atol=1e-4)
    silent = np.zeros(SAMPLE_RATE, np.float32)
    np.testing.assert_array_equal(degradations.small_speaker(silent), silent)


@pytest.mark.parametrize("factor", [0.95, 0.98, 0.99, 1.01, 1.02, 1.05])
def test_speed_changes_pitch(factor: float) -> None:
    samples = tone(1_000, 4.0)
    played = degradations.resampled(samples, factor)
    assert len(played) == len(samples)
    assert peak_hertz(clip_of(played[: SAMPLE_RATE * 3])) == pytest.approx(1_000 * factor, abs=0.4)


def test_speed_changes_time() -> None:
    click = np.zeros(4 * SAMPLE_RATE, np.float32)
    click[2 * SAMPLE_RATE] = 1.0
    for factor in (0.95, 1.05):
        played = degradations.resampled(click, factor)
        assert np.argmax(played) == pytest.approx(2 * SAMPLE_RATE / factor, abs=1)


@pytest.mark.parametrize("semitones", [1.0, -1.0])
def test_semitone_changes_pitch_only(semitones: float) -> None:
    samples = np.concatenate([tone(1_000, 2.0), np.zeros(2 * SAMPLE_RATE, np.float32)])
    moved = degradations.transposed(samples, semitones)
    assert len(moved) == len(samples)
    expected = 1_000 * 2 ** (semitones / 12)
    assert peak_hertz(clip_of(moved[: 2 * SAMPLE_RATE])) == pytest.approx(expected, rel=0.003)
    assert level_db(moved[: 2 * SAMPLE_RATE]) > -16
    assert np.abs(moved[round(2.2 * SAMPLE_RATE) :]).max() < 1e-3
