"""`soundalike index`, `map` and `measure`: making an index and adding to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike import paths, representations
from soundalike.audio import tags
from soundalike.errors import SoundalikeError
from soundalike.index import track_arrays

if TYPE_CHECKING:
    from soundalike.datasets.library import Skipped
    from soundalike.indexing.ingest import Event
    from soundalike.indexing.workers import Workers
    from soundalike.models import ModelStore

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
ALL = "all"
CACHED_TRACKS = 20_000
"""Feature maps of larger libraries are not kept between runs: they take 0.3 MB a track."""
_LISTED = 50
"""Skipped files that are listed on a terminal; the index has them all."""
_REPORT_S = 30.0

COMPLETE = click.option(
    "--complete",
    is_flag=True,
    help="Measure each file as well, and lay out the maps: all the app shows.",
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=0),
    metavar="N",
    help="Processes that hear files; 0 for this one alone. One a processor by default.",
)
SCHEDULER = click.option(
    "--scheduler",
    metavar="tcp://HOST:PORT",
    help="Have files heard by the workers of a Dask cluster, which reach them under the same path.",
)


@click.command()
@click.argument("library", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="The index folder to write.")
@click.option(
    "--representation",
    "names",
    multiple=True,
    metavar="NAME",
    help=f"What to index; may be given more than once. {', '.join(representations.MAIN)} by default; "
    f"{ALL!r} for every one.",
)
@click.option("--genre-head", type=FILE, help="Another genre head than the bundled one.")
@click.option("--factors", type=FILE, help="A network that `train cf-regression` made.")
@click.option(
    "--complete",
    is_flag=True,
    help="Measure each file as well, and lay out the maps: all the app shows.",
)
@click.option(
    "--compact", is_flag=True, help="Of the heavy representations keep the tracks' neighbours alone."
)
@click.option(
    "--approximate", is_flag=True, help="Search approximately, with faiss: for millions of tracks."
)
@WORKERS
@SCHEDULER
@click.option("--no-cache", is_flag=True, help="Keep no feature maps between runs.")
@JSON
def index(
    library: Path,
    out: Path,
    names: tuple[str, ...],
    genre_head: Path | None,
    factors: Path | None,
    complete: bool,
    compact: bool,
    approximate: bool,
    workers: int | None,
    scheduler: str | None,
    no_cache: bool,
    as_json: bool,
) -> int:
    """Index LIBRARY, a folder of audio with or without a tracks.csv.

    It can be stopped at any time, even by a kill or a power cut: the same command goes on from there.
    Run again, it hears only files that are new or have changed.
    """
    from soundalike.cli import main
    from soundalike.datasets import library as libraries
    from soundalike.index import ann as approximations
    from soundalike.indexing import ann_builder, builder, maps
    from soundalike.models import FILES, ModelStore, heldout

    builder.check_destination(out, library)
    complete = complete or was_complete(out)
    source = libraries.find(library)
    cache = None if no_cache or len(source.tracks) > CACHED_TRACKS else paths.cache_folder()
    models = ModelStore(genre_head=genre_head, feature_cache=cache, factors=factors)
    wanted = chosen(names, models)
    predictions = heldout.load(genre_head or paths.MODELS / FILES["genre_head"])
    plan = builder.Plan(wanted, predictions, compact, measured=complete)
    if approximate:
        approximations.check_installed()
    with reported("Indexing", len(source.tracks)) as on_file:
        hired = hired_for(plan.wants(), workers, scheduler, models)
        built = builder.build(source, out, models, plan, hired, on_file)
    if complete and built.index.partial is None:
        maps.add(out)
    if approximate and built.index.partial is None:
        ann_builder.add(out)
    report_skipped(built.skipped, source.passed_over, out)
    if as_json:
        main._print_json(
            {
                "index": str(out),
                "tracks": len(built.index),
                "partial": built.index.partial is not None,
                "representations": built.index.manifest["representations"],
                "skipped": [vars(item) for item in built.skipped],
                "passed_over": dict(source.passed_over),
            }
        )
        return int(built.index.partial is not None)
    click.echo(f"{len(built.index)} tracks in {out}, {len(built.skipped)} files skipped")
    for name, facts in built.index.manifest["representations"].items():
        norms = ", ".join(f"{part} {norm['mean']:.0f}" for part, norm in facts["norms"].items())
        click.echo(f"  {name}: {facts['dim']:,} dimensions, mean norms: {norms}")
    if built.index.partial is None:
        return 0
    done, files = built.index.partial
    click.echo(
        f"soundalike: stopped after {done:,} of {files:,} files; the index has these, and the same "
        "command goes on from there",
        err=True,
    )
    return 1


@click.command("map")
@click.argument("folder", metavar="INDEX", type=FOLDER)
@JSON
def map_(folder: Path, as_json: bool) -> None:
    """Add to INDEX, an index folder, the maps that the Map page shows."""
    from soundalike.cli import main
    from soundalike.indexing import maps

    opened = maps.add(folder)
    if as_json:
        main._print_json({"index": str(folder), "maps": opened.maps})
        return
    click.echo(f"{len(opened.maps)} maps in {folder}")


@click.command()
@click.argument("folder", metavar="INDEX", type=FOLDER)
@WORKERS
@SCHEDULER
@JSON
def measure(folder: Path, workers: int | None, scheduler: str | None, as_json: bool) -> None:
    """Add to INDEX the measurements and pictures that make the Features page quick.

    Like indexing, it can be stopped at any time and goes on from there.
    """
    from soundalike.cli import main
    from soundalike.index import index as indices
    from soundalike.indexing import measurements, workspace
    from soundalike.models import ModelStore

    workspace.put_back(folder)
    opened = indices.load(folder)
    models = opened.models(ModelStore())
    hired = hired_for(measurements.wants(opened.stored), workers, scheduler, models)
    with reported("Measuring", len(opened)) as on_file:
        measurements.add(opened, models, hired, on_file)
    if as_json:
        main._print_json(
            {"index": str(folder), "tracks": len(opened), "arrays": list(measurements.FILES)}
        )
        return
    click.echo(f"{len(opened)} tracks measured in {folder}")


@click.command()
@click.argument("folder", metavar="INDEX", type=FOLDER)
@JSON
def check(folder: Path, as_json: bool) -> None:
    """Compare every file of INDEX with its checksum, and its models with those at hand."""
    from soundalike.cli import main
    from soundalike.index import index as indices
    from soundalike.models import ModelStore

    opened = indices.load(folder, checksums=True)
    opened.check_models(opened.models(ModelStore()))
    files = len(opened.manifest["files"])
    if as_json:
        main._print_json({"index": str(folder), "tracks": len(opened), "files": files})
        return
    click.echo(f"{files} files of {folder} are as they were written")


def was_complete(out: Path) -> bool:
    """Whether there is an index already, and a complete one: then it stays so."""
    from soundalike.index import index as indices

    try:
        return f"{track_arrays.DESCRIPTORS}.npy" in indices.load(out).manifest["files"]
    except SoundalikeError:
        return False


def chosen(names: Sequence[str], models: ModelStore) -> list[str]:
    """The representations that were asked for.

    Raises
    ------
    UnknownRepresentationError
        If there is none of a name.
    """
    available = representations.available(models)
    if ALL in names:
        return available
    if names:
        return [representations.get(name).name for name in dict.fromkeys(names)]
    defaults = list(representations.MAIN)
    return defaults + ["cf_regression"] * ("factors" in models.names)


def hired_for(
    wanted: Sequence[str], workers: int | None, scheduler: str | None, models: ModelStore
) -> Workers | None:
    """Workers that take some things of files; None for this process.

    Raises
    ------
    click.UsageError
        If both processes and a cluster are asked for.
    SchedulerError
        If the cluster cannot be used.
    """
    from soundalike.indexing.workers import Cluster, Processes, Recipe, default_count, is_address

    if scheduler is not None:
        if workers is not None:
            raise click.UsageError("--workers is for this machine; a --scheduler has its own.")
        if not is_address(scheduler):
            raise click.UsageError(f"--scheduler takes tcp://HOST:PORT, not {scheduler!r}.")
        return Cluster(Recipe.of(models, wanted), scheduler)
    count = default_count() if workers is None else workers
    return Processes(Recipe.of(models, wanted), count) if count else None


@contextmanager
def reported(description: str, total: int) -> Iterator[Callable[[Event], None]]:
    """Progress on standard error: a bar on a terminal, else a line now and then.

    Yields what is to be called for every file.
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
    tally = Tally(total)
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


class Tally:
    """How far a run is.

    Parameters
    ----------
    total : files that it goes through

    Attributes
    ----------
    taken, known, skipped : files so far, by what became of them
    rate : files taken in a second, on average
    """

    def __init__(self, total: int) -> None:
        self.taken = self.known = self.skipped = 0
        self.rate = 0.0
        self._total = total
        self._began: float | None = None
        self._said: float | None = None

    def count(self, event: Event, now: float) -> str:
        """Take notice of a file; returns a line that says how far it is, if it is time for one."""
        self._began = self._began if self._began is not None else now
        self._said = self._said if self._said is not None else now
        self.taken += event.kind == "taken"
        self.known += event.kind == "known"
        self.skipped += event.kind == "skipped"
        if now > self._began:
            self.rate = self.taken / (now - self._began)
        if now - self._said < _REPORT_S:
            return ""
        self._said = now
        return self._line()

    def _line(self) -> str:
        done = self.taken + self.known + self.skipped
        parts = [f"{done:,} of {self._total:,} files", f"{self.rate:.1f} a second"]
        if self.rate > 0:
            parts.append(f"{_duration((self._total - done) / self.rate)} left")
        if self.skipped:
            parts.append(f"{self.skipped:,} skipped")
        return ", ".join(parts)


def report_skipped(skipped: Sequence[Skipped], passed_over: Mapping[str, int], out: Path) -> None:
    """Say on standard error which files were left out, and why: a table on a terminal, else lines."""
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
