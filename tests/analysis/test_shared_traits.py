"""Shared traits: only measured, close and telling facts are mentioned."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_library import write_index

from soundalike.analysis import receptive_fields, shared_traits
from soundalike.audio.clip import Clip
from soundalike.errors import IndexFolderError
from soundalike.features import track_descriptors
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query

N = 200
TEMPO, PACE, BRIGHT, NOISY, BASS, UNEVEN, ATTACK, LOWS = range(8)


def described(places: np.ndarray) -> np.ndarray:
    """Descriptors of clips from their places (0 to 1) in the range of each trait [shape=(n, 8)].

    Tempo reaches over not quite an octave, from 70 BPM up, and onsets from 2 to 8 a second.
    """
    made = np.zeros((len(places), track_descriptors.SIZE), np.float32)
    made[:, 0] = -20
    made[:, 1] = 1 + 10 * places[:, UNEVEN]
    made[:, 2] = 250 * 2 ** (4 * places[:, BRIGHT])
    made[:, 3] = 1_000
    made[:, 4] = -60 + 50 * places[:, NOISY]
    made[:, 5] = 0.5 + 2 * places[:, ATTACK]
    made[:, 6] = 2 + 6 * places[:, PACE]
    made[:, 7] = 70 * 2 ** (0.98 * places[:, TEMPO])
    level, change = (made[:, start : start + 50].reshape(-1, 5, 10) for start in (8, 58))
    level[:, -1] = 40 * places[:, BASS, np.newaxis] - 20
    change[:, -1] = 1 + 5 * places[:, LOWS, np.newaxis]
    return made


def spread(seed: int = 0) -> np.ndarray:
    """Tracks that lie evenly in every trait, in an order of its own, the first two far apart in all."""
    rng = np.random.default_rng(seed)
    places = np.stack([rng.permutation(np.linspace(0, 1, N)) for _ in shared_traits.TRAITS], axis=1)
    places[0], places[1] = 0.25, 0.75
    return places


def library(folder, places: np.ndarray | None, probabilities: np.ndarray | None = None) -> Index:
    n = N if places is None else len(places)
    index = write_index(folder / "index", {"genre_head": np.ones((n, 2))}, ["genre_head"], probabilities)
    if places is not None:
        np.save(index.folder / "descriptors.npy", described(places))
    return index


def asked(index: Index, row: int = 0) -> Query:
    genres = index.genre_probabilities(row) if index.genres else {}
    return Query(index.embeddings(row), genres, row)


def said(folder, places: np.ndarray, probabilities: np.ndarray | None = None) -> str:
    index = library(folder, places, probabilities)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return shared_traits.sentence(index, asked(index), 1)


def test_distant_tracks_share_nothing(tmp_path) -> None:
    assert said(tmp_path, spread()) == shared_traits.NOTHING


@pytest.mark.parametrize(
    ("trait", "more", "less", "alike"),
    [
        (BRIGHT, "sound bright", "sound dark", "are similar in brightness"),
        (NOISY, "sound rough and noisy", "have a clear tone", "have a similar texture"),
        (BASS, "are rich in bass", "are light on bass", "have a similar amount of bass"),
        (UNEVEN, "vary a lot in level", "keep an even level", "vary similarly in level"),
        (ATTACK, "have punchy attacks", "have soft attacks", "have similar attacks"),
        (LOWS, "have restless bass", "have steady bass", "have similarly moving bass"),
    ],
)
def test_trait_wording_by_position(tmp_path, trait, more, less, alike) -> None:
    for place, words in ((0.95, more), (0.05, less), (0.5, alike)):
        places = spread()
        places[[0, 1], trait] = place, place + 0.01
        assert said(tmp_path / str(place), places) == f"Both {words}."


def test_onset_rate_wording(tmp_path) -> None:
    places = spread()
    places[[0, 1], PACE] = 0.49, 0.51
    assert said(tmp_path, places) == "Both play about 5.0 notes or beats a second."


def test_one_word_for_a_query_throughout_a_list(tmp_path) -> None:
    """A track just inside and one just outside the library's sparsest fifth: the same word for both."""
    places = spread()
    places[0, PACE], places[1, PACE], places[2, PACE] = 0.19, 0.185, 0.22
    index = library(tmp_path, places)
    for sentence in shared_traits.sentences(index, asked(index), [1, 2]):
        assert "sparse (about 3." in sentence
    reversed_roles = shared_traits.sentence(index, asked(index, 2), 1)
    assert "play about 3." in reversed_roles


def test_one_fact_about_the_bass(tmp_path) -> None:
    places = spread()
    places[[0, 1], BASS], places[[0, 1], LOWS] = 0.05, 0.95
    sentence = said(tmp_path, places)
    assert ("light on bass" in sentence) != ("restless bass" in sentence)


def tempos(one: float, other: float) -> np.ndarray:
    places = spread()
    places[[0, 1], TEMPO] = np.log2(np.array([one, other]) / 70) / 0.98
    return places


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (100, 100, "share a tempo of about 100 BPM"),
        (100, 101.5, "share a tempo of about 101 BPM (within 2)"),
        (72, 144, "run at about 72 and 144 BPM, one about twice as fast as the other"),
        (144, 72, "run at about 72 and 144 BPM, one about twice as fast as the other"),
    ],
)
def test_tempo_wording(tmp_path, one, other, words) -> None:
    assert said(tmp_path, tempos(one, other)) == f"Both {words}."


@pytest.mark.parametrize(("one", "other"), [(100, 130), (72, 110), (72, 108)])
def test_distant_tempos_are_not_mentioned(tmp_path, one, other) -> None:
    assert said(tmp_path, tempos(one, other)) == shared_traits.NOTHING


def test_tempo_is_not_mentioned_without_pulse(tmp_path) -> None:
    places = tempos(100, 100)
    places[0, PACE] = -1.2 / 6
    assert said(tmp_path, places) == shared_traits.NOTHING


def test_common_traits_are_not_mentioned(tmp_path) -> None:
    places = spread()
    places[:, TEMPO] = 0.5
    assert said(tmp_path, places) == shared_traits.NOTHING


def test_facts_are_limited_and_sorted(tmp_path) -> None:
    places = spread()
    for trait, apart in ((BRIGHT, 0.02), (NOISY, 0.004), (UNEVEN, 0.03), (ATTACK, 0.01), (PACE, 0.04)):
        places[[0, 1], trait] = 0.9, 0.9 + apart
    expected = "Both sound rough and noisy, have punchy attacks and vary a lot in level."
    assert said(tmp_path / "1", places) == expected
    places[[0, 1], TEMPO] = 0.5
    expected = "Both sound rough and noisy and have punchy attacks, and share a tempo of about 98 BPM."
    assert said(tmp_path / "2", places) == expected


def genres(shared: bool) -> np.ndarray:
    """Nearly all tracks sound like the first genre, the query and the other track like another."""
    made = np.tile([0.9, 0.05, 0.05], (N, 1))
    made[0] = 0.1, 0.8, 0.1
    made[1] = (0.2, 0.7, 0.1) if shared else (0.2, 0.1, 0.7)
    made[2:40] = 0.1, 0.1, 0.8
    return made


def test_shared_predicted_genre(tmp_path) -> None:
    assert said(tmp_path / "1", spread(), genres(shared=True)) == "Both lean towards Genre 1."
    assert said(tmp_path / "2", spread(), genres(shared=False)) == shared_traits.NOTHING


def test_genres_only_without_descriptors(tmp_path) -> None:
    index = library(tmp_path / "1", None, genres(shared=True))
    assert shared_traits.sentences(index, asked(index), [1, 2]) == [
        "Both lean towards Genre 1.",
        shared_traits.UNMEASURED,
    ]
    bare = library(tmp_path / "2", None)
    assert shared_traits.sentence(bare, asked(bare), 1) == shared_traits.UNMEASURED


def test_blend_is_unmeasured(tmp_path) -> None:
    index = library(tmp_path, spread())
    blend = Query({"genre_head": np.ones(2, np.float32)}, {})
    assert shared_traits.sentence(index, blend, 1) == shared_traits.UNMEASURED


def test_new_clip_is_measured(tmp_path) -> None:
    places = spread()
    index = library(tmp_path, places)
    embeddings = ClipEmbeddings(Clip(np.zeros(1, np.float32)), index, ModelStore())
    own = np.full((1, 8), 0.25)
    own[0, BRIGHT] = places[7, BRIGHT]
    vars(embeddings)["descriptors"] = described(own)[0]
    sentence = shared_traits.sentence(index, Query(embeddings, {}, row=3, duration=30.0), 7)
    assert re.search("bright|dark", sentence)


def test_sentences_match_single_sentences(tmp_path) -> None:
    index = library(tmp_path, spread(1), np.random.default_rng(1).dirichlet(np.ones(4), N))
    rows = [7, 0, 199, 7, 55]
    query = asked(index, 5)
    assert shared_traits.sentences(index, query, rows) == [
        shared_traits.sentence(index, query, r) for r in rows
    ]
    assert shared_traits.sentences(index, query, []) == []


def test_track_with_itself(tmp_path) -> None:
    index = library(tmp_path, spread())
    sentence = shared_traits.sentence(index, asked(index, 9), 9)
    assert sentence.startswith("Both ")
    assert len(re.split(", and | and |, ", sentence)) == shared_traits.MOST


@pytest.mark.parametrize("n", [1, 2, 5])
def test_small_library_has_no_facts(tmp_path, n) -> None:
    index = library(tmp_path, spread()[:n])
    assert shared_traits.sentence(index, asked(index), n - 1) == shared_traits.NOTHING


def test_damaged_descriptors(tmp_path) -> None:
    index = library(tmp_path, None)
    np.save(index.folder / "descriptors.npy", np.zeros((N, 3), np.float32))
    with pytest.raises(IndexFolderError, match="damaged"):
        shared_traits.sentence(index, asked(index), 1)


TRAIT_OF = {
    re.split(r" \(| \{", words)[0]: column
    for column, trait in enumerate(shared_traits.TRAITS)
    for words in (trait.more, trait.less, trait.alike)
    if words
}


@pytest.fixture(scope="module")
def random_libraries(tmp_path_factory) -> list[Index]:
    folder = tmp_path_factory.mktemp("random")
    rngs = [np.random.default_rng(seed) for seed in range(3)]
    return [
        library(folder / str(seed), rng.normal(0.5, 0.15, (N, 8)).clip(0, 1))
        for seed, rng in enumerate(rngs)
    ]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_facts_follow_the_rules(random_libraries, data) -> None:
    """By hand: each trait that is said is closer than in four of five pairs, and telling."""
    index = data.draw(st.sampled_from(random_libraries))
    one, other = (data.draw(st.integers(0, N - 1)) for _ in range(2))
    sentence = shared_traits.sentence(index, asked(index, one), other)
    values = shared_traits.traits(index.array("descriptors"))
    found = [column for words, column in TRAIT_OF.items() if re.search(rf"\b{words}\b", sentence)]
    if match := re.search(r"tempo of about (\d+) BPM(?: \(within (\d+)\))?", sentence):
        found.append(TEMPO)
        tempo = 2 ** values[[one, other], TEMPO]
        assert abs(tempo - float(match[1])).max() <= 0.5 + float(match[2] or 0)
    for column in found:
        trait = values[:, column]
        apart = abs(trait[one] - trait[other])
        pairs = abs(trait[:, np.newaxis] - trait)[~np.eye(N, dtype=bool)]
        assert np.mean(pairs < apart) <= shared_traits.CLOSE + 0.02
        assert np.mean(abs(trait - trait[one]) <= apart) <= shared_traits.TELLING
    assert len({shared_traits.TRAITS[column].families for column in found}) <= shared_traits.MOST
    assert (sentence == shared_traits.NOTHING) == (not found and "twice" not in sentence)


def test_traits_units() -> None:
    rng = np.random.default_rng(2)
    descriptors = rng.uniform(1, 100, (3, track_descriptors.SIZE)).astype(np.float32)
    values = shared_traits.traits(descriptors)
    assert values.shape == (3, len(shared_traits.TRAITS))
    np.testing.assert_allclose(values[:, TEMPO], np.log2(descriptors[:, 7]), rtol=1e-5)
    np.testing.assert_allclose(values[:, BRIGHT], np.log2(descriptors[:, 2]), rtol=1e-5)
    np.testing.assert_allclose(values[:, PACE], descriptors[:, 6])
    level = descriptors[:, 8:58].reshape(3, receptive_fields.BANDS, receptive_fields.TIMES)
    np.testing.assert_allclose(values[:, BASS], level[:, 4].mean(1) - level.mean((1, 2)), rtol=1e-4)
    change = descriptors[:, 58:].reshape(3, receptive_fields.BANDS, receptive_fields.TIMES)
    np.testing.assert_allclose(values[:, LOWS], change[:, 4].mean(1), rtol=1e-5)


def test_one_list_never_contradicts_itself(random_libraries) -> None:
    """Over all tracks, a query has one wording at most for each trait."""
    for index in random_libraries:
        for row in range(0, N, 20):
            everything = " ".join(shared_traits.sentences(index, asked(index, row), range(N)))
            for trait in shared_traits.TRAITS[1:]:
                starts = [re.split(r" \{", words)[0] for words in (trait.more, trait.less, trait.alike)]
                assert sum(start in everything for start in starts) <= 1, starts


@pytest.mark.parametrize("row", [0, 17, 60])
def test_shares_are_counts_of_tracks_that_are_no_farther(tmp_path, row: int) -> None:
    places = spread()
    places[:, TEMPO] = np.random.default_rng(1).uniform(0, 4, N)
    probabilities = np.random.default_rng(2).dirichlet([1, 1, 1], N)
    index = library(tmp_path, places, probabilities)
    known = shared_traits._library(index)
    known.tracks.values[5] = np.nan
    asked = known.tracks[row]
    apart = shared_traits._distances(asked, known.tracks)
    rows = np.arange(0, N, 5)
    counts = (apart <= apart[rows][:, np.newaxis] + 1e-9).sum(axis=1)
    found = shared_traits._shares(known, asked, apart[rows])
    is_known = np.isfinite(apart[rows])
    np.testing.assert_allclose(found[is_known], counts[is_known] / N)
    assert (found[~is_known] == 1).all()
