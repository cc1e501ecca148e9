"""Rebuild the clips of assets/library from its tracks.csv.

Every row of tracks.csv names a Debian package, its version and a file inside it. This script downloads
the packages, unpacks them without installing anything, cuts the excerpt, sets its loudness with one
static gain and encodes it to Ogg Opus.

Needs apt-get and dpkg-deb (a Debian or Ubuntu machine with a source that still carries the versions
listed) and ffmpeg with libopus and libopenmpt; only Python's standard library.

    python scripts/build_library.py --out DIR
    python scripts/build_library.py --out DIR --only 0001,0002

Another ffmpeg or libopus gives the same music but other bytes. A checksum that differs from the sha256
column is therefore reported but isn't an error.
"""

import argparse
import csv
import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "assets" / "library"
TARGET_LUFS = -16.0
PEAK_DBTP = -1.0
MAX_GAIN_DB = 24.0
"""Maximum gain, to avoid amplifying near-silence."""
BIT_RATE = "40k"


class BuildError(Exception):
    """A package, file or clip is unavailable; the message has the reason."""


def main() -> int:
    """Build every missing clip; return 1 if any failed."""
    options = _options()
    options.cache.mkdir(parents=True, exist_ok=True)
    cache = options.cache.resolve()
    wanted = set(filter(None, options.only.split(",")))
    with options.tracks.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if not wanted or row["track_id"] in wanted]
    failed = differing = 0
    for row in rows:
        target = options.out / row["file"]
        if target.is_file() and _sha256(target) == row["sha256"]:
            continue
        try:
            build_clip(row, target, cache)
        except (BuildError, OSError, zipfile.BadZipFile) as error:
            failed += 1
            print(f"{row['track_id']} {row['package']}: {error}", file=sys.stderr)
            continue
        differing += _sha256(target) != row["sha256"]
    print(f"{len(rows)} tracks, {failed} failed, {differing} with other bytes than listed")
    return 1 if failed else 0


def build_clip(row: dict[str, str], target: Path, cache: Path) -> None:
    """Make one clip from its row of tracks.csv."""
    root = unpack(row["package"], row["package_version"], cache)
    sources = locate(root, row["path_in_package"])
    cut(sources, float(row["start_s"]), float(row["duration_s"]), target)


def unpack(package: str, version: str, cache: Path) -> Path:
    """Download one package of one version and unpack it; return its root folder."""
    root = cache / f"{package}_{version.replace(':', '%3a')}"
    if root.is_dir():
        return root
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        _run(["apt-get", "download", f"{package}={version}"], folder=Path(temporary))
        archive = next(Path(temporary).glob("*.deb"))
        unpacked = Path(temporary) / "root"
        _run(["dpkg-deb", "-x", str(archive), str(unpacked)])
        unpacked.rename(root)
    return root


def locate(root: Path, path_in_package: str) -> list[Path]:
    """The audio files referenced by a path_in_package cell.

    "a.ogg" is one file, "a.ogg + b.ogg" are stems to be mixed, and "a.pk3!b.ogg" is a file inside a
    zip archive.
    """
    found = []
    for part in path_in_package.split(" + "):
        outer, _, inner = part.partition("!")
        path = root / outer.lstrip("/")
        if inner:
            folder = path.parent / (path.name + ".unzipped")
            with zipfile.ZipFile(path) as archive:
                path = Path(archive.extract(inner.lstrip("/"), folder))
        if not path.is_file():
            raise BuildError(f"{part} is not in the package")
        found.append(path)
    return found


def cut(sources: Sequence[Path], start_s: float, duration_s: float, target: Path) -> None:
    """Cut one excerpt to Ogg Opus at the common loudness, without any metadata."""
    inputs = _input_arguments(sources, start_s, duration_s)
    loudness, peak = _measure(inputs, len(sources))
    gain = min(TARGET_LUFS - loudness, PEAK_DBTP - peak, MAX_GAIN_DB)
    target.parent.mkdir(parents=True, exist_ok=True)
    graph = _filter_graph(len(sources), f"volume={gain:.2f}dB")
    _run(
        ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", graph, "-map", "[out]"]
        + ["-map_metadata", "-1", "-map_chapters", "-1"]
        + ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-serial_offset", "1"]
        + ["-c:a", "libopus", "-b:a", BIT_RATE, "-vbr", "on", str(target)]
    )


def _measure(inputs: Sequence[str], count: int) -> tuple[float, float]:
    """Integrated loudness (LUFS) and true peak (dBTP) of an excerpt."""
    graph = _filter_graph(count, "ebur128=peak=true")
    report = _run(
        ["ffmpeg", "-hide_banner", "-nostats", *inputs, "-filter_complex", graph]
        + ["-map", "[out]", "-f", "null", "-"]
    )
    summary = report.rsplit("Summary:", 1)[-1]
    loudness = re.search(r"I:\s+(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", summary)
    if loudness is None or peak is None:
        raise BuildError("ffmpeg did not report a loudness")
    return float(loudness.group(1)), float(peak.group(1))


def _input_arguments(sources: Sequence[Path], start_s: float, duration_s: float) -> list[str]:
    arguments: list[str] = []
    for source in sources:
        arguments += ["-ss", f"{start_s:.2f}", "-t", f"{duration_s:.2f}", "-i", str(source)]
    return arguments


def _filter_graph(count: int, tail: str) -> str:
    """Filter graph that joins `count` inputs, converts to 48 kHz stereo, then applies `tail`."""
    joined = "".join(f"[{i}:a:0]" for i in range(count))
    mix = f"amix=inputs={count}:normalize=0," if count > 1 else ""
    return f"{joined}{mix}aresample=48000,aformat=sample_fmts=flt:channel_layouts=stereo,{tail}[out]"


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    """Run a command and return what it wrote to standard error."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise BuildError(f"{command[0]} failed: {done.stderr.strip()[-400:]}")
    return done.stderr


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=Path, default=LIBRARY / "tracks.csv")
    parser.add_argument("--out", type=Path, default=LIBRARY, help="folder that gets clips/")
    parser.add_argument("--cache", type=Path, default=Path("package-cache"))
    parser.add_argument("--only", default="", help="comma-separated track_ids")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
