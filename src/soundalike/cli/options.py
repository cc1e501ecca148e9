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
ALL = "all"


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


def chosen_representations(names: Sequence[str], models: ModelStore) -> list[str]:
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


def make_executor(
    wanted: Sequence[str], workers: int | None, scheduler: str | None, models: ModelStore
) -> Executor | None:
    """Workers that take some things of files; None for this process.

    Raises
    ------
    click.UsageError
        If both processes and a cluster are asked for.
    SchedulerError
        If the cluster cannot be used.
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
