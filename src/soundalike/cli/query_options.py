"""Options, queries and output shared by `recommend`, `journey` and `describe`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike import representations
from soundalike.cli import output
from soundalike.cli.options import FILE, FOLDER, ONLY
from soundalike.errors import InputError

if TYPE_CHECKING:
    from soundalike.index.index import Index
    from soundalike.models import ModelStore
    from soundalike.playlist.query import Query
    from soundalike.words.filters import Filter

Command = Callable[..., None]
KINDS = ("m3u8", "xspf", "jspf", "csv", "zip")


def common_options(command: Command) -> Command:
    """Add the options shared by both commands."""
    for option in reversed(
        (
            click.option(
                "--index", "folder", type=FOLDER, help="Index folder. Default: the bundled one."
            ),
            click.option(
                "--representation",
                "name",
                metavar="NAME",
                help=f"Representation. Default: {representations.DEFAULT}, if the index has it.",
            ),
            click.option("-k", "length", type=click.IntRange(min=1), default=10, show_default=True),
            click.option(
                "--without", multiple=True, metavar="ID", help="Track to leave out; may be repeated."
            ),
            ONLY,
            click.option("--genre-head", type=FILE, help="Genre head that the index was built with."),
            click.option("--factors", type=FILE, help="Factors network the index was built with."),
            click.option("--format", "kind", type=click.Choice(KINDS), help="Write a playlist file."),
            click.option("--out", type=FILE, help="Output file. Default: standard output."),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        )
    ):
        command = option(command)
    return command


def check_output(kind: str | None, out: Path | None, as_json: bool) -> None:
    """Reject invalid output options before anything is computed."""
    if out is not None and kind is None:
        raise click.UsageError("--out goes with --format.")
    if kind is not None and as_json:
        raise click.UsageError("--json and --format are two ways to print; choose one.")
    if kind == "zip" and out is None:
        raise click.UsageError("--format zip needs --out FILE.")
    if out is not None and not out.parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {out.parent}.")


def read_filter(text: str) -> Filter:
    """Read --only.

    Raises
    ------
    InputError
        If it isn't empty and nothing of it is understood.
    """
    from soundalike.words import filters

    wanted = filters.read(text)
    if text.strip() and wanted.is_empty:
        raise InputError(
            "No part of --only is understood. Try words, ranges and keys, as in "
            '"no vocals, 100 to 130 BPM, over 2 minutes, C minor".'
        )
    return wanted


def open_models(index: Index, genre_head: Path | None, factors: Path | None) -> ModelStore:
    """The networks: those given on the command line, then the index's own, then the bundled."""
    from soundalike.models import ModelStore

    named = {"genre_head": genre_head, "factors": factors}
    given = {name: path for name, path in named.items() if path is not None}
    models = index.models(ModelStore())
    return models.with_files(**given) if given else models


def embed_argument(index: Index, models: ModelStore, clip: str, recorded: bool = False) -> Query:
    """Make a query from a clip on the command line: a file, or the ID of a library track.

    Parameters
    ----------
    index, models : index and networks of the query
    clip : file name or ID as given
    recorded : whether a file was recorded with a microphone
    """
    from soundalike.playlist import query

    if not Path(clip).exists() and clip in set(index.tracks["track_id"]):
        return query.from_library(index, clip)
    return query.from_audio(Path(clip), index, models, recorded)


def printable_facts(index: Index, row: int) -> dict[str, str]:
    """A track's metadata for a document."""

    texts = {
        column: index.fact(column, row) for column in ("track_id", "title", "artist", "album", "genre")
    }
    return texts | {"file": str(index.path(row))}


def write(
    index: Index,
    rows: Sequence[int],
    similarities: Sequence[float] | None,
    kind: str,
    out: Path | None,
    recipe: Mapping[str, str],
) -> None:
    """Write the playlist to a file or standard output."""
    from soundalike.playlist import file_writer

    listing = file_writer.of_rows(index, rows, similarities, recipe=recipe)
    beside = Path.cwd() if out is None else out.parent.resolve()
    content = file_writer.write(
        listing, kind, index.library_folder, beside, file_writer.checked_clips(index)
    )
    if out is None:
        output.print_file(content)
        return
    out.write_bytes(content)
    output.print_line(f"{len(rows)} tracks in {out}")
