"""Ranking by a description, against independent measures."""

from __future__ import annotations

import numpy as np
import pytest
from small_library import write_index

from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.words import description, measures, search, vocabulary
from soundalike.words.description import Term, read


def best(index: Index, models: ModelStore, text: str, length: int = 10) -> list[int]:
    return search.best(search.search(index, models, read(text).terms), length)


def test_slow_and_fast_are_the_tempo(bundled, models) -> None:
    tempo = measures.quantity(bundled, measures.TEMPO)
    assert tempo is not None
    slow, fast = (np.nanmedian(tempo[best(bundled, models, word)]) for word in ("slow", "fast"))
    assert slow < 0.7 * np.nanmedian(tempo)
    assert fast > 1.3 * np.nanmedian(tempo)


def test_a_tempo_in_bpm_is_near(bundled, models) -> None:
    tempo = measures.quantity(bundled, measures.TEMPO)
    assert tempo is not None
    assert np.abs(tempo[best(bundled, models, "120 bpm")] / 120 - 1).max() < 0.03


def test_a_key_is_the_key(bundled, models) -> None:
    keys = track_arrays.keys(bundled)
    assert keys is not None
    assert {tuple(map(int, keys[row])) for row in best(bundled, models, "a minor", 5)} == {(9, 1)}


@pytest.mark.parametrize("genre", ["Metal", "Electronic"])
def test_a_genre_finds_tracks_with_its_label(bundled, models, genre: str) -> None:
    found = best(bundled, models, genre)
    by_chance = np.mean([bundled.fact("genre", row) == genre for row in range(len(bundled))])
    hits = np.mean([bundled.fact("genre", row) == genre for row in found])
    assert hits >= 0.5 > 2 * by_chance


def test_a_negated_term_is_the_reverse(bundled, models) -> None:
    wanted = search.search(bundled, models, [Term("piano")])
    unwanted = search.search(bundled, models, [Term("piano", wanted=False)])
    np.testing.assert_allclose(wanted.shares + unwanted.shares, 1, atol=1e-6)


def test_the_match_is_the_geometric_mean_of_the_shares(bundled, models) -> None:
    found = search.search(bundled, models, [Term("piano"), Term("slow")])
    np.testing.assert_allclose(found.match, np.sqrt(found.shares.prod(axis=1)), rtol=1e-4)


def test_each_track_that_is_clear_is_above_the_rest(bundled, models) -> None:
    found = search.search(bundled, models, [Term("accordion")])
    assert found.met(search.best(found, 1)[0]) == (True,)
    assert found.met(int(found.match.argmin())) == (False,)


def test_no_terms_are_an_error(bundled, models) -> None:
    with pytest.raises(ValueError, match="at least one term"):
        search.search(bundled, models, [])


def test_notes_say_what_was_not_understood(bundled, models) -> None:
    understood = read("pianno by radiohead")
    notes = search.notes(understood, search.search(bundled, models, understood.terms))
    assert notes == ["We read “pianno” as “piano”.", "We don't know “radiohead”."]


def test_an_index_without_measurements_says_what_to_do(tmp_path, models) -> None:
    index = write_index(tmp_path / "index", {"vgg_mel": np.ones((3, 25_600), np.float32)})
    found = search.search(index, models, [Term("piano"), Term("slow")])
    assert found.terms == ()
    assert [term.name for term in found.missing] == ["piano", "slow"]
    assert "soundalike index --complete" in search.unavailable(found.missing)


def test_unknown_tempos_count_as_one_half() -> None:
    shares = search.shares_of(np.array([np.nan, 1.0, 2.0, np.nan]))
    np.testing.assert_allclose(shares, [0.5, 0.25, 0.75, 0.5])


def test_every_term_can_be_searched_for(bundled, models) -> None:
    names = [*(w.name for w in vocabulary.words()), *(m.name for m in measures.MEASURES), "90 BPM", "C"]
    for name in names:
        term = description.term(name)
        assert term is not None
        match = search.search(bundled, models, [term]).match
        assert ((match >= 0) & (match <= 1)).all()
