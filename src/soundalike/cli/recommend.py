"""`soundalike recommend`: a playlist, printed or written to a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike import paths, representations
from soundalike.cli import output
from soundalike.cli.options import FILE
from soundalike.cli.output import print_notes
from soundalike.cli.query_options import (
    check_output,
    common_options,
    embed_argument,
    open_models,
    printable_facts,
    read_filter,
    write,
)

if TYPE_CHECKING:
    from soundalike.index.index import Index
    from soundalike.models import ModelStore
    from soundalike.playlist.blend import Seed
    from soundalike.playlist.playlist import Playlist
    from soundalike.playlist.query import Query

LESS = -0.5
"""Weight of a clip given with --less."""


@click.command()
@click.argument("clips", metavar="CLIP...", nargs=-1, required=False)
@click.option("--less", multiple=True, metavar="CLIP", help="Clip to avoid; may be repeated.")
@click.option(
    "--weights",
    metavar="W,W,...",
    help="Weight of each CLIP, from -1 to 1 except 0. Default: 1 each.",
)
@click.option("--extend", type=FILE, metavar="LIST", help="Playlist file to extend.")
@click.option(
    "--genre-weight",
    type=click.FloatRange(0.0, 1e6),
    help=f"Weight of the genre part of vgg_genre. Default: {representations.GENRE_WEIGHT:g}.",
)
@click.option(
    "--per-artist",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Maximum number of tracks per artist; 0 for no limit.",
)
@click.option(
    "--per-album",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Maximum number of tracks per album; 0 for no limit.",
)
@click.option(
    "--variety",
    type=click.FloatRange(0.0, 1.0),
    default=0.0,
    show_default=True,
    help="0 picks the closest matches; up to 1 makes the tracks more different from each other.",
)
@click.option(
    "--order",
    default="similarity",
    show_default=True,
    metavar="ORDER",
    help="similarity, walk, tempo, loudness, brightness, NAME:DIMENSION (prefix - for descending) "
    "or shuffled.",
)
@click.option(
    "--recorded", is_flag=True, help="The files are microphone recordings: look for their source."
)
@click.option("--harmonic", is_flag=True, help="Prefer compatible keys.")
@click.option("--farthest", is_flag=True, help="Pick the least similar tracks instead.")
@click.option("--pin", multiple=True, metavar="ID", help="Track to include; may be repeated.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Shuffle seed.")
@click.option("--why", is_flag=True, help="Explain why each track was picked.")
@common_options
def recommend(
    clips: tuple[str, ...],
    less: tuple[str, ...],
    weights: str | None,
    extend: Path | None,
    genre_weight: float | None,
    per_artist: int,
    per_album: int,
    variety: float,
    order: str,
    recorded: bool,
    harmonic: bool,
    farthest: bool,
    pin: tuple[str, ...],
    seed: int,
    why: bool,
    folder: Path | None,
    name: str | None,
    length: int,
    without: tuple[str, ...],
    only: str,
    genre_head: Path | None,
    factors: Path | None,
    kind: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Recommend tracks that sound most like each CLIP, an audio file or a track's ID."""
    from soundalike.index import index as indices
    from soundalike.playlist import ordering, playlist

    counts = _weights(weights, clips)
    check_output(kind, out, as_json)
    _check_rules(clips, less, variety, pin, without)
    if why and kind is not None:
        raise click.UsageError("--why goes with a printed playlist or --json, not with --format.")
    if not clips and extend is None:
        raise click.UsageError("Missing argument 'CLIP...'.")
    if name is not None:
        representations.get(name)
    opened = indices.load(folder or paths.index_folder())
    name = name or ("vgg_genre" if genre_weight is not None else representations.default(opened.names))
    recipe = playlist.Recipe(
        name,
        length,
        per_artist or None,
        per_album or None,
        variety,
        order,
        harmonic,
        farthest,
        tuple(opened.row(track) for track in pin),
        tuple(opened.row(track) for track in without),
        seed,
        _part_weights(opened, name, genre_weight),
        only=read_filter(only),
    )
    ordering.check(opened, order)
    models = open_models(opened, genre_head, factors)
    weighted = [*zip(clips, counts, strict=True), *((clip, LESS) for clip in less)]
    seeds, notes = _seeds(opened, models, weighted, extend, recorded)
    found = playlist.make_playlist(opened, list(seeds.values()), recipe)
    notes = [*(note for seed in seeds.values() for note in seed.query.notes), *notes, *found.notes]
    rows = [entry.row for entry in found.entries]
    reasons = _reasons(opened, next(iter(seeds.values())).query, rows) if why else None
    if kind is not None:
        similarities = [entry.similarity for entry in found.entries]
        write(opened, rows, similarities, kind, out, {"representation": name, "order": order})
        print_notes(notes)
    elif as_json:
        _print_document(opened, seeds, found, notes, reasons)
    else:
        _print_playlist(opened, list(seeds.values()), found, notes, reasons)


def _weights(weights: str | None, clips: Sequence[str]) -> list[float]:
    """The weight of each clip."""
    if weights is None:
        return [1.0] * len(clips)
    try:
        numbers = [float(number) for number in weights.split(",")]
    except ValueError as error:
        raise click.UsageError(f"--weights takes numbers with commas, not {weights!r}.") from error
    if len(numbers) != len(clips):
        raise click.UsageError(f"--weights has {len(numbers)} numbers for {len(clips)} clips.")
    if not all(-1 <= number <= 1 and number != 0 for number in numbers):
        raise click.UsageError("--weights lie between -1 and 1 and are not 0.")
    return numbers


def _check_rules(
    clips: Sequence[str],
    less: Sequence[str],
    variety: float,
    pin: Sequence[str],
    without: Sequence[str],
) -> None:
    """Reject contradictory options."""
    named = [*clips, *less]
    if twice := next((clip for clip in named if named.count(clip) > 1), None):
        raise click.UsageError(f"{twice} is given twice; give it once, with its weight in --weights.")
    if math.isnan(variety):
        raise click.UsageError("--variety takes a number between 0 and 1.")
    if both := next((track for track in pin if track in without), None):
        raise click.UsageError(f"{both} is both in --pin and in --without; choose one.")


def _part_weights(index: Index, name: str, genre_weight: float | None) -> Mapping[str, float] | None:
    weights = index.parts(name)
    if genre_weight is None:
        return None
    if "genre_head" not in weights or len(weights) == 1:
        raise click.UsageError(f"--genre-weight goes with vgg_genre, not with {name}.")
    if not math.isfinite(genre_weight):
        raise click.UsageError(f"--genre-weight takes a number, not {genre_weight}.")
    return weights | {"genre_head": genre_weight}


def _seeds(
    index: Index,
    models: ModelStore,
    weighted: Sequence[tuple[str, float]],
    extend: Path | None,
    recorded: bool,
) -> tuple[dict[str, Seed], list[str]]:
    """The seeds by file, including the tracks of a playlist file, and notes on that file."""
    from soundalike.errors import PlaylistError
    from soundalike.playlist import entry_matching, file_reader, query
    from soundalike.playlist.blend import Seed

    seeds = {
        clip: Seed(embed_argument(index, models, clip, recorded), weight) for clip, weight in weighted
    }
    if extend is None:
        return seeds, []
    found = entry_matching.resolve(index, file_reader.read(extend.read_bytes(), extend.name))
    for row in found.rows:
        listed = query.from_library(index, index.fact("track_id", row))
        seeds.setdefault(str(index.path(row)), Seed(listed))
    if not seeds:
        raise PlaylistError(f"None of the tracks of {extend} is in this library; choose another list.")
    missing = [f"Not in this library: {name}" for name in found.missing[entry_matching.NAMED :]]
    return seeds, [*found.notes, *missing]


def _reasons(index: Index, query: Query, rows: Sequence[int]) -> list[str]:
    from soundalike.analysis import shared_traits

    return shared_traits.sentences(index, query, rows)


def _print_document(
    index: Index,
    seeds: Mapping[str, Seed],
    playlist: Playlist,
    notes: Sequence[str],
    reasons: Sequence[str] | None,
) -> None:

    described = [_seed(index, file, seed) for file, seed in seeds.items()]
    results: list[dict[str, Any]] = []
    for number, entry in enumerate(playlist.entries):
        whole: dict[str, Any] = {"rank": entry.rank, **printable_facts(index, entry.row)}
        file = whole.pop("file")
        whole |= {"similarity": round(entry.similarity, 6), "file": file}
        results.append(whole | ({"why": reasons[number]} if reasons else {}))
    output.print_json(
        {
            "query": described[0],
            "seeds": described,
            "representation": playlist.representation,
            "results": results,
            "notes": list(notes),
        }
    )


def _seed(index: Index, file: str, seed: Seed) -> dict[str, Any]:

    query = seed.query
    return {
        "file": file,
        "duration": round(query.duration, 2) if query.duration else None,
        "in_library": None if query.row is None else index.fact("track_id", query.row),
        "genres": {genre: round(share, 4) for genre, share in query.genres.items()},
        "weight": seed.weight,
    }


def _print_playlist(
    index: Index,
    seeds: Sequence[Seed],
    playlist: Playlist,
    notes: Sequence[str],
    reasons: Sequence[str] | None,
) -> None:
    from rich.table import Table

    query = seeds[0].query
    if query.row is not None and len(seeds) == 1:
        output.print_line(f"This is in the library: {index.fact('title', query.row)}")
    likeliest = [f"{genre} {share:.0%}" for genre, share in list(query.genres.items())[:3]]
    if likeliest and len(seeds) == 1:
        output.print_line(f"Sounds like {', '.join(likeliest)}")
    columns = ["", "Title", "Artist", "Album", "Genre", "Similarity", *(["Why"] if reasons else [])]
    table = Table(*columns, box=None)
    for number, entry in enumerate(playlist.entries):
        texts = [index.fact(column, entry.row) for column in ("title", "artist", "album", "genre")]
        why = [reasons[number]] if reasons else []
        output.add_row(table, str(entry.rank), *texts, f"{entry.similarity:.3f}", *why)
    output.print_table(table)
    for note in notes:
        output.print_line(note)
