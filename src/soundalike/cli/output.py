"""Output of commands: progress bars, JSON documents, notes and errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike.audio import tags

if TYPE_CHECKING:
    from soundalike.datasets.library import Skipped
    from soundalike.indexing.ingest import Event

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from soundalike.datasets.library import Skipped


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


def print_skipped(skipped: Sequence[Skipped]) -> None:
    """List skipped files, one per line."""
    for item in skipped:
        click.echo(f"skipped {item.file}: {item.reason}", err=True)


def print_json(document: Any) -> None:
    """Print a JSON document to standard output."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_error(message: str) -> None:
    """Print an error as one line to standard error."""
    click.echo(f"soundalike: {printable(' '.join(message.split()))}", err=True)


def printable(name: Path | str) -> str:
    """A printable form of a file name, whatever bytes it contains."""
    return str(name).encode(errors="surrogateescape").decode(errors="replace")


_LISTED = 50
"""Maximum number of skipped files listed on a terminal; the index lists them all."""
_REPORT_S = 30.0


@contextmanager
def file_progress(description: str, total: int) -> Iterator[Callable[[Event], None]]:
    """Progress on standard error: a bar on a terminal, otherwise an occasional line.

    Yields a function to call for every file.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

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
                    click.echo(f"{description}: {line}", err=True)
                return
            progress.update(
                task,
                advance=1,
                label=Text(event.file).markup,
                rate=f"{tally.rate:.1f} a second" if tally.taken else "",
                skipped=f"{tally.skipped:,} skipped" if tally.skipped else "",
            )

        yield on_file


class ProgressCount:
    """Progress of a run.

    Parameters
    ----------
    total : number of files to process

    Attributes
    ----------
    taken, known, skipped : number of files so far, by outcome
    rate : files processed per second, on average
    """

    def __init__(self, total: int) -> None:
        self.taken = self.known = self.skipped = 0
        self.rate = 0.0
        self._total = total
        self._began: float | None = None
        self._last_report: float | None = None

    def count(self, event: Event, now: float) -> str:
        """Count a file; return a progress line if one is due, otherwise ""."""
        self._began = self._began if self._began is not None else now
        self._last_report = self._last_report if self._last_report is not None else now
        self.taken += event.kind == "taken"
        self.known += event.kind == "known"
        self.skipped += event.kind == "skipped"
        if now > self._began:
            self.rate = self.taken / (now - self._began)
        if now - self._last_report < _REPORT_S:
            return ""
        self._last_report = now
        return self._line()

    def _line(self) -> str:
        done = self.taken + self.known + self.skipped
        parts = [f"{done:,} of {self._total:,} files", f"{self.rate:.1f} a second"]
        if self.rate > 0:
            parts.append(f"{_duration((self._total - done) / self.rate)} left")
        if self.skipped:
            parts.append(f"{self.skipped:,} skipped")
        return ", ".join(parts)


def print_skipped_table(skipped: Sequence[Skipped], passed_over: Mapping[str, int], out: Path) -> None:
    """Report skipped files with reasons on standard error: a table on a terminal, otherwise lines."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=True)
    if not console.is_terminal:
        for item in skipped:
            click.echo(f"skipped {tags.clean(item.file)}: {item.reason}", err=True)
    elif skipped:
        table = Table("Skipped", "Reason")
        for item in skipped[:_LISTED]:
            table.add_row(Text(tags.clean(item.file)), Text(item.reason))
        console.print(table)
        if len(skipped) > _LISTED:
            console.print(f"and {len(skipped) - _LISTED:,} more, in {out / 'skipped.csv'}", markup=False)
    if passed_over:
        kinds = ", ".join(
            f"{count:,} {ending or 'without an ending'}" for ending, count in passed_over.items()
        )
        click.echo(f"passed over, not named as audio: {kinds}", err=True)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def print_notes(notes: Sequence[str]) -> None:
    """Print notes to standard error, because standard output may carry a file."""
    for note in notes:
        click.echo(note, err=True)
