"""Nothing that is loaded can run code: arrays without pickles, and no loader that unpickles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "soundalike"
MODULES = sorted(SOURCE.rglob("*.py"))
UNPICKLING = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "torch",
}
LOADERS = {"read_pickle", "load_model", "unsafe_load", "full_load"}


def unpickling(tree: ast.Module) -> Iterator[str]:
    """What could run code that is loaded, by its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names} & UNPICKLING
        elif isinstance(node, ast.ImportFrom):
            names = {(node.module or "").split(".")[0]} & UNPICKLING
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names = {node.func.attr} & LOADERS
            options = {option.arg: ast.unparse(option.value) for option in node.keywords}
            is_load = ast.unparse(node.func) in ("np.load", "numpy.load")
            if is_load and options.get("allow_pickle") != "False":
                names = {"np.load"}
        else:
            continue
        yield from (f"line {node.lineno}: {name}" for name in names)


def test_what_unpickles_is_found() -> None:
    code = "import pickle.x\nfrom joblib import load\nnp.load(f)\nnp.load(f, allow_pickle=True)\n"
    code += "np.load(f, allow_pickle=False)\npd.read_pickle(f)\nimport json\n"
    found = [line.split(": ")[1] for line in unpickling(ast.parse(code))]
    assert sorted(found) == ["joblib", "np.load", "np.load", "pickle", "read_pickle"]


def test_nothing_is_unpickled() -> None:
    found = {
        str(module.relative_to(SOURCE)): wrong
        for module in MODULES
        if (wrong := list(unpickling(ast.parse(module.read_text(encoding="utf-8")))))
    }
    assert found == {}


def test_there_are_arrays_to_load() -> None:
    assert sum("np.load(" in module.read_text(encoding="utf-8") for module in MODULES) > 3
