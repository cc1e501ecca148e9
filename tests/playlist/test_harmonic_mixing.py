"""Key compatibility by the circle of fifths, and key detection."""

from __future__ import annotations

import numpy as np
import pytest
from small_library import write_index

from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.errors import IndexFolderError
from soundalike.features import key
from soundalike.index import track_arrays
from soundalike.playlist import harmonic_mixing

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def parse_key(name: str) -> tuple[int, int]:
    return NAMES.index(name.rstrip("m")), int(name.endswith("m"))


ALL = np.array([parse_key(f"{name}{mode}") for name in NAMES for mode in ("", "m")], np.int8)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ("C", {"C", "Am", "F", "G"}),
        ("Am", {"Am", "C", "Dm", "Em"}),
        ("F#", {"F#", "D#m", "B", "C#"}),
        ("D#m", {"D#m", "F#", "G#m", "A#m"}),
    ],
)
def test_compatible_keys(one, expected) -> None:
    fits = harmonic_mixing.fit(parse_key(one), ALL)
    assert {tuple(found) for found in ALL[fits]} == {parse_key(name) for name in expected}


def test_compatibility_is_symmetric_with_four_keys_each() -> None:
    table = np.stack([harmonic_mixing.fit((int(t), int(m)), ALL) for t, m in ALL])
    np.testing.assert_array_equal(table, table.T)
    assert (table.sum(axis=1) == 4).all()


def test_unknown_key_is_incompatible() -> None:
    assert not harmonic_mixing.fit(key.NONE, ALL).any()
    assert not harmonic_mixing.fit((0, 0), np.array([key.NONE], np.int8)).any()


def chords(*notes: tuple[float, ...]) -> Clip:
    """Chords of a second each, by their frequencies."""
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    seconds = [sum(np.sin(2 * np.pi * f * t) for f in chord) for chord in notes]
    return Clip((np.concatenate(seconds * 3) / 10).astype(np.float32))


def test_cadence_in_c_is_detected() -> None:
    c, f, g = (261.6, 329.6, 392.0), (349.2, 440.0, 523.3), (392.0, 493.9, 587.3)
    assert key.estimate(chords(c, f, g, c)) == (0, 0)


def test_noise_has_no_key() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 10 * SAMPLE_RATE).astype(np.float32)
    assert key.estimate(Clip(noise)) == key.NONE or key.MIN_MARGIN < 0.05


def test_index_without_keys(tmp_path) -> None:
    index = write_index(tmp_path, {"vgg_mel": np.eye(3)})
    assert track_arrays.keys(index) is None
    np.save(tmp_path / f"{track_arrays.KEYS}.npy", np.zeros((2, 2), np.int8))
    with pytest.raises(IndexFolderError, match="damaged"):
        track_arrays.keys(index)
