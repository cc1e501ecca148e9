"""Fetching samples: how much of 8,000 clips is transferred, what kills cost, and a full disk.

`pytest -s` prints the figures.
"""

from __future__ import annotations

import json
import mmap
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faults
import numpy as np
import pytest
from fma_archives import clips_archive, metadata_archive, rows_of, write_clips_archive
from web_server import Site, serving

from soundalike import paths
from soundalike.datasets import library, remote_file

pytestmark = pytest.mark.sweep

KILLS = 20
ROWS = rows_of(8_000)
PROGRAM = [sys.executable, "-c", "from soundalike.cli.main import main; main()", "fetch", "fma-sample"]


@contextmanager
def archives(folder: Path, clip: int) -> Iterator[Site]:
    """FMA's two archives, with clips of at most that size."""
    path = folder / "fma_small.zip"
    write_clips_archive(path, [track_id for track_id, _ in ROWS], clip)
    metadata = metadata_archive(folder / "made", ROWS, other=2_000_000)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as clips:
        yield Site({"/fma_metadata.zip": metadata, "/fma_small.zip": clips})


def fetched(url: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(command(url, folder), capture_output=True, text=True, timeout=300, check=True)
    return json.loads(done.stdout)


def command(url: str, folder: Path) -> list[str]:
    return [*PROGRAM, "--url", url, "--dir", str(folder), "--json"]


def kill(site: Site, arguments: list[str], sent: int, seconds: float) -> bool:
    """Run a command and kill it some time after that many bytes were sent; whether it still ran."""
    start = site.sent
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    try:
        while site.sent - start < sent and process.poll() is None:
            time.sleep(0.0005)
        time.sleep(seconds)
    finally:
        process.kill()
    return process.wait() == -signal.SIGKILL


def checksums(folder: Path, pattern: str = "*") -> dict[str, str]:
    files = sorted(path for path in folder.rglob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix(): paths.sha256_of(path) for path in files}


def summary(site: Site, found: dict[str, Any], total: int) -> str:
    return (
        f"\n{len(ROWS):,} clips, {total / 1e6:,.1f} MB in all: {found['tracks']} tracks by "
        f"{found['artists']} artists take {site.sent / 1e6:,.1f} MB ({site.sent / total:.1%}) in "
        f"{len(site.asked)} requests"
    )


def test_killed_at_random_moments(tmp_path: Path) -> None:
    """A kill costs the clip that was on its way, and the archive's directory, which is read again."""
    rng = np.random.default_rng(0)
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    with archives(tmp_path, 100_000) as site, serving(site) as url:
        total = sum(map(len, site.files.values()))
        once = fetched(url, whole)
        at_once = site.sent
        print(summary(site, once, total))
        assert at_once < 0.11 * total
        site.pause = 0.0002
        lost, before = set(), dict[str, str]()
        for _ in range(KILLS):
            sent, seconds = int(rng.uniform(0.01, 1 / KILLS) * at_once), rng.uniform(0, 0.02)
            assert kill(site, command(url, resumed), sent, seconds), "It had ended."
            now = checksums(resumed, "*.mp3")
            lost |= before.items() - now.items()
            before = now
            assert not (resumed / library.TABLE).exists()
        kept = fetched(url, resumed)["archives"][1]["kept"]
        cost = (site.sent - 2 * at_once) / KILLS
        print(f"{KILLS} kills, {kept} clips kept, {cost / 1e3:,.0f} kB for each kill")
    assert lost == set()
    assert kept == len(before) > 0
    assert checksums(resumed) == checksums(whole)
    directory = 8_000 * 80
    assert cost < directory + 2 * remote_file.TAIL + 100_000


def test_an_archive_as_large_as_fmas(tmp_path: Path) -> None:
    """More than 4 GiB, so the directory has the fields of ZIP64."""
    with archives(tmp_path, 1_000_000) as site, serving(site) as url:
        total = sum(map(len, site.files.values()))
        assert total > 2**32
        found = fetched(url, tmp_path / "sample")
        print(summary(site, found, total))
        assert site.sent < 0.102 * total
    assert found["tracks"] == len(checksums(tmp_path / "sample", "*.mp3")) == 800
    shutil.rmtree(tmp_path / "sample")


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    """Of small files, a disk holds fewer than their sizes say, which the check before doesn't see."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(faults.full_disk(folder, 64, ["true"]), capture_output=True).returncode:
        pytest.skip("may mount nothing here")
    rows = rows_of(160)
    tables = metadata_archive(tmp_path / "made", rows)
    clips = clips_archive({track_id: b"clip" for track_id, _ in rows})
    then_list = ["sh", "-c", f'"$@"; find {folder} -type f', "sh"]
    with serving(Site({"/fma_metadata.zip": tables, "/fma_small.zip": clips})) as url:
        for kib, words in ((32, "are free"), (200, "is full")):
            arguments = faults.full_disk(folder, kib, [*then_list, *command(url, folder)])
            done = subprocess.run(
                [*arguments, "--tracks", "80"], capture_output=True, text=True, timeout=120
            )
            assert words in done.stderr
            assert done.stderr.count("\n") == 1
            assert not [
                name for name in done.stdout.split() if name.endswith((".part", f"disk/{library.TABLE}"))
            ]
