"""`soundalike evaluate`: measure every representation of an index and compare them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike import paths
from soundalike.cli import output

if TYPE_CHECKING:
    from rich.table import Table

HEADINGS = (
    *("kept\nof ten", "95 %\ninterval", "original\nfirst", "median\nrank", "still\nknown"),
    "as\nanswered",
)
"""Columns of the table of changed copies; the last is only for recordings."""


def _changes(context: click.Context, parameter: click.Parameter, asked: tuple[str, ...]) -> list[str]:
    """The requested changes and the usual ones, by name."""
    from soundalike.evaluation import robustness_changes

    try:
        return robustness_changes.chosen(asked)
    except KeyError as error:
        known = ", ".join([*robustness_changes.GROUPS, robustness_changes.ALL])
        raise click.BadParameter(
            f"there is no change {error.args[0]!r}; choose a group ({known}) or one of "
            f"{', '.join(robustness_changes.CHANGES)}."
        ) from error


@click.command()
@click.argument("folder", metavar="INDEX", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--representation",
    "names",
    multiple=True,
    metavar="NAME",
    help="Representation to evaluate; may be repeated. Default: all in the index.",
)
@click.option(
    "--robustness",
    "tracks",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="TRACKS",
    help="Number of tracks for the robustness test; 0 skips it.",
)
@click.option(
    "--changes",
    multiple=True,
    callback=_changes,
    metavar="NAME",
    help="Further robustness changes besides the usual ones (another excerpt, louder, MP3). A group: "
    "level (quieter), air (rooms, babble, noise, telephone, small speaker, phone), speed (and pitch), "
    "file (AAC, 5.1, 7.1) or all; or a single change such as room_0.5_s. May be repeated. They are "
    "measured for the representations given with --representation, or else for the default one, and "
    "take a network pass each.",
)
@click.option(
    "--recorded",
    is_flag=True,
    help="Embed changed copies as microphone recordings, with tracks by artists that the correction "
    "wasn't fitted on.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--save", is_flag=True, help="Save the results in INDEX, for the Compare page.")
@click.option("--no-cache", is_flag=True, help="Don't cache feature maps between runs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def evaluate(
    folder: Path,
    names: tuple[str, ...],
    tracks: int,
    changes: list[str],
    recorded: bool,
    seed: int,
    save: bool,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Evaluate the representations of INDEX, an index folder: genre, hubness, robustness and cost."""
    from soundalike.evaluation import results, runner
    from soundalike.index import index as indices
    from soundalike.models import ModelStore

    opened = indices.load(folder)
    plan = runner.plan(opened, names, tracks, seed, changes, recorded)
    models = opened.models(ModelStore(feature_cache=None if no_cache else paths.cache_folder()))
    with output.progress_bar("Evaluating", plan.steps) as advance:
        document = runner.evaluate(opened, plan, models, advance)
    if save:
        results.save(opened, document)
    if as_json:
        output.print_json(document)
    else:
        _print(document, plan.closely)


def _print(document: dict[str, Any], closely: list[str]) -> None:
    labels = document["labels"]
    asked = labels["sets"][labels["headline"]]
    output.print_line(
        f"{document['tracks']:,} tracks; genre by {asked['is']} ({asked['queries']:,} queries)"
    )
    shown = document["representations"]
    if shown:
        chance = _share(document["chance"])
        output.print_table(
            _table(shown, _genre_columns(shown), {"P@10,\nfiltered": chance}), soft_wrap=True
        )
        output.print_table(_table(shown, _sound_columns(shown), {}), soft_wrap=True)
        for remark in _remarks(document):
            output.print_line(remark)
    if document["changes"]:
        _print_robustness(document, closely)
    for item in document["skipped"]:
        output.print_line(f"skipped {item['name']}: {item['reason']}")


def _print_robustness(document: dict[str, Any], closely: list[str]) -> None:
    for item in document["representations"]:
        if item["name"] in closely:
            output.print_text(f"\n{item['name']}, asked with changed copies of tracks:")
            table = _robustness_table(item["robustness"], document["changes"], document["recorded"])
            output.print_table(table, soft_wrap=True)
    output.print_line(
        "Kept of ten: the share of the ten nearest tracks that stay. Original first: the track is the "
        "nearest to its copy. Still known: the fingerprint says that the copy is this recording."
    )
    if document["recorded"]:
        output.print_line(
            "As answered: kept of ten, where a recording that is known is compared by the library's own "
            "vectors."
        )


def _genre_columns(shown: list[dict[str, Any]]) -> dict[str, list[str]]:
    compared = [(item["against_baseline"] or {}).get("precision_at_10") for item in shown]
    held_out = [item["precision_at_10_held_out"] for item in shown]
    return {
        "P@10": [_share(item["precision_at_10"]) for item in shown],
        "P@10,\nfiltered": [_share(item["precision_at_10_artist_filter"]) for item in shown],
        "95 %\ninterval": [_range(item["precision_at_10_artist_filter_interval"]) for item in shown],
        "MAP,\nfiltered": [_share(item["map_artist_filter"]) for item in shown],
        "held\nout": ["-" if found is None else _share(found["mean"]) for found in held_out],
        "better by": ["-" if found is None else f"{found['difference']:+.3f}" for found in compared],
        "p": ["-" if found is None else f"{found['p']:.3f}" for found in compared],
    }


def _sound_columns(shown: list[dict[str, Any]]) -> dict[str, list[str]]:
    first = [item["shift_ranked_first"] for item in shown]
    cost = [item["ms_per_track"] for item in shown]
    return {
        "dim.": [f"{item['dim']:,}" for item in shown],
        "skew": [f"{item['hubness_skew']:.2f}" for item in shown],
        "orphans": [f"{item['orphans']:.1%}" for item in shown],
        "3 s\nshift": [_share(item["shift_similarity"]) for item in shown],
        "ranked\nfirst": ["-" if share is None else f"{share:.0%}" for share in first],
        "ms a\ntrack": ["-" if taken is None else f"{taken:,.0f}" for taken in cost],
        "bytes\na track": [f"{item['bytes_per_track']:,}" for item in shown],
    }


def _table(shown: list[dict[str, Any]], columns: dict[str, list[str]], chance: dict[str, str]) -> Table:
    """One row per representation, without columns that have no values."""
    from rich import box
    from rich.table import Table

    known = {name: cells for name, cells in columns.items() if set(cells) != {"-"}}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for name in known:
        table.add_column(name, justify="right", no_wrap=True)
    for row, item in enumerate(shown):
        name = item["name"] + ("*" if item["trained_on"] else "")
        output.add_row(table, name, *(cells[row] for cells in known.values()))
    if chance:
        output.add_row(table, "chance", *(chance.get(name, "") for name in known))
    return table


def _robustness_table(
    of_change: dict[str, dict[str, Any]], titles: dict[str, str], recorded: bool
) -> Table:
    """One row per change, as far as measured."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in HEADINGS[: None if recorded else -1]:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, found in of_change.items():
        if found["tracks"]:
            kept, known = found["kept"], found["known"]
            answered = [f"{found['answered']['mean']:.0%}"] if recorded else []
            output.add_row(
                table,
                titles[name],
                f"{kept['mean']:.0%}",
                f"{100 * kept['low']:.0f}-{kept['high']:.0%}",
                f"{found['ranked_first']:.0%}",
                f"{found['median_rank']:g}",
                "-" if known is None else f"{known['mean']:.0%}",
                *answered,
            )
    return table


def _remarks(document: dict[str, Any]) -> list[str]:
    """Explanations of the columns and marks that are shown."""
    shown = document["representations"]
    remarks = ["Filtered: without the query's artist. Intervals are of the bootstrap over artists."]
    if any(item["trained_on"] for item in shown):
        remarks.append("* was trained on the genres of these tracks, which flatters its figures.")
    if any(item["precision_at_10_held_out"] for item in shown):
        remarks.append(
            "Held out: P@10 filtered, among the tracks of one cross-validation fold, by a genre head "
            "that were trained on none of them."
        )
    if any(item["against_baseline"] for item in shown):
        held_out = any(item["precision_at_10_held_out"] for item in shown)
        which = "held out" if held_out else "P@10 filtered"
        remarks.append(f"Better by: {which} above {document['baseline']}'s, with p by paired bootstrap.")
    return remarks


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _range(interval: list[float]) -> str:
    low, high = interval
    return f"{low:.3f}-{high:.3f}"
