"""What a Dockerfile builds, in a folder instead of an image: for machines without a daemon."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_IMAGE_FOLDERS = re.compile(r"(?<![\w./])/(?:opt|app|votes|tmp)\b")
_IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info")
"""What .dockerignore leaves out of folders."""


@dataclass
class Image:
    """An image whose folders lie below another; its stages share them.

    Attributes
    ----------
    root : the folder
    environment : what ENV has set, in the last stage
    user : what USER has set
    workdir : what WORKDIR has set, below the root
    entrypoint : the command
    taken : what the last stage takes from the others
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    user: str = ""
    workdir: Path = Path()
    entrypoint: Sequence[str] = ()
    taken: list[Path] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """A text with the image's folders below the root."""
        return _IMAGE_FOLDERS.sub(lambda found: f"{self.root}{found[0]}", text)

    def environ(self) -> dict[str, str]:
        """The environment of a process in the image."""
        return os.environ | {name: self.inside(text) for name, text in self.environment.items()}

    def size(self) -> int:
        """Bytes of what the last stage takes; links take none."""
        files = [path for place in self.taken for path in place.rglob("*") if not path.is_symlink()]
        return sum(path.stat().st_size for path in files if path.is_file())

    def run(self, value: str) -> None:
        """RUN: but for making users, which needs to be root's."""
        if "useradd" in value:
            return
        command = json.loads(value) if value.startswith("[") else ["sh", "-c", value]
        words = [self.inside(word) for word in command]
        subprocess.run(words, cwd=self.root / self.workdir, env=self.environ(), check=True)

    def copy(self, value: str, context: Path) -> None:
        """COPY: from the build's context, or what an earlier stage has at the same place."""
        words = shlex.split(value)
        if words[0].startswith("--from="):
            _, source, target = words
            assert source == target, value
            self.taken.append(self.root / target.lstrip("/"))
            assert self.taken[-1].is_dir(), value
            return
        *names, target = words
        place = self.root / self.workdir / target
        place.parent.mkdir(parents=True, exist_ok=True)
        for name in names:
            if (context / name).is_dir():
                shutil.copytree(context / name, place, ignore=_IGNORED)
            else:
                shutil.copyfile(context / name, place / name if target.endswith("/") else place)


def steps(text: str) -> list[tuple[str, str]]:
    """A Dockerfile's instructions, and what follows each."""
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1].strip()) for line in lines if line.strip()]


def build(dockerfile: Path, context: Path, root: Path) -> Image:
    """Take the steps of all stages in a folder."""
    image = Image(root)
    for name, value in steps(dockerfile.read_text(encoding="utf-8")):
        if name == "FROM":
            image = Image(root)
        elif name == "WORKDIR":
            image.workdir = Path(value.lstrip("/"))
            (root / image.workdir).mkdir(parents=True, exist_ok=True)
        elif name == "ENV":
            image.environment |= dict(word.split("=", 1) for word in shlex.split(value))
        elif name == "RUN":
            image.run(value)
        elif name == "COPY":
            image.copy(value, context)
        elif name == "USER":
            image.user = value
        elif name == "ENTRYPOINT":
            image.entrypoint = [image.inside(word) for word in json.loads(value)]
    return image
