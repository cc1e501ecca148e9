"""Tests of fingerprints: copies, different clips and uninformative clips."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from small_library import IDS, write_index

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.errors import IndexFolderError
from soundalike.evaluation import robustness_changes
from soundalike.evaluation.robustness_changes import CHANGES, Recording
from soundalike.features import fingerprint
from soundalike.features.fingerprint import HOP_LENGTH, MAX_SHIFT, MIN_FRAMES, N_FFT, N_FRAMES, SAME
from soundalike.index import track_arrays

FEW = settings(max_examples=50, deadline=None, derandomize=True)
TIME = np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE
# Words repeat, so that some shifts fit better than others, and many frames say nothing.
WORDS = arrays(
    np.uint32,
    N_FRAMES,
    elements=st.sampled_from([0, 1, 0xFFFFFFFF, 0x0F0F0F0F, 0xFFFF0000, 0x12345678]),
    fill=st.nothing(),
)


def clip_of(samples: np.ndarray) -> Clip:
    return Clip(samples.astype(np.float32))


def noise(seed: int, n: int = ANALYSIS_SAMPLES) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=0.1, size=n)


def words(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 2**32, N_FRAMES, dtype=np.uint32)


def least_rate(a: np.ndarray, b: np.ndarray) -> float:
    """The distance by its definition, one shift after the other."""
    least = 0.5
    for shift in range(-MAX_SHIFT, MAX_SHIFT + 1):
        x = a[max(shift, 0) : N_FRAMES + min(shift, 0)]
        y = b[max(-shift, 0) : N_FRAMES - max(shift, 0)]
        both = (x != 0) & (y != 0)
        if both.sum() >= MIN_FRAMES:
            least = min(least, np.bitwise_count(x[both] ^ y[both]).mean() / 32)
    return least


@pytest.fixture(scope="module")
def source(library_clip: Path) -> Clip:
    return decoding.decode(library_clip)


@pytest.fixture(scope="module")
def clip(source: Clip) -> Clip:
    return analysis_window(source)


@pytest.fixture(scope="module")
def original(clip: Clip) -> np.ndarray:
    return fingerprint.of(clip)


def test_a_fingerprint_is_315_words_of_32_bits(original: np.ndarray) -> None:
    assert N_FRAMES == 315
    assert original.shape == (N_FRAMES,)
    assert original.dtype == np.uint32
    assert (original != 0).all()


def test_words_by_hand(clip: Clip, original: np.ndarray) -> None:
    """Every bit that float32 cannot have rounded to the other side is that of the paper's formula."""
    window = np.hanning(N_FFT + 1)[:-1]
    edges = np.round(300 * (2000 / 300) ** (np.arange(34) / 33) * N_FFT / SAMPLE_RATE).astype(int)
    for frame in (0, 157, 314):
        energy = np.empty((2, 33))
        for n, start in enumerate((frame * HOP_LENGTH, (frame + 1) * HOP_LENGTH)):
            power = np.abs(np.fft.rfft(window * clip.samples[start : start + N_FFT])) ** 2
            energy[n] = [power[low:high].sum() for low, high in pairwise(edges)]
        slope = energy[:, :-1] - energy[:, 1:]
        change = slope[1] - slope[0]
        certain = np.abs(change) > 1e-4 * energy.max()
        assert certain.sum() > 8
        bits = (int(original[frame]) >> np.arange(32)) & 1
        np.testing.assert_array_equal(bits[certain], change[certain] > 0)


def test_a_clip_has_distance_0_to_itself(original: np.ndarray) -> None:
    assert fingerprint.distance(original, original) == 0.0


@pytest.mark.parametrize(
    "change",
    [
        CHANGES["mp3_64_kbit"].make,
        robustness_changes.shifted(0.5 * HOP_LENGTH / SAMPLE_RATE),
        *(robustness_changes.shifted(seconds) for seconds in (0.1, 1, 3, 7, 9.9)),
    ],
    ids=["mp3", "half_a_hop", "0.1_s", "1_s", "3_s", "7_s", "9.9_s"],
)
def test_a_copy_is_the_same_recording(
    change: robustness_changes.Make, source: Clip, clip: Clip, original: np.ndarray
) -> None:
    copy = change(Recording(source, clip))
    assert copy is not None
    assert fingerprint.distance(fingerprint.of(copy), original) < 0.7 * SAME


def test_level_changes_nothing(source: Clip, clip: Clip, original: np.ndarray) -> None:
    np.testing.assert_array_equal(fingerprint.of(clip_of(2 * clip.samples)), original)
    copy = CHANGES["gain_6_db"].make(Recording(source, clip))
    assert copy is not None
    louder = fingerprint.of(copy)
    assert fingerprint.distance(louder, original) < 1e-3


def test_different_tracks_are_far_from_the_same_recording() -> None:
    files = [paths.LIBRARY / "clips" / f"{name}.opus" for name in IDS]
    prints = np.stack([fingerprint.of(analysis_window(decoding.decode(file))) for file in files])
    between = np.stack([fingerprint.distances(one, prints) for one in prints])
    np.testing.assert_array_equal(between, between.T)
    assert not between.diagonal().any()
    assert between[~np.eye(len(files), dtype=bool)].min() > 1.5 * SAME


def test_noise_against_noise_is_chance() -> None:
    a, b = (fingerprint.of(clip_of(noise(seed))) for seed in (0, 1))
    assert 0.45 < fingerprint.distance(a, b) <= 0.5


@pytest.mark.parametrize(
    "samples",
    [0 * TIME, 0 * TIME + 0.3, *(0.5 * np.sin(2 * np.pi * hertz * TIME) for hertz in (50, 440, 5_000))],
    ids=["silence", "offset", "50_hz", "440_hz", "5_khz"],
)
def test_constant_sounds_match_nothing(samples: np.ndarray, original: np.ndarray) -> None:
    steady = fingerprint.of(clip_of(samples))
    assert not steady.any()
    assert fingerprint.distance(steady, steady) == 0.5
    assert fingerprint.distance(steady, original) == 0.5


def test_digital_silence_is_ignored(clip: Clip, original: np.ndarray) -> None:
    """The first 14 s are compared alone; of 8 s, nothing is."""
    for seconds, least, most in ((14, 0.0, 0.05), (8, 0.5, 0.5)):
        cut = clip.samples.copy()
        cut[seconds * SAMPLE_RATE :] = 0
        copy = fingerprint.of(clip_of(cut))
        silent = int((seconds + 1) * SAMPLE_RATE / HOP_LENGTH)
        assert not copy[silent:].any()
        assert least <= fingerprint.distance(copy, original) <= most


def test_shifts_with_too_little_overlap_are_skipped() -> None:
    a, b = words(0), words(1)
    b[:MIN_FRAMES] = a[-MIN_FRAMES:]
    assert fingerprint.distance(a, b) > 0.4, "a shift by more than MAX_SHIFT"
    a[MIN_FRAMES:] = 0
    assert fingerprint.distance(a, a) == 0.0
    a[0] = 0
    assert fingerprint.distance(a, a) == 0.5


def test_worse_than_chance_is_no_worse_than_unrelated() -> None:
    a = np.full(N_FRAMES, 0x0F0F0F0F, np.uint32)
    assert fingerprint.distance(a, ~a) == 0.5


@pytest.mark.parametrize("shift", [-MAX_SHIFT, -1, 0, 1, MAX_SHIFT])
def test_every_shift_is_tried(shift: int) -> None:
    long = np.random.default_rng(2).integers(1, 2**32, N_FRAMES + MAX_SHIFT, dtype=np.uint32)
    a, b = long[max(shift, 0) :][:N_FRAMES], long[max(-shift, 0) :][:N_FRAMES]
    assert fingerprint.distance(a, b) == 0.0


def test_one_step_beyond_the_last_shift_is_not_tried() -> None:
    long = np.random.default_rng(2).integers(1, 2**32, N_FRAMES + MAX_SHIFT + 1, dtype=np.uint32)
    assert fingerprint.distance(long[MAX_SHIFT + 1 :], long[:N_FRAMES]) > 0.4


@FEW
@given(WORDS, WORDS)
def test_distance_is_the_least_bit_error_rate(a: np.ndarray, b: np.ndarray) -> None:
    found = fingerprint.distance(a, b)
    assert found == fingerprint.distance(b, a)
    assert 0.0 <= found <= 0.5
    assert found == pytest.approx(least_rate(a, b), abs=1e-6)


@pytest.mark.sweep
@FEW
@given(st.floats(-40, 40), st.sampled_from(["noise", "bursts"]))
def test_gain_does_not_matter(gain_db: float, kind: str) -> None:
    samples = noise(3) * (np.sin(2 * np.pi * TIME) > 0 if kind == "bursts" else 1)
    changed = fingerprint.of(clip_of(10 ** (gain_db / 20) * samples))
    assert fingerprint.distance(changed, fingerprint.of(clip_of(samples))) < 1e-3


def test_comparing_many_equals_one_by_one() -> None:
    many = np.stack([words(seed) for seed in range(300)])
    many[::7, 50:150] = 0
    together = fingerprint.distances(many[290], many)
    assert together.shape == (300,)
    assert together.dtype == np.float32
    assert together[290] == 0.0
    np.testing.assert_array_equal(together, [fingerprint.distance(many[290], row) for row in many])


def test_empty_comparison() -> None:
    assert fingerprint.distances(words(0), np.empty((0, N_FRAMES), np.uint32)).shape == (0,)


def test_arguments_are_not_modified() -> None:
    one, many = words(0), np.stack([words(1), words(2)])
    one.flags.writeable = many.flags.writeable = False
    fingerprint.distances(one, many)


def test_fingerprints_come_back_from_an_index(tmp_path: Path) -> None:
    index = write_index(tmp_path / "index", {"genre_head": np.ones((3, 32))}, ["genre_head"])
    assert track_arrays.fingerprints(index) is None
    kept = np.stack([words(seed) for seed in range(3)])
    np.save(index.folder / "fingerprints.npy", kept)
    opened = track_arrays.fingerprints(index)
    assert opened is not None
    np.testing.assert_array_equal(opened, kept)
    assert fingerprint.distances(opened[1], opened)[1] == 0.0


@pytest.mark.parametrize(
    "malformed",
    [
        lambda: np.zeros((4, N_FRAMES), np.uint32),
        lambda: np.zeros((3, N_FRAMES - 1), np.uint32),
        lambda: np.zeros(3 * N_FRAMES, np.uint32),
        lambda: np.zeros((3, N_FRAMES), np.int32),
        lambda: np.zeros((3, N_FRAMES), np.float32),
    ],
    ids=["tracks", "frames", "flat", "signed", "floats"],
)
def test_malformed_fingerprints_are_rejected(
    tmp_path: Path, malformed: Callable[[], np.ndarray]
) -> None:
    index = write_index(tmp_path / "index", {"genre_head": np.ones((3, 32))}, ["genre_head"])
    np.save(index.folder / "fingerprints.npy", malformed())
    with pytest.raises(IndexFolderError, match=r"fingerprints\.npy is damaged"):
        track_arrays.fingerprints(index)


def test_a_file_that_is_not_an_array_is_rejected(tmp_path: Path) -> None:
    index = write_index(tmp_path / "index", {"genre_head": np.ones((3, 32))}, ["genre_head"])
    (index.folder / "fingerprints.npy").write_bytes(b"no array")
    with pytest.raises(IndexFolderError):
        track_arrays.fingerprints(index)
