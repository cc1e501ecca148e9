"""Read and write the results of `soundalike evaluate`.

`soundalike evaluate INDEX --save` writes `evaluation.json` into the index folder. It is shown only if it
belongs to the current index: it contains the fingerprint of the library and its representations.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from soundalike import paths, representations
from soundalike.errors import IndexFolderError
from soundalike.index.index import Index

FILE = "evaluation.json"
OWN = "This library"
"""Title of the results on the index's own tracks."""
OTHER_CLIPS = paths.ASSETS / "evaluation" / "eval_clips.json"
"""Results of the same representations on labelled clips that nothing in the project was trained on."""

_KNOWN = {"tracks", "chance", "labels", "representations"}


@dataclass(frozen=True)
class Report:
    """Evaluation results on one collection.

    Attributes
    ----------
    title : title of the collection, for users
    document : document from `runner.evaluate`
    """

    title: str
    document: dict[str, Any]

    @property
    def held_out(self) -> bool:
        """Whether the figures are held-out ones, because a model was trained on these labels."""
        items = self.document["representations"]
        return any(i["trained_on"] for i in items) and all(i["precision_at_10_held_out"] for i in items)

    @property
    def chance(self) -> float:
        """Precision at 10 of a random ranking, with the artist filter."""
        if self.held_out:
            return float(self.document["representations"][0]["precision_at_10_held_out"]["chance"])
        return float(self.document["chance"])

    @property
    def asked(self) -> str:
        """Description of the labels and number of tracks behind the headline figures."""
        labels = self.document["labels"]
        chosen = labels["sets"][labels["headline"]]
        return f"{chosen['is']} ({chosen['queries']:,} of {self.document['tracks']:,} tracks)"

    def table(self) -> pd.DataFrame:
        """The headline figures, one row per representation, highest precision first.

        If a model was trained on the labels, precision is held out: among the tracks of one fold of the
        cross-validation, by the genre head that wasn't trained on them.
        """
        rows = [_row(item, self.held_out) for item in self.document["representations"]]
        return pd.DataFrame(rows).sort_values(
            "precision", ascending=False, kind="stable", ignore_index=True
        )

    def changed_copies(self, name: str) -> pd.DataFrame:
        """A representation's robustness to changed copies, one row per change, in shares.

        Empty if it wasn't measured, or if the results are from a version without the share of the ten
        nearest that is kept.
        """
        titles = self.document.get("changes", {})
        measured = {item["name"]: item.get("robustness") for item in self.document["representations"]}
        rows = [
            {
                "change": titles[change],
                "kept": found["kept"]["mean"],
                "first": found["ranked_first"],
                "known": (found["known"] or {}).get("mean"),
            }
            for change, found in (measured.get(name) or {}).items()
            if change in titles and found["tracks"]
        ]
        return pd.DataFrame(rows)


def save(index: Index, document: dict[str, Any]) -> Path:
    """Save an index's results in its folder; return the file's path."""
    path = index.folder / FILE
    content = document | {"fingerprint": index.manifest["library"]["fingerprint"]}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def reports(index: Index) -> list[Report]:
    """The available results: for the index's own tracks, and for the labelled clips.

    Raises
    ------
    IndexFolderError
        If a results file is damaged.
    """
    found = []
    if (index.folder / FILE).is_file():
        own = _read(index.folder / FILE)
        if own.get("fingerprint") == index.manifest["library"]["fingerprint"]:
            found.append(Report(OWN, own))
    if OTHER_CLIPS.is_file():
        found.append(Report("Labelled clips", _read(OTHER_CLIPS)))
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        state = path.stat()
    except OSError as error:
        raise _damaged(path) from error
    return _read_once(path, (state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=8)
def _read_once(path: Path, stamp: tuple[int, int]) -> dict[str, Any]:
    """A file as of a modification time, cached: parsing half a megabyte of JSON per page run is slow."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        complete = document.keys() >= _KNOWN and bool(document["representations"])
        report = Report("", document)
        for name in report.table()["name"]:
            report.changed_copies(name)
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    if not complete:
        raise _damaged(path)
    return dict(document)


def _damaged(path: Path) -> IndexFolderError:
    return IndexFolderError(
        f"The figures in {path} cannot be read. Run `soundalike evaluate INDEX --save` again."
    )


def _row(item: dict[str, Any], held_out: bool) -> dict[str, Any]:
    name, plain = item["name"], item["precision_at_10_artist_filter"]
    known = representations.REGISTRY.get(name)
    found = item["precision_at_10_held_out"]
    low, high = item["precision_at_10_artist_filter_interval"]
    return {
        "name": name,
        "title": known.title if known else item["title"],
        "precision": found["mean"] if held_out else plain,
        "low": found["low"] if held_out else low,
        "high": found["high"] if held_out else high,
        "all_tracks": plain if held_out else None,
        "unfiltered": item["precision_at_10"],
        "map": item["map_artist_filter"],
        "skew": item["hubness_skew"],
        "orphans": item["orphans"],
        "shift": item["shift_similarity"],
        "dim": item["dim"],
        "ms": item["ms_per_track"],
        "bytes": item["bytes_per_track"],
        "trained_on": item["trained_on"],
    }
