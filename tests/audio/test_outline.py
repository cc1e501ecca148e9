"""The outline of a clip's waveform."""

from __future__ import annotations

import numpy as np
import pytest
from audio_files import clip_of

from soundalike.audio import outline
from soundalike.audio.clip import SAMPLE_RATE


def steps(*levels: float, seconds: float = 30.0) -> np.ndarray:
    tone = np.sin(2 * np.pi * 440 * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)
    return np.concatenate([level * tone for level in levels])


def test_peaks_are_relative_to_the_largest() -> None:
    found = outline.of(clip_of(steps(0.1, 0.4, 0.2)))
    assert len(found.peaks) == outline.PEAKS
    assert found.peaks[50] == 25
    assert found.peaks[150] == 100
    assert found.peaks[250] == 50
    assert found.duration == pytest.approx(90.0)
    assert (found.loudest, found.last) == (30, 60)


def test_samples_that_are_no_numbers_count_as_nothing() -> None:
    samples = steps(0.1, 0.4, 0.2)
    samples[100:200] = np.nan
    samples[300:400] = np.inf
    assert outline.of(clip_of(samples)).peaks[0] == 25


def test_silence_has_an_outline() -> None:
    assert set(outline.of(clip_of(np.zeros(40 * SAMPLE_RATE))).peaks) == {0}


@pytest.mark.parametrize(
    ("duration", "last"), [(3.0, 0), (30.0, 0), (31.0, 0), (31.5, 1), (61.0, 31), (90.0, 60)]
)
def test_the_last_start_of_a_clip(duration: float, last: int) -> None:
    assert outline.last_start(duration) == last
