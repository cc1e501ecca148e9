"""Explanations: contributions that sum to the similarity, for every kind of representation."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_library import OTHER_CLIP, write_index

from soundalike import paths, representations
from soundalike.analysis import explanation, receptive_fields, shared_traits
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.errors import IndexFolderError, UnknownRepresentationError
from soundalike.features import thumbnail, track_descriptors
from soundalike.index import index, storage, track_arrays
from soundalike.index.index import Index
from soundalike.models import stretches, tagger
from soundalike.playlist import query
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.representations import fma518, scaling, vgg_mel

pytest_plugins = ["library_fixtures"]

PARTS = representations.get("soundalike").parts
SIZES = {
    "vgg_mel": vgg_mel.DIM,
    "genre_head": 32,
    **{part: representations.get(part).dim for part in PARTS},
    "musicnn_tags": 50,
    "fma518": fma518.DIM,
    "mfcc_flat": 25_860,
    "vgg_mfcc": 20,
    "vgg_chroma": 30,
}
NAMES = ("soundalike", "vgg_genre", "vgg_mfcc_chroma", *SIZES)
N = 5
ZERO = 3
"""The row of a track whose vectors are all zeros."""
TOLERANCE = 1e-5


def vectors(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    made = {name: rng.normal(0.3, 1, (n, size)) for name, size in SIZES.items()}
    made["vgg_mel"] = np.maximum(made["vgg_mel"], 0)
    return made


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Opens random indexes, each written once: vectors, moments and a bias."""
    folder = tmp_path_factory.mktemp("explain")

    @cache
    def opener(seed: int) -> Index:
        rng = np.random.default_rng(seed)
        made, scales, by_stretch = vectors(rng, N), {}, {}
        for name, matrix in made.items():
            matrix[ZERO] = 0
            if name in PARTS:
                mean = rng.uniform(0, 1, SIZES[name])
                scales[name] = np.stack([mean, np.ones_like(mean)]).astype(np.float32)
                matrix[ZERO] = scales[name][0]
                by_stretch[name] = spread_out(matrix, rng, name)
                made[name] = scaling.apply(scaling.CENTRED, matrix, scales[name])
        written = write_index(folder / str(seed), made, NAMES, rng.dirichlet(np.ones(3), N), scales)
        bias = np.array([0, 0.25, 0, 0.5, 0], np.float32)
        np.save(written.folder / "soundalike_bias.npy", bias)
        for name, array in by_stretch.items():
            np.save(written.folder / f"{name}_moments.npy", array.astype(np.float16))
        storage.write_manifest(written.folder, dict(written.manifest))
        return index.load(written.folder)

    return opener


def spread_out(matrix: np.ndarray, rng: np.random.Generator, name: str) -> np.ndarray:
    """Random stretches whose weighted mean is each row of a matrix [shape=(n, 10, dim)]."""
    weights = representations.get(name).moment_weights()
    spread = rng.normal(size=(len(matrix), stretches.COUNT, matrix.shape[1]))
    return matrix[:, np.newaxis] + spread - np.einsum("s,nsd->nd", weights, spread)[:, np.newaxis]


def asked(opened: Index, row: int = 0) -> Query:
    return query.from_library(opened, f"t{row}")


def total(explained: explanation.Explanation) -> float:
    return sum(part.value for part in explained.parts)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_parts_sum_to_the_similarity(opened, data) -> None:
    one = opened(data.draw(st.integers(0, 2)))
    name = data.draw(st.sampled_from(NAMES))
    row = data.draw(st.integers(0, N - 1))
    weights = None
    if parts := one.manifest["representations"][name]["parts"]:
        weight = st.sampled_from([0.0, 0.01, 1.0, 80.0])
        weights = data.draw(st.none() | st.fixed_dictionaries(dict.fromkeys(parts, weight)))
    if data.draw(st.booleans()):
        question = asked(one, data.draw(st.integers(0, N - 1)))
    else:
        rng = np.random.default_rng(data.draw(st.integers(0, 999)))
        scale = data.draw(st.sampled_from([0.0, 1e-3, 1.0, 1e3]))
        drawn = {
            part: (scale * matrix[0]).astype(np.float32) for part, matrix in vectors(rng, 1).items()
        }
        question = Query(drawn, {}, row=data.draw(st.none() | st.integers(0, N - 1)), duration=30.0)

    found = explanation.explain(one, question, row, name, weights)
    similarity = one.similarities(name, question.embeddings, weights)[row]
    assert found.similarity == pytest.approx(similarity, abs=TOLERANCE)
    assert total(found) == pytest.approx(similarity, abs=TOLERANCE)
    assert found.representation == name
    by_name = {part.name: part.value for part in found.parts}
    assert by_name.get(explanation.LIFT, 0.0) == pytest.approx(one.bias(name)[row])
    cosine = similarity - one.bias(name)[row]
    if found.cells is not None:
        assert found.cells.sum() + by_name.get("Genre", 0.0) == pytest.approx(cosine, abs=TOLERANCE)
    if found.moments is not None:
        assert found.moments.shape == (10, 10)
        assert found.moments.sum() == pytest.approx(cosine, abs=TOLERANCE)
    with_moments = name in ("soundalike", *PARTS)
    assert (found.moments is None) == (not with_moments or question.row is None)
    if found.shades is not None:
        assert all(shade.min() >= 0 and shade.max() in (0, 1) for shade in found.shades)
    if found.best is not None:
        query_from, track_from, length = found.best
        assert min(query_from, track_from) >= 0
        assert max(query_from, track_from) + length <= 30


def test_cells_channels_and_features_match_brute_force(opened) -> None:
    one = opened(0)
    question = asked(one)
    found = explanation.explain(one, question, 1, "vgg_genre")
    sound = question.embeddings["vgg_mel"], one.embeddings(1)["vgg_mel"]
    genre = question.embeddings["genre_head"], one.embeddings(1)["genre_head"]
    weight = one.parts("vgg_genre")["genre_head"]
    norms = [
        np.linalg.norm(np.concatenate([sound[i], weight * genre[i]]).astype(np.float64)) for i in (0, 1)
    ]
    terms = sound[0].astype(np.float64) * sound[1] / norms[0] / norms[1]
    by_cell, by_channel = np.zeros((5, 10)), np.zeros(512)
    for dimension, term in enumerate(terms):
        place = receptive_fields.cell(dimension)
        by_cell[place.band, place.time] += term
        by_channel[place.channel] += term
    np.testing.assert_allclose(found.cells, by_cell, atol=1e-9)
    features = weight**2 * genre[0].astype(np.float64) * genre[1] / norms[0] / norms[1]
    assert [part.name for part in found.parts] == ["Picture", "Genre"]
    assert found.parts[1].value == pytest.approx(features.sum())
    for strongest, values in ((found.channels, by_channel), (found.features, features)):
        assert [value for _, value in strongest] == pytest.approx(np.sort(values)[::-1][:5])
        assert [value for _, value in strongest] == pytest.approx(
            [values[place] for place, _ in strongest]
        )


def test_sound_alone_is_split_by_band(opened) -> None:
    one = opened(0)
    found = explanation.explain(one, asked(one), 1, "vgg_mel")
    assert found.cells is not None
    assert [part.value for part in found.parts] == pytest.approx(found.cells.sum(axis=1))
    assert found.parts[0].name == "5.5 to 10.9 kHz"
    assert found.features == ()


def test_moments_match_brute_force(opened) -> None:
    one = opened(1)
    found = explanation.explain(one, asked(one, 2), 1, "soundalike")
    joined = {
        row: [w * one.array(p)[row].astype(np.float64) for p, w in PARTS.items()] for row in (1, 2)
    }
    norms = [np.linalg.norm(np.concatenate(joined[row])) for row in (2, 1)]
    expected = np.zeros((10, 10))
    for part, weight in PARTS.items():
        asked_by, track_by = (stretches_of(one, part, row) for row in (2, 1))
        for s in range(10):
            for t in range(10):
                expected[s, t] += weight**2 * (asked_by[s] @ track_by[t]) / norms[0] / norms[1]
    np.testing.assert_allclose(found.moments, expected, atol=1e-9)
    row, column = np.unravel_index(np.argmax(expected), (10, 10))
    assert found.best is not None
    for start, stretch in zip(found.best[:2], (row, column), strict=True):
        begins, ends = stretch * found.stretch, (stretch + 1) * found.stretch
        assert start <= begins + 1e-9
        assert start + found.best.length >= ends - 1e-9
    assert found.notes == (
        "0.250 of it is a correction for a track that would otherwise appear in no list.",
    )
    shades = found.shades
    assert shades is not None
    sums = np.array(expected).sum(axis=1)
    np.testing.assert_allclose(shades[0], np.maximum([sums], 0) / sums.max())


def stretches_of(one: Index, part: str, row: int) -> np.ndarray:
    """What each stretch adds to a track's stored vector [shape=(10, dim)], one after the other."""
    mean = one.array(f"{part}_scale")[0].astype(np.float64)
    weights = representations.get(part).moment_weights()
    raw = one.array(f"{part}_moments")[row].astype(np.float64)
    added = np.stack([weight * (moment - mean) for weight, moment in zip(weights, raw, strict=True)])
    added /= np.linalg.norm(added.sum(axis=0))
    left = one.array(part)[row].astype(np.float64) - added.sum(axis=0)
    assert np.abs(left).max() < 2e-3
    return added + np.outer(weights, left)


def test_default_splits_into_networks_and_bias(opened) -> None:
    one = opened(0)
    found = explanation.explain(one, asked(one), 1, "soundalike")
    assert [part.name for part in found.parts] == [
        *("Instruments and voices", "Sound and scene", explanation.LIFT)
    ]
    rows = {part: one.array(part)[:2].astype(np.float64) for part in PARTS}
    joined = np.concatenate([weight * rows[part] for part, weight in PARTS.items()], axis=1)
    scale = np.prod(np.linalg.norm(joined, axis=1))
    shares = {part: weight**2 * rows[part][0] @ rows[part][1] / scale for part, weight in PARTS.items()}
    assert found.parts[0].value == pytest.approx(shares["musicnn"] + shares["musicnn_mid"])
    assert found.parts[1].value == pytest.approx(shares["yamnet"])


def test_a_part_alone_has_its_own_name_and_moments(opened) -> None:
    one = opened(0)
    for name, title in (("musicnn_mid", "Instruments and voices"), ("yamnet", "Sound and scene")):
        found = explanation.explain(one, asked(one), 1, name)
        assert [part.name for part in found.parts] == [title]
        assert found.moments is not None


def test_frames_are_split_by_time(opened) -> None:
    one = opened(0)
    found = explanation.explain(one, asked(one), 1, "mfcc_flat")
    terms = one.embeddings(0)["mfcc_flat"].astype(np.float64) * one.embeddings(1)["mfcc_flat"]
    scale = float(one.array("mfcc_flat_norms")[0]) * float(one.array("mfcc_flat_norms")[1])
    by_time = [piece.sum() for piece in np.array_split(terms.reshape(20, -1) / scale, 10, axis=1)]
    assert found.cells is not None
    assert found.cells.shape == (1, 10)
    np.testing.assert_allclose(found.cells[0], by_time, atol=5e-4)


def test_tags_and_features_are_named(opened) -> None:
    one = opened(0)
    tags = explanation.explain(one, asked(one), 1, "musicnn_tags").parts
    assert len(tags) == explanation.STRONGEST + 1
    assert tags[-1].name == "The other 45"
    assert {part.name for part in tags[:-1]} <= set(tagger.TAGS)
    values = [part.value for part in tags[:-1]]
    assert values == sorted(values, reverse=True)
    families = {
        part.name: part.value for part in explanation.explain(one, asked(one), 1, "fma518").parts
    }
    terms = one.embeddings(0)["fma518"].astype(np.float64) * one.embeddings(1)["fma518"]
    terms /= np.prod(one.array("fma518_norms")[:2].astype(np.float64))
    notes = [column[0].startswith("chroma") for column in fma518.COLUMNS]
    assert families["Notes"] == pytest.approx(terms[notes].sum(), abs=TOLERANCE)
    assert len(families) == 6


@pytest.mark.parametrize("name", NAMES)
def test_track_with_itself(opened, name) -> None:
    one = opened(2)
    found = explanation.explain(one, asked(one, 2), 2, name)
    assert found.similarity == pytest.approx(1, abs=TOLERANCE)
    if found.best is not None:
        assert found.best.query == found.best.track


@pytest.mark.parametrize("name", NAMES)
def test_zero_vectors(opened, name) -> None:
    one = opened(2)
    found = explanation.explain(one, asked(one, 2), ZERO, name)
    assert found.similarity == pytest.approx(one.bias(name)[ZERO])
    assert found.best is None
    assert found.channels == found.features == ()


def test_best_match_discounts_picture_edges(tmp_path) -> None:
    """Cells at the edge are strong in all tracks; two tracks share one more at 12 to 15 s."""
    shape = (20, *vgg_mel.GRID, receptive_fields.CHANNELS)
    made = np.random.default_rng(0).uniform(0.5, 1, shape)
    made[:, :, [0, -1]] *= 3
    made[:2, 1, 4, :50] += 4
    one = write_index(tmp_path / "index", {"vgg_mel": made.reshape(20, -1)})
    found = explanation.explain(one, asked(one), 1, "vgg_mel")
    assert found.cells is not None
    assert found.cells.sum(axis=0).argmax() in (0, 9)
    assert found.best is not None
    assert (
        found.best.query
        == found.best.track
        == pytest.approx(12 + 1.5 - explanation.LISTEN / 2, abs=0.02)
    )
    assert found.shades is not None
    assert np.unravel_index(found.shades[0].argmax(), (5, 10)) == (1, 4)


@pytest.mark.parametrize("row", [-1, N, 10_000])
def test_unknown_row(opened, row) -> None:
    with pytest.raises(ValueError, match="rows 0 to 4"):
        explanation.explain(opened(0), asked(opened(0)), row, "vgg_mel")


def test_unknown_representation(opened) -> None:
    with pytest.raises(UnknownRepresentationError):
        explanation.explain(opened(0), asked(opened(0)), 1, "nonsense")
    with pytest.raises(IndexFolderError, match="does not hold"):
        explanation.explain(opened(0), asked(opened(0)), 1, "cf_regression")


def without_moments(folder: Path) -> Index:
    rng = np.random.default_rng(0)
    matrices = {part: rng.normal(size=(N, SIZES[part])) for part in PARTS}
    return write_index(folder, matrices, ["soundalike"])


def test_missing_moments_note(tmp_path) -> None:
    one = without_moments(tmp_path / "index")
    assert all(track_arrays.moments(one, part) is None for part in PARTS)
    found = explanation.explain(one, asked(one), 1, "soundalike")
    assert found.moments is None
    assert found.shades is None
    assert found.best is None
    assert total(found) == pytest.approx(one.similarities("soundalike", one.embeddings(0))[1])
    assert "`soundalike measure INDEX`" in found.notes[0]
    assert found.sentence == shared_traits.UNMEASURED


def test_moments_of_one_part_are_not_enough(tmp_path) -> None:
    one = without_moments(tmp_path / "index")
    np.save(one.folder / "musicnn_moments.npy", np.zeros((N, 10, 200), np.float16))
    found = explanation.explain(one, asked(one), 1, "soundalike")
    assert found.moments is None
    assert "`soundalike measure INDEX`" in found.notes[0]


def test_a_blend_has_no_moments(opened) -> None:
    one = opened(0)
    blend = Query({part: np.ones(SIZES[part], np.float32) for part in PARTS}, {})
    found = explanation.explain(one, blend, 2, "soundalike")
    assert found.moments is None
    assert "single clip" in found.notes[0]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((N, 9, 256), np.float16),
        np.zeros((N + 1, 10, 256), np.float16),
        np.zeros((N, 10, 64), np.float16),
        np.zeros((N, 10, 256), np.float32),
    ],
)
def test_incompatible_moments(tmp_path, array) -> None:
    one = without_moments(tmp_path / "index")
    for part in PARTS:
        shape = (N, 10, SIZES[part])
        np.save(one.folder / f"{part}_moments.npy", np.zeros(shape, np.float16))
    np.save(one.folder / "musicnn_mid_moments.npy", array)
    with pytest.raises(IndexFolderError, match="damaged"):
        explanation.explain(one, asked(one), 1, "soundalike")


def test_neighbours_only_index_cannot_be_split(tmp_path) -> None:
    made = {"vgg_mel": np.random.default_rng(0).normal(size=(N, vgg_mel.DIM))}
    one = write_index(tmp_path / "index", made)
    rows, similarities = one.neighbours("vgg_mel", 0)
    one.manifest["neighbours_only"] = ["vgg_mel"]
    found = explanation.explain(one, asked(one), int(rows[1]), "vgg_mel")
    assert found.similarity == pytest.approx(float(similarities[1]))
    assert found.parts == ()
    assert found.shades is None
    assert "can't break the similarity down" in found.notes[0]
    assert explanation.explain(one, asked(one), 0, "vgg_mel").similarity is None
    assert explanation.explain(one, Query({}, {}), 1, "vgg_mel").similarity is None


def test_real_clips_parts_and_moments_sum_to_similarity(default_index) -> None:
    for row in range(len(default_index)):
        question = query.from_library(default_index, default_index.ids[0])
        found = explanation.explain(default_index, question, row, "soundalike")
        check_sums(default_index, question, found, row)


def test_a_new_clip_is_explained_by_its_own_moments(default_index, models) -> None:
    clip = analysis_window(decoding.decode(OTHER_CLIP))
    embeddings = ClipEmbeddings(clip, default_index, models)
    question = Query(embeddings, {}, None, 30.0)
    for part in PARTS:
        expected = representations.get(part).moments(clip, models)
        np.testing.assert_array_equal(embeddings.moments(part), expected)
    for row in range(len(default_index)):
        found = explanation.explain(default_index, question, row, "soundalike")
        check_sums(default_index, question, found, row)


def test_copy_matches_track_by_moments(default_index, models) -> None:
    clip = analysis_window(decoding.decode(default_index.path(2)))
    question = Query(ClipEmbeddings(clip, default_index, models), {}, 2, 30.0)
    found = explanation.explain(default_index, question, 2, "soundalike")
    assert found.similarity - default_index.bias("soundalike")[2] == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(found.moments, found.moments.T, atol=1e-3)


def check_sums(one: Index, question: Query, found: explanation.Explanation, row: int) -> None:
    """Parts, with the lift, are the similarity; moments, without it, the cosine."""
    similarity = one.similarities("soundalike", question.embeddings)[row]
    assert found.similarity == pytest.approx(similarity, abs=TOLERANCE)
    assert total(found) == pytest.approx(similarity, abs=TOLERANCE)
    assert found.moments is not None
    lift = float(one.bias("soundalike")[row])
    assert found.moments.sum() == pytest.approx(similarity - lift, abs=TOLERANCE)
    names = [part.name for part in found.parts]
    assert names == ["Instruments and voices", "Sound and scene", *([explanation.LIFT] if lift else [])]


def test_new_clip_is_measured_once(tmp_path, library_clip, models) -> None:
    clip = analysis_window(decoding.decode(library_clip))
    embeddings = ClipEmbeddings(clip, without_moments(tmp_path / "index"), models)
    np.testing.assert_array_equal(embeddings.descriptors, track_descriptors.summarise(clip))
    assert embeddings.descriptors is embeddings.descriptors
    assert embeddings.picture == thumbnail.draw(clip)
    assert embeddings.picture is embeddings.picture


def test_bundled_library_comparisons() -> None:
    bundled = index.load(paths.ASSETS / "index")
    question = query.from_library(bundled, "0235")
    for name in bundled.names:
        row = int(bundled.neighbours(name, question.row)[0][0])
        found = explanation.explain(bundled, question, row, name)
        assert found.similarity == pytest.approx(
            bundled.neighbours(name, question.row)[1][0], abs=TOLERANCE
        )
        assert found.sentence
        if bundled.has_vectors(name):
            assert total(found) == pytest.approx(found.similarity, abs=TOLERANCE)
