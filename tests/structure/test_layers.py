"""Who may import what, and how large a module or a folder may become."""

from __future__ import annotations

import ast
import functools
import graphlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "soundalike"
RANKS = (
    *("audio", "features", "models", "representations", "datasets", "index", "words", "playlist"),
    *("projection", "analysis", "evaluation", "training", "indexing", "asgi"),
    *("service", "ui", "cli"),
)
"""The packages, each above those that it may import; below all of them are the modules of none."""
FRONT = {"soundalike.api", "soundalike.__main__"}
"""Modules in front of all packages. The package itself offers what the first has, once asked for it."""
LONGEST, MOST = 450, 20
"""Lines of a module, and modules of a folder."""
HEAVY = {"tensorflow", "keras", "numba", "librosa", "matplotlib", "sklearn", "umap"}
NUMERICS = {"numpy", "scipy", "librosa", "tensorflow", "keras", "sklearn"}
LIGHT_MODULES = (
    "soundalike.index.index",
    "soundalike.playlist.playlist",
    "soundalike.playlist.query",
    "soundalike.representations",
    "soundalike.ui.figures",
)


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def at_import_time(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run as a module is imported, those in a block of another among them."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.stmt):
            yield node


def imported(nodes: Iterable[ast.AST], module: str = "", modules: Iterable[str] = ()) -> set[str]:
    """The full names of what statements import: of a module where there is one of that name."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # One dot is the package that a module lies in, each further one the package above.
            near = module.split(".")[: -node.level] if node.level else []
            source = ".".join([*near, *filter(None, [node.module])])
            names = {f"{source}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else source for name in names}
    return found


def roots(nodes: Iterable[ast.AST]) -> set[str]:
    """The packages that statements import."""
    return {name.partition(".")[0] for name in imported(nodes)}


def rank(module: str) -> int:
    """A package's place among the ranks; 0 for a module that lies in none."""
    if module in FRONT:
        return len(RANKS)
    package = (module.split(".") + [""])[1]
    return RANKS.index(package) + 1 if package in RANKS else 0


def of_package(name: str) -> set[str]:
    """The modules that a package has."""
    found = {module for module in MODULES if module.startswith(f"soundalike.{name}.")}
    assert found
    return found


def test_imports_are_found() -> None:
    code = "import a.b\nfrom c.d import e\ntry:\n  import z\nfinally:\n  pass\nfrom .y import w, v\n"
    code += "if TYPE_CHECKING:\n  import t\nclass C:\n  import u\ndef g():\n  import h as i\n"
    tree = ast.parse(code)
    everywhere = imported(ast.walk(tree), "p.q", {"c.d.e", "p.y.w"})
    assert everywhere == {"a.b", "c.d.e", "z", "p.y.w", "p.y", "t", "u", "h"}
    assert imported(at_import_time(tree), "p.q") == {"a.b", "c.d", "z", "p.y", "u"}
    assert roots(ast.walk(tree)) >= {"a", "c", "z", "h"}
    assert [rank(name) for name in ("soundalike", "soundalike.paths")] == [0, 0]
    assert rank("soundalike.audio.clip") < rank("soundalike.features") < rank("soundalike.cli.main")


def test_every_package_has_a_rank() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(RANKS)


def test_a_package_imports_only_lower_ones() -> None:
    upwards = [
        f"{module} imports {other}"
        for module, path in MODULES.items()
        if module != "soundalike"
        for other in imported(ast.walk(parsed(path)), module, MODULES)
        if other.partition(".")[0] == "soundalike" and rank(other) > rank(module)
    ]
    assert upwards == []


def test_no_circle_of_modules() -> None:
    graph = {
        module: imported(at_import_time(parsed(path)), module, MODULES) & MODULES.keys()
        for module, path in MODULES.items()
    }
    assert sum(map(len, graph.values())) > len(MODULES)
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_no_module_is_long_and_no_folder_full() -> None:
    paths = [*MODULES.values(), *PAGES]
    long = {str(path): n for path in paths if (n := len(path.read_text().splitlines())) > LONGEST}
    full = {str(path): n for path, n in Counter(path.parent for path in paths).items() if n > MOST}
    assert (long, full) == ({}, {})


def test_streamlit_is_imported_in_the_app_and_click_in_the_command_line_alone() -> None:
    for root, package in (("streamlit", "ui"), ("click", "cli")):
        importing = {name for name, path in MODULES.items() if root in roots(ast.walk(parsed(path)))}
        assert importing
        assert importing <= of_package(package)


def test_pages_hold_no_numerics() -> None:
    found = {path.name: roots(ast.walk(parsed(path))) & NUMERICS for path in PAGES}
    assert len(found) > 1
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    library = MODULES.keys() - of_package("ui")
    found = {name: roots(at_import_time(parsed(MODULES[name]))) & HEAVY for name in library}
    assert len(found) > 100
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_what_the_first_page_imports_is_light() -> None:
    code = f"import sys, {', '.join(LIGHT_MODULES)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "soundalike" in loaded
    assert not loaded & (HEAVY | {"streamlit"})
