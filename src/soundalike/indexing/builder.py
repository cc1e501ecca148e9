"""Build an index: process every file once, and compute everything that the pages need.

First, `ingest` processes the files and keeps the results in a work store next to the index. The index is
then assembled from the store next to its destination, in the order of the library's table, and moved
there when complete. A run may therefore be killed at any moment: the same command resumes from the
store, the finished index is identical byte for byte to that of an uninterrupted run, and the destination
never has a partial index. The same library and models give the same bytes on the same kind of machine.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike import paths, representations, threads
from soundalike.audio import tags
from soundalike.datasets import library
from soundalike.datasets.library import Library, Skipped
from soundalike.errors import DestinationError, LibraryError
from soundalike.foreign_text import to_cell
from soundalike.index import index, storage
from soundalike.index.index import Index
from soundalike.indexing import derived, extraction, ingest, measurements, own_files, workspace
from soundalike.indexing.checkpoint import WorkStore
from soundalike.indexing.extraction import HEAD_INPUT, HEAD_INPUT_SHAPE
from soundalike.indexing.ingest import Ingested, OnFile
from soundalike.indexing.previous_index import GENRE_HEAD, Earlier
from soundalike.indexing.workers import Executor, InProcessExecutor
from soundalike.models import FILES, ModelStore, vgg_features
from soundalike.models.heldout import Heldout
from soundalike.representations import genre_head

_HEAD_BATCH = 64

OnStep = Callable[[str, int], None]
"""Called during assembly, with the current step and the number of tracks processed."""


@dataclass(frozen=True)
class Built:
    """An index, and the files that were skipped."""

    index: Index
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class BuildPlan:
    """Contents of an index.

    Attributes
    ----------
    names : representations; by default all whose models are available
    heldout : predictions for the genre head's training tracks, by heads not trained on them
    compact : store only neighbours for large representations
    measured : include the measurements of `soundalike measure`
    """

    names: Sequence[str] | None = None
    heldout: Heldout | None = None
    compact: bool = False
    measured: bool = False

    def wants(self) -> list[str]:
        """Names of values to extract from each file, for a plan with explicit representations."""
        names = list(self.names or ())
        return [*wants(names), *(measurements.wants(names) if self.measured else ())]


def build(
    source: Library,
    out: Path,
    models: ModelStore,
    plan: BuildPlan = BuildPlan(),
    workers: Executor | None = None,
    on_file: OnFile = ingest.ignored,
    on_step: OnStep = lambda what, count: None,
) -> Built:
    """Index a library.

    Values known to an earlier index at `out` or to an earlier run are reused if the networks match.
    Stopped by Ctrl-C, it leaves a partial index of the files processed until then, marked as partial,
    unless an index with more files already exists.

    Parameters
    ----------
    source : the library, with its table (`library.load`) or without (`library.find`)
    out : the index folder; an existing index is replaced
    models : the networks
    plan : contents of the index
    workers : executor for the files; by default this process, one file after the other
    on_file, on_step : progress callbacks

    Raises
    ------
    DestinationError
        If the index cannot be placed at `out` (`check_destination`), another run is working on it, or
        the disk is full.
    LibraryError
        If no track could be decoded.
    UnknownRepresentationError
        If a name is not in the registry.
    KeyboardInterrupt
        If it was stopped before anything was done, or while a complete index exists.
    """
    out = out.resolve()
    names = list(representations.available(models) if plan.names is None else plan.names)
    representations.stored(names)
    plan = replace(plan, names=names)
    check_destination(out, source.folder)
    with workspace.opened(out, models) as (folder, store):
        earlier = Earlier(out, models)
        found = ingest.run(
            source, plan.wants(), store, earlier, workers or InProcessExecutor(models), on_file
        )
        if found.stopped and (earlier.is_whole or len(found.sums) <= len(earlier)):
            raise KeyboardInterrupt
        if not found.sums:
            workspace.clear(folder)
            reason = next(iter(found.reasons.values()), "There are none.")
            raise LibraryError(
                f"Not one file of {source.folder} could be decoded, so there is no index; the first: "
                f"{reason}"
            )
        aside = folder / workspace.MADE
        aside.mkdir(exist_ok=True)
        try:
            skipped = _Assembly(source, aside, out, models, plan, names, store, earlier).write(
                found, on_step
            )
            # The user may have added files during the run.
            check_destination(out, source.folder)
            _carry_over_results(out, aside)
            workspace.put_in_place(aside, out)
        finally:
            own_files.remove(aside)
        if not found.stopped:
            workspace.clear(folder)
    return Built(index.load(out), skipped)


def wants(names: Sequence[str]) -> list[str]:
    """Names of values to extract from each file for some representations."""
    vectors = [
        name for name in representations.stored(names) if representations.get(name).from_table is None
    ]
    return [HEAD_INPUT if name == GENRE_HEAD else name for name in vectors]


def check_destination(out: Path, source: Path) -> None:
    """Reject a destination where an index would replace other files.

    Parameters
    ----------
    out : destination of the index
    source : the library's folder

    Raises
    ------
    DestinationError
        If `out` exists and is not an index, or contains files that its manifest does not list; if it is
        inside the library or the library inside it; or if its work folder is occupied.
    """
    out = out.resolve()
    if out.is_mount() or out == Path.cwd():
        what = "the folder that you are in" if out == Path.cwd() else "where a disk is mounted"
        raise DestinationError(f"{out} is {what}, which cannot be replaced; please name one in it.")
    if out.exists() and not index.is_index(out) and not _is_empty(out):
        raise DestinationError(
            f"{out} is there already and is not an index; please name another folder."
        )
    _check_apart(out, source)
    if others := own_files.foreign(out):
        raise DestinationError(
            f"{out} holds {own_files.enumerated(others)}, which its manifest does not list; please move "
            "that elsewhere, or name another folder."
        )
    workspace.check(out)


def _check_apart(out: Path, source: Path) -> None:
    """Reject an index inside its library, and a library inside its index."""
    outside = "please name a folder outside it for the index."
    if _is_inside(source, out):
        raise DestinationError(f"{out} holds the library {source.resolve()}; {outside}")
    if _is_inside(out, source):
        raise DestinationError(f"{out} lies in the library {source.resolve()}; {outside}")


def _is_inside(inner: Path, outer: Path) -> bool:
    """Whether a folder is another one or inside it, also via links and case-insensitive names."""
    inner = inner.resolve()
    return outer.exists() and any(
        folder.exists() and folder.samefile(outer) for folder in (inner, *inner.parents)
    )


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and all(storage.is_systems(path.name) for path in folder.iterdir())


def _carry_over_results(out: Path, made: Path) -> None:
    """Keep results that commands saved with an index, if the new index is identical."""
    added = {"files", "maps"}
    before, now = (
        {key: value for key, value in own_files.manifest(folder).items() if key not in added}
        for folder in (out, made)
    )
    for name in own_files.FIGURES:
        if before == now and (out / name).is_file():
            shutil.copyfile(out / name, made / name)


@dataclass(frozen=True)
class _Assembly:
    """Assembles an index from the extracted values of its files.

    Attributes
    ----------
    source : the library
    folder : an empty folder for the index
    out : final destination
    models, plan, names : networks, contents of the index, and its representations
    store, earlier : sources of extracted values
    """

    source: Library
    folder: Path
    out: Path
    models: ModelStore
    plan: BuildPlan
    names: Sequence[str]
    store: WorkStore
    earlier: Earlier

    @threads.single_threaded()
    def write(self, found: Ingested, on_step: OnStep) -> tuple[Skipped, ...]:
        """Write the whole index; return the files that were skipped."""
        folder, names = self.folder, self.names
        tracks, twins = self._table(found)
        skipped = [*found.skipped(self.source), *twins]
        sums = list(tracks["sha256"])
        stored = representations.stored(names)
        for name in stored:
            self._write_vectors(name, tracks)
            derived.write_vector_facts(folder, name)
            on_step("Writing", len(sums))
        genres = self.models.genre_head.genres if GENRE_HEAD in stored else ()
        if self.plan.heldout is not None and GENRE_HEAD in stored:
            tracks = self._write_heldout(tracks, self.plan.heldout)
        if self.plan.measured:
            measurements.write(folder, sums, names, self._value)
        tracks.to_parquet(folder / index.TRACKS, index=False)
        if skipped:
            _write_skipped(folder, skipped)
        manifest: dict[str, Any] = {
            "schema": index.SCHEMA,
            "tracks": len(tracks),
            "library": {
                "folder": os.path.relpath(self.source.folder.resolve(), self.out.resolve()),
                "fingerprint": library.fingerprint(tracks),
            },
            "representations": derived.describe(folder, names),
            "drawing": vgg_features.DRAWING,
            "extraction": extraction.VERSION,
            "genres": list(genres),
            "models": {
                model: self.models.checksum(model)
                for model in sorted({m for name in names for m in representations.get(name).models})
            },
            "files": {},
        }
        if own := self._copy_own_models(manifest["models"]):
            manifest["own_models"] = own
        if given := own_files.manifest(self.out).get("name"):
            manifest["name"] = given
        if found.stopped:
            manifest["partial"] = {"done": len(tracks), "files": len(self.source.tracks)}
        derived.write_track_facts(folder, manifest, self.plan.compact, on_step)
        if self.plan.measured:
            measurements.add_duplicates(folder)
        return tuple(sorted(skipped, key=lambda item: item.file))

    def _table(self, found: Ingested) -> tuple[pd.DataFrame, list[Skipped]]:
        """The table of tracks in the index with their checksums, and skipped duplicates of files."""
        rows = sorted(found.sums)
        sums = [found.sums[row] for row in rows]
        chosen = self.source.tracks.iloc[rows].reset_index(drop=True)
        if self.source.tabled:
            if extraction.LENGTH not in chosen:
                chosen[extraction.LENGTH] = list(map(self._length, chosen["file"], sums))
            return chosen.assign(sha256=sums), []
        first: dict[str, str] = {}
        made, twins = [], []
        for file, sha256 in zip(chosen["file"], sums, strict=True):
            if (same := first.setdefault(sha256, file)) != file:
                twins.append(Skipped(file, library.same_file(same)))
                continue
            said = self.store.tags(sha256)
            if said is None:
                said = tags.read(self.source.folder / file)
            row = library.row_of_file(file, sha256, said)
            made.append(row | {extraction.LENGTH: self._length(file, sha256), "sha256": sha256})
        return pd.DataFrame(made, dtype=str), twins

    def _length(self, file: str, sha256: str) -> str:
        """A file's length in seconds: as decoded, now or for the earlier index, or as it states."""
        decoded = (self.store.tags(sha256) or {}).get(extraction.LENGTH)
        return (
            decoded or self.earlier.length(sha256) or extraction.stated_length(self.source.folder / file)
        )

    def _value(self, sha256: str, name: str) -> NDArray[Any]:
        try:
            return self.store.value(sha256, name)
        except KeyError:
            return self.earlier.value(sha256, name)

    def _write_vectors(self, name: str, tracks: pd.DataFrame) -> None:
        """Write `<name>.npy`, scaled for comparison."""
        representation = representations.get(name)
        if representation.from_table is not None:
            matrix = representation.from_table(tracks).astype(np.float16)
            storage.save(self.folder, name, matrix)
            return
        if name == GENRE_HEAD:
            self._write_genres(list(tracks["sha256"]))
            return
        array = storage.create(
            self.folder, name, (len(tracks), representation.dim), extraction.dtype(name)
        )
        for row, sha256 in enumerate(tracks["sha256"]):
            array[row] = self._value(sha256, name)
        array.flush()
        if representation.scaling is not None:
            shutil.copyfile(self.folder / f"{name}.npy", self.folder / f"{name}_raw.npy")
            derived.scale(self.folder, name, representation.scaling)

    def _write_genres(self, sums: list[str]) -> None:
        """Write the genre head's outputs: `genre_head.npy` and `genre_probabilities.npy`."""
        genres = self.models.genre_head.genres
        features = storage.create(self.folder, GENRE_HEAD, (len(sums), genre_head.DIM), np.float16)
        shape = (len(sums), len(genres))
        predicted = storage.create(self.folder, "genre_probabilities", shape, np.float32)
        for start in range(0, len(sums), _HEAD_BATCH):
            batch = sums[start : start + _HEAD_BATCH]
            rows = slice(start, start + len(batch))
            features[rows], predicted[rows] = self._predict_genres(batch)
        features.flush()
        predicted.flush()

    def _predict_genres(self, sums: list[str]) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        features = np.zeros((len(sums), genre_head.DIM), np.float16)
        predicted = np.zeros((len(sums), len(self.models.genre_head.genres)), np.float32)
        asked = []
        for position, sha256 in enumerate(sums):
            known = (
                None
                if not self.store.missing(sha256, [HEAD_INPUT])
                else self.earlier.heard_genres(sha256)
            )
            if known is None:
                asked.append(position)
            else:
                features[position], predicted[position] = known
        if asked:
            inputs = np.stack([self.store.value(sums[p], HEAD_INPUT) for p in asked])
            batch = inputs.reshape(-1, *HEAD_INPUT_SHAPE).astype(np.float32)
            features[asked], predicted[asked] = self.models.genre_head(batch)
        return features, predicted

    def _write_heldout(self, tracks: pd.DataFrame, heldout: Heldout) -> pd.DataFrame:
        """Replace the head's predictions for its training tracks; return the tracks with folds."""
        predicted = np.load(self.folder / "genre_probabilities.npy", allow_pickle=False)
        features = np.zeros((len(tracks), genre_head.DIM), np.float32)
        folds = np.full(len(tracks), -1)
        for row, sha256 in enumerate(tracks["sha256"]):
            if (position := heldout.position(sha256)) is None:
                continue
            predicted[row] = heldout.probabilities[position]
            features[row] = heldout.features[position]
            folds[row] = heldout.folds[position]
        storage.save(self.folder, "genre_head_heldout", features)
        storage.save(self.folder, "genre_probabilities", predicted)
        return tracks.assign(genre_fold=folds)

    def _copy_own_models(self, used: Sequence[str]) -> dict[str, str]:
        """Copy models that aren't bundled, with their cards, and return their file names."""
        own = {}
        for name in storage.OWN_MODELS:
            if name not in used or self.models.file(name) == paths.MODELS / FILES.get(name, ""):
                continue
            source = self.models.file(name)
            own[name] = f"model_{name}.npz"
            shutil.copyfile(source, self.folder / own[name])
            if (card := source.with_suffix(".md")).is_file():
                shutil.copyfile(card, self.folder / f"model_{name}.md")
        return own


def _write_skipped(folder: Path, skipped: Sequence[Skipped]) -> None:
    rows = sorted((item.file, item.reason) for item in skipped)
    cells = [list(map(to_cell, row)) for row in rows]
    table = pd.DataFrame(cells, columns=["file", "reason"])
    table.to_csv(folder / storage.SKIPPED, index=False, encoding="utf-8", lineterminator="\n")
