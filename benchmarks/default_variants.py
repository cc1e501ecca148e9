"""Compare ways to join two networks by genre retrieval: every variant we scored.

    python benchmarks/default_variants.py [INDEX ...]

Reads the raw embeddings of labelled indexes: the bundled one by default, or those named, which were
built with `soundalike index LIBRARY --out DIR --representation soundalike`. For each variant, it prints
precision at 10 with the artist filter, the difference from the previous default (the standardised music
tagger) with a 95 % bootstrap interval over artists, and hubs and orphans among lists of ten.

The last lines are nested estimates: the best variant is chosen on a random half of the artists and
scored on the other half, to avoid selection bias. For the bundled library, only labels that aren't from
a tagger are used. Nothing here is fitted to labels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike import paths
from soundalike.datasets import artists as artist_rule
from soundalike.evaluation import hubness, metrics
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.representations import scaling
from soundalike.representations.scaling import CENTRED, STANDARDISED, Scaling

K = 10
SPLITS = 100
PARTS = ("musicnn", "musicnn_mid", "yamnet")
BASELINE = "musicnn, standardised"
CHOSEN = "tagger + 0.7 middle + YAMNet, centred"

Array = NDArray[np.float32]


def main() -> None:
    """Score every variant on every index."""
    folders = [Path(name) for name in sys.argv[1:]] or [paths.BUNDLED_INDEX]
    for folder in folders:
        report(index.load(folder))


def variants(raw: dict[str, Array]) -> dict[str, Array]:
    """Vectors of every variant [shape=(n, dim)], by name."""
    unit = {name: scaled(None, vectors) for name, vectors in raw.items()}
    centred = {name: scaled(CENTRED, vectors) for name, vectors in raw.items()}
    even = {name: scaled(None, scaled(STANDARDISED, vectors)) for name, vectors in raw.items()}
    tagger, middle, sound = PARTS
    found = {
        f"{name}, {kind}": vectors[name]
        for name in PARTS
        for kind, vectors in (("raw", unit), ("centred", centred), ("standardised", even))
    }
    found["tagger + YAMNet, raw"] = joined(unit[tagger], unit[sound])
    for weight in (0.5, 0.7, 1.0, 1.4, 2.0):
        name = f"tagger + {weight:g} YAMNet, centred"
        found[name] = joined(centred[tagger], weight * centred[sound])
    found["tagger standardised + YAMNet centred"] = joined(even[tagger], centred[sound])
    found[CHOSEN] = joined(centred[tagger], 0.7 * centred[middle], centred[sound])
    found["the same, middle standardised"] = joined(centred[tagger], 0.7 * even[middle], centred[sound])
    chosen = found[CHOSEN]
    found["the same by 64 principal components"] = components(chosen, 64)
    found["the same, moved towards 5 neighbours"] = moved(chosen)
    found["64 components, moved towards 5 neighbours"] = moved(components(chosen, 64))
    return found


def scaled(kind: Scaling | None, vectors: Array) -> Array:
    """Vectors scaled like an index of all of them, or of unit length."""
    if kind is None:
        return scaling.apply(CENTRED, vectors, np.stack([0 * vectors[0], 0 * vectors[0] + 1]))
    return scaling.scaled_by_themselves(kind, vectors)


def joined(*parts: Array) -> Array:
    """Concatenate vectors."""
    return np.concatenate(parts, axis=1)


def components(vectors: Array, count: int) -> Array:
    """The leading principal components of vectors, not whitened."""
    left, values, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    return np.asarray(left[:, :count] * values[:count], np.float32)


def moved(vectors: Array, count: int = 5, power: int = 3) -> Array:
    """Move vectors towards their nearest, by similarity cubed (Arandjelovic and Zisserman, 2012)."""
    unit = scaled(None, vectors)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    near = np.argsort(-cosines, axis=1)[:, :count]
    weights = np.maximum(np.take_along_axis(cosines, near, axis=1), 0) ** power
    return np.asarray(unit + np.einsum("nk,nkd->nd", weights, unit[near]), np.float32)


def report(opened: Index) -> None:
    """Print every variant's figures on one index."""
    raw = {name: np.asarray(opened.array(f"{name}_raw"), np.float32) for name in PARTS}
    tracks = opened.tracks
    labelled = tracks["genre"].ne("").to_numpy(bool)
    if "genre_source" in tracks:
        labelled = labelled & tracks["genre_source"].ne("tagger").to_numpy(bool)
    artists = metrics.group_numbers(artist_rule.keys(tracks), len(tracks))
    genres = tracks["genre"].to_numpy(str)
    scores, hubs = {}, {}
    for name, vectors in variants(raw).items():
        cosines = metrics.cosine_matrix(vectors)
        hubs[name] = hubs_of(cosines)
        scores[name] = precision(cosines, genres, artists, labelled)
    print(f"\n{opened.folder}: {labelled.sum()} of {len(opened)} tracks have a label that counts")
    print(f"{'':44} {'P@10':>6} {'difference from ' + BASELINE:>40} {'skew':>6} {'orphans':>8}")
    for name, values in scores.items():
        found = metrics.paired_comparison(values, scores[BASELINE], artists[labelled])
        difference = f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
        hub = hubs[name]
        print(f"{name:44} {values.mean():6.3f} {difference:>40} {hub.skew:6.2f} {hub.orphans:8.1%}")
    nested(scores, artists[labelled])


def precision(
    cosines: Array, genres: NDArray[np.str_], artists: NDArray[np.intp], labelled: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Precision at 10 of each labelled track, by other artists' labelled tracks."""
    values = []
    for row in np.flatnonzero(labelled):
        candidates = np.flatnonzero(labelled & (artists != artists[row]))
        nearest = candidates[index.nearest(cosines[row, candidates], K)]
        values.append(float((genres[nearest] == genres[row]).mean()))
    return np.array(values)


def hubs_of(cosines: NDArray[np.floating]) -> hubness.Hubness:
    """Hubs and orphans among lists of ten."""
    others = cosines.copy()
    np.fill_diagonal(others, -np.inf)
    return hubness.hubness([index.nearest(row, K) for row in others], len(others))


def nested(scores: dict[str, NDArray[np.float64]], artists: NDArray[np.intp]) -> None:
    """Print the score on one half of the artists of the variant that is best on the other half."""
    generator = np.random.default_rng(0)
    names, table = list(scores), np.stack(list(scores.values()))
    found: dict[str, list[float]] = {"the best of the other half": [], CHOSEN: [], BASELINE: []}
    for _ in range(SPLITS):
        half = np.isin(artists, generator.permutation(np.unique(artists))[::2])
        best = names[int(table[:, half].mean(axis=1).argmax())]
        for label, name in zip(found, (best, CHOSEN, BASELINE), strict=True):
            found[label].append(float(scores[name][~half].mean()))
    print(f"on held-out halves of the artists, mean of {SPLITS}:")
    for label, values in found.items():
        print(f"  {label:42} {np.mean(values):6.3f}")


if __name__ == "__main__":
    main()
