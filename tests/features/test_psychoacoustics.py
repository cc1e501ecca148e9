from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from soundalike.audio import decoding
from soundalike.audio.clip import ANALYSIS_SAMPLES, HOP_LENGTH, N_FRAMES
from soundalike.features import psychoacoustics

LIBROSA_HZ = [0.0, 60.0, 440.0, 999.9, 1_000.0, 1_000.1, 2_595.0, 11_025.0]


def frequencies_in(samples: np.ndarray, sample_rate: int = psychoacoustics.SAMPLE_RATE) -> np.ndarray:
    """The frequencies whose level is within 40 dB of the loudest, by an FFT of its own."""
    magnitudes = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    found = np.flatnonzero(
        (magnitudes[1:-1] > magnitudes[:-2])
        & (magnitudes[1:-1] >= magnitudes[2:])
        & (magnitudes[1:-1] > magnitudes.max() / 100)
    )
    return (found + 1) * sample_rate / len(samples)


def read(content: bytes) -> tuple[np.ndarray, int]:
    with wave.open(io.BytesIO(content)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return frames / 32_767, file.getframerate()


def test_a_sine_has_one_frequency_at_its_level() -> None:
    samples = psychoacoustics.sine(440)
    assert samples.dtype == np.float32
    assert frequencies_in(samples) == pytest.approx([440])
    assert psychoacoustics.decibels(float(np.abs(samples).max())) == pytest.approx(-12, abs=0.01)
    frequencies, levels = psychoacoustics.spectrum(samples)
    assert frequencies[levels.argmax()] == pytest.approx(440, abs=10)
    assert levels.max() == pytest.approx(-12, abs=0.05)


def test_a_square_wave_has_the_odd_multiples_at_one_nth() -> None:
    samples = psychoacoustics.square(1_000)
    assert frequencies_in(samples) == pytest.approx(np.arange(1_000, 22_050, 2_000))
    magnitudes = np.abs(np.fft.rfft(samples))
    fundamental, third = magnitudes[2_000], magnitudes[6_000]
    assert third / fundamental == pytest.approx(1 / 3, abs=1e-3)


def test_two_tones_are_a_fifth_apart() -> None:
    assert frequencies_in(psychoacoustics.two_tones(440)) == pytest.approx([440, 660])


@pytest.mark.parametrize("name", list(psychoacoustics.SHAPES))
@pytest.mark.parametrize("frequency", [50, 437, 2_000])
@pytest.mark.parametrize("level", [-12.0, -48.0])
def test_no_tone_is_above_the_safe_level(name: str, frequency: float, level: float) -> None:
    samples = psychoacoustics.SHAPES[name](frequency, level)
    assert psychoacoustics.decibels(float(np.abs(samples).max())) == pytest.approx(level, abs=0.05)


def test_a_louder_tone_is_rejected() -> None:
    with pytest.raises(ValueError, match="-12 dBFS"):
        psychoacoustics.sine(440, -6)


def test_a_square_wave_at_the_nyquist_frequency_is_rejected() -> None:
    with pytest.raises(ValueError, match="22050 Hz"):
        psychoacoustics.square(22_050)


@pytest.mark.parametrize(("level", "ratio"), [(0, 1), (-20, 0.1), (-6.0206, 0.5), (20, 10)])
def test_decibels_count_ratios(level: float, ratio: float) -> None:
    assert psychoacoustics.amplitude(level) == pytest.approx(ratio, rel=1e-5)
    assert psychoacoustics.decibels(ratio) == pytest.approx(level, abs=1e-4)


def test_a_wav_fades_in_and_out_and_reads_back() -> None:
    samples, rate = read(psychoacoustics.wav(psychoacoustics.sine(440)))
    assert (rate, len(samples)) == (44_100, 88_200)
    assert abs(samples[0]) < 1e-4
    assert abs(samples[-1]) < 1e-4
    assert np.abs(samples[:200]).max() < 0.05
    assert np.abs(samples[20_000:60_000]).max() == pytest.approx(0.2512, abs=1e-3)
    assert np.abs(np.diff(samples)).max() < 0.25 * 2 * np.pi * 440 / 44_100 * 1.01


def test_the_app_decodes_a_wav() -> None:
    clip = decoding.decode(psychoacoustics.wav(psychoacoustics.sine(1_000, seconds=4)))
    assert clip.duration == pytest.approx(4, abs=0.01)
    assert frequencies_in(clip.samples[22_050:44_100], 22_050) == pytest.approx([1_000])


def test_two_consecutive_tones_are_separated_by_a_rest() -> None:
    samples = psychoacoustics.one_after_the_other(250, 500)
    assert frequencies_in(samples[:44_100]) == pytest.approx([250])
    assert frequencies_in(samples[-44_100:]) == pytest.approx([500])
    assert not samples[44_100:48_510].any()


@pytest.mark.parametrize(
    ("frequency", "rate", "expected"),
    [(6_000, 8_000, -2_000), (3_000, 8_000, 3_000), (9_000, 8_000, 1_000), (12_000, 11_025, 975)],
)
def test_alias_equals_the_peak_of_the_spectrum(frequency: float, rate: int, expected: float) -> None:
    assert psychoacoustics.alias(frequency, rate) == expected
    samples = psychoacoustics.sine(frequency, sample_rate=rate, seconds=1.0)
    assert frequencies_in(samples, rate) == pytest.approx([abs(expected)])
    same = psychoacoustics.sine(expected, sample_rate=rate, seconds=1.0)
    assert samples == pytest.approx(same, abs=1e-5)


def test_at_the_nyquist_frequency_nothing_is_left() -> None:
    assert np.abs(psychoacoustics.sine(4_000, sample_rate=8_000)).max() < 1e-6


@pytest.mark.parametrize("frequency", LIBROSA_HZ)
def test_mel_scale_equals_librosa(frequency: float) -> None:
    librosa = pytest.importorskip("librosa")
    mel = psychoacoustics.hz_to_mel(frequency)
    assert mel == pytest.approx(float(librosa.hz_to_mel(frequency)), rel=1e-9)
    assert psychoacoustics.mel_to_hz(mel) == pytest.approx(frequency, rel=1e-9)


def test_mel_bands_equal_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.mel_frequencies(218, fmin=0.0, fmax=11_025.0)[1:-1]
    assert psychoacoustics.mel_centres(216, 11_025.0) == pytest.approx(expected, rel=1e-9)


# Contours as published with the widely used iso226.m (Tackett, 2005), in dB SPL.
PUBLISHED = {
    40: (
        *(99.85, 93.94, 88.17, 82.63, 77.78, 73.08, 68.48, 64.37, 60.59, 56.70, 53.41, 50.40, 47.58),
        *(44.98, 43.05, 41.34, 40.06, 40.01, 41.82, 42.51, 39.23, 36.51, 35.61, 36.65, 40.01, 45.83),
        *(51.80, 54.28, 51.49),
    ),
    60: (
        *(109.51, 104.23, 99.08, 94.18, 89.96, 85.94, 82.05, 78.65, 75.56, 72.47, 69.86, 67.53, 65.39),
        *(63.45, 62.05, 60.81, 59.89, 60.01, 62.15, 63.19, 59.96, 57.26, 56.42, 57.57, 60.89, 66.36),
        *(71.66, 73.16, 68.63),
    ),
}


@pytest.mark.parametrize("phon", list(PUBLISHED))
def test_contours_are_the_published_ones(phon: int) -> None:
    assert psychoacoustics.equal_loudness(phon) == pytest.approx(PUBLISHED[phon], abs=0.006)


@pytest.mark.parametrize("phon", [20, 40, 60, 80])
def test_a_tone_at_1_khz_has_as_many_phon_as_db(phon: float) -> None:
    # The standard's own rounding leaves 0.02 dB.
    assert psychoacoustics.phon_of(phon, 1_000) == pytest.approx(phon, abs=0.03)


@pytest.mark.parametrize("phon", [20, 47, 80])
def test_phon_is_the_inverse_of_the_contour(phon: float) -> None:
    for frequency, level in zip(
        psychoacoustics.ISO_226_HZ, psychoacoustics.equal_loudness(phon), strict=True
    ):
        assert psychoacoustics.phon_of(float(level), frequency) == pytest.approx(phon, abs=1e-6)


def test_contours_lie_above_each_other_and_above_the_threshold() -> None:
    levels = [
        psychoacoustics.hearing_threshold(),
        *map(psychoacoustics.equal_loudness, (20, 40, 60, 80)),
    ]
    assert (np.diff(levels, axis=0) > 0).all()
    assert psychoacoustics.ISO_226_HZ[int(np.argmin(levels[0]))] == 3_150


def test_a_tone_below_the_threshold_has_no_loudness() -> None:
    assert psychoacoustics.phon_of(30, 20) == 0


@pytest.mark.parametrize("phon", [19, 81])
def test_a_contour_outside_the_standard_is_rejected(phon: float) -> None:
    with pytest.raises(ValueError, match="between 20 and 80"):
        psychoacoustics.equal_loudness(phon)


@pytest.mark.parametrize("frequency", [31.5, 100, 1_000, 3_150, 12_500])
def test_matched_levels_are_safe_and_differ_as_the_contour_does(frequency: float) -> None:
    reference, other = psychoacoustics.matched_levels(frequency, 60)
    contour = dict(zip(psychoacoustics.ISO_226_HZ, psychoacoustics.equal_loudness(60), strict=True))
    assert max(reference, other) == pytest.approx(psychoacoustics.PEAK_DBFS)
    assert other - reference == pytest.approx(contour[frequency] - 60)


def test_an_analysed_clip_has_1293_frames() -> None:
    assert 1 + ANALYSIS_SAMPLES // HOP_LENGTH == N_FRAMES


def test_spectrogram_equals_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    samples = np.random.default_rng(0).normal(size=8_000).astype(np.float32)
    made = psychoacoustics.spectrogram(samples, 22_050, 512, 128, 11_025, (1_000, 1_000))
    power = np.abs(librosa.stft(samples, n_fft=512, hop_length=128, pad_mode="constant"))
    expected = librosa.amplitude_to_db(power, ref=np.max, top_db=80.0)
    assert made.levels.shape == expected.shape
    assert np.abs(made.levels - expected).max() <= 0.51
    assert made.frames == 1 + 8_000 // 128


@pytest.mark.parametrize("n_fft", [256, 8_192])
def test_a_sine_peaks_in_its_row_of_the_spectrogram(n_fft: int) -> None:
    made = psychoacoustics.spectrogram(
        psychoacoustics.sine(1_000), psychoacoustics.SAMPLE_RATE, n_fft, 512
    )
    row = int(made.levels.max(axis=1).argmax())
    assert abs(row * made.hertz - 1_000) <= made.hertz


def test_only_a_long_window_resolves_close_tones() -> None:
    both = psychoacoustics.sine(1_000) + psychoacoustics.sine(1_050)

    def dip(n_fft: int) -> float:
        made = psychoacoustics.spectrogram(both, 44_100, n_fft, 512, 2_000, (1_000, 300))
        column = made.levels[:, made.levels.shape[1] // 2].astype(int)
        hertz = np.arange(len(column)) * made.hertz
        return float(column.max() - column[(hertz > 1_015) & (hertz < 1_035)].min(initial=99))

    assert dip(8_192) > 20
    assert dip(256) < 3


def test_a_spectrogram_is_thinned_to_its_limits() -> None:
    made = psychoacoustics.spectrogram(np.zeros(66_150, np.float32), 22_050, 8_192, 128)
    assert made.levels.shape[0] <= 160
    assert made.levels.shape[1] <= 260
    assert made.levels.dtype == np.int8
    assert made.seconds * made.levels.shape[1] == pytest.approx(3, abs=0.05)
    assert made.hertz * made.levels.shape[0] == pytest.approx(5_000, abs=50)


def test_thinning_keeps_the_loudest() -> None:
    levels = np.full((216, 1_293), -80.0, np.float32)
    levels[100, 700] = 0
    thin = psychoacoustics.thinned_levels(levels, (108, 200))
    assert thin.shape[0] <= 108
    assert thin.shape[1] <= 200
    assert np.argwhere(thin == 0).tolist() == [[50, 100]]


def test_middle_of_a_sound() -> None:
    samples = np.arange(100, dtype=np.float32)
    assert psychoacoustics.middle(samples, 10, 2.0).tolist() == list(range(40, 60))
    assert len(psychoacoustics.middle(samples, 10, 60.0)) == 100
