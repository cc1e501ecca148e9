"""Nothing that others wrote commands the terminal, however a command prints it."""

from __future__ import annotations

import ast
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.table import Table

from soundalike.cli import output
from soundalike.datasets.library import Skipped

CLI = Path(__file__).resolve().parents[2] / "src" / "soundalike" / "cli"
NAME = "song\x1b]0;owned\x07\x1b[31m\x9b2J\u202e[red].mp3"
"""Sets a terminal's title and colour, clears it, and turns the writing direction."""


def row(name: str) -> None:
    table = Table("Name", box=None)
    output.add_row(table, name)
    output.print_table(table)


def piped_list(name: str) -> None:
    output.print_file(f"#EXTM3U\n{name}\n".encode())


PRINTED: dict[str, Callable[[str], None]] = {
    "line": output.print_line,
    "text": output.print_text,
    "error": output.print_error,
    "notes": lambda name: output.print_notes([name]),
    "skipped": lambda name: output.print_skipped([Skipped(name, f"{name} is damaged.")]),
    "skipped at the end": lambda name: output.print_skipped_table(
        [Skipped(name, f"{name} is damaged.")], {name: 2}, Path(name)
    ),
    "JSON": lambda name: output.print_json({"title": name}),
    "table": row,
}


@pytest.mark.parametrize("kind", PRINTED)
def test_no_escape_sequence_is_printed(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    PRINTED[kind](NAME)
    printed = "".join(capsys.readouterr())
    assert "song" in printed
    assert "[red]" in printed
    assert not set(printed) & set("\x1b\x07\x9b\u202e")


def test_a_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_notes(["title\nskipped everything"])
    assert capsys.readouterr().err == "title�skipped everything\n"


def test_json_reads_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"title": NAME})
    assert json.loads(capsys.readouterr().out) == {"title": NAME}


def test_a_list_is_cleaned_on_a_terminal_alone(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped_list(NAME)
    assert capfdbinary.readouterr().out == f"#EXTM3U\n{NAME}\n".encode()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    piped_list(NAME)
    shown = capfdbinary.readouterr().out.decode()
    assert shown.startswith("#EXTM3U\nsong�]0;owned�")
    assert not set(shown) & set("\x1b\x07\x9b\u202e")


def test_a_progress_bar_shows_names_without_escape_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with output.progress_bar("Indexing", 1) as advance:
        advance("\x1b]0;owned\x07")
    assert "owned" in screen.getvalue()
    assert "\x1b]0;" not in screen.getvalue()


def direct(tree: ast.AST) -> Iterator[str]:
    """Ways to print that go past `output`, by line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            name = called.rpartition(".")[2]
            if name in ("echo", "secho", "print", "print_exception", "Console", "Text") or (
                name == "add_row" and called != "output.add_row"
            ):
                yield f"line {node.lineno}: {called}"


def test_ways_past_the_cleaning_are_found() -> None:
    code = "click.echo(x)\nprint(x)\nconsole.print(x)\ntable.add_row(x)\noutput.add_row(table, x)\n"
    assert [line.split(": ")[1] for line in direct(ast.parse(code))] == [
        *("click.echo", "print", "console.print", "table.add_row")
    ]


def test_commands_print_through_one_module() -> None:
    modules = [path for path in CLI.glob("*.py") if path.name != "output.py"]
    assert len(modules) > 5
    found = {
        path.name: wrong
        for path in modules
        if (wrong := list(direct(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == {}
