"""`soundalike fetch`: download FMA, or a sample of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from soundalike.cli import output
from soundalike.datasets import archives, artists, fma_download, zip_members
from soundalike.datasets import fma_sample as sampling

SAMPLE = "fma-sample"
SAMPLE_TRACKS = 800
SAMPLE_FOLDER = Path("fma/sample")


@click.command()
@click.argument("what", type=click.Choice([*fma_download.ARCHIVES, SAMPLE]))
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    help=f"Folder to unpack into. Default: fma, or {SAMPLE_FOLDER} for {SAMPLE}.",
)
@click.option(
    "--url",
    default=fma_download.HOST,
    show_default=True,
    help="Base URL of the archives, for a mirror.",
)
@click.option(
    "--tracks",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"{SAMPLE}: number of tracks. Default: {SAMPLE_TRACKS}.",
)
@click.option(
    "--genres",
    metavar="NAMES",
    help=f"{SAMPLE}: genres, with commas between them. Default: {', '.join(sampling.GENRES)}.",
)
@click.option("--seed", type=click.IntRange(min=0), help=f"{SAMPLE}: another seed, other tracks.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def fetch(
    what: str,
    folder: Path | None,
    url: str,
    tracks: int | None,
    genres: str | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Download an FMA dataset and its metadata; resumes where an earlier run stopped.

    Download sizes are 342 MiB (fma-metadata), 7.2 GiB (fma-small), 22 GiB (fma-medium), 93 GiB
    (fma-large) and 879 GiB (fma-full). The unpacked files need the same space again.

    fma-sample fetches some tracks of each of fma-small's genres, 0.9 MB each, and FMA's tables. At most
    three tracks are by one artist. Each clip has its own licence, listed in tracks.csv and CREDITS.md.
    """
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"--url takes an address that begins with http, not {url!r}.")
    if what == SAMPLE:
        _fetch_sample(folder or SAMPLE_FOLDER, url, tracks, genres, seed or 0, as_json)
        return
    if (tracks, genres, seed) != (None, None, None):
        raise click.UsageError(f"--tracks, --genres and --seed are for {SAMPLE}.")
    _fetch_archives(what, folder or Path("fma"), url, as_json)


def _fetch_archives(what: str, folder: Path, url: str, as_json: bool) -> None:
    found = []
    for archive in fma_download.ARCHIVES[what]:
        with output.byte_progress() as on_bytes:
            found.append(archives.fetch(archive, folder, url, on_bytes))
    if as_json:
        output.print_json({"dir": str(folder), "archives": [vars(item) for item in found]})
        return
    for item in found:
        state = f"{item.unpacked} unpacked now" if item.unpacked else "all there already"
        output.print_line(f"{item.name}: {item.unpacked + item.kept} files in {folder}, {state}")


def _fetch_sample(
    folder: Path, url: str, tracks: int | None, genres: str | None, seed: int, as_json: bool
) -> None:
    named = _sample_genres(genres)
    wanted = SAMPLE_TRACKS if tracks is None else tracks
    if wanted < len(named):
        raise click.UsageError(f"--tracks must be at least {len(named)}, one for each genre.")
    with output.byte_progress() as on_bytes:
        sample = sampling.fetch(folder, wanted, named, seed, url, on_bytes)
    if as_json:
        output.print_json({"dir": str(folder)} | _document(sample))
        return
    by_genre = ", ".join(f"{name} {number}" for name, number in _counted(sample, "genre").items())
    singers = artists.count(sample.tracks)
    output.print_line(f"{len(sample.tracks):,} tracks by {singers:,} artists in {folder}: {by_genre}")
    if len(sample.tracks) < wanted:
        most = sampling.MOST_OF_AN_ARTIST
        output.print_line(f"FMA has no more than these with at most {most} tracks by an artist.")
    for item in sample.archives:
        output.print_line(f"{item.archive}: {_how_fetched(item)}")
    licences = len(_counted(sample, "licence"))
    output.print_line(f"{folder / sampling.CREDITS} has the artists and the {licences} licences")


def _document(sample: sampling.Sample) -> dict[str, Any]:
    return {
        "tracks": len(sample.tracks),
        "artists": artists.count(sample.tracks),
        "genres": _counted(sample, "genre"),
        "licences": _counted(sample, "licence"),
        "archives": [vars(item) for item in sample.archives],
    }


def _counted(sample: sampling.Sample, column: str) -> dict[str, int]:
    return {str(name): int(n) for name, n in sample.tracks[column].value_counts().sort_index().items()}


def _sample_genres(text: str | None) -> tuple[str, ...]:
    """The genres that an option names, in any case."""
    if text is None:
        return sampling.GENRES
    known = {name.casefold(): name for name in sampling.GENRES}
    named = dict.fromkeys(part.strip().casefold() for part in text.split(","))
    if unknown := [name for name in named if name not in known]:
        raise click.UsageError(
            f"--genres has {unknown[0]!r}, which is none of {', '.join(sampling.GENRES)}."
        )
    return tuple(known[name] for name in named)


def _how_fetched(item: zip_members.Fetched) -> str:
    if not item.requests:
        return f"{item.kept:,} files, all there already"
    share = f"{item.downloaded / 1e6:,.1f} of {item.archive_size / 1e6:,.1f} MB"
    there = f", {item.kept:,} there already" if item.kept else ""
    return f"{item.fetched:,} files fetched, {share} in {item.requests:,} requests{there}"
