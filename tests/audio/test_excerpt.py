"""One half minute of a file, decoded alone, is that of the file decoded as a whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from audio_files import FORMATS, sine, stereo

from soundalike.audio import decoding, excerpt, sandbox
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, clock
from soundalike.errors import AudioError

RATE = 48_000
LAG = round(0.001 * SAMPLE_RATE)
"""Some containers keep times in whole milliseconds."""
QUICK = ("mp3", "flac", "m4a-aac", "ogg-opus", "webm-opus", "wav-adpcm-ms")


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """40 s of noise below 4 kHz."""
    noise = np.random.default_rng(2).normal(0, 0.3, 40 * RATE)
    return np.convolve(noise, np.ones(12) / 12, "same").astype(np.float32)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.sweep) for name in FORMATS]
)
def test_it_is_the_same_as_of_the_whole_file(name: str, encode, sound: np.ndarray) -> None:
    container, codec = FORMATS[name]
    content = encode(stereo(sound, 0.8 * sound), RATE, container, codec)
    found = excerpt.decode(content, 9.0)
    expected = analysis_window(decoding.decode(content), 9.0)
    assert len(found.samples) == ANALYSIS_SAMPLES
    assert found.start == pytest.approx(9.0, abs=0.001)
    assert found.notes[-1].startswith("We analysed the half minute that you chose, 0:09 to 0:39")
    middle = found.samples[LAG:-LAG]
    shifted = (expected.samples[lag : len(middle) + lag] for lag in range(2 * LAG + 1))
    alike = max(float(np.corrcoef(middle[:RATE], other[:RATE])[0, 1]) for other in shifted)
    assert alike > 0.95


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_f32le"])
def test_samples_are_those_of_the_whole_file_to_the_last_one(codec: str, encode, sound) -> None:
    content = encode(sound, RATE, "wav", codec)
    for start in (0.0, 4.0, 7.5, 9.0):
        found = excerpt.decode(content, start)
        expected = analysis_window(decoding.decode(content), start)
        assert found.start == pytest.approx(expected.start, abs=1e-9)
        np.testing.assert_allclose(found.samples, expected.samples, atol=2e-3)


def test_the_sandbox_decodes_the_same(encode, sound) -> None:
    content = encode(sound, RATE, "flac", "flac")
    found, expected = sandbox.decode(content, start=5.0), excerpt.decode(content, 5.0)
    np.testing.assert_array_equal(found.samples, expected.samples)
    assert found.start == expected.start
    assert found.notes == expected.notes


def test_a_start_beyond_the_end_gives_the_last_half_minute(encode, sound) -> None:
    content = encode(sound, RATE, "flac", "flac")
    for start in (10.0, 11.0, 500.0):
        found = excerpt.decode(content, start)
        assert clock(found.start) == "0:10"
        assert len(found.samples) == ANALYSIS_SAMPLES


@pytest.mark.parametrize("start", [-1.0, math.nan, math.inf])
def test_what_is_no_start_is_refused(start: float, encode) -> None:
    with pytest.raises(ValueError, match="can't start"):
        excerpt.decode(encode(sine(4)), start)


def test_a_short_file_is_looped(encode) -> None:
    content = encode(sine(4))
    expected = analysis_window(decoding.decode(content))
    np.testing.assert_array_equal(excerpt.decode(content, 2.0).samples, expected.samples)


def test_a_silent_half_minute_is_refused_though_the_file_is_not_silent(encode) -> None:
    samples = np.concatenate([sine(35), np.zeros(40 * RATE, np.float32)])
    content = encode(samples)
    assert len(excerpt.decode(content, 5.0).samples) == ANALYSIS_SAMPLES
    with pytest.raises(AudioError, match=r"This half minute is silent\. Choose another one\."):
        excerpt.decode(content, 40.0)


def test_channels_that_cancel_each_other_out_are_not_silent(encode, sound) -> None:
    content = encode(stereo(sound, -sound), RATE, "flac", "flac")
    assert float(np.abs(excerpt.decode(content, 5.0).samples).max()) > 0.1
