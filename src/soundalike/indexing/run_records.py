"""Records of the runs that a page of the app has started: one per index, in a file beside it.

They outlive the server. What a run was doing when the server ended is in its record, so another server
can go on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from soundalike.datasets.library import Skipped

State = Literal["running", "stopping", "stopped", "failed", "finished"]
UNDER_WAY: tuple[State, ...] = ("running", "stopping")
LISTED = 200
"""Skipped files that a record lists; the index lists them all."""
_ENDING = ".run.json"


@dataclass(frozen=True)
class Run:
    """A run over a folder, under way or ended.

    Attributes
    ----------
    name : of the index, which is also the library's
    source : the folder of music
    state : what has become of it; "stopped" and "failed" runs can go on
    step : what is being done
    found : number of audio files; 0 until they have been listed
    done : number of files that have been dealt with
    skipped : number of files that were left out
    reasons : the first of those, with the reasons
    passed_over : number of files of kinds that are not read, by extension
    rate : files analysed per second
    left : seconds until all files are analysed, if known
    tracks : number of tracks in the index; 0 if there is none yet
    error : why it failed
    changed : when this was so, in seconds since the epoch
    """

    name: str
    source: str
    state: State = "running"
    step: str = "Starting"
    found: int = 0
    done: int = 0
    skipped: int = 0
    reasons: tuple[Skipped, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    rate: float = 0.0
    left: float | None = None
    tracks: int = 0
    error: str = ""
    changed: float = field(default_factory=time.time)

    @property
    def is_under_way(self) -> bool:
        """Whether a process works on it, as far as the record knows."""
        return self.state in UNDER_WAY

    @property
    def share(self) -> float:
        """The share of the files that have been dealt with, from 0 to 1."""
        return min(self.done / self.found, 1.0) if self.found else 0.0


def path(folder: Path, name: str) -> Path:
    """Where the record of an index is kept."""
    return folder / f".{name}{_ENDING}"


def write(folder: Path, run: Run) -> None:
    """Write a run's record in one step.

    Raises
    ------
    OSError
        If it can't be written.
    """
    target = path(folder, run.name)
    aside = target.with_name(f"{target.name}.part")
    aside.write_text(json.dumps(asdict(run)), encoding="utf-8")
    aside.replace(target)


def read(folder: Path) -> list[Run]:
    """The records in a folder, the latest first; those that can't be read are left out."""
    try:
        files = list(folder.glob(f".*{_ENDING}"))
    except OSError:
        return []
    found = [run for run in map(_read, files) if run is not None and path(folder, run.name) in files]
    return sorted(found, key=lambda run: -run.changed)


def _read(file: Path) -> Run | None:
    try:
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        reasons = tuple(Skipped(item["file"], item["reason"]) for item in values.pop("reasons"))
        return Run(**values, reasons=reasons)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
