"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike import representations

if TYPE_CHECKING:
    from soundalike.indexing.workers import Executor
    from soundalike.models import ModelStore


FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
ONLY = click.option(
    "--only",
    default="",
    metavar="WORDS",
    help='Keep only tracks that meet this, as in "voice, 100 to 130 BPM".',
)
ALL = "all"


COMPLETE = click.option(
    "--complete",
    is_flag=True,
    help="Also measure each file and compute the maps: everything that the app shows.",
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=0),
    metavar="N",
    help="Number of worker processes; 0 runs in this process. Default: one per processor.",
)
SCHEDULER = click.option(
    "--scheduler",
    metavar="tcp://HOST:PORT",
    help="Process files on a Dask cluster, whose workers reach them under the same paths.",
)


def chosen_representations(names: Sequence[str], models: ModelStore) -> list[str]:
    """Resolve the representations given on the command line.

    Raises
    ------
    UnknownRepresentationError
        If a name is unknown.
    """
    available = representations.available(models)
    if ALL in names:
        return available
    if names:
        return [representations.get(name).name for name in dict.fromkeys(names)]
    defaults = list(representations.INDEXED)
    return defaults + ["cf_regression"] * ("factors" in models.names)


def make_executor(
    wanted: Sequence[str], workers: int | None, scheduler: str | None, models: ModelStore
) -> Executor | None:
    """Make the executor for extracting `wanted`; None to run in this process.

    Raises
    ------
    click.UsageError
        If both processes and a cluster are requested.
    SchedulerError
        If the cluster is unavailable.
    """
    from soundalike.indexing.workers import (
        ClusterExecutor,
        ExtractionSpec,
        ProcessExecutor,
        default_count,
        is_address,
    )

    if scheduler is not None:
        if workers is not None:
            raise click.UsageError("--workers is for this machine; a --scheduler has its own.")
        if not is_address(scheduler):
            raise click.UsageError(f"--scheduler takes tcp://HOST:PORT, not {scheduler!r}.")
        return ClusterExecutor(ExtractionSpec.of(models, wanted), scheduler)
    count = default_count() if workers is None else workers
    return ProcessExecutor(ExtractionSpec.of(models, wanted), count) if count else None
