"""From FMA's folder to an index of it: the head's inputs, the head, the index, the report.

    head_inputs    the table -> what the genre head takes of every track
    train_head     these and the split -> the head's file, its held-out predictions and its model card
    build          the head -> the index
    finish         the index -> the report, beside the article's figures

Each is a step of its own, so that it can be made in another way. The head lies beside the index, as
`NAME-genre-head.npz`, with what belongs to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundalike import fma_report, index_builder, model_card, split_training
from soundalike import index as indices
from soundalike.errors import IndexFolderError
from soundalike.fma import Fma
from soundalike.index_builder import Built
from soundalike.library import Library
from soundalike.models import ModelStore
from soundalike.models.heldout import Heldout
from soundalike.split_training import Inputs

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class TrainedHead:
    """A head in its file.

    Attributes
    ----------
    file : where it lies; its model card is beside it
    heldout : what it says of the tracks that it did not hear, and of those that it heard
    card : the model card's content
    """

    file: Path
    heldout: Heldout
    card: dict[str, Any]


def check(source: Library, out: Path) -> None:
    """Refuse what cannot come to anything, before hours are spent on it.

    Raises
    ------
    IndexFolderError
        If `out` is there and is not an index.
    LibraryError
        If the split does not have two genres to tell.
    """
    if out.exists() and not indices.is_index(out) and not (out.is_dir() and not any(out.iterdir())):
        raise IndexFolderError(
            f"{out} is there already and is not an index; please name another folder."
        )
    split_training.parts_of(source.tracks)


def head_file(out: Path) -> Path:
    """Where the head of an index lies."""
    return out.with_name(f"{out.name}-genre-head.npz")


def head_inputs(
    source: Library, models: ModelStore, folder: Path, on_track: OnStep = lambda file: None
) -> Inputs:
    """What the genre head takes of every track, in a file of that folder (`split_training.extract`)."""
    return split_training.extract(source, models, folder, on_track)


def train_head(
    inputs: Inputs, file: Path, seed: int = 0, on_epoch: OnStep = lambda label: None
) -> TrainedHead:
    """Train the head on the split, and write it with its held-out predictions and its card."""
    trained = split_training.train(inputs.array, inputs.tracks, seed, on_epoch)
    file.parent.mkdir(parents=True, exist_ok=True)
    trained.head.save(file)
    trained.heldout.save(file)
    card = model_card.split_document(trained, seed)
    text = model_card.render_split(card, trained.scores)
    file.with_suffix(".md").write_text(text, encoding="utf-8")
    return TrainedHead(file, trained.heldout, card)


def build(
    source: Library,
    out: Path,
    models: ModelStore,
    names: Sequence[str],
    head: TrainedHead,
    on_track: OnStep = lambda file: None,
) -> Built:
    """The index of FMA, its genres told by that head.

    Parameters
    ----------
    models : networks with the head's file among them
    """
    return index_builder.build(source, out, models, names, head.heldout, on_track=on_track)


def finish(built: Built, source: Fma, head: TrainedHead, seed: int = 0) -> dict[str, Any]:
    """Measure the index, and write the report into its folder."""
    document = {
        "subset": source.subset,
        "genre_tree": {
            "genres": len(source.tree),
            "with_tracks": sum(genre.tracks > 0 for genre in source.tree.values()),
            "roots": sum(genre.root == number for number, genre in source.tree.items()),
        },
        "head": head.card,
        "skipped": [vars(item) for item in built.skipped],
    } | fma_report.report(built.index, seed)
    fma_report.save(built.index, document)
    return document
