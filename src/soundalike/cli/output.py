"""Output of commands: progress bars, documents, tables, notes and errors.

Everything that a command prints goes through this module. Titles, tags and file names may hold escape
sequences; none reaches the terminal (`foreign_text.printable`).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.audio import tags
from soundalike.foreign_text import printable, printable_json
from soundalike.indexing.progress import ProgressCount

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from soundalike.datasets.library import Skipped
    from soundalike.indexing.ingest import Event


def print_line(text: str, err: bool = False) -> None:
    """Print one line, even if the text has line breaks."""
    click.echo(printable(text), err=err)


def print_text(text: str, err: bool = False) -> None:
    """Print a text of several lines."""
    click.echo("\n".join(map(printable, text.split("\n"))), err=err)


def print_file(content: bytes) -> None:
    """Print a playlist file: its very bytes, or what of it is printable if a terminal shows them."""
    if sys.stdout.isatty():
        print_text(content.decode(errors="replace").replace("\r\n", "\n").rstrip("\n"))
    else:
        click.echo(content, nl=False)


def print_json(document: Any) -> None:
    """Print a JSON document to standard output."""
    click.echo(printable_json(json.dumps(document, indent=2, ensure_ascii=False)))


def print_error(message: str) -> None:
    """Print an error as one line to standard error."""
    print_line(f"soundalike: {' '.join(message.split())}", err=True)


def print_notes(notes: Sequence[str]) -> None:
    """Print notes to standard error, because standard output may carry a file."""
    for note in notes:
        print_line(note, err=True)


def print_skipped(skipped: Sequence[Skipped]) -> None:
    """List skipped files, one per line."""
    for item in skipped:
        print_line(f"skipped {item.file}: {item.reason}", err=True)


def cell(text: str) -> Text:
    """Text for a table or a progress bar, without markup."""
    from rich.text import Text

    return Text(printable(text))


def add_row(table: Table, *cells: str) -> None:
    """Add a row of texts to a table."""
    table.add_row(*map(cell, cells))


def print_table(table: Table, err: bool = False, soft_wrap: bool = False) -> None:
    """Print a table whose rows were added by `add_row`."""
    from rich.console import Console

    Console(stderr=err, highlight=False, soft_wrap=soft_wrap).print(table)


@contextmanager
def progress_bar(description: str, total: int) -> Iterator[Any]:
    """A progress bar on standard error if that is a terminal, else nothing; yields `advance(label)`."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

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
        yield lambda label: progress.update(task, advance=1, label=cell(label).markup)


@contextmanager
def byte_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar in bytes on standard error if that is a terminal; otherwise nothing."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda doing, done, total: progress.update(
            task, description=cell(doing).markup, completed=done, total=total or None
        )


_LISTED = 50
"""Maximum number of skipped files listed on a terminal; the index lists them all."""


@contextmanager
def file_progress(description: str, total: int) -> Iterator[Callable[[Event], None]]:
    """Progress on standard error: a bar on a terminal, otherwise an occasional line.

    Yields a function to call for every file.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[skipped]}"),
        TextColumn("{task.fields[label]}"),
        console=console,
        disable=not console.is_terminal,
    )
    tally = ProgressCount(total)
    with progress:
        task = progress.add_task(description, total=total, label="", rate="", skipped="")

        def on_file(event: Event) -> None:
            line = tally.count(event, time.monotonic())
            if not console.is_terminal:
                if line:
                    print_line(f"{description}: {line}", err=True)
                return
            progress.update(
                task,
                advance=1,
                label=cell(event.file).markup,
                rate=f"{tally.rate:.1f} a second" if tally.rate else "",
                skipped=f"{tally.skipped:,} skipped" if tally.skipped else "",
            )

        yield on_file


def print_skipped_table(skipped: Sequence[Skipped], passed_over: Mapping[str, int], out: Path) -> None:
    """Report skipped files with reasons on standard error: a table on a terminal, otherwise lines."""
    from rich.console import Console
    from rich.table import Table

    if not Console(stderr=True).is_terminal:
        for item in skipped:
            print_line(f"skipped {tags.clean(item.file)}: {item.reason}", err=True)
    elif skipped:
        table = Table("Skipped", "Reason")
        for item in skipped[:_LISTED]:
            add_row(table, tags.clean(item.file), item.reason)
        print_table(table, err=True)
        if len(skipped) > _LISTED:
            print_line(f"and {len(skipped) - _LISTED:,} more, in {out / 'skipped.csv'}", err=True)
    if passed_over:
        kinds = ", ".join(
            f"{count:,} {ending or 'without an ending'}" for ending, count in passed_over.items()
        )
        print_line(f"passed over, of kinds that are not read: {kinds}", err=True)
