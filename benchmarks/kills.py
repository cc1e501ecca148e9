"""Does indexing survive being killed? An index run is stopped by SIGKILL at random moments.

A copy of some of the bundled clips is indexed once undisturbed. Then the same command is started again
and again on another destination, and killed after a random time, drawn evenly from nothing to as long as
the undisturbed run took. Whenever it gets to its end in spite of that, the index has to be the same as
the undisturbed one to the last byte, and a new destination is begun, until there were as many kills as
asked for; the last is let run to its end. What was finished at a kill must still be there at the next.
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
from pathlib import Path

from soundalike import paths, work_store, workshop

PROGRAM = Path(sys.executable).with_name("soundalike")


def command(library: Path, out: Path, names: list[str], workers: int) -> list[str]:
    """The command that is killed."""
    asked = [part for name in names for part in ("--representation", name)]
    own = ["--no-cache", "--workers", str(workers), "--json"]
    return [str(PROGRAM), "index", str(library), "--out", str(out), *asked, *own]


def contents(folder: Path) -> dict[str, str]:
    """The checksum of every file of an index."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())
    }


def finished(out: Path) -> set[str]:
    """The checksums of the files that a killed run has finished."""
    store = workshop.beside(out) / work_store.FILE
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


def main() -> None:
    """Print how a run fared that was killed so often."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--representation", action="append", dest="names")
    chosen = parser.parse_args()
    names = chosen.names or ["soundalike", "vgg_genre", "vgg_mel", "genre_head"]
    draw = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as folder:
        library = library_of(Path(folder) / "library", chosen.clips)
        calm, killed = Path(folder) / "calm", Path(folder) / "killed"
        began = time.monotonic()
        subprocess.run(
            command(library, calm, names, chosen.workers), check=True, stdout=subprocess.DEVNULL
        )
        whole = time.monotonic() - began
        print(f"undisturbed: {whole:.1f} s for {chosen.clips} clips by {', '.join(names)}")
        lost = rounds = 0
        differing: set[str] = set()
        at_the_kills: list[str] = []
        once = contents(calm)
        while len(at_the_kills) < chosen.kills or finished(killed):
            before = finished(killed)
            run = subprocess.Popen(
                command(library, killed, names, chosen.workers),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            last = len(at_the_kills) == chosen.kills
            try:
                code = run.wait(None if last else draw.uniform(0, whole))
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
                after = finished(killed)
                at_the_kills.append("whole" if killed.is_dir() else str(len(after)))
                lost += 0 if killed.is_dir() else len(before - after)
                continue
            if code:
                sys.exit(f"the command failed: {run.communicate()[1].decode()}")
            again = contents(killed)
            differing |= {n for n in once.keys() | again.keys() if once.get(n) != again.get(n)}
            rounds += 1
            shutil.rmtree(killed)
        print(f"files finished at each of {len(at_the_kills)} kills: {', '.join(at_the_kills)}")
        print(f"finished files lost: {lost}")
        print(f"{rounds} runs came to their end; {len(once)} files each, different: {len(differing)}")
    sys.exit(bool(differing or lost))


if __name__ == "__main__":
    main()
