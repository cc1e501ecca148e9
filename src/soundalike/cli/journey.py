"""`soundalike journey`: a path from one track to another, printed or written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike import paths, representations
from soundalike.cli import output
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
    from soundalike.playlist.journey import Journey


@click.command()
@click.argument("start", metavar="FROM")
@click.argument("end", metavar="TO")
@click.option("--via", multiple=True, metavar="CLIP", help="Stop on the way; may be repeated.")
@click.option(
    "--per-artist",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Maximum number of tracks per artist on the way; 0 for no limit.",
)
@common_options
def journey(
    start: str,
    end: str,
    via: tuple[str, ...],
    per_artist: int,
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
    """Find a path FROM one track TO another in small steps; each is an audio file or a track's ID."""
    from soundalike.index import index as indices
    from soundalike.playlist import journey

    check_output(kind, out, as_json)
    wanted = read_filter(only)
    if name is not None:
        representations.get(name)
    opened = indices.load(folder or paths.index_folder())
    name = name or representations.default(opened.names)
    models = open_models(opened, genre_head, factors)
    removed = [opened.row(track) for track in without]
    stops, notes = _stops(opened, models, (start, *via, end), name)
    found = journey.travel(opened, stops, name, length, per_artist or None, removed, wanted)
    if kind is not None:
        write(opened, found.rows, None, kind, out, {"representation": name, "kind": "journey"})
        print_notes([*notes, *found.notes])
    elif as_json:
        output.print_json(
            {
                "representation": name,
                "results": [
                    {"rank": rank} | printable_facts(opened, row) | {"step": round(step, 3)}
                    for rank, (row, step) in enumerate(
                        zip(found.rows, (0.0, *found.steps), strict=True), start=1
                    )
                ],
                "notes": [*notes, *found.notes],
            }
        )
    else:
        _print_journey(opened, found, notes)


def _stops(
    index: Index, models: ModelStore, clips: Sequence[str], name: str
) -> tuple[list[int], list[str]]:
    """The rows of a journey's stops; for a clip that isn't in the library, the nearest track."""
    from soundalike.playlist.blend import Seed
    from soundalike.playlist.playlist import Recipe, make_playlist

    rows, notes = [], []
    for clip in clips:
        query = embed_argument(index, models, clip)
        if query.row is not None:
            rows.append(query.row)
            continue
        nearest = make_playlist(index, [Seed(query)], Recipe(name, 1)).entries[0]
        rows.append(nearest.row)
        title = index.fact("title", nearest.row)
        notes.append(f"{Path(clip).name} is not in the library; its nearest, “{title}”, stands for it.")
    return rows, notes


def _print_journey(index: Index, found: Journey, notes: Sequence[str]) -> None:
    from rich.table import Table

    table = Table("", "Title", "Artist", "Genre", "Step", box=None)
    for number, row in enumerate(found.rows):
        texts = [index.fact(column, row) for column in ("title", "artist", "genre")]
        step = f"{found.steps[number - 1]:.1f}°" if number else ""
        output.add_row(table, str(number + 1), *texts, step)
    output.print_table(table)
    for note in (*notes, *found.notes):
        output.print_line(note)
