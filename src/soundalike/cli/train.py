"""`soundalike train`: train the genre head, the autoencoder or the collaborative-filtering network."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from soundalike import paths
from soundalike.cli import output
from soundalike.cli.options import FILE, FOLDER
from soundalike.models.tensorflow_import import check_tensorflow

if TYPE_CHECKING:
    from soundalike.datasets.library import Library
    from soundalike.models import ModelStore

CROSS_VALIDATED = 5_000
"""Larger libraries are split once: cross-validation holds everything in memory."""


@click.command("genre-head")
@click.argument("folder", metavar="LIBRARY", type=FOLDER)
@click.option("--out", type=FILE, required=True, help=".npz file to write.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--halves/--no-halves",
    default=True,
    show_default=True,
    help="Also train on two 15 s halves of each clip, if the library is cross-validated.",
)
@click.option("--no-cache", is_flag=True, help="Don't cache feature maps between runs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def train_genre_head(
    folder: Path, out: Path, seed: int, halves: bool, no_cache: bool, as_json: bool
) -> None:
    """Train the genre head on LIBRARY's genres; write its weights and a model card.

    Genres come from the files' tags, or from the genre column of a tracks.csv. If tracks.csv has a split
    column (training, validation or test), it determines the training tracks. Otherwise the head is
    cross-validated, or the library is split by artist if it has more than 5,000 tracks.
    """
    from soundalike.datasets.library import load
    from soundalike.models import ModelStore
    from soundalike.training import genre_head, genre_head_split

    check_out(out)
    check_tensorflow()
    source = load(folder)
    models = ModelStore(feature_cache=None if no_cache else paths.cache_folder())
    if "split" in source.tracks or len(source.tracks) > CROSS_VALIDATED:
        if "split" not in source.tracks:
            split = genre_head_split.assign(source.tracks, seed)
            source = replace(source, tracks=source.tracks.assign(split=split))
        document, card = _train_on_split(source, out, seed, models)
    else:
        genre_head.check(source.tracks)
        document, card = _cross_validate(source, out, seed, halves, models)
    card_file = out.with_suffix(".md")
    card_file.write_text(card, encoding="utf-8")
    if as_json:
        output.print_json(document | {"weights": str(out), "model_card": str(card_file)})
    else:
        output.print_text(card)


def _cross_validate(
    source: Library, out: Path, seed: int, halves: bool, models: ModelStore
) -> tuple[dict[str, Any], str]:
    from soundalike.training import genre_head, model_card

    with output.progress_bar("Extracting features", len(source.tracks)) as advance:
        features, skipped = genre_head.extract(source, models, halves, advance)
    output.print_skipped(skipped)
    with output.progress_bar("Training", genre_head.FOLDS + 1) as advance:
        trained = genre_head.train(features, seed, advance)
    trained.head.save(out)
    trained.heldout.save(out)
    document = model_card.as_document(trained, seed=seed, halves=halves)
    return document, model_card.render(document, trained.scores)


def _train_on_split(
    source: Library, out: Path, seed: int, models: ModelStore
) -> tuple[dict[str, Any], str]:
    from soundalike.training import genre_head_split, model_card

    genre_head_split.parts_of(source.tracks)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.stem}-") as folder:
        with output.progress_bar("Extracting features", len(source.tracks)) as advance:
            inputs = genre_head_split.extract(source, models, Path(folder), advance)
        output.print_skipped(inputs.skipped)
        with output.progress_bar("Training", genre_head_split.MAX_EPOCHS) as advance:
            trained = genre_head_split.train(inputs.array, inputs.tracks, seed, advance)
    trained.head.save(out)
    trained.heldout.save(out)
    document = model_card.split_document(trained, seed)
    return document, model_card.render_split(document, trained.scores)


@click.command("mfcc-autoencoder")
@click.argument("library", type=FOLDER)
@click.option("--out", type=FILE, required=True, help=".npz file to write.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def train_mfcc_autoencoder(library: Path, out: Path, seed: int, as_json: bool) -> None:
    """Train the MFCC autoencoder on LIBRARY; write its weights and a model card."""
    from soundalike.datasets.library import load
    from soundalike.training import autoencoder

    check_out(out)
    check_tensorflow()
    source = load(library)
    with output.progress_bar("Extracting features", len(source.tracks)) as advance:
        matrices, tracks, skipped = autoencoder.extract(source, advance)
    output.print_skipped(skipped)
    with output.progress_bar("Training", 2 * autoencoder.EPOCHS) as advance:
        trained = autoencoder.train(matrices, tracks, seed, advance)
    trained.autoencoder.save(out)
    document = autoencoder.as_document(trained, tracks, seed)
    card = autoencoder.model_card(document)
    out.with_suffix(".md").write_text(card, encoding="utf-8")
    if as_json:
        output.print_json(
            document | {"weights_file": str(out), "model_card": str(out.with_suffix(".md"))}
        )
    else:
        output.print_text(card)


def check_out(out: Path) -> None:
    """Reject an unwritable destination before anything is computed."""
    if out.suffix != ".npz":
        raise click.UsageError(f"--out takes a file that ends with .npz, not {out.name!r}.")
    if not out.parent.is_dir():
        raise click.UsageError(f"--out: there is no folder {out.parent}.")


@click.command("cf-regression")
@click.argument("library", type=FOLDER)
@click.option(
    "--plays",
    type=FILE,
    required=True,
    help="CSV table with the columns user, track (a track_id of the library) and plays.",
)
@click.option("--out", type=FILE, required=True, help=".npz file to write.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def train_cf_regression(library: Path, plays: Path, out: Path, seed: int, as_json: bool) -> None:
    """Train the network that predicts listening patterns from audio, on listeners' plays of LIBRARY."""
    from soundalike.datasets.library import load
    from soundalike.training import cf_regression, matrix_factorization

    check_out(out)
    check_tensorflow()
    source = load(library)
    listening = matrix_factorization.factorise(matrix_factorization.read_plays(plays), seed)
    with output.progress_bar("Extracting features", len(source.tracks)) as advance:
        examples, skipped = cf_regression.extract(source, listening, advance)
    output.print_skipped(skipped)
    with output.progress_bar("Training", 2 * cf_regression.PASSES) as advance:
        trained = cf_regression.train(examples, seed, advance)
    trained.network.save(out)
    document = cf_regression.as_document(trained, examples, listening, seed)
    card = cf_regression.model_card(document)
    out.with_suffix(".md").write_text(card, encoding="utf-8")
    if as_json:
        output.print_json(
            document | {"weights_file": str(out), "model_card": str(out.with_suffix(".md"))}
        )
    else:
        output.print_text(card)
