"""Test that indexing survives being killed: stop a run by SIGKILL at random moments.

A copy of some bundled clips is indexed once without interruption. Then the same command is started
repeatedly with another destination, and killed after a random time, uniform between half of a run with a
single clip (mostly imports) and the whole uninterrupted run. Whenever a run completes anyway, its index
must be identical byte for byte to the uninterrupted one, and a new destination is started, until the
requested number of kills; the last run may complete. Files finished before a kill must still be finished
at the next.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from soundalike import paths
from soundalike.indexing import checkpoint, workspace

PROGRAM = Path(sys.executable).with_name("soundalike")


def command(library: Path, out: Path, names: list[str], workers: int) -> list[str]:
    """The command to kill."""
    asked = [part for name in names for part in ("--representation", name)]
    own = ["--no-cache", "--workers", str(workers), "--json"]
    return [str(PROGRAM), "index", str(library), "--out", str(out), *asked, *own]


def contents(folder: Path) -> dict[str, str]:
    """Checksum of every file of an index."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())
    }


def finished(out: Path) -> set[str]:
    """Checksums of the files that a killed run has finished."""
    store = workspace.beside(out) / checkpoint.FILE
    if not store.is_file():
        return set()
    with closing(sqlite3.connect(store)) as connection:
        return {sha256 for (sha256,) in connection.execute("SELECT sha256 FROM files")}


def library_of(folder: Path, count: int) -> Path:
    """A folder with some of the bundled clips."""
    folder.mkdir()
    for clip in sorted((paths.LIBRARY / "clips").iterdir())[:count]:
        shutil.copyfile(clip, folder / clip.name)
    return folder


@dataclass
class Fared:
    """Results of a command that was killed repeatedly.

    Attributes
    ----------
    first : seconds for a single clip
    seconds : seconds without interruption
    files : number of files in the index
    finished : number of clips finished at each kill; "whole" if the index was complete
    lost : clips that were finished at a kill and not at the next
    runs : number of completed runs
    differing : files of an index that differ from the uninterrupted run's
    """

    first: float
    seconds: float
    files: int
    finished: list[str] = field(default_factory=list)
    lost: int = 0
    runs: int = 0
    differing: set[str] = field(default_factory=set)


def try_out(library: Path, folder: Path, names: list[str], workers: int, kills: int, seed: int) -> Fared:
    """Index a library without interruption, and then with `kills` kills; both in a folder."""
    draw = random.Random(seed)
    calm, killed = folder / "calm", folder / "killed"
    single = folder / "single"
    single.mkdir()
    shutil.copy(min(library.iterdir()), single)
    first = _undisturbed(command(single, folder / "first", names, workers))
    seconds = max(_undisturbed(command(library, calm, names, workers)), first)
    once = contents(calm)
    fared = Fared(first, seconds, len(once))
    while len(fared.finished) < kills or finished(killed) or not fared.runs:
        before = finished(killed)
        last = len(fared.finished) == kills
        if not _completes(
            command(library, killed, names, workers), None if last else draw.uniform(first / 2, seconds)
        ):
            whole = killed.is_dir()
            fared.finished.append("whole" if whole else str(len(finished(killed))))
            fared.lost += 0 if whole else len(before - finished(killed))
            continue
        again = contents(killed)
        fared.differing |= {n for n in once.keys() | again.keys() if once.get(n) != again.get(n)}
        fared.runs += 1
        shutil.rmtree(killed)
    return fared


def _undisturbed(asked: list[str]) -> float:
    """Run a command to the end; return its seconds."""
    began = time.monotonic()
    subprocess.run(asked, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def _completes(asked: list[str], seconds: float | None) -> bool:
    """Run a command, and kill it after a time; return whether it completed before."""
    run = subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        said = run.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        run.kill()
        run.communicate()
        return False
    if run.returncode:
        sys.exit(f"the command failed: {said.decode(errors='replace')}")
    return True


def main() -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--representation", action="append", dest="names")
    chosen = parser.parse_args()
    names = chosen.names or ["soundalike", "vgg_genre", "vgg_mel", "genre_head"]
    with tempfile.TemporaryDirectory() as folder:
        library = library_of(Path(folder) / "library", chosen.clips)
        fared = try_out(library, Path(folder), names, chosen.workers, chosen.kills, chosen.seed)
    print(f"undisturbed: {fared.first:.1f} s for one clip, {fared.seconds:.1f} s for {chosen.clips}")
    print(f"by {', '.join(names)}")
    print(f"clips finished at each of {len(fared.finished)} kills: {', '.join(fared.finished)}")
    print(f"finished clips lost: {fared.lost}")
    print(
        f"{fared.runs} runs came to their end; of {fared.files} files each, different from the "
        f"undisturbed run's: {', '.join(sorted(fared.differing)) or 'none'}"
    )
    sys.exit(bool(fared.differing or fared.lost))


if __name__ == "__main__":
    main()
