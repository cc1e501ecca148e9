"""`soundalike train mfcc-autoencoder` and `train cf-regression`: the models beside the genre head."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("mfcc-autoencoder")
@click.argument("library", type=FOLDER)
@click.option("--out", type=FILE, required=True, help="The .npz file to write.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def mfcc_autoencoder(library: Path, out: Path, seed: int, as_json: bool) -> None:
    """Train the MFCC autoencoder on LIBRARY; write its weights and a model card beside them."""
    from soundalike import autoencoder_training, cli
    from soundalike.library import load

    check_out(out)
    source = load(library)
    with cli._progress("Extracting features", len(source.tracks)) as advance:
        matrices, tracks, skipped = autoencoder_training.extract(source, advance)
    cli._report_skipped(skipped)
    with cli._progress("Training", 2 * autoencoder_training.EPOCHS) as advance:
        trained = autoencoder_training.train(matrices, tracks, seed, advance)
    trained.autoencoder.save(out)
    document = autoencoder_training.as_document(trained, tracks, seed)
    card = autoencoder_training.model_card(document)
    out.with_suffix(".md").write_text(card, encoding="utf-8")
    if as_json:
        cli._print_json(document | {"weights_file": str(out), "model_card": str(out.with_suffix(".md"))})
    else:
        click.echo(card)


def check_out(out: Path) -> None:
    """Refuse a destination that cannot be written, before anything is computed for it."""
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
    help="A CSV table with the columns user, track (a track_id of the library) and plays.",
)
@click.option("--out", type=FILE, required=True, help="The .npz file to write.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def cf_regression(library: Path, plays: Path, out: Path, seed: int, as_json: bool) -> None:
    """Train, on what listeners played of LIBRARY, the network that guesses it from sound."""
    from soundalike import cli, collaborative, factor_training
    from soundalike.library import load

    check_out(out)
    source = load(library)
    listening = collaborative.factorise(collaborative.read_plays(plays), seed)
    with cli._progress("Extracting features", len(source.tracks)) as advance:
        examples, skipped = factor_training.extract(source, listening, advance)
    cli._report_skipped(skipped)
    with cli._progress("Training", 2 * factor_training.PASSES) as advance:
        trained = factor_training.train(examples, seed, advance)
    trained.network.save(out)
    document = factor_training.as_document(trained, examples, listening, seed)
    card = factor_training.model_card(document)
    out.with_suffix(".md").write_text(card, encoding="utf-8")
    if as_json:
        cli._print_json(document | {"weights_file": str(out), "model_card": str(out.with_suffix(".md"))})
    else:
        click.echo(card)
