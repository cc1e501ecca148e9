"""What the pictures in docs/pictures are drawn from, and whether that has changed since they were taken.

A page is drawn from `app.py`, its own file in `pages/`, the modules, scripts and styles of
`soundalike.ui` except other pages' own and the server's guards, and the theme in
`.streamlit/config.toml`. What the rest of the library says of a track is left out.

docs/pictures/sources.json keeps a checksum of each of these files as it was when the picture was taken.
Comments, docstrings and empty lines don't count, since nobody sees them.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import tokenize
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
RECORD = PICTURES / "sources.json"
UI = ROOT / "src" / "soundalike" / "ui"
UNSEEN = UI / "middleware"
"""The server's guards are in no picture."""
PAGES = tuple(sorted(path.stem for path in (ROOT / "pages").glob("*.py")))
TOUR = "tour"
ON_TOUR = ("recommend", "map")
"""The pages that the moving picture shows."""
SHARED = (ROOT / "app.py", ROOT / ".streamlit" / "config.toml")
OWNERS = {page: page for page in PAGES} | {
    "feature": "features",
    "playlist": "recommend",
    "explanation": "recommend",
}
"""The page that alone uses files of `soundalike.ui`, by the beginning of their names."""
DIGITS = 16


def files_of(name: str) -> list[Path]:
    """The files that a page, or the tour, is drawn from."""
    if name == TOUR:
        return sorted({path for page in ON_TOUR for path in files_of(page)})
    parts = [path for path in UI.rglob("*") if path.suffix in (".py", ".js", ".css")]
    shown = [path for path in parts if _owner(path) in ("", name) and UNSEEN not in path.parents]
    return sorted([*SHARED, ROOT / "pages" / f"{name}.py", *shown])


def _owner(path: Path) -> str:
    """The only page that uses a file of the user interface; "" if several do."""
    own = path.relative_to(UI).as_posix().removeprefix("frontend/")
    return next((page for word, page in OWNERS.items() if own.startswith(word)), "")


def checksums(name: str) -> dict[str, str]:
    """The checksum of each file that a page is drawn from, by its path from the project's folder."""
    return {str(path.relative_to(ROOT).as_posix()): checksum(path) for path in files_of(name)}


def checksum(path: Path) -> str:
    """The first digits of the SHA-256 of what can be seen of a file."""
    seen = visible(path.read_text(encoding="utf-8"), path.suffix)
    return hashlib.sha256(seen.encode()).hexdigest()[:DIGITS]


def visible(text: str, suffix: str) -> str:
    """A file's text without comments, docstrings and empty lines; of the settings only the theme."""
    if suffix == ".py":
        text = _without_comments(text)
    elif suffix == ".css":
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    elif suffix == ".toml":
        text = re.sub(r"^#.*$", "", text[text.find("[theme") :], flags=re.MULTILINE)
    elif suffix == ".js":
        text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _without_comments(text: str) -> str:
    """Python without comments and without strings that stand alone, such as docstrings."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            for row in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[row] = ""
    return "\n".join(lines)


def changed(name: str, recorded: dict[str, str]) -> list[str]:
    """The files of a page that are not as they were recorded; files that came or went count too."""
    now = checksums(name)
    return sorted(path for path in now.keys() | recorded if now.get(path) != recorded.get(path))


def complaint(name: str, files: list[str]) -> str:
    """What has changed since a page's pictures were taken, and what to do."""
    own = f"pages/{name}.py"
    files = sorted(files, key=lambda file: (file != own, file))
    listed = " and ".join(filter(None, [", ".join(files[:-1]), files[-1]]))
    pictures = f"{name}.webp was" if name == TOUR else f"{name}-*.webp were"
    verb = "has" if len(files) == 1 else "have"
    return f"{listed} {verb} changed since docs/pictures/{pictures} taken; run `make pictures`"


def read() -> dict[str, dict[str, str]]:
    """What was recorded of each page, and of the tour, when their pictures were taken."""
    if not RECORD.is_file():
        return {}
    recorded: dict[str, dict[str, str]] = json.loads(RECORD.read_text(encoding="utf-8"))
    return recorded


def record(names: Iterable[str]) -> None:
    """Write down what some pages are drawn from now."""
    kept = {name: files for name, files in read().items() if name in {*PAGES, TOUR}}
    kept |= {name: checksums(name) for name in names}
    RECORD.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
