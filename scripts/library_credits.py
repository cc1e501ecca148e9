"""Write assets/library/CREDITS.md from its tracks.csv.

    python scripts/library_credits.py

Needs apt-cache, which knows the source package of each package; only Python's standard library.
"""

import csv
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "assets" / "library"

INTRODUCTION = """\
# Credits

The starter library holds {clips} short excerpts of music that comes with free games
and a few other free programs, taken from {packages} packages of the `main` section of Debian 12
(bookworm). Each excerpt stays under the licence of the piece it was cut from; the cut,
the loudness and the encoding are the only changes. Thank you to everyone named here.

Licences are written as SPDX identifiers. `LicenseRef-public-domain` means that the
package calls the recording public domain, and `LicenseRef-EFF-OAL-1.0` is the Open Audio
License of the Electronic Frontier Foundation. The full texts lie in
`/usr/share/common-licenses` and in each package's own `copyright` file. "By a blanket
clause" means that the file puts everything in the package under one licence and doesn't
name the music; a licence before 0479 in [tracks.csv](tracks.csv) wasn't told apart this way.

Where no composer is named anywhere in a package, the artist is the team or studio that
holds the copyright, or `Unknown artist`. The row of every single clip, with its file in
the package and its licence, is in [tracks.csv](tracks.csv).
"""

ATTRIBUTION = {
    "0ad-data": "By Wildfire Games, <http://www.wildfiregames.com/>, under "
    "<http://creativecommons.org/licenses/by-sa/3.0/>",
}
"""Attributions that a package asks for in so many words."""


def main() -> int:
    """Write the file."""
    with (LIBRARY / "tracks.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault((row["album"], row["package"]), []).append(row)
    packages = len({row["package"] for row in rows})
    parts = [INTRODUCTION.format(clips=len(rows), packages=packages)]
    parts += [section(groups[key]) for key in sorted(groups, key=lambda key: key[0].casefold())]
    (LIBRARY / "CREDITS.md").write_text("\n".join(parts), encoding="utf-8")
    return 0


def section(rows: list[dict[str, str]]) -> str:
    """The credits of one package's clips."""
    first = rows[0]
    package = first["package"]
    source = source_of(package)
    of_source = "" if source == package else f" (source package `{source}`)"
    artists = sorted({row["artist"] for row in rows}, key=str.casefold)
    lines = [
        f"## {first['album']}\n",
        f"- Package: `{package}` {first['package_version']}{of_source}",
        f"- Licence: {licences(rows)}",
        f"- Artists: {', '.join(artists)}",
        f"- Clips: {len(rows)} ({', '.join(row['track_id'] for row in rows)})",
    ]
    if package in ATTRIBUTION:
        lines.append(f"- Attribution: {ATTRIBUTION[package]}")
    return "\n".join(lines) + "\n"


def licences(rows: list[dict[str, str]]) -> str:
    """The licences of some clips, with their numbers where there are several."""
    counts = Counter(
        row["licence"] + (" by a blanket clause" if "blanket clause" in row["licence_source"] else "")
        for row in rows
    )
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{licence} ({count})" for licence, count in counts.most_common())


def source_of(package: str) -> str:
    """The source package of a package."""
    shown = subprocess.run(
        ["apt-cache", "show", "--no-all-versions", package], capture_output=True, text=True, check=True
    )
    found = re.search(r"^Source: (\S+)", shown.stdout, re.MULTILINE)
    return found[1] if found else package


if __name__ == "__main__":
    sys.exit(main())
