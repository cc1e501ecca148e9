"""`soundalike describe`: find tracks by a description, or name what a clip sounds like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike import paths
from soundalike.cli import output
from soundalike.cli.options import FOLDER, JSON, ONLY
from soundalike.cli.output import print_notes
from soundalike.cli.query_options import KINDS, check_output, printable_facts, read_filter, write
from soundalike.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from soundalike.index.index import Index
    from soundalike.words.search import Matches


@click.command()
@click.argument("text", metavar="DESCRIPTION")
@click.option("--index", "folder", type=FOLDER, help="Index folder. Default: the bundled one.")
@click.option("-k", "length", type=click.IntRange(min=1), default=10, show_default=True)
@ONLY
@click.option("--format", "kind", type=click.Choice(KINDS), help="Write a playlist file.")
@click.option("--out", type=Path, help="Output file. Default: standard output.")
@JSON
def describe(
    text: str,
    folder: Path | None,
    length: int,
    only: str,
    kind: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Find tracks by words such as "calm piano with strings" or "fast, no vocals"."""
    from soundalike.index import index as indices
    from soundalike.models import ModelStore
    from soundalike.words import description, filters, search

    check_output(kind, out, as_json)
    wanted = read_filter(only)
    understood = description.read(text)
    if not understood.terms:
        raise InputError(
            "No word of this description is known. Try genres, instruments, moods or a tempo, as in "
            '"slow piano" or "rock, no vocals".'
        )
    opened = indices.load(folder or paths.index_folder())
    models = opened.models(ModelStore())
    found = search.search(opened, models, understood.terms)
    if not found.terms:
        raise InputError(search.unavailable(found.missing))
    kept, filter_notes = filters.apply(opened, models, wanted)
    rows = [row for row in search.best(found, len(opened)) if kept[row]][:length]
    notes = [*search.notes(understood, found), *filter_notes]
    if kind is not None:
        write(opened, rows, [float(found.match[row]) for row in rows], kind, out, {"description": text})
        print_notes(notes)
    elif as_json:
        output.print_json(
            {
                "terms": [term.label for term in found.terms],
                "unknown": list(understood.unknown),
                "results": [_as_document(opened, found, rank, row) for rank, row in enumerate(rows, 1)],
                "notes": notes,
            }
        )
    else:
        _print_matches(opened, found, rows, notes)


def _as_document(index: Index, found: Matches, rank: int, row: int) -> dict[str, object]:
    shares = zip(found.terms, found.shares[row], strict=True)
    return (
        {"rank": rank}
        | printable_facts(index, row)
        | {
            "match": round(float(found.match[row]), 3),
            "terms": {term.label: round(float(share), 3) for term, share in shares},
        }
    )


def _print_matches(index: Index, found: Matches, rows: Sequence[int], notes: Sequence[str]) -> None:
    from rich.table import Table

    output.print_line("Looking for: " + ", ".join(term.label for term in found.terms))
    table = Table("", "Title", "Artist", "Genre", "Match", "Clearly", box=None)
    for number, row in enumerate(rows, start=1):
        texts = [index.fact(column, row) for column in ("title", "artist", "genre")]
        pairs = zip(found.terms, found.met(row), strict=True)
        met = ", ".join(term.label for term, clear in pairs if clear)
        output.add_row(table, str(number), *texts, f"{found.match[row]:.0%}", met)
    output.print_table(table)
    print_notes(notes)
