"""What the commands that play music share: their options, their query, and what they write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike import representations
from soundalike.cli import output
from soundalike.cli.options import FILE, FOLDER

if TYPE_CHECKING:
    from soundalike.index.index import Index
    from soundalike.models import ModelStore
    from soundalike.playlist.query import Query

Command = Callable[..., None]
KINDS = ("m3u8", "xspf", "jspf", "csv", "zip")


def common_options(command: Command) -> Command:
    """The options that both commands have."""
    for option in reversed(
        (
            click.option(
                "--index", "folder", type=FOLDER, help="The index; the bundled one by default."
            ),
            click.option(
                "--representation",
                "name",
                metavar="NAME",
                help=f"What to compare by; {representations.DEFAULT} by default, if the index has it.",
            ),
            click.option("-k", "length", type=click.IntRange(min=1), default=10, show_default=True),
            click.option(
                "--without", multiple=True, metavar="ID", help="A track to leave out; may be repeated."
            ),
            click.option(
                "--genre-head", type=FILE, help="The genre head that the index was built with."
            ),
            click.option("--factors", type=FILE, help="The network of taste that it was built with."),
            click.option("--format", "kind", type=click.Choice(KINDS), help="Make a playlist file."),
            click.option("--out", type=FILE, help="Where to write it; standard output by default."),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        )
    ):
        command = option(command)
    return command


def check_output(kind: str | None, out: Path | None, as_json: bool) -> None:
    """Refuse what cannot be written, before anything is computed for it."""
    if out is not None and kind is None:
        raise click.UsageError("--out goes with --format.")
    if kind is not None and as_json:
        raise click.UsageError("--json and --format are two ways to print; choose one.")
    if kind == "zip" and out is None:
        raise click.UsageError("--format zip needs --out FILE.")
    if out is not None and not out.parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {out.parent}.")


def open_models(index: Index, genre_head: Path | None, factors: Path | None) -> ModelStore:
    """The networks to ask: those named on the command line, then the index's own, then the bundled."""
    from soundalike.models import ModelStore

    named = {"genre_head": genre_head, "factors": factors}
    given = {name: path for name, path in named.items() if path is not None}
    models = index.models(ModelStore())
    return models.with_files(**given) if given else models


def embed_argument(index: Index, models: ModelStore, clip: str, recorded: bool = False) -> Query:
    """What a clip on the command line is: a file, or the ID of a track of the library.

    Parameters
    ----------
    index, models : to ask
    clip : as it was given
    recorded : whether a file came through a microphone
    """
    from soundalike.playlist import query

    if not Path(clip).exists() and clip in set(index.tracks["track_id"]):
        return query.from_library(index, clip)
    return query.from_audio(Path(clip), index, models, recorded)


def printable_facts(index: Index, row: int) -> dict[str, str]:
    """What a document says of a track."""

    texts = {
        column: index.fact(column, row) for column in ("track_id", "title", "artist", "album", "genre")
    }
    return texts | {"file": output.printable(index.path(row))}


def write(
    index: Index,
    rows: Sequence[int],
    similarities: Sequence[float] | None,
    kind: str,
    out: Path | None,
    recipe: Mapping[str, str],
) -> None:
    """The playlist as a file, or on standard output."""
    from soundalike.playlist import file_writer

    listing = file_writer.of_rows(index, rows, similarities, recipe=recipe)
    beside = Path.cwd() if out is None else out.parent.resolve()
    content = file_writer.write(listing, kind, index.library_folder, beside)
    if out is None:
        click.echo(content, nl=False)
        return
    out.write_bytes(content)
    click.echo(f"{len(rows)} tracks in {out}")
