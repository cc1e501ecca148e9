"""How well words name clips and find tracks, against labels and measurements that had no part in them.

    python benchmarks/words.py [--clips FOLDER ...]

1. Genres: the highest scored of eleven genres for each labelled clip, by label. Folders are libraries
   with a `tracks.csv`; by default the evaluation clips beside the project. Then the words of the
   article's ten FMA clips. Nothing was tuned on any of them.
2. Filters: how many of the same clips a word keeps, by label and by whether the artist sings.
3. Descriptions: the share of the top ten that have the described property by an independent measure, and
   the share of the whole library. Labels that a tagger made don't count.
4. The names of the map's regions: how many regions get one, and how many random groups of the same size,
   with artists kept whole, and regions of random maps.
5. The share of the bundled library's tracks that get no word.
6. Names of the embeddings' dimensions: how many hold on the artists that they weren't chosen on, and how
   many do if the artists' tracks are exchanged at random.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike import paths
from soundalike.analysis import dimension_names, dimension_sets
from soundalike.analysis.dimension_sets import DimensionSets
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.datasets import artists
from soundalike.datasets import library as libraries
from soundalike.index import index as indices
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.projection import layout, region_names
from soundalike.words import filters, library, measures, naming, search, strengths, vocabulary
from soundalike.words.description import read
from soundalike.words.library import LibraryWords
from soundalike.words.strengths import Probabilities

SHARED = Path(__file__).resolve().parents[2] / "shared"
GENRES = (
    *("blues", "classical", "country", "folk", "electronic", "hip-hop", "jazz", "metal", "pop"),
    *("reggae", "rock"),
)
FILTERS = ("classical", "electronic", "pop", "rock", "singing", "instrumental")
NO_SINGERS = (
    *("Ivan Ilic", "Musica Franca", "Ingrid Matthews and Byron Schenkman", "SCD", "Janine Johnson"),
    *("Ralph Rousseau Meulenbroeks", "Oberlin Consort of Viols", "JungHae Kim", "Jacob Heringman"),
    *("Daniel Ben Pienaar", "Ensemble Mirable", "Ensemble Vermillian", "The Sarasa Ensemble"),
)
"""Soloists and ensembles of the evaluation clips that only play instruments, by their albums' titles."""
SINGERS = (
    *("Norine Braun", "Lisa DeBenedictis", "Anamar", "John Jackson", "Shane Jackman", "Plunkett"),
    *("Sun Palace", "Self Delusion", "Michael Joy", "Burnshee Thornside", "Big Bad Sun"),
)
"""Singers and bands with one; not all of their clips need have a voice."""
TOP = 10
RANDOM_GROUPS, RANDOM_MAPS = 2_000, 40
Property = Callable[[Index], NDArray[np.float64]]
"""1 for tracks that have a property, 0 for others, NaN where it is unknown [shape=(n,)]."""


def label(*names: str) -> Property:
    """A genre label that no tagger made."""

    def of(index: Index) -> NDArray[np.float64]:
        source = index.tracks.get("genre_source")
        found = np.array([float(genre in names) for genre in index.tracks["genre"]])
        return found if source is None else np.where(source == "tagger", np.nan, found)

    return of


def above(quantity: str, share: float) -> Property:
    """A measured quantity above this share of the library, or below it if the share is negative."""

    def of(index: Index) -> NDArray[np.float64]:
        values = measures.quantity(index, quantity)
        assert values is not None
        limit = np.nanquantile(values, abs(share))
        return np.where(np.isnan(values), np.nan, values > limit if share > 0 else values < limit)

    return of


def mode(minor: bool) -> Property:
    """The mode of the estimated key."""

    def of(index: Index) -> NDArray[np.float64]:
        keys = track_arrays.keys(index)
        assert keys is not None
        return np.where(keys[:, 0] >= 0, keys[:, 1] == int(minor), np.nan)

    return of


DESCRIPTIONS: tuple[tuple[str, Property], ...] = (
    ("slow piano", above(measures.TEMPO, -0.5)),
    ("fast drums", above(measures.TEMPO, 0.5)),
    ("fast electronic", label("Electronic")),
    ("techno", label("Electronic")),
    ("metal", label("Metal", "Rock")),
    ("angry guitars, no vocals", label("Metal", "Rock")),
    ("rock with electric guitar", label("Metal", "Rock")),
    ("orchestra, epic", label("Orchestral")),
    ("strings and brass", label("Orchestral")),
    ("calm ambient", label("Ambient")),
    ("atmospheric synth", label("Ambient", "Electronic")),
    ("folk with acoustic guitar", label("Folk", "International")),
    ("fiddle and accordion", label("Folk", "International")),
    ("jazz with saxophone", label("Jazz")),
    ("8-bit video game music", label("Chiptune", "Electronic")),
    ("quiet harp", above(measures.LOUDNESS, -0.5)),
    ("loud punk", above(measures.LOUDNESS, 0.5)),
    ("bright and fast", above(measures.BRIGHTNESS, 0.5)),
    ("dark drone", above(measures.BRIGHTNESS, -0.5)),
    ("sad, in a minor key", mode(minor=True)),
)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, nargs="*", default=[SHARED / "eval_clips"])
    folders = parser.parse_args().clips
    index, models = indices.load(paths.BUNDLED_INDEX), ModelStore()
    words = library.of(index, models)
    assert words is not None
    for folder in filter(Path.is_dir, folders):
        source = libraries.load(folder)
        clips = [
            library.of_clip(analysis_window(decoding.decode(source.path(row))), models)
            for row in range(len(source.tracks))
        ]
        genres(words, folder.name, source.tracks["genre"], clips)
        filtered(words.names, source.tracks, clips)
    fma_clips(words, models)
    descriptions(index, models)
    regions(index, words)
    without = sum(not naming.sounds_like(words, words.of_track(row)).words for row in range(len(index)))
    print(f"\nBundled tracks without a word: {without} of {len(index)}")
    dimensions(index, models)


def genres(words: LibraryWords, name: str, labels: pd.Series, clips: Sequence[Probabilities]) -> None:
    """The highest scored genre of each labelled clip."""
    places = [vocabulary.positions()[name] for name in GENRES]
    found: dict[str, Counter[str]] = {}
    for wanted, clip in zip(labels, clips, strict=True):
        scores = strengths.scores(clip, words.usual, words.names)[places]
        found.setdefault(wanted, Counter())[GENRES[int(scores.argmax())]] += 1
    print(f"{name}: the highest scored of eleven genres\n")
    print("| label | clips | genres |\n|---|---:|---|")
    for wanted, counts in sorted(found.items()):
        listed = ", ".join(f"{name} {count}" for name, count in counts.most_common())
        print(f"| {wanted} | {counts.total()} | {listed} |")


def filtered(names: tuple[str, ...], tracks: pd.DataFrame, clips: Sequence[Probabilities]) -> None:
    """How many clips have a word and how many lack it, in a library of these clips."""
    tags, classes = (np.stack([getattr(clip, part) for clip in clips]) for part in ("tags", "classes"))
    words = LibraryWords(Probabilities(tags, classes), names)
    groups = {label: tracks["genre"] == label for label in sorted(set(tracks["genre"]))}
    groups |= {"no singer": tracks["artist"].isin(NO_SINGERS), "singer": tracks["artist"].isin(SINGERS)}
    sizes = [f"{label} ({of.sum()})" for label, of in groups.items()]
    print(f"\n| filter | kept | {' | '.join(sizes)} |\n|---|---:|{'---:|' * len(groups)}")
    for name in FILTERS:
        for title, kept in zip((name, f"no {name}"), filters.has_word(words, name), strict=True):
            counts = [str(int(kept[of.to_numpy()].sum())) for of in groups.values()]
            print(f"| {title} | {kept.sum()} | {' | '.join(counts)} |")


def fma_clips(words: LibraryWords, models: ModelStore) -> None:
    """The words of the article's ten clips."""
    table = SHARED / "seed_reference" / "fma_small_genre.csv"
    if not table.is_file():
        return
    with table.open(encoding="utf-8", newline="") as file:
        labels = {Path(row["filename"]).stem: row["genre"] for row in csv.DictReader(file)}
    print("\n| FMA clip | label | words |\n|---|---|---|")
    for path in sorted((table.parent / "fma_clips").glob("*.mp3")):
        named = naming.sounds_like(
            words, library.of_clip(analysis_window(decoding.decode(path)), models)
        )
        listed = ", ".join(item.word for item in named.words) or named.warning
        print(f"| {path.stem} | {labels.get(path.stem, '')} | {listed} |")


def descriptions(index: Index, models: ModelStore) -> None:
    """The share of each description's top ten with the property."""
    print("\n| description | understood | of the top ten | of the library |\n|---|---|---:|---:|")
    shares = []
    for text, has in DESCRIPTIONS:
        found = search.search(index, models, read(text).terms)
        known = has(index)
        ranked = [row for row in search.best(found, len(index)) if np.isfinite(known[row])][:TOP]
        share, chance = float(known[ranked].mean()), float(np.nanmean(known))
        shares.append((share, chance))
        terms = ", ".join(term.label for term in found.terms)
        print(f"| {text} | {terms} | {share:.0%} | {chance:.0%} |")
    share, chance = np.mean(shares, axis=0)
    print(f"| mean | | {share:.0%} | {chance:.0%} |")


def dimensions(index: Index, models: ModelStore) -> None:
    """How many of the dimensions' names hold on artists held out."""
    sets = DimensionSets(index, models)
    assert sets.words is not None
    known = dimension_names.properties(sets.words.scores, track_arrays.descriptors(index))
    assert known is not None
    by = artists.keys(index.tracks)
    exchanged = by_exchanged_artists(by)
    print("\n| dimensions | names chosen | hold | dimensions named | by chance: hold | named |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in sets.names:
        if name == dimension_sets.WORDS:
            continue
        values = np.concatenate(sets.matrices(name), axis=1).astype(np.float32)
        cells = [f"{values.shape[1]:,} of “{dimension_sets.TITLES[name]}”"]
        for rows in (slice(None), exchanged):
            names = dimension_names.find(values[rows], known, by)
            holding = [sum(one.holds for one in of_dimension) for of_dimension in names]
            chosen = sum(map(len, names))
            cells += [f"{chosen:,}"] if len(cells) == 1 else []
            cells += [f"{sum(holding) / max(chosen, 1):.0%}", f"{np.mean(np.array(holding) > 0):.1%}"]
        print(f"| {' | '.join(cells)} |")


def by_exchanged_artists(by: list[str]) -> NDArray[np.intp]:
    """Rows in which each artist has the tracks of others; tracks of one artist stay together."""
    order = np.argsort(by, kind="stable")
    blocks = np.split(order, np.flatnonzero(np.diff(np.unique(by, return_inverse=True)[1][order])) + 1)
    mixed = np.random.default_rng(0).permutation(len(blocks))
    rows = np.empty(len(by), np.intp)
    rows[order] = np.concatenate([blocks[place] for place in mixed])
    return rows


def regions(index: Index, words: LibraryWords) -> None:
    """The named regions of each level of two maps, and random groups of the same sizes."""
    given = region_names.of(index, words)
    random = given.best_of_random(RANDOM_GROUPS, region_names.SEED + 1) > given.limits
    print(
        "\n| map | level | regions | named | random groups named | names |\n"
        "|---|---:|---:|---:|---:|---|"
    )
    for representation in ("soundalike", "vgg_genre"):
        positions = index.array(layout.array_name(representation, layout.DEFAULT))[given.rows]
        found = region_names.find(positions, given)
        for level, labels in enumerate(region_names.divide(positions)):
            sizes = np.bincount(labels)
            named = [region.name for region in found if region.level == level]
            chance = np.mean([random[:, given.place(size)].mean() for size in sizes])
            print(
                f"| `{representation}` | {level + 1} | {len(sizes)} | {len(named)} | "
                f"{chance:.1%} | {', '.join(named)} |"
            )
    random_maps(given)


def random_maps(given: region_names.TrackWords) -> None:
    """Named regions of maps with random positions, on which an artist's tracks lie together or don't."""
    rng, n = np.random.default_rng(region_names.SEED), len(given.artists)
    for together in (0.0, 1.0):
        named = regions = 0
        for _ in range(RANDOM_MAPS):
            positions = together * rng.normal(size=(n, 2))[given.artists] + rng.normal(size=(n, 2))
            named += len(region_names.find(positions, given))
            regions += sum(int(labels.max()) + 1 for labels in region_names.divide(positions))
        kind = "artists together" if together else "each track apart"
        print(f"\nRandom maps, {kind}: {named} of {regions:,} regions named ({named / regions:.1%})")


if __name__ == "__main__":
    main()
