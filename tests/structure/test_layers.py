"""Who may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "soundalike"
HEAVY = {"tensorflow", "keras", "numba", "librosa", "matplotlib", "sklearn", "umap"}
NUMERICS = {"numpy", "scipy", "librosa", "tensorflow", "keras", "sklearn"}
LIGHT_MODULES = (
    "soundalike.index.index",
    "soundalike.playlist.playlist",
    "soundalike.playlist.query",
    "soundalike.representations",
    "soundalike.ui.figures",
)


def imports(path: Path) -> set[str]:
    """The top-level names of everything that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def named(paths: list[Path]) -> dict[str, Path]:
    assert paths
    return {str(path.relative_to(ROOT)): path for path in sorted(paths)}


LIBRARY = named([path for path in PACKAGE.rglob("*.py") if "ui" not in path.relative_to(PACKAGE).parts])
PAGES = named([ROOT / "app.py", *(ROOT / "pages").glob("*.py")])


def test_imports_are_found(tmp_path: Path) -> None:
    code = "import a.b\nfrom c.d import e\nfrom . import f\ndef g():\n    import h as i\n"
    (tmp_path / "x.py").write_text(code)
    assert imports(tmp_path / "x.py") == {"a", "c", "h"}


@pytest.mark.parametrize("path", LIBRARY.values(), ids=LIBRARY)
def test_library_knows_no_streamlit(path: Path) -> None:
    assert "streamlit" not in imports(path)


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_pages_hold_no_numerics(path: Path) -> None:
    assert not imports(path) & NUMERICS


@pytest.mark.parametrize("path", LIBRARY.values(), ids=LIBRARY)
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Import):
            assert not {alias.name.partition(".")[0] for alias in node.names} & HEAVY
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] not in HEAVY


def test_what_the_first_page_imports_is_light() -> None:
    code = f"import sys, {', '.join(LIGHT_MODULES)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "soundalike" in loaded
    assert not loaded & (HEAVY | {"streamlit"})
