"""`soundalike fma`: train on FMA and index it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike import representations
from soundalike.cli import options, output
from soundalike.cli.options import FOLDER

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--subset",
    type=click.Choice(["small", "medium", "large", "full"]),
    help="FMA subset. Default: the one in DIR.",
)
@click.option("--out", type=FOLDER, required=True, help="Index folder to write.")
@click.option(
    "--representation",
    "names",
    multiple=True,
    metavar="NAME",
    help="Representation to index besides genre_head; may be repeated. "
    f"Default: {', '.join(representations.INDEXED)}; 'all' for every one.",
)
@options.COMPLETE
@options.WORKERS
@options.SCHEDULER
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def fma(
    folder: Path,
    subset: str | None,
    out: Path,
    names: tuple[str, ...],
    complete: bool,
    workers: int | None,
    scheduler: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Train the genre head on FMA's own split, index FMA with it, and evaluate both on the test tracks.

    Each file is processed once. You can stop at any time; run the same command again to resume.

    DIR contains fma_metadata and fma_small (or another subset), as unpacked by `soundalike fetch`.
    """
    from soundalike.datasets.fma import load
    from soundalike.indexing import fma_pipeline, maps
    from soundalike.models import ModelStore
    from soundalike.training import genre_head_split

    for name in set(names) - {options.ALL}:
        representations.get(name)
    source = load(folder, subset)
    fma_pipeline.check(source.library, out)
    tracks = len(source.library.tracks)
    out.parent.mkdir(parents=True, exist_ok=True)
    # The head's file doesn't exist yet; it will when the index is built.
    models = ModelStore(genre_head=fma_pipeline.head_file(out))
    wanted = list(dict.fromkeys([*options.chosen_representations(names, models), "genre_head"]))
    hired = options.make_executor(fma_pipeline.wants(wanted, complete), workers, scheduler, models)
    with output.file_progress("Hearing", tracks) as on_file:
        inputs = fma_pipeline.head_inputs(source.library, out, models, wanted, complete, hired, on_file)
    with output.progress_bar("Training", genre_head_split.MAX_EPOCHS) as advance:
        head = fma_pipeline.train_head(inputs, fma_pipeline.head_file(out), seed, advance)
    built = fma_pipeline.build(source.library, out, models, wanted, head, complete)
    output.print_skipped_table(built.skipped, {}, out)
    if built.index.partial is not None:
        raise KeyboardInterrupt
    if complete:
        maps.add(out)
    document = fma_pipeline.finish(built, source, head, seed)
    if as_json:
        output.print_json({"index": str(out), "genre_head": str(head.file)} | document)
    else:
        _print(document, out)


def _print(document: dict[str, Any], out: Path) -> None:
    split = ", ".join(f"{n:,} {name}" for name, n in document["split"].items())
    output.print_line(f"{document['tracks']:,} tracks in {out} ({split})")
    output.print_table(_comparison_table(document), soft_wrap=True)
    output.print_table(_by_representation(document), soft_wrap=True)
    for remark in _remarks(document):
        output.print_line(remark)


def _comparison_table(document: dict[str, Any]) -> Table:
    """One row per figure: the article's, our main figure, and ours with an artist filter."""
    theirs, ours = document["article"], document["figures"]
    table = _table("the genre head", "article", "ours", "artist\nfiltered", "95 %\ninterval", "chance")
    accuracy = ours["accuracy"]
    output.add_row(
        table,
        "accuracy, test tracks",
        _share(theirs["accuracy"]),
        _share(accuracy["mean"]),
        "-",
        *_spread(accuracy),
    )
    for key, name in (
        ("precision_test", "P@10, test tracks only"),
        ("precision_all", "P@10, all tracks"),
    ):
        plain, filtered = ours[key]["no_filter"], ours[key]["artist_filter"]
        means = _share(plain["mean"]), _share(filtered["mean"])
        output.add_row(table, name, _share(theirs[key]), *means, *_spread(filtered))
    return table


def _by_representation(document: dict[str, Any]) -> Table:
    table = _table("P@10 among test tracks", "no filter", "artist\nfiltered", "95 %\ninterval", "chance")
    for item in document["representations"]:
        plain, filtered = item["no_filter"], item["artist_filter"]
        name = item["name"] + ("*" if item["note"] else "")
        output.add_row(table, name, _share(plain["mean"]), _share(filtered["mean"]), *_spread(filtered))
    return table


def _remarks(document: dict[str, Any]) -> list[str]:
    """Explanations of the tables."""
    shared, theirs = document["artists_on_two_sides"]["count"], document["article"]
    remarks = [
        f"The article claims an accuracy of {_share(theirs['accuracy_claimed'])}; its figures here are "
        "those of the features that it published. P@10 of the head is that of its 32 features.",
        "The article split at random, with artists on both sides, and did not filter by artist. FMA's "
        f"split keeps artists apart: {shared} are on two sides, for which "
        f"{document['head']['left_out_for_artist']} tracks were left out of training or stopping.",
        "Over all tracks, the head's training tracks flatter both. Intervals and chance are of the "
        "filtered figures, by bootstrap over artists.",
    ]
    if document["subset"] != "small":
        remarks.append("The article's figures are of FMA-small's eight genres, ours of this set's.")
    remarks += [f"* {item['note']}" for item in document["representations"] if item["note"]]
    return remarks


def _table(first: str, *others: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _spread(figure: dict[str, Any]) -> tuple[str, str]:
    """Interval and chance."""
    if figure["mean"] is None:
        return "-", "-"
    return f"{figure['low']:.1%}-{figure['high']:.1%}", f"{figure['chance']:.1%}"
