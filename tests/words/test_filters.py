"""Filters by words and ranges: what is read of a text, and which tracks are kept."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_library import write_index

from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.models import ModelStore, tagger
from soundalike.words import filters, measures, naming, strengths, vocabulary
from soundalike.words.description import Term
from soundalike.words.filters import Filter, read
from soundalike.words.library import LibraryWords
from soundalike.words.ranges import ANY, Span
from soundalike.words.strengths import Probabilities

C_MINOR, A_MINOR = (0, 1), (9, 1)


def kept(index: Index, models: ModelStore, text: str) -> np.ndarray:
    return filters.keep(index, models, read(text))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("100 to 130 BPM", Span(100, 130)),
        ("100-130bpm", Span(100, 130)),
        ("between 130 and 100 bpm", Span(100, 130)),
        ("from 90 bpm to 99.5 bpm", Span(90, 99.5)),
        ("under 90 bpm", Span(high=90)),
        ("no faster than 90 beats per minute", Span(high=90)),
        ("at least 120 bpm", Span(low=120)),
        ("not below 120 bpm", Span(low=120)),
        ("> 120 bpm", Span(low=120)),
        ("120 bpm or more", Span(low=120)),
        ("120 bpm and slower", Span(high=120)),
        ("over 100 bpm, up to 130 bpm", Span(100, 130)),
        ("100 bpm", Span(96, 104)),
        ("no vocals, piano", ANY),
    ],
)
def test_tempos_are_read(text: str, span: Span) -> None:
    found = read(text)
    assert (found.tempo.low, found.tempo.high) == pytest.approx((span.low, span.high))
    assert (found.length, found.understood.unknown) == (ANY, ())


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("over 2 minutes", Span(low=120)),
        ("longer than 1:30", Span(low=90)),
        ("no longer than 1:30", Span(high=90)),
        ("shorter than 90 seconds", Span(high=90)),
        ("2 to 4 minutes", Span(120, 240)),
        ("between 1:30 and 4 min", Span(90, 240)),
        ("30 to 90 s", Span(30, 90)),
        ("2 to 3:30", Span(120, 210)),
        ("2.5 minutes or longer", Span(low=150)),
        ("under 1 hour", Span(high=3_600)),
    ],
)
def test_lengths_are_read(text: str, span: Span) -> None:
    found = read(text)
    assert found == Filter(length=span)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("only with voice", ["singing"]),
        ("without vocals", ["no singing"]),
        ("instrumental", ["instrumental"]),
        ("key of C minor", ["C minor"]),
        ("not in C minor", ["no C minor"]),
        ("in A minor or C minor", ["A minor or C minor"]),
        ("no drums 100 to 130 BPM piano", ["no drums", "piano", "100 to 130 BPM"]),
        ("voice, over 2 minutes, 100-130 bpm", ["singing", "100 to 130 BPM", "at least 2:00 long"]),
        ("genre: Rock or Heavy Metal, fast", ["fast", "genre rock or heavy metal"]),
        ("over 130 bpm and under 100 bpm", ["at least 130 and at most 100 BPM"]),
        ("piano, no piano", ["piano"]),
        ("", []),
        ("genre: , or", []),
    ],
)
def test_conditions_are_read(text: str, labels: list[str]) -> None:
    found = read(text)
    assert list(found.labels) == labels
    assert found.is_empty == (not labels)


def test_what_is_not_known_is_named() -> None:
    found = read("xylotrope, pianno, 3 minutes")
    assert found.terms == (Term("piano"),)
    assert found.understood.unknown == ("xylotrope", "3", "minutes")
    said = filters.notes(found, np.array([True, False]))
    assert said[0] == "We read “pianno” as “piano”."
    assert said[1] == "We don't know “xylotrope”, “3”, “minutes”."
    assert said[2] == "Filter: 1 of 2 tracks meet this: piano."


def test_nothing_left_says_what_to_do() -> None:
    (said,) = filters.notes(read("over 300 bpm"), np.zeros(3, bool))
    assert said.startswith("No track meets your filter: at least 300 BPM. Widen")
    assert filters.notes(read(""), np.ones(3, bool)) == []


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    found = read(text)
    assert found.is_empty == (found == Filter(understood=found.understood))
    assert all(found.labels)


@given(
    st.lists(
        st.sampled_from(
            [
                "100",
                "9999",
                "2:30",
                "bpm",
                "min",
                "s",
                "to",
                "-",
                "or",
                "over",
                "not",
                "no",
                "genre:",
                ",",
            ]
        ),
        max_size=12,
    )
)
def test_any_row_of_numbers_and_units_is_read(parts: list[str]) -> None:
    found = read(" ".join(parts))
    for span in (found.tempo, found.length):
        assert span.low >= 0
        assert not math.isnan(span.high)
    assert filters.notes(found, np.ones(2, bool)) is not None


def test_both_filters_hold() -> None:
    one = read("piano, 100 to 130 bpm, C minor or A minor, genre: Rock")
    other = Filter(
        (Term("piano"), Term("singing")), Span(high=110), keys=(C_MINOR,), genres=("ROCK", "Pop")
    )
    both = one & other
    assert both.terms == (Term("piano"), Term("singing"))
    assert (both.tempo, both.keys, both.genres) == (Span(100, 110), (C_MINOR,), ("rock",))
    assert (one & Filter(keys=((5, 0),))).keys == ()
    assert not (one & Filter(keys=((5, 0),))).is_empty
    assert one & Filter() == one


def test_a_range_keeps_the_tempos_in_it(bundled, models) -> None:
    tempo = measures.quantity(bundled, measures.TEMPO)
    assert tempo is not None
    found = kept(bundled, models, "100 to 130 bpm")
    np.testing.assert_array_equal(found, (tempo >= 100) & (tempo <= 130))
    assert 0 < found.sum() < len(bundled)
    assert not kept(bundled, models, "over 130 bpm, under 100 bpm").any()


def test_a_length_is_that_of_the_table(bundled, models) -> None:
    seconds = bundled.tracks["track_duration_s"].astype(float)
    np.testing.assert_array_equal(kept(bundled, models, "over 2 minutes"), seconds >= 120)


def test_one_of_several_keys_is_enough(bundled, models) -> None:
    keys = track_arrays.keys(bundled)
    assert keys is not None
    found = {
        tuple(map(int, keys[row])) for row in np.flatnonzero(kept(bundled, models, "A minor or C minor"))
    }
    assert found == {A_MINOR, C_MINOR}
    others = kept(bundled, models, "not in A minor")
    np.testing.assert_array_equal(others, (keys[:, 0] >= 0) & ((keys[:, 0] != 9) | (keys[:, 1] != 1)))


def test_a_genre_is_that_of_the_table(bundled, models) -> None:
    labels = bundled.tracks["genre"].isin(["Rock", "Metal"])
    np.testing.assert_array_equal(kept(bundled, models, "genre: rock or METAL"), labels)
    wanted = read("genre: polka")
    assert not filters.keep(bundled, models, wanted).any()
    assert filters.gaps(bundled, models, wanted) == ["No track has the genre “polka”."]


def test_with_and_without_never_overlap(bundled, models) -> None:
    for word in (*vocabulary.words(), *measures.MEASURES):
        have, lack = (
            filters.keep(bundled, models, Filter((Term(word.name, wanted),))) for wanted in (True, False)
        )
        assert not (have & lack).any(), word.name


def test_what_a_track_is_said_to_sound_like_is_kept(bundled, models, words) -> None:
    """A track with the chip "piano" is kept by the filter "piano"."""
    have = {
        word.name: filters.keep(bundled, models, Filter((Term(word.name),)))
        for word in vocabulary.words()
    }
    for row in range(0, len(bundled), 5):
        for named in naming.sounds_like(words, words.of_track(row)).words:
            assert have[named.word][row], (row, named.word)


def test_every_voice_is_singing(bundled, models) -> None:
    singing = kept(bundled, models, "singing")
    without = kept(bundled, models, "no vocals")
    for name in filters.VOICES:
        other = kept(bundled, models, name)
        assert (singing >= other).all()
        assert not (without & other).any()


def made_up(singing: list[float], rock: list[float]) -> LibraryWords:
    """Tracks in which YAMNet finds singing, and both networks rock, with these probabilities."""
    names = strengths.class_names(ModelStore().file("yamnet"))
    tags, classes = (
        np.full((len(singing), n), 1e-3, np.float32) for n in (len(tagger.TAGS), len(names))
    )
    tags[:, tagger.TAGS.index("rock")] = rock
    classes[:, names.index("Singing")] = singing
    classes[:, names.index("Rock music")] = rock
    return LibraryWords(Probabilities(tags, classes), names)


def test_a_library_of_songs_has_only_songs() -> None:
    """Being usual in its library takes no word from a track that a network is sure of."""
    have, lack = filters.has_word(made_up([0.6, 0.7, 0.55, 0.9], [0.1] * 4), "singing")
    assert have.all()
    assert not lack.any()


def test_without_evidence_a_track_never_has_a_word() -> None:
    have, lack = filters.has_word(made_up([0.001, 0.002, 0.003, 0.004], [0.1] * 4), "singing")
    assert not have.any()
    # Even so the track with the most of it doesn't count as without.
    assert lack.tolist() == [True, True, True, False]


def test_a_track_between_is_neither_with_nor_without() -> None:
    have, lack = filters.has_word(made_up([1e-3] * 5, [0.4, 0.4, 0.1, 0.4, 0.005]), "rock")
    assert have.tolist() == [True, True, False, True, False]
    assert lack.tolist() == [False, False, False, False, True]


def test_an_index_without_data_keeps_nothing_and_says_what_to_do(tmp_path, models) -> None:
    index = write_index(tmp_path / "index", {"vgg_mel": np.ones((3, 25_600), np.float32)})
    wanted = read("piano, fast, 100 to 130 bpm, over 2 minutes, C minor, genre: folk")
    assert not filters.keep(index, models, wanted).any()
    length, other = filters.gaps(index, models, wanted)
    assert "track_duration_s" in length
    assert "piano, fast, tempo, key" in other
    assert "soundalike index --complete" in other
    assert filters.keep(index, models, read("genre: folk")).all()
    assert filters.keep(index, models, Filter()).all()


def test_filters_and_aspects_of_library_tracks_load_no_network() -> None:
    code = """
import sys
from soundalike import paths
from soundalike.index import index as indices
from soundalike.models import ModelStore
from soundalike.playlist import aspects, query
from soundalike.words import filters
index = indices.load(paths.BUNDLED_INDEX)
assert aspects.shares(index, query.from_library(index, "0102"), 3)
assert filters.keep(index, ModelStore(), filters.read("no vocals, piano, fast")).any()
assert not {"tensorflow", "keras", "openvino", "librosa", "scipy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
