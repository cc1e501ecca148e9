"""Compare what is read of files with ffprobe and with a second tag reader, tinytag.

    pip install tinytag==2.3.2
    python benchmarks/tag_readers.py [FOLDER] [--ffprobe PATH]

Without a folder, both trees of `tests/support/tagged_tree.py` are made and read. Prints, for each ending
and fact, how many files both readers have another value for, and then the differing values, each once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from soundalike.audio import decoding, tags
from soundalike.datasets import library
from soundalike.errors import AudioError

FACTS = (*tags.NAMES, "rate", "channels", "seconds")
TOLERANCE_S = 0.15
_SUPPORT = Path(__file__).resolve().parents[1] / "tests" / "support"
_NAMES_OF_FFPROBE = {"title": "title", "artist": "artist", "album": "album", "genre": "genre"}

Facts = dict[str, str | float | None]
Reader = Callable[[Path], Facts]


def ours(path: Path) -> Facts:
    """Soundalike's facts."""
    header = decoding.probe(path)
    found: Facts = dict(tags.read(path))
    length = decoding.decode(path).source_duration
    return found | {"rate": header.sample_rate, "channels": header.channels, "seconds": length}


def by_ffprobe(program: str) -> Reader:
    """A reader of ffprobe's facts."""

    def read(path: Path) -> Facts:
        asked = [program, "-v", "error", "-of", "json", "-show_format", "-show_streams", str(path)]
        said = json.loads(subprocess.run(asked, capture_output=True, check=False).stdout or "{}")
        sound = [one for one in said.get("streams", []) if one.get("codec_type") == "audio"]
        if not sound:
            return {}
        every = sound[0].get("tags", {}) | said["format"].get("tags", {})
        named = {name.lower(): text for name, text in every.items()}
        found = texts(named.get(name) for name in _NAMES_OF_FFPROBE)
        year = named.get("date") or named.get("year") or ""
        return found | {
            "year": year[:4] or None,
            "rate": int(sound[0]["sample_rate"]),
            "channels": int(sound[0]["channels"]),
            "seconds": float(said["format"].get("duration", 0)) or None,
        }

    return read


def by_tinytag(path: Path) -> Facts:
    """The facts of tinytag."""
    tinytag: Any = import_module("tinytag")
    try:
        said = tinytag.TinyTag.get(path)
    except tinytag.TinyTagException:
        return {}
    found = texts(getattr(said, name) for name in _NAMES_OF_FFPROBE)
    year = str(said.year or "")[:4] or None
    return found | {
        "year": year,
        "rate": said.samplerate,
        "channels": said.channels,
        "seconds": said.duration,
    }


def texts(values: Iterable[object]) -> Facts:
    """Tags in the order of `_NAMES_OF_FFPROBE`, each on one line as we have them."""
    lines = [tags.clean(str(value)) if value else None for value in values]
    return dict(zip(_NAMES_OF_FFPROBE, lines, strict=True))


def differs(fact: str, one: str | float | None, other: str | float | None) -> bool:
    """Whether two readers have different values."""
    if fact == "seconds" and one and other:
        return abs(float(one) - float(other)) > TOLERANCE_S
    return (one or None) != (other or None)


def compare(folder: Path, readers: Mapping[str, Reader]) -> None:
    """Print the table and the differences of a folder's files."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    seen: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for file in library.find(folder).tracks["file"]:
        path, ending = folder / file, Path(file).suffix.lower()
        try:
            own = ours(path)
        except AudioError:
            continue
        counts[ending]["files"] += 1
        for reader, read in readers.items():
            said = read(path)
            for fact in FACTS:
                if differs(fact, own.get(fact), said.get(fact)):
                    counts[ending][f"{reader} {fact}"] += 1
                    seen[reader, ending, fact].append(f"{own.get(fact)!r} / {said.get(fact)!r} ({file})")
    print(f"\n| ending | files | {' | '.join(FACTS)} |\n|---|--:|{'--:|' * len(FACTS)}")
    for ending, count in sorted(counts.items()):
        cells = [" / ".join(str(count[f"{reader} {fact}"]) for reader in readers) for fact in FACTS]
        print(f"| {ending} | {count['files']} | {' | '.join(cells)} |")
    print(f"\nDifferent values, ours / theirs ({' / '.join(readers)}):")
    for (reader, ending, fact), found in sorted(seen.items()):
        print(f"  {reader}, {ending}, {fact}: {len(found)}, such as {found[0]}")


def main() -> int:
    """Compare a folder, or the made-up trees."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--ffprobe", default="ffprobe")
    asked = parser.parse_args()
    readers = {"ffprobe": by_ffprobe(asked.ffprobe), "tinytag": by_tinytag}
    if asked.folder is not None:
        compare(asked.folder, readers)
        return 0
    sys.path.append(str(_SUPPORT))
    tagged_tree: Any = import_module("tagged_tree")
    for build in (tagged_tree.build_tagged, tagged_tree.build_collection):
        with TemporaryDirectory() as folder:
            build(Path(folder))
            compare(Path(folder), readers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
