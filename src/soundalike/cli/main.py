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

from soundalike import __version__
from soundalike.cli.evaluate import evaluate
from soundalike.cli.fma import fetch, fma
from soundalike.cli.index import check, index, map_, measure
from soundalike.cli.journey import journey
from soundalike.cli.recommend import recommend
from soundalike.cli.train import train_cf_regression, train_genre_head, train_mfcc_autoencoder
from soundalike.errors import SoundalikeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soundalike.datasets.library import Skipped

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


commands.add_command(index)
commands.add_command(map_)
commands.add_command(measure)
commands.add_command(check)
commands.add_command(recommend)
commands.add_command(journey)
commands.add_command(evaluate)
commands.add_command(fetch)
commands.add_command(fma)


@commands.group()
def train() -> None:
    """Train a model on a library of your own."""


train.add_command(train_genre_head)
train.add_command(train_mfcc_autoencoder)
train.add_command(train_cf_regression)


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
