"""The command line: `soundalike recommend`, `journey`, `index`, `measure`, `evaluate` and so on.

Results go to standard output (as one JSON document with `--json`), progress bars and messages to
standard error. The exit code is 0, or 1 for a failure and 2 for bad usage, each with one line that
says what is wrong.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike import __version__, paths, representations
from soundalike.cli_evaluate import evaluate
from soundalike.cli_fma import fetch, fma
from soundalike.cli_journey import journey
from soundalike.cli_recommend import recommend
from soundalike.cli_train import cf_regression, genre_head, mfcc_autoencoder
from soundalike.errors import SoundalikeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soundalike.library import Skipped

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    try:
        code = commands.main(
            args=None if arguments is None else list(arguments),
            prog_name="soundalike",
            standalone_mode=False,
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        _complain(error.format_message())
        sys.exit(error.exit_code)
    except SoundalikeError as error:
        _complain(str(error))
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        _complain("stopped")
        sys.exit(1)
    except OSError as error:
        _complain(f"{error.filename or 'a file'}: {error.strerror or error}")
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


@click.group()
@click.version_option(__version__, prog_name="soundalike")
def commands() -> None:
    """Music that sounds alike, from the audio alone."""


@commands.command()
@click.argument("library", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="The index folder to write.")
@click.option(
    "--representation",
    "names",
    multiple=True,
    metavar="NAME",
    help="What to index; may be given more than once. All by default.",
)
@click.option("--genre-head", type=FILE, help="Another genre head than the bundled one.")
@click.option("--factors", type=FILE, help="A network that `train cf-regression` made.")
@click.option(
    "--compact", is_flag=True, help="Of the heavy representations keep the tracks' neighbours alone."
)
@click.option("--no-cache", is_flag=True, help="Keep no feature maps between runs.")
@JSON
def index(
    library: Path,
    out: Path,
    names: tuple[str, ...],
    genre_head: Path | None,
    factors: Path | None,
    compact: bool,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Index LIBRARY, a folder of audio with or without a tracks.csv."""
    from soundalike import index_builder
    from soundalike.library import load
    from soundalike.models import FILES, ModelStore, heldout

    for name in names:
        representations.get(name)
    source = load(library)
    cache = None if no_cache else paths.cache_folder()
    models = ModelStore(genre_head=genre_head, feature_cache=cache, factors=factors)
    predictions = heldout.load(genre_head or paths.MODELS / FILES["genre_head"])
    wanted = names or representations.available(models)
    with _progress("Indexing", len(source.tracks)) as advance:
        built = index_builder.build(source, out, models, wanted, predictions, compact, advance)
    _report_skipped(built.skipped)
    if as_json:
        _print_json(
            {
                "index": str(out),
                "tracks": len(built.index),
                "representations": built.index.manifest["representations"],
                "skipped": [vars(item) for item in built.skipped],
            }
        )
        return
    click.echo(f"{len(built.index)} tracks in {out}, {len(built.skipped)} files skipped")
    for name, facts in built.index.manifest["representations"].items():
        norms = ", ".join(f"{part} {norm['mean']:.0f}" for part, norm in facts["norms"].items())
        click.echo(f"  {name}: {facts['dim']:,} dimensions, mean norms: {norms}")


@commands.command("map")
@click.argument("folder", metavar="INDEX", type=FOLDER)
@JSON
def map_(folder: Path, as_json: bool) -> None:
    """Add to INDEX, an index folder, the maps that the Map page shows."""
    from soundalike import projection_builder

    opened = projection_builder.add(folder)
    if as_json:
        _print_json({"index": str(folder), "maps": opened.maps})
        return
    click.echo(f"{len(opened.maps)} maps in {folder}")


@commands.command()
@click.argument("folder", metavar="INDEX", type=FOLDER)
@JSON
def measure(folder: Path, as_json: bool) -> None:
    """Add to INDEX the measurements and pictures that make the Features page quick."""
    from soundalike import features_builder
    from soundalike import index as indices
    from soundalike.models import ModelStore

    opened = indices.load(folder)
    with _progress("Measuring", len(opened)) as advance:
        features_builder.add(opened, ModelStore(), advance)
    if as_json:
        _print_json(
            {"index": str(folder), "tracks": len(opened), "arrays": list(features_builder.FILES)}
        )
        return
    click.echo(f"{len(opened)} tracks measured in {folder}")


commands.add_command(recommend)
commands.add_command(journey)
commands.add_command(evaluate)
commands.add_command(fetch)
commands.add_command(fma)


@commands.group()
def train() -> None:
    """Train a model on a library of your own."""


train.add_command(genre_head)
train.add_command(mfcc_autoencoder)
train.add_command(cf_regression)


@contextmanager
def _progress(description: str, total: int) -> Iterator[Any]:
    """A progress bar on a terminal's standard error, nothing in a pipe; yields `advance(label)`."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[label]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(description, total=total, label="")
        yield lambda label: progress.update(task, advance=1, label=Text(label).markup)


def _report_skipped(skipped: Sequence[Skipped]) -> None:
    for item in skipped:
        click.echo(f"skipped {item.file}: {item.reason}", err=True)


def _print_json(document: Any) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _complain(message: str) -> None:
    click.echo(f"soundalike: {_text(' '.join(message.split()))}", err=True)


def _text(name: Path | str) -> str:
    """A name that can be printed, whatever bytes the file system has for it."""
    return str(name).encode(errors="surrogateescape").decode(errors="replace")
