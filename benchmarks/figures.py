"""Results of a measurement: figures with their targets, as a table or as JSON.

Every script that `bench.py` runs prints a Markdown table, or with `--json` one line with an object whose
`figures` are those of the table. A bar is the maximum of a value, unless it says "at least".
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Figure:
    """A measured value.

    Attributes
    ----------
    name : description of the measurement
    value : rounded for quoting
    unit : "s", "ms", "MB", "%", ... ; "" for a count
    bar : the target, a maximum; None without a target
    note : explanation, where needed
    least : whether the target is a minimum instead
    spread : the largest less the smallest of several runs, whose median is `value`
    """

    name: str
    value: float
    unit: str
    bar: float | None = None
    note: str = ""
    least: bool = False
    spread: float = 0.0

    @property
    def holds(self) -> bool | None:
        """Whether the value meets the target; None without one."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.least else self.value <= self.bar


def parser(description: str | None) -> argparse.ArgumentParser:
    """Argument parser with `--json`."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--json", action="store_true", help="print the figures as one line of JSON")
    return made


def middle(runs: Sequence[Sequence[Figure]]) -> list[Figure]:
    """The medians of the same figures in several runs, with their spread."""
    together = []
    for several in zip(*runs, strict=True):
        values = [figure.value for figure in several]
        bars = [figure.bar for figure in several if figure.bar is not None]
        together.append(
            replace(
                several[-1],
                value=statistics.median(values),
                bar=statistics.median(bars) if bars else None,
                spread=round(max(values) - min(values), 6),
            )
        )
    return together


def is_worse(now: Figure, before: Figure) -> bool:
    """Whether a figure with a bar has moved away from it by more than both runs spread."""
    if now.bar is None:
        return False
    moved = before.value - now.value if now.least else now.value - before.value
    return moved > max(now.spread, before.spread)


def is_missed(figure: Figure) -> bool:
    """Whether a figure misses its bar by more than its runs spread."""
    if figure.bar is None:
        return False
    missed_by = figure.bar - figure.value if figure.least else figure.value - figure.bar
    return missed_by > figure.spread


def show(found: Sequence[Figure], as_json: bool) -> None:
    """Print figures."""
    if as_json:
        print(json.dumps({"figures": [asdict(figure) | {"holds": figure.holds} for figure in found]}))
        return
    print(table(found))
    for figure in found:
        if figure.note:
            print(f"\n{figure.name}: {figure.note}")


def table(found: Sequence[Figure]) -> str:
    """Figures as a Markdown table."""
    lines = ["| | measured | spread | bar | holds |", "|---|---:|---:|---:|---|"]
    for figure in found:
        bound = "at least " if figure.least else ""
        bar = "fact" if figure.bar is None else bound + written(figure.bar, figure.unit)
        holds = {None: "", True: "yes", False: "**no**"}[figure.holds]
        spread = written(figure.spread, figure.unit) if figure.spread else ""
        lines.append(
            f"| {figure.name} | {written(figure.value, figure.unit)} | {spread} | {bar} | {holds} |"
        )
    return "\n".join(lines)


def written(value: float, unit: str) -> str:
    """Format a value with its unit."""
    return f"{value:,.6g} {unit}".strip()


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of the values does not exceed, by the nearest rank."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]
