"""Invariants of playlists for any library, seeds and recipe."""

from __future__ import annotations

from collections import Counter
from random import Random

import made_up_playlists
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_library import write_index

from soundalike.errors import PlaylistError
from soundalike.index import duplicates, track_arrays
from soundalike.index.index import Index
from soundalike.playlist import blend, harmonic_mixing, ordering, playlist, query
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import Recipe

ROWS = st.integers(0, 39)
ORDERS = st.sampled_from([*ordering.ORDERS, "genre_head:1", "-vgg_mel:0"])


def seeds_of(index: Index, rows: list[int], signs: list[float] | None = None) -> list[Seed]:
    signs = signs or [1.0] * len(rows)
    return [
        Seed(query.from_library(index, f"t{row}"), sign) for row, sign in zip(rows, signs, strict=True)
    ]


def rows_of(found: playlist.Playlist) -> list[int]:
    return [entry.row for entry in found.entries]


@st.composite
def recipes(draw) -> Recipe:
    pinned = tuple(draw(st.lists(ROWS, max_size=3)))
    return Recipe(
        draw(st.sampled_from(["vgg_mel", "vgg_genre", "genre_head"])),
        draw(st.integers(3, 30)),
        draw(st.none() | st.integers(1, 4)),
        draw(st.none() | st.integers(1, 3)),
        draw(st.sampled_from([0.0, 0.3, 0.8, 1.0])),
        draw(ORDERS),
        draw(st.booleans()),
        draw(st.booleans()),
        pinned,
        tuple(row for row in draw(st.lists(ROWS, max_size=5)) if row not in pinned),
        draw(st.integers(0, 5)),
    )


@pytest.fixture(scope="module")
def libraries(tmp_path_factory) -> list[Index]:
    """Two whose tracks are often one recording, having six dimensions, and two in which none is."""
    made = []
    for seed, dim in enumerate((6, 6, 24, 24)):
        index = made_up_playlists.library(tmp_path_factory.mktemp("made-up"), seed, dim=dim)
        made.append(made_up_playlists.measured(index, seed))
    return made


@settings(max_examples=150)
@given(st.integers(0, 3), st.lists(ROWS, min_size=1, max_size=3, unique=True), recipes(), st.data())
def test_playlist_invariants(libraries, number, seed_rows, recipe, data) -> None:
    index = libraries[number]
    signs = [1.0, *data.draw(st.lists(st.sampled_from([1.0, -0.5]), min_size=2, max_size=2))]
    seeds = seeds_of(index, seed_rows, signs[: len(seed_rows)])
    found = playlist.make_playlist(index, seeds, recipe)
    rows = rows_of(found)
    pinned = set(recipe.pinned) - blend.own_recordings(index, seeds)

    assert len(set(rows)) == len(rows) <= recipe.length
    assert not set(rows) & blend.own_recordings(index, seeds)
    assert not set(rows) & (set(recipe.removed) - pinned)
    assert pinned <= set(rows)
    for kind, cap in (("artist", recipe.per_artist), ("album", recipe.per_album)):
        for name, count in Counter(index.fact(kind, row) for row in rows).items():
            fixed = sum(index.fact(kind, row) == name for row in pinned)
            assert not name or cap is None or count <= max(cap, fixed)
    scores = blend.scores(index, seeds, recipe.representation)
    np.testing.assert_allclose([entry.similarity for entry in found.entries], scores[rows], atol=1e-6)
    if recipe.order == ordering.SIMILARITY:
        falling = -scores[rows] if recipe.farthest else scores[rows]
        assert (np.diff(falling) <= 0).all()
    elif not ordering.is_free(recipe.order):
        assert (np.diff(ordering.quantity(index, recipe.order)[rows]) >= 0).all()
    short = [note for note in found.notes if "tracks are left" in note or "has only" in note]
    assert bool(short) == (len(rows) < recipe.length)
    assert playlist.make_playlist(index, seeds, recipe) == found


def test_no_rules_gives_nearest(libraries) -> None:
    index = libraries[2]
    nearest: list[int] = []
    left_out = duplicates.of(index, 4)
    for row in index.neighbours("vgg_mel", 4)[0]:
        if row not in left_out:
            nearest.append(int(row))
            left_out |= duplicates.of(index, int(row))
    made = playlist.make_playlist(index, seeds_of(index, [4]), Recipe("vgg_mel", 12, per_artist=None))
    assert rows_of(made) == nearest[:12]


def test_farthest_first(libraries) -> None:
    index = libraries[3]
    found = playlist.make_playlist(
        index, seeds_of(index, [0]), Recipe("vgg_mel", 5, None, farthest=True)
    )
    scores = blend.scores(index, seeds_of(index, [0]), "vgg_mel")
    assert rows_of(found) == np.argsort(scores, kind="stable")[:5].tolist()


def test_note_counts_tracks_per_rule(libraries) -> None:
    index = libraries[2]
    recipe = Recipe("vgg_mel", 30, per_artist=1, removed=(7, 8), order="walk")
    found = playlist.make_playlist(index, seeds_of(index, [4]), recipe)
    nobody = sum(not index.fact("artist", row) for row in range(40))
    assert len(found.entries) < 30
    (note,) = found.notes
    left_out = [int(part.split()[0]) for part in note.split("Left out: ")[1].split(", ")]
    assert note.startswith(f"Only {len(found.entries)} tracks are left. Left out: ")
    assert "over the limit of 1 per artist" in note
    assert "2 removed by you" in note
    assert sum(left_out) + len(found.entries) + 1 == 40
    assert len(found.entries) <= 7 + nobody


def test_recordings_are_unique(tmp_path) -> None:
    """Three tracks are one recording; only the one most like the seed is in."""
    vectors = np.eye(8, 8)[[0, 1, 1, 1, 2, 3]] + 0.5
    index = write_index(tmp_path / "index", {"vgg_mel": vectors})
    np.save(
        index.folder / f"{track_arrays.DUPLICATES}.npy", np.array([[1, 2], [1, 3], [2, 3]], np.int32)
    )
    found = playlist.make_playlist(index, seeds_of(index, [0]), Recipe("vgg_mel", 5))
    assert rows_of(found) == [1, 4, 5]
    assert found.notes == ("Only 3 tracks are left. Left out: 2 as duplicate recordings.",)


def test_variety_reduces_similarity(libraries) -> None:
    index = libraries[1]
    alike, similar = [], []
    for variety in (0.0, 0.3, 0.6, 0.9):
        recipe = Recipe("vgg_mel", 8, None, variety=variety)
        found = playlist.make_playlist(index, seeds_of(index, [0]), recipe)
        cosines = blend.between(index, "vgg_mel", rows_of(found))
        alike.append(cosines[np.triu_indices(8, 1)].mean())
        similar.append(np.mean([entry.similarity for entry in found.entries]))
    assert (np.diff(alike) < 0.02).all()
    assert alike[-1] < alike[0] - 0.1
    assert similar[0] == max(similar)


def test_variety_by_hand(tmp_path) -> None:
    """The nearest is in; its twin is passed over for the one that is a little further away."""
    angles = np.radians([0.0, 10.0, 11.0, -14.0, 90.0])
    vectors = np.column_stack([np.cos(angles), np.sin(angles)])
    index = write_index(tmp_path, {"genre_head": vectors}, ("genre_head",))
    plain = playlist.make_playlist(index, seeds_of(index, [0]), Recipe("genre_head", 2))
    varied = playlist.make_playlist(index, seeds_of(index, [0]), Recipe("genre_head", 2, variety=0.5))
    assert rows_of(plain) == [1, 2]
    assert sorted(rows_of(varied)) in ([1, 3], [1, 4])


def test_compatible_keys_move_up(libraries) -> None:
    index = libraries[2]
    keys = track_arrays.keys(index)
    table = np.stack([harmonic_mixing.fit((int(tonic), int(mode)), keys) for tonic, mode in keys])
    asked = int(np.argmax(table.sum(axis=1)))
    fits = table[asked]
    counts = []
    for harmonic in (False, True):
        recipe = Recipe("vgg_mel", 10, None, harmonic=harmonic)
        found = playlist.make_playlist(index, seeds_of(index, [asked]), recipe)
        counts.append(int(fits[rows_of(found)].sum()))
    assert counts[1] > counts[0]


def test_harmonic_needs_keys(tmp_path) -> None:
    index = made_up_playlists.library(tmp_path, 0)
    with pytest.raises(PlaylistError, match="soundalike measure"):
        playlist.make_playlist(index, seeds_of(index, [0]), Recipe("vgg_mel", harmonic=True))


def test_more_pins_than_length_error(libraries) -> None:
    recipe = Recipe("vgg_mel", 2, pinned=(1, 2, 3))
    with pytest.raises(PlaylistError, match="3 tracks are pinned"):
        playlist.make_playlist(libraries[0], seeds_of(libraries[0], [0]), recipe)


@pytest.mark.parametrize(
    "wrong", [{"length": 0}, {"per_artist": 0}, {"per_album": -1}, {"variety": 1.1}, {"variety": -0.1}]
)
def test_recipe_out_of_range(wrong) -> None:
    with pytest.raises(ValueError, match=r"at least 1|between 0 and 1"):
        Recipe("vgg_mel", **wrong)


def test_neighbours_only_index_makes_plain_playlist(tmp_path) -> None:
    index = made_up_playlists.library(tmp_path, 1)
    index.manifest["neighbours_only"] = ["genre_head"]
    found = playlist.make_playlist(index, seeds_of(index, [3]), Recipe("genre_head", 5, None))
    assert rows_of(found) == index.neighbours("genre_head", 3)[0][:5].tolist()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 5), st.randoms())
def test_candidates_are_ranked_as_by_one_stable_sort(
    preferences: list[int], first: int, random: Random
) -> None:
    preference = np.array(preferences, np.float32)
    usable = np.array([random.random() < 0.8 for _ in preferences])
    order = np.argsort(-preference, kind="stable")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(playlist, "_SORTED", 1 + first)
        assert list(playlist._ranked(preference, usable)) == order[usable[order]].tolist()
