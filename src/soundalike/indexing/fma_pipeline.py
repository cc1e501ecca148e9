"""Pipeline from FMA's folder to an index: head inputs, head, index, report.

    head_inputs    the table -> the genre head's inputs and all other values for every track
    train_head     inputs and split -> the head's file, its held-out predictions and its model card
    build          the head -> the index
    finish         the index -> the report, next to the article's figures

Every file is processed once: the first step keeps its results in the index's work store, from which the
third assembles the index. A run can be stopped at any time. The head and its files are next to the
index, as `NAME-genre-head.npz`, with a copy in the index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soundalike import paths
from soundalike.datasets.fma import Fma
from soundalike.datasets.library import Library
from soundalike.errors import DestinationError, LibraryError
from soundalike.evaluation import fma_results
from soundalike.index import storage
from soundalike.indexing import builder, extraction, ingest, own_files, workspace
from soundalike.indexing.builder import BuildPlan, Built
from soundalike.indexing.ingest import OnFile
from soundalike.indexing.previous_index import GENRE_HEAD, Earlier
from soundalike.indexing.workers import Executor, InProcessExecutor
from soundalike.models import ModelStore, heldout
from soundalike.models.heldout import Heldout
from soundalike.training import genre_head_split, model_card
from soundalike.training.genre_head_split import Inputs

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class TrainedHead:
    """A head's file and its results.

    Attributes
    ----------
    file : path of the head; its model card is next to it
    heldout : predictions for its held-out tracks and for its training tracks
    card : contents of the model card
    """

    file: Path
    heldout: Heldout
    card: dict[str, Any]


def check(source: Library, out: Path) -> None:
    """Check the preconditions, before hours are spent.

    Raises
    ------
    DestinationError
        If the index cannot be placed at `out` (`builder.check_destination`), or its head would overwrite
        another.
    LibraryError
        If the split has fewer than two usable genres.
    """
    builder.check_destination(out, source.folder)
    _check_head(source, out)
    genre_head_split.parts_of(source.tracks)


def _check_head(source: Library, out: Path) -> None:
    """Refuse to overwrite a head, or its files, unless an earlier run for this index wrote them."""
    file = head_file(out)
    written = (file, file.with_suffix(".md"), heldout.path_beside(file))
    there = [path for path in written if path.exists()]
    under_way = workspace.beside(out) / f"{extraction.HEAD_INPUT}.npy"
    if there and not under_way.exists() and not _is_head_of(file, source, out):
        raise DestinationError(
            f"{there[0]} is not of the index {out}, and would be written over; please move it "
            "elsewhere, or name another folder for the index."
        )


def _is_head_of(file: Path, source: Library, out: Path) -> bool:
    """Whether an index of this library was made with a head."""
    match own_files.manifest(out):
        case {"library": {"folder": str(folder)}, "models": {"genre_head": str(checksum)}}:
            same = (out.resolve() / folder).resolve() == source.folder.resolve()
            return same and file.is_file() and paths.sha256_of(file) == checksum
    return False


def head_file(out: Path) -> Path:
    """Path of an index's head."""
    return out.with_name(f"{out.name}-genre-head.npz")


def head_inputs(
    source: Library,
    out: Path,
    models: ModelStore,
    names: Sequence[str],
    measured: bool = False,
    workers: Executor | None = None,
    on_file: OnFile = ingest.ignored,
) -> Inputs:
    """Compute the genre head's inputs for every track, and store all other values for the index.

    Parameters
    ----------
    source : the library
    out : destination of the index
    models : the networks
    names : representations of the index
    measured : whether the index will include the measurements of `soundalike measure`
    workers : executor for the files; by default this process, one file after the other
    on_file : called once for every file

    Returns
    -------
    the inputs; their array is in the workspace next to the index until the index is built

    Raises
    ------
    LibraryError
        If no track could be decoded.
    KeyboardInterrupt
        If it was stopped; finished work is kept.
    """
    wanted = wants(names, measured)
    with workspace.opened(out, models) as (folder, store):
        # An earlier index has the head's outputs, but not the inputs for training a new head.
        earlier = Earlier(folder / "none", models)
        found = ingest.run(source, wanted, store, earlier, workers or InProcessExecutor(models), on_file)
        if found.stopped:
            raise KeyboardInterrupt
        if not found.sums:
            raise LibraryError(f"Not one file of {source.folder} could be decoded; nothing to train on.")
        rows = sorted(found.sums)
        shape = (len(rows), *extraction.HEAD_INPUT_SHAPE)
        array = storage.create(folder, extraction.HEAD_INPUT, shape, np.float16)
        for place, row in enumerate(rows):
            array[place] = store.value(found.sums[row], extraction.HEAD_INPUT).reshape(shape[1:])
        array.flush()
    sums = [found.sums[row] for row in rows]
    tracks = source.tracks.iloc[rows].reset_index(drop=True).assign(sha256=sums)
    return Inputs(tracks, array, tuple(found.skipped(source)))


def wants(names: Sequence[str], measured: bool) -> list[str]:
    """Names of values to extract for an index with some representations and the genre head."""
    return BuildPlan(list(dict.fromkeys([*names, GENRE_HEAD])), measured=measured).wants()


def train_head(
    inputs: Inputs, file: Path, seed: int = 0, on_epoch: OnStep = lambda label: None
) -> TrainedHead:
    """Train the head on the split, and write it with its held-out predictions and its card."""
    trained = genre_head_split.train(inputs.array, inputs.tracks, seed, on_epoch)
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
    measured: bool = False,
) -> Built:
    """Build the index of FMA from the values that `head_inputs` stored, with the head's genres.

    Parameters
    ----------
    models : networks, including the head's file
    """
    return builder.build(source, out, models, BuildPlan(names, head.heldout, measured=measured))


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
    } | fma_results.report(built.index, seed)
    fma_results.save(built.index, document)
    return document
