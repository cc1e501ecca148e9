"""Running commands in this process, and what they print."""

from __future__ import annotations

import json
from typing import Any

import pytest

from soundalike.cli.main import main

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def document(capsys: Capture, *arguments: object) -> dict[str, Any]:
    code, out, err = run(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def complaint(capsys: Capture, code: int, *arguments: object) -> str:
    """The one line that a command fails with; on a slow machine there is progress before it."""
    got, out, err = run(capsys, *arguments)
    assert (got, out) == (code, "")
    err = "".join(line for line in err.splitlines(keepends=True) if not line.startswith("Indexing: "))
    assert err.startswith("soundalike: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    return err


def track_ids(found: dict[str, Any]) -> list[str]:
    return [result["track_id"] for result in found["results"]]
