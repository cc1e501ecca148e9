"""The genre head's model card: training data, accuracy and limitations.

After Mitchell et al. (2019), "Model cards for model reporting". Every figure comes from the training run
of the card's model.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from soundalike.evaluation.metrics import Classification
from soundalike.training import genre_head, genre_head_split
from soundalike.training.genre_head import HeadScores, TrainedHead
from soundalike.training.genre_head_split import SplitTrained

_WHAT = (
    "# Genre head\n\n"
    "The article's small network on VGG16's feature map of a mel spectrogram. It gives the "
    "probabilities of {genres} genres; its last hidden layer, 32 numbers, is the `genre_head` "
    "representation."
)
_LIMITS = (
    "- Labels are approximate and were never checked by listening; one label a track is a "
    "simplification in itself.\n"
    "- It tells its training library's genres apart, as this library means them. On other music "
    "it names the nearest of these, whatever the music is.\n"
    "- Its probabilities are no better calibrated than the log loss above says.\n"
    "- What it says of its own training tracks flatters it: "
)


def as_document(trained: TrainedHead, seed: int, halves: bool) -> dict[str, Any]:
    """Contents of the card, ready for JSON."""
    tracks = trained.tracks
    labelled = "genre_source" in tracks
    sources = tracks["genre_source"].value_counts().to_dict() if labelled else {}
    return {
        "genres": {str(genre): int(n) for genre, n in tracks["genre"].value_counts().items()},
        "left_out": trained.left_out,
        "tracks": len(tracks),
        "albums": len(set(genre_head.album_keys(tracks))),
        "label_sources": {str(source): int(n) for source, n in sources.items()},
        "folds": genre_head.FOLDS,
        "epochs": trained.epochs,
        "seed": seed,
        "halves": halves,
        "scores": [
            {
                "name": scores.name,
                "all": asdict(scores.all),
                "untagged": None if scores.untagged is None else asdict(scores.untagged),
            }
            for scores in trained.scores
        ],
    }


def render(document: dict[str, Any], scores: tuple[HeadScores, ...]) -> str:
    """The card in Markdown."""
    genres = ", ".join(f"{genre} {n}" for genre, n in document["genres"].items())
    left_out = "; ".join(f"{genre} ({why})" for genre, why in document["left_out"].items())
    examples = (
        "each clip whole and its two 15 s halves" if document["halves"] else "each clip once, whole"
    )
    parts = [
        _WHAT.format(genres=len(document["genres"])),
        "## Data and split",
        f"{document['tracks']} clips from {document['albums']} albums: {genres}.",
        f"A genre is trained on if it has at least {genre_head.MIN_CLIPS} clips from at least "
        f"{genre_head.FOLDS} albums. Left out, though shown in the app: {left_out or 'none'}.",
        f"Figures are held out: {document['folds']}-fold cross-validation in which no head saw its "
        "test tracks' album or artist. Training takes "
        f"{examples}, weights genres by the inverse of their size and stops early "
        f"(epochs a fold: {', '.join(map(str, document['epochs']))}); the stored weights are trained "
        f"on all the clips for the median of these. Seed {document['seed']}.",
        "## Figures",
        _table(document["tracks"], [(score.name, score.all) for score in scores]),
    ]
    untagged = [(score.name, score.untagged) for score in scores if score.untagged is not None]
    if untagged:
        labels = ", ".join(f"{source} {n}" for source, n in document["label_sources"].items())
        parts += [
            f"Where labels come from: {labels}. Labels by a tagger come from audio too, so that "
            "agreement with them is partly circular. On the others alone:",
            _table(untagged[0][1].n, untagged),
        ]
    parts += [
        "Rows are labels, columns predictions of the genre head, all held-out tracks:",
        _confusion(scores[0].all),
        "## Limits",
        _LIMITS + "use the held-out predictions in the file beside it.",
    ]
    return "\n\n".join(parts) + "\n"


def split_document(trained: SplitTrained, seed: int) -> dict[str, Any]:
    """Contents of the card of a head trained on a split, ready for JSON."""
    parts, tracks = trained.parts, trained.tracks
    return {
        "genres": genre_head_split.genre_counts(tracks, parts.fit),
        "left_out": parts.left_out,
        "tracks": len(tracks),
        "training": len(parts.fit),
        "validation": len(parts.stop),
        "test": len(parts.test),
        "left_out_for_artist": parts.shared,
        "epoch": trained.epoch,
        "seed": seed,
        "scores": [{"name": scores.name, "all": asdict(scores.all)} for scores in trained.scores],
    }


def render_split(document: dict[str, Any], scores: tuple[HeadScores, ...]) -> str:
    """The card of a head trained on a split, in Markdown."""
    genres = ", ".join(f"{genre} {n}" for genre, n in document["genres"].items())
    left_out = "; ".join(f"{genre} ({why})" for genre, why in document["left_out"].items())
    shared = document["left_out_for_artist"]
    parts = [
        _WHAT.format(genres=len(document["genres"])),
        "## Data and split",
        f"{document['training']} tracks for training: {genres}.",
        "The table says which tracks are for training, for validation and to test. Training takes each "
        f"clip once, whole, weights genres by the inverse of their size, and keeps the epoch with the "
        f"least log loss on {document['validation']} validation tracks (epoch {document['epoch']}). "
        f"{shared} tracks are left out of training or stopping, since their artist is on another side. "
        f"Seed {document['seed']}.",
        f"A genre is trained on if it has at least {genre_head_split.MIN_CLIPS} tracks for training and "
        f"one to test. Left out: {left_out or 'none'}.",
        "## Figures",
        "On the test tracks, which decided nothing:",
        _table(document["test"], [(score.name, score.all) for score in scores]),
        "Rows are labels, columns predictions of the genre head:",
        _confusion(scores[0].all),
        "## Limits",
        _LIMITS + "only the test tracks are held out.",
    ]
    return "\n\n".join(parts) + "\n"


def _table(n: int, rows: list[tuple[str, Classification]]) -> str:
    lines = [f"| {n} tracks | accuracy | macro-F1 | log loss |", "|---|---:|---:|---:|"]
    for name, score in rows:
        loss = "" if score.log_loss is None else f"{score.log_loss:.2f}"
        lines.append(f"| {name} | {score.accuracy:.1%} | {score.macro_f1:.3f} | {loss} |")
    return "\n".join(lines)


def _confusion(score: Classification) -> str:
    lines = ["| | " + " | ".join(score.genres) + " |", "|---|" + "---:|" * len(score.genres)]
    for genre, counts in zip(score.genres, score.confusion, strict=True):
        lines.append(f"| {genre} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)
