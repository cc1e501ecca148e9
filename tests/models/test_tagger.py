"""Tests of the tagger: its front end by hand, and the outputs of the original graph."""

from __future__ import annotations

import io
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import soxr

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.errors import ModelError
from soundalike.models import tagger

WEIGHTS = paths.MODELS / "musicnn_msd.npz"
ORIGINAL = Path(__file__).resolve().parents[1] / "data" / "musicnn_original.npz"
"""Outputs of the graph in musicnn's wheel, written by `scripts/convert_musicnn.py --fixture`."""


@pytest.fixture(scope="module")
def original() -> dict[str, np.ndarray]:
    with np.load(ORIGINAL, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def real_patches(original) -> np.ndarray:
    clips = [paths.LIBRARY / "clips" / f"{track}.opus" for track in original["tracks"]]
    windows = [analysis_window(decoding.decode(clip)) for clip in clips]
    return np.stack([tagger.patches(as_it_is(window))[3] for window in windows])


def as_it_is(clip: Clip) -> np.ndarray:
    """A clip's spectrogram at its own level, as the original program has it."""
    return tagger.log_mel(soxr.resample(clip.samples, clip.sample_rate, 16_000, quality="HQ"))


def noise(n: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 4, (n, 187, 96)).astype(np.float32)


def sine(frequency: float, seconds: float = 4.0, rate: int = SAMPLE_RATE) -> Clip:
    times = np.arange(int(seconds * rate)) / rate
    return Clip((0.5 * np.sin(2 * np.pi * frequency * times)).astype(np.float32), rate)


def npz(**values) -> bytes:
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


def test_same_outputs_as_the_original_graph(real_patches, original, exact_models):
    output = exact_models.tagger(real_patches)
    # The original had these clips with their constant part, which decoding takes away by now.
    np.testing.assert_allclose(output.tags, original["tags"], atol=1e-3)
    np.testing.assert_allclose(output.penultimate, original["penultimate"], atol=1e-2)
    assert original["tags"].max(axis=1).min() > 0.1


def test_the_tags_follow_from_the_penultimate_layer(exact_models):
    output = exact_models.tagger(noise())
    with np.load(WEIGHTS, allow_pickle=False) as arrays:
        logits = output.penultimate.astype(np.float64) @ arrays["tags_kernel"] + arrays["tags_bias"]
    np.testing.assert_allclose(output.tags, 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_temporal_filters_by_hand(exact_models):
    patch = noise(1)[0].astype(np.float64)
    with np.load(WEIGHTS, allow_pickle=False) as file:
        weights = dict(file)

    def normalised(x, name):
        gamma, beta, mean, variance = (
            weights[f"{name}_norm_{part}"].astype(np.float64)
            for part in ("gamma", "beta", "mean", "variance")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    first = len(tagger.TIMBRAL) * tagger.TIMBRAL_FILTERS
    pooled = exact_models.tagger(noise(1)).pooled[0]
    for position, (name, frames) in enumerate(tagger.TEMPORAL.items()):
        kernel = weights[f"{name}_kernel"].swapaxes(1, 2).reshape(frames, tagger.TEMPORAL_FILTERS)
        padded = np.pad(normalised(patch, "input"), ((frames // 2 - 1, frames // 2), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, frames, axis=0)
        response = np.maximum(windows @ kernel + weights[f"{name}_bias"], 0)
        course = normalised(response, name).max(axis=1)
        expected = np.stack([course.max(axis=0), course.mean(axis=0)], axis=1)
        begin = first + position * tagger.TEMPORAL_FILTERS
        found = pooled[begin : begin + tagger.TEMPORAL_FILTERS]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_spectrogram_by_hand():
    rng = np.random.default_rng(0)
    samples = (0.2 * rng.normal(size=16_000)).astype(np.float32)
    found = tagger.log_mel(samples)
    padded = np.pad(samples.astype(np.float64), 256, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 512)[::256]
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    expected = np.log10(1e4 * power @ slaney_bands().T + 1)
    assert found.shape == (63, 96)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)


def slaney_bands() -> np.ndarray:
    """96 triangles of unit area, equally far apart in Slaney's mels, from 0 to 8 kHz."""
    mels = np.linspace(0, 15 + 27 * np.log(8) / np.log(6.4), 98)
    hertz = np.where(mels < 15, mels * 200 / 3, 1_000 * 6.4 ** ((mels - 15) / 27))
    bins = np.arange(257) * 16_000 / 512
    low, centre, high = hertz[:-2, None], hertz[1:-1, None], hertz[2:, None]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)


def test_a_tone_peaks_in_its_band():
    for frequency, band in ((1_000.0, 31), (4_000.0, 74)):
        course = tagger.spectrogram(sine(frequency))[20:-20]
        assert (abs(course.argmax(axis=1) - band) <= 2).all()


def test_silence_is_zero():
    np.testing.assert_array_equal(tagger.spectrogram(Clip(np.zeros(66_150, np.float32))), 0)


def test_the_rate_of_the_clip_hardly_matters():
    fine = tagger.spectrogram(sine(440.0, rate=48_000))
    coarse = tagger.spectrogram(sine(440.0))
    assert fine.shape == coarse.shape
    loud = fine[5:-5] > 1
    np.testing.assert_allclose(fine[5:-5][loud], coarse[5:-5][loud], atol=0.02)


def test_half_a_minute_has_ten_patches(library_clip):
    clip = analysis_window(decoding.decode(library_clip))
    frames = tagger.spectrogram(clip)
    cut = tagger.patches(frames)
    assert cut.shape == (10, 187, 96)
    np.testing.assert_array_equal(cut[4], frames[748:935])
    assert len(tagger.patches(frames, step=93)) == 19


def test_patches_need_three_seconds():
    frames = np.zeros((187, 96), np.float32)
    assert tagger.patches(frames).shape == (1, 187, 96)
    with pytest.raises(ValueError, match="more than the 186 there are"):
        tagger.patches(frames[:186])


def test_a_batch_gives_what_its_members_give(models):
    batch = noise(3)
    together = models.tagger(batch)
    for row, patch in enumerate(batch):
        alone = models.tagger(patch[np.newaxis])
        np.testing.assert_allclose(together.penultimate[row], alone.penultimate[0], atol=1e-4)


@pytest.mark.sweep
def test_the_same_patches_give_the_same_bytes_from_any_thread(models):
    batch, results = noise(), []
    threads = [threading.Thread(target=lambda: results.append(models.tagger(batch))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = models.tagger(batch)
    assert len(results) == 3
    for output in results:
        np.testing.assert_array_equal(output.tags, expected.tags)
        np.testing.assert_array_equal(output.pooled, expected.pooled)


def test_shapes_and_ranges(models):
    output = models.tagger(noise(2))
    assert output.tags.shape == (2, 50) == (2, len(set(tagger.TAGS)))
    assert output.penultimate.shape == (2, tagger.DIM) == (2, 200)
    assert output.pooled.shape == (2, tagger.N_POOLED, 2)
    assert ((output.tags >= 0) & (output.tags <= 1)).all()
    assert (output.pooled[:, :, 0] >= output.pooled[:, :, 1] - 1e-4).all()
    assert {array.dtype for array in (output.tags, output.penultimate, output.pooled)} == {
        np.dtype(np.float32)
    }


def test_the_file_matches_its_model_card():
    card = WEIGHTS.with_suffix(".md").read_text(encoding="utf-8")
    (sha256,) = re.findall(r"`([0-9a-f]{64})`", card)
    assert paths.sha256_of(WEIGHTS) == sha256
    assert "Permission to use, copy, modify, and/or distribute this software" in card


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"is missing; .*\.$"):
        tagger.Tagger(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: WEIGHTS.read_bytes()[: 2**20],
        npz,
        lambda: npz(input_norm_gamma=np.zeros(3)),
        lambda: npz(input_norm_gamma=np.array([None])),
    ],
    ids=["empty", "truncated", "no arrays", "other arrays", "objects"],
)
def test_a_damaged_file(make, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(make())
    with pytest.raises(ModelError, match=r"is damaged; .*\.$") as caught:
        tagger.Tagger(path)
    assert len(str(caught.value).splitlines()) == 1
    assert str(path) in str(caught.value)
