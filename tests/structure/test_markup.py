"""What others wrote is never markup: each text that Streamlit reads as Markdown is ours, or is escaped.

A text is ours if it consists of the source's own words, of numbers and of what `components.plain` and
`components.for_visitors` return. Names are followed to where they are assigned, parameters to the calls,
and calls to what the functions return.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    *sorted((ROOT / "src" / "soundalike" / "ui").rglob("*.py")),
    *sorted((ROOT / "pages").glob("*")),
]
LABELLED = {
    *("button", "download_button", "toggle", "checkbox", "slider", "number_input", "text_input"),
    *("selectbox", "multiselect", "segmented_control", "pills", "radio", "file_uploader", "audio_input"),
    *("expander", "popover", "status", "dialog", "spinner", "metric"),
}
MARKDOWN = LABELLED | {
    *("markdown", "caption", "title", "header", "subheader", "error", "warning", "info", "success"),
    *("toast", "write", "badge"),
}
"""Streamlit's functions whose first argument is Markdown; `help` is of all."""
OPTIONS = {"segmented_control", "pills", "radio", "tabs"}
"""Those whose options are Markdown too, as `format_func` writes them."""
ESCAPING = {"plain", "for_visitors"}
NUMERIC = re.compile(r"[+,]?[,.\d]*[,%defg]")
COUNTING = {"len", "round", "sum", "min", "max", "abs", "int", "float"}
DEEPEST = 30
ALLOWED = {("about.py", "part")}
"""Of a Markdown document that is bundled; the function shows others as their source."""


@dataclass
class Scope:
    """A function with its module, or a module."""

    path: Path
    node: ast.AST
    outer: Scope | None = None
    assigned: dict[str, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))

    @cached_property
    def parameters(self) -> list[str]:
        if isinstance(self.node, ast.FunctionDef | ast.Lambda):
            arguments = self.node.args
            return [one.arg for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
        return []


class Program:
    """The functions of some modules, their calls, and where each text comes from."""

    def __init__(self, modules: dict[Path, str]) -> None:
        self.functions: dict[str, list[Scope]] = defaultdict(list)
        self.calls: dict[str, list[tuple[ast.Call, Scope]]] = defaultdict(list)
        self.constructors: dict[ast.AST, str] = {}
        self.attributes: dict[str, list[tuple[ast.expr, Scope]]] = defaultdict(list)
        for path, text in modules.items():
            tree = ast.parse(text)
            self._enter(tree, Scope(path, tree))

    def _enter(self, node: ast.AST, scope: Scope) -> None:
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, ast.ClassDef):
                self.constructors |= {part: child.name for part in child.body if is_constructor(part)}
            elif isinstance(child, ast.FunctionDef | ast.Lambda):
                inner = Scope(scope.path, child, scope)
                if isinstance(child, ast.FunctionDef):
                    self.functions[child.name].append(inner)
            elif isinstance(child, ast.Call):
                self.calls[called(child)].append((child, scope))
            for target, value in assignments(child):
                if target.startswith("self."):
                    self.attributes[target].append((value, scope))
                else:
                    scope.assigned[target].append(value)
            self._enter(child, inner)

    def shown(self) -> Iterator[tuple[ast.expr, Scope]]:
        """Every text that Streamlit reads as Markdown."""
        for name in MARKDOWN | OPTIONS:
            for call, scope in self.calls[name]:
                if not isinstance(call.func, ast.Attribute):
                    continue
                keywords = {word.arg: word.value for word in call.keywords}
                if name in MARKDOWN and (call.args or keywords.keys() & {"label", "body"}):
                    yield (call.args or [keywords.get("label", keywords.get("body"))])[0], scope
                if name == "metric":
                    yield from ((value, scope) for value in call.args[1:])
                if "help" in keywords:
                    yield keywords["help"], scope
                if name in OPTIONS:
                    written = keywords.get("format_func", call.args[1])
                    yield (call.args[1] if ast.unparse(written).startswith("str.") else written), scope
        for call, scope in self.calls["update"]:
            yield from ((word.value, scope) for word in call.keywords if word.arg == "label")

    def is_ours(self, value: ast.expr, scope: Scope, depth: int = 0) -> bool:
        """Whether a text holds nothing that others wrote, unless it is escaped."""
        if depth > DEEPEST:
            return False

        def every(values: list[ast.expr], where: Scope = scope) -> bool:
            return all(self.is_ours(one, where, depth + 1) for one in values)

        match value:
            case ast.Constant():
                return True
            case ast.JoinedStr(values=values):
                return every(values)
            case ast.FormattedValue(value=inner, format_spec=spec):
                return (spec is not None and is_numeric(spec)) or every([inner])
            case ast.BinOp(left=left, right=right):
                return every([left, right])
            case ast.BoolOp(values=values):
                return every(values)
            case ast.Compare():
                return True
            case ast.IfExp(body=body, orelse=other):
                return every([body, other])
            case ast.List(elts=values) | ast.Tuple(elts=values):
                return every(values)
            case ast.Dict(values=values):
                return every(values)
            case ast.DictComp(value=inner) | ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner):
                return every([inner])
            case ast.Lambda(body=inner):
                return self.is_ours(inner, Scope(scope.path, value, scope), depth + 1)
            case ast.Starred(value=inner):
                return every([inner])
            case ast.Call():
                return self._call_is_ours(value, scope, depth)
            case ast.Name(id=name):
                return self._name_is_ours(name, scope, depth)
            case ast.Attribute() | ast.Subscript():
                return self._part_is_ours(value, scope, depth)
        return False

    def _call_is_ours(self, call: ast.Call, scope: Scope, depth: int) -> bool:
        name = called(call)
        if name in ESCAPING | COUNTING:
            return True
        if name in (
            "join",
            "strip",
            "removesuffix",
            "capitalize",
            "lower",
            "upper",
            "replace",
            "format",
        ):
            inner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
            return all(self.is_ours(one, scope, depth + 1) for one in [*inner, *call.args])
        if name in ("str", "list"):
            return all(self.is_ours(one, scope, depth + 1) for one in call.args)
        if ast.unparse(call.func) == "representations.get":
            # The registry of representations is part of the source.
            return True
        if name in ("items", "values", "keys") and isinstance(call.func, ast.Attribute):
            return self.is_ours(call.func.value, scope, depth + 1)
        found = [function for function in self.functions[name] if reaches(call, scope, function, self)]
        return bool(found) and all(
            self.is_ours(value, function, depth + 1)
            for function in found
            for value in returned(function.node)
        )

    def _part_is_ours(self, value: ast.Attribute | ast.Subscript, scope: Scope, depth: int) -> bool:
        text = ast.unparse(value)
        if isinstance(value, ast.Attribute) and (value.attr.isupper() or value.attr in ESCAPING):
            return True
        if text in self.attributes:
            return all(self.is_ours(one, where, depth + 1) for one, where in self.attributes[text])
        if isinstance(value, ast.Attribute) and self.functions[value.attr]:
            return self._call_is_ours(ast.Call(value, [], []), scope, depth)
        root = value
        while isinstance(root, ast.Attribute | ast.Subscript):
            if isinstance(root, ast.Attribute) and root.attr.isupper():
                return True
            root = root.value
        return not isinstance(root, ast.Attribute | ast.Subscript) and self.is_ours(
            root, scope, depth + 1
        )

    def _name_is_ours(self, name: str, scope: Scope, depth: int) -> bool:
        if name.isupper():
            return True
        if name in ESCAPING:
            return True
        here: Scope | None = scope
        while here is not None:
            if name in here.assigned:
                return all(self.is_ours(value, here, depth + 1) for value in here.assigned[name])
            if name in here.parameters:
                return self._parameter_is_ours(name, here, depth)
            here = here.outer
        return False

    def _parameter_is_ours(self, name: str, function: Scope, depth: int) -> bool:
        if isinstance(function.node, ast.Lambda):
            # A choice among options, which are looked up in what the function around it has.
            return False
        place = function.parameters.index(name) - (function.parameters[0] == "self")
        given = []
        for call, scope in self.calls[self.constructors.get(function.node, function.node.name)]:
            if not reaches(call, scope, function, self):
                continue
            words = {word.arg: word.value for word in call.keywords}
            if name in words:
                given.append((words[name], scope))
            elif place < len(call.args):
                given.append((call.args[place], scope))
        return bool(given) and all(self.is_ours(value, scope, depth + 1) for value, scope in given)

    def foreign(self) -> list[str]:
        """The texts that may hold what others wrote, by line."""
        return sorted(
            f"{scope.path.name}, line {value.lineno}: {ast.unparse(value)}"
            for value, scope in self.shown()
            if not self.is_ours(value, scope) and (scope.path.name, ast.unparse(value)) not in ALLOWED
        )


def reaches(call: ast.Call, scope: Scope, function: Scope, program: Program) -> bool:
    """Whether a call can be one of a function: its module's own, an imported or a named module's."""
    name = called(call)
    if isinstance(call.func, ast.Name):
        own = [one for one in program.functions[name] if one.path == scope.path]
        return function.path == scope.path if own else True
    module = ast.unparse(call.func).rpartition(".")[0].rpartition(".")[2]
    homes = {one.path.stem for one in program.functions[name]}
    return function.path.stem == module if module in homes else True


def is_constructor(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "__init__"


def called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def is_numeric(spec: ast.expr) -> bool:
    """Whether a format is one of numbers, which fails for a text."""
    return NUMERIC.fullmatch("".join(str(part.value) for part in spec.values)) is not None


def assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from names(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign) and node.value is not None:
        yield from names(node.target, node.value)
    elif isinstance(node, ast.For | ast.comprehension):
        yield from names(node.target, node.iter)


def names(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name) or ast.unparse(target).startswith("self."):
        yield ast.unparse(target), value
    elif isinstance(target, ast.Tuple):
        values = value.elts if isinstance(value, ast.Tuple) else [value] * len(target.elts)
        for one, part in zip(target.elts, values, strict=False):
            yield from names(one, part)


def returned(function: ast.AST) -> list[ast.expr]:
    return [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and node.value is not None
    ]


def foreign_in(code: str) -> list[str]:
    found = Program({Path("page.py"): code}).foreign()
    return [line.partition(": ")[2] for line in found]


def test_foreign_text_is_found() -> None:
    code = """
def show(index, label):
    st.caption("ours")
    st.caption(f"{len(index):,} tracks {WORDS} {label}")
    st.caption(plain(index.title))
    words = "a" if index else f"b {index.size:.2f}"
    right.info(words)
    st.button(word(3))
    st.caption(index.title)
    st.error(f"{index.title} is gone")
    st.segmented_control("By", names, format_func=lambda name: name)
    told = st.session_state.told
    left.header(told)
    st.slider("x", help=index.help)
    st.expander(label=title(index))

def word(number):
    return f"word {number:d}"

def title(index):
    return index.title

def start():
    show(load(), "a label")
"""
    assert sorted(foreign_in(code)) == [
        "f'{index.title} is gone'",
        "index.help",
        "index.title",
        "lambda name: name",
        "title(index)",
        "told",
    ]
    assert "f'{len(index):,} tracks {WORDS} {label}'" in foreign_in(code.replace('"a label"', "told"))


def test_no_text_of_others_is_markup() -> None:
    program = Program(
        {path: path.read_text(encoding="utf-8") for path in SOURCES if path.suffix == ".py"}
    )
    assert len(list(program.shown())) > 150
    assert program.foreign() == []
