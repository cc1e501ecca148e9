"""`soundalike fetch` and `soundalike fma`: FMA's archives downloaded, read, trained on and indexed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from soundalike import fetch as fetching

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("what", type=click.Choice(list(fetching.ARCHIVES)))
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("fma"),
    show_default=True,
    help="The folder to unpack into.",
)
@click.option(
    "--url",
    default=fetching.HOST,
    show_default=True,
    help="The address that holds the archives, for a mirror.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def fetch(what: str, folder: Path, url: str, as_json: bool) -> None:
    """Download a set of FMA's and its metadata, going on where an earlier call stopped.

    The archives have 342 MiB (fma-metadata), 7.2 GiB (fma-small), 22 GiB (fma-medium), 93 GiB
    (fma-large) and 879 GiB (fma-full), and unpacked as much again.
    """
    from soundalike import cli

    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"--url takes an address that begins with http, not {url!r}.")
    found = []
    for archive in fetching.ARCHIVES[what]:
        with _byte_progress() as on_bytes:
            found.append(fetching.fetch(archive, folder, url, on_bytes))
    if as_json:
        cli._print_json({"dir": str(folder), "archives": [vars(item) for item in found]})
        return
    for item in found:
        state = f"{item.unpacked} unpacked now" if item.unpacked else "all there already"
        click.echo(f"{item.name}: {item.unpacked + item.kept} files in {folder}, {state}")


@contextmanager
def _byte_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar of bytes on a terminal's standard error, nothing in a pipe."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

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
            task, description=Text(doing).markup, completed=done, total=total or None
        )
