"""Naming the bundled library's tracks, and clips that are no music."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.index.index import Index
from soundalike.models import tagger
from soundalike.words import library, naming, vocabulary


def row_of(index: Index, title: str) -> int:
    return next(row for row in range(len(index)) if index.fact("title", row) == title)


@pytest.mark.parametrize(
    ("title", "expected"),
    [("David 05", "metal"), ("Klabauter Dance", "accordion"), ("Music 5", "house"), ("Theme 1", "harp")],
)
def test_what_anyone_hears_is_named(bundled, words, title: str, expected: str) -> None:
    named = naming.sounds_like(words, words.of_track(row_of(bundled, title))).words
    assert expected in [item.word for item in named]


def test_few_tracks_stay_without_a_word(words) -> None:
    silent = sum(not naming.sounds_like(words, words.of_track(row)).words for row in range(625))
    assert silent <= 0.1 * 625


def test_words_are_strongest_first_within_their_kind_and_few(words) -> None:
    for row in range(0, 625, 7):
        named = naming.sounds_like(words, words.of_track(row)).words
        for kind, most in naming.MOST.items():
            scores = [item.score for item in named if item.kind == kind]
            assert scores == sorted(scores, reverse=True)
            assert len(scores) <= most
        assert all(item.share >= naming.UNUSUAL for item in named)


def noise() -> Clip:
    return Clip(np.random.default_rng(0).normal(0, 0.1, ANALYSIS_SAMPLES).astype(np.float32))


def silence() -> Clip:
    return Clip(np.zeros(ANALYSIS_SAMPLES, np.float32))


def hum() -> Clip:
    t = np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE
    return Clip((0.1 * np.sin(2 * np.pi * 50 * t)).astype(np.float32))


@pytest.mark.parametrize("sound", [noise, silence, hum])
def test_what_is_no_music_gets_a_warning_and_no_words(words, models, sound) -> None:
    found = naming.sounds_like(words, library.of_clip(sound(), models))
    assert found.words == ()
    assert found.warning


def test_speech_is_called_speech(words) -> None:
    quiet = words.of_track(0)
    classes = np.full(521, 0.001, np.float32)
    classes[words.names.index("Speech")] = 0.9
    found = naming.sounds_like(words, library.Probabilities(quiet.tags, classes))
    assert found == naming.Naming((), "This may be speech, not music.")


def test_a_word_that_the_networks_disagree_on_is_not_named(words) -> None:
    """Metal by the tagger alone."""
    likely = words.of_track(int(words.scores[:, vocabulary.positions()["harp"]].argmax()))
    tags = likely.tags.copy()
    tags[tagger.TAGS.index("metal")] = 0.9
    named = naming.sounds_like(words, library.Probabilities(tags, likely.classes)).words
    assert "metal" not in [item.word for item in named]


def test_a_clip_of_the_library_is_named_as_its_track(bundled, words, models, library_clip) -> None:
    row = next(r for r in range(len(bundled)) if bundled.fact("file", r).endswith(library_clip.name))
    own = library.of_clip(analysis_window(decoding.decode(library_clip)), models)
    stored = words.of_track(row)
    np.testing.assert_allclose(own.tags, stored.tags, atol=0.03)
    np.testing.assert_allclose(own.classes, stored.classes, atol=0.05)
