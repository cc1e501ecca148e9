"""Nothing that is loaded can run code: arrays without pickles, and no loader that unpickles."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_is_unpickled(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & UNPICKLING
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in UNPICKLING
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in LOADERS
            if ast.unparse(node.func) in ("np.load", "numpy.load"):
                options = {option.arg: ast.unparse(option.value) for option in node.keywords}
                assert options.get("allow_pickle") == "False", f"line {node.lineno}"


def test_there_are_arrays_to_load() -> None:
    assert sum("np.load(" in module.read_text(encoding="utf-8") for module in MODULES) > 3
