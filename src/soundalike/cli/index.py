"""`soundalike index`, `map`, `measure` and `check`: build an index, extend it and verify it."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike import paths, representations
from soundalike.audio import formats
from soundalike.cli import output
from soundalike.cli.options import (
    ALL,
    FILE,
    FOLDER,
    JSON,
    SCHEDULER,
    WORKERS,
    chosen_representations,
    make_executor,
)
from soundalike.cli.output import file_progress, print_skipped_table
from soundalike.errors import SoundalikeError
from soundalike.index import track_arrays

CACHED_TRACKS = 20_000
"""Feature maps of larger libraries aren't cached between runs: they take 0.3 MB per track."""


@click.command(epilog=f"Endings of the files that are read: {', '.join(formats.EXTENSIONS)}.")
@click.argument("library", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Index folder to write.")
@click.option(
    "--representation",
    "names",
    multiple=True,
    metavar="NAME",
    help=f"Representation to index; may be repeated. Default: {', '.join(representations.INDEXED)}; "
    f"{ALL!r} for every one.",
)
@click.option("--genre-head", type=FILE, help="Genre head to use instead of the bundled one.")
@click.option("--factors", type=FILE, help="Network trained by `train cf-regression`.")
@click.option(
    "--complete",
    is_flag=True,
    help="Also measure each file and compute the maps: everything that the app shows.",
)
@click.option(
    "--compact", is_flag=True, help="Store only the tracks' neighbours for large representations."
)
@click.option(
    "--approximate", is_flag=True, help="Use approximate search (faiss), for millions of tracks."
)
@WORKERS
@SCHEDULER
@click.option("--no-cache", is_flag=True, help="Don't cache feature maps between runs.")
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

    You can stop at any time, and even a crash or power failure loses little: run the same command again
    to resume. Later runs only process new or changed files.
    """
    from soundalike.datasets import library as libraries
    from soundalike.index import ann as approximations
    from soundalike.indexing import ann_builder, builder, maps
    from soundalike.models import FILES, ModelStore, heldout

    builder.check_destination(out, library)
    complete = complete or was_complete(out)
    source = libraries.find(library)
    cache = None if no_cache or len(source.tracks) > CACHED_TRACKS else paths.cache_folder()
    models = ModelStore(genre_head=genre_head, feature_cache=cache, factors=factors)
    for name, given in (("genre_head", genre_head), ("factors", factors)):
        if given is not None:
            # Before any music is read.
            models.checksum(name)
    wanted = chosen_representations(names, models)
    predictions = heldout.load(genre_head or paths.MODELS / FILES["genre_head"])
    plan = builder.BuildPlan(wanted, predictions, compact, measured=complete)
    if approximate:
        approximations.check_installed()
    with file_progress("Indexing", len(source.tracks)) as on_file:
        hired = make_executor(plan.wants(), workers, scheduler, models)
        built = builder.build(source, out, models, plan, hired, on_file)
    if complete and built.index.partial is None:
        maps.add(out)
    if approximate and built.index.partial is None:
        ann_builder.add(out)
    print_skipped_table(built.skipped, source.passed_over, out)
    if as_json:
        output.print_json(
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
    output.print_line(f"{len(built.index)} tracks in {out}, {len(built.skipped)} files skipped")
    for name, facts in built.index.manifest["representations"].items():
        norms = ", ".join(f"{part} {norm['mean']:.0f}" for part, norm in facts["norms"].items())
        output.print_line(f"  {name}: {facts['dim']:,} dimensions, mean norms: {norms}")
    if built.index.partial is None:
        return 0
    done, files = built.index.partial
    output.print_line(
        f"soundalike: stopped after {done:,} of {files:,} files; the index has these, and the same "
        "command goes on from there",
        err=True,
    )
    return 1


@click.command("map")
@click.argument("folder", metavar="INDEX", type=FOLDER)
@JSON
def map_(folder: Path, as_json: bool) -> None:
    """Add the maps for the Map page to INDEX, an index folder."""
    from soundalike.indexing import maps

    opened = maps.add(folder)
    if as_json:
        output.print_json({"index": str(folder), "maps": opened.maps})
        return
    output.print_line(f"{len(opened.maps)} maps in {folder}")


@click.command()
@click.argument("folder", metavar="INDEX", type=FOLDER)
@WORKERS
@SCHEDULER
@JSON
def measure(folder: Path, workers: int | None, scheduler: str | None, as_json: bool) -> None:
    """Add the measurements and pictures that speed up the Features page to INDEX.

    Like indexing, this can be stopped at any time and resumed.
    """
    from soundalike.index import index as indices
    from soundalike.indexing import measurements, workspace
    from soundalike.models import ModelStore

    workspace.put_back(folder)
    opened = indices.load(folder)
    models = opened.models(ModelStore())
    hired = make_executor(measurements.wants(opened.stored), workers, scheduler, models)
    with file_progress("Measuring", len(opened)) as on_file:
        measurements.add(opened, models, hired, on_file)
    if as_json:
        output.print_json(
            {"index": str(folder), "tracks": len(opened), "arrays": list(measurements.FILES)}
        )
        return
    output.print_line(f"{len(opened)} tracks measured in {folder}")


@click.command()
@click.argument("folder", metavar="INDEX", type=FOLDER)
@JSON
def check(folder: Path, as_json: bool) -> None:
    """Verify the checksum of every file of INDEX, and compare its models with those installed."""
    from soundalike.index import index as indices
    from soundalike.models import ModelStore

    opened = indices.load(folder, checksums=True)
    opened.check_models(opened.models(ModelStore()))
    files = len(opened.manifest["files"])
    if as_json:
        output.print_json({"index": str(folder), "tracks": len(opened), "files": files})
        return
    output.print_line(f"{files} files of {folder} are as they were written")


def was_complete(out: Path) -> bool:
    """Whether a complete index exists; if so, it stays complete."""
    from soundalike.index import index as indices

    try:
        return f"{track_arrays.DESCRIPTORS}.npy" in indices.load(out).manifest["files"]
    except SoundalikeError:
        return False
