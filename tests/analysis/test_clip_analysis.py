"""A clip's anatomy: the part shown, its measurements and the network's input image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_library import write_tone

from soundalike import paths
from soundalike.analysis import clip_analysis, panels
from soundalike.analysis.clip_analysis import Anatomy, Shown
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.errors import AudioError
from soundalike.features import spectral, spectrogram_image
from soundalike.models import ModelStore, vgg_features

CLIP = paths.LIBRARY / "clips" / "0102.opus"


@pytest.fixture(scope="module")
def shown() -> Anatomy:
    return clip_analysis.analyse(CLIP)


def heard(path: Path) -> Shown:
    return clip_analysis.part_shown(*decoding.decode_stereo(path))


def test_library_clip(shown: Anatomy) -> None:
    assert tuple(shown.panels) == panels.MAIN
    assert shown.start == 0.0
    assert shown.duration == pytest.approx(30.0, abs=0.01)
    assert {panel.values.shape[1] for panel in shown.panels.values()} == {len(shown.rms)}
    assert shown.facts.stereo
    assert shown.facts.loudness == pytest.approx(-16.0, abs=0.1)
    assert shown.facts.tempo is not None
    assert shown.facts.key is not None


def test_envelope_has_peaks(shown: Anatomy) -> None:
    samples = decoding.decode(CLIP).samples
    assert shown.envelope[0].min() / 32_767 == pytest.approx(samples.min(), abs=1e-4)
    assert shown.envelope[1].max() / 32_767 == pytest.approx(samples.max(), abs=1e-4)


def test_picture_is_network_input(shown: Anatomy) -> None:
    bands = 215 - (2 * np.arange(480) + 1) * 216 // 960
    window = analysis_window(decoding.decode(CLIP))
    expected = vgg_features.mel_image(window)[:, :, ::-1]
    np.testing.assert_array_equal(spectrogram_image.MAGMA[shown.vgg_levels[bands]], expected)


def test_short_clip_is_not_repeated(tmp_path) -> None:
    short = clip_analysis.analyse(write_tone(tmp_path / "tone.wav", "pcm_s16le", seconds=5.0))
    assert short.duration == pytest.approx(5.0, abs=0.01)
    assert len(short.rms) == 5 * SAMPLE_RATE // 512 + 1
    assert not short.facts.stereo
    assert any("looped" in note for note in short.notes)


def test_long_clip_shows_loudest_half_minute(tmp_path) -> None:
    path = write_tone(tmp_path / "long.wav", "pcm_s16le", seconds=50.0)
    long = clip_analysis.analyse(path)
    assert long.source_duration == pytest.approx(50.0, abs=0.01)
    assert long.duration == ANALYSIS_SAMPLES / SAMPLE_RATE
    assert long.start + long.duration <= long.source_duration
    assert any("loudest 30 seconds" in note for note in long.notes)


def test_bytes_equal_file(shown: Anatomy) -> None:
    again = clip_analysis.analyse(CLIP.read_bytes())
    assert again.facts == shown.facts
    for name, panel in again.panels.items():
        np.testing.assert_array_equal(panel.values, shown.panels[name].values)


@pytest.mark.parametrize("name", panels.FRONT_ENDS)
def test_front_ends_share_the_frames_of_the_main_panels(shown: Anatomy, name: str) -> None:
    assert clip_analysis.front_end(heard(CLIP), name).values.shape[1] == len(shown.rms)


def test_text_file_raises_audio_error() -> None:
    with pytest.raises(AudioError):
        clip_analysis.analyse(b"not a sound")


def test_burst_position_in_picture() -> None:
    samples = np.random.default_rng(0).normal(0, 1e-3, ANALYSIS_SAMPLES).astype(np.float32)
    samples[12 * SAMPLE_RATE : 15 * SAMPLE_RATE] *= 300
    picture = clip_analysis.vgg_levels(Clip(samples)).astype(float)
    bright = np.flatnonzero(picture.mean(axis=0) > picture.mean() + 20)
    assert bright.min() == pytest.approx(12 / 30 * 640, abs=3)
    assert bright.max() == pytest.approx(15 / 30 * 640, abs=3)


def test_reconstruction_beats_zero() -> None:
    redrawn = clip_analysis.reconstruction(heard(CLIP), ModelStore())
    clip = analysis_window(decoding.decode(CLIP))
    matrix = spectral.standardise(spectral.mfcc(clip))
    values = redrawn.low + redrawn.values / redrawn.largest * (redrawn.high - redrawn.low)
    assert values.shape == (20, 1292)
    error = float(np.mean((values - matrix[:, :1292]) ** 2))
    assert error < 0.9
    told = float(redrawn.summary.split(" is ")[1].split(" of ")[0])
    assert told == pytest.approx(error, abs=0.02)


def test_reconstruction_of_short_clip_keeps_length(tmp_path) -> None:
    path = write_tone(tmp_path / "tone.wav", "pcm_s16le")
    shown = clip_analysis.analyse(path)
    redrawn = clip_analysis.reconstruction(heard(path), ModelStore())
    assert redrawn.values.shape[1] == shown.panels["mfcc"].values.shape[1]
