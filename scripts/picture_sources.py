"""What the pictures in docs/pictures are drawn from, and whether that has changed since they were taken.

A page is drawn from `app.py`, its own file in `pages/`, the modules of `soundalike.ui` that it imports,
directly or not, the scripts and styles that these name, and the theme in `.streamlit/config.toml`.
Another page's own folder is left out, and so are the server's guards and what the rest of the library
says of a track.

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
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
RECORD = PICTURES / "sources.json"
UI = ROOT / "src" / "soundalike" / "ui"
UNSEEN = UI / "middleware"
PAGES = tuple(sorted(path.stem for path in (ROOT / "pages").glob("*.py")))
TOUR = "tour"
ON_TOUR = ("recommend", "map")
"""The pages that the moving picture shows."""
SHARED = (ROOT / "app.py", ROOT / ".streamlit" / "config.toml")
DIGITS = 16


def files_of(name: str) -> list[Path]:
    """The files that a page, or the tour, is drawn from."""
    if name == TOUR:
        return sorted({path for page in ON_TOUR for path in files_of(page)})
    found: set[Path] = set()
    waiting = [*SHARED, ROOT / "pages" / f"{name}.py"]
    while waiting:
        path = waiting.pop()
        if path not in found and not _of_another_page(path, name):
            found.add(path)
            if path.suffix == ".py":
                waiting += used_by(path.read_text(encoding="utf-8"))
    return sorted(found)


def used_by(source: str) -> list[Path]:
    """The modules of the user interface, and its scripts and styles, that a module names."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(*(_modules(alias.name) for alias in node.names))
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
            found.update(*(_modules(name) for name in names))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(_frontend(node.value))
    return sorted(found)


def _modules(name: str) -> Iterator[Path]:
    """The file of a module of the user interface; none where the name is another's or no module's."""
    if name != "soundalike.ui" and not name.startswith("soundalike.ui."):
        return
    place = UI.joinpath(*name.split(".")[2:])
    if not place.is_relative_to(UNSEEN):
        yield from filter(Path.is_file, (place.with_suffix(".py"), place / "__init__.py"))


def _frontend(text: str) -> Iterator[Path]:
    """The script or style of that name, and the style that goes with the script."""
    if re.fullmatch(r"\w+\.(js|css)", text):
        place = UI / "frontend" / text
        yield from filter(Path.is_file, {place, place.with_suffix(".css")})


def _of_another_page(path: Path, name: str) -> bool:
    return path.parent.parent == UI and path.parent.name in set(PAGES) - {name}


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
        text = _without_comments(_without_docstrings(text))
    elif suffix == ".css":
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    elif suffix == ".toml":
        text = re.sub(r"^#.*$", "", text[text.find("[theme") :], flags=re.MULTILINE)
    elif suffix == ".js":
        text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _without_docstrings(text: str) -> str:
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        for said in _bare_strings(node):
            lines[said.lineno - 1 : said.end_lineno] = [""] * len(
                lines[said.lineno - 1 : said.end_lineno]
            )
    return "\n".join(lines)


def _bare_strings(node: ast.AST) -> Iterator[ast.Expr]:
    """The strings that stand alone: at the head of a module, class or function, or below a name."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        for statement in node.body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield statement


def _without_comments(text: str) -> str:
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
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
