"""The command line: `soundalike recommend`, `journey`, `index`, `measure`, `evaluate` and so on.

Results go to standard output (as one JSON document with `--json`), progress bars and messages to
standard error. The exit code is 0 for success, 1 for a failure and 2 for bad usage. Errors are
reported in one line.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from soundalike import __version__
from soundalike.cli import output
from soundalike.cli.demo import demo
from soundalike.cli.describe import describe
from soundalike.cli.evaluate import evaluate
from soundalike.cli.fetch import fetch
from soundalike.cli.fma import fma
from soundalike.cli.index import check, index, map_, measure
from soundalike.cli.journey import journey
from soundalike.cli.recommend import recommend
from soundalike.cli.serve import serve
from soundalike.cli.train import train_cf_regression, train_genre_head, train_mfcc_autoencoder
from soundalike.errors import SoundalikeError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    try:
        code = commands.main(
            args=None if arguments is None else list(arguments),
            prog_name="soundalike",
            standalone_mode=False,
        )
    except click.exceptions.NoArgsIsHelpError as error:
        output.print_text(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        output.print_error(error.format_message())
        sys.exit(error.exit_code)
    except SoundalikeError as error:
        output.print_error(str(error))
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        output.print_error("stopped")
        sys.exit(1)
    except OSError as error:
        output.print_error(f"{error.filename or 'a file'}: {error.strerror or error}")
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


@click.group()
@click.version_option(__version__, prog_name="soundalike")
def commands() -> None:
    """Find music that sounds alike, from the audio alone."""


commands.add_command(demo)
commands.add_command(index)
commands.add_command(map_)
commands.add_command(measure)
commands.add_command(check)
commands.add_command(recommend)
commands.add_command(journey)
commands.add_command(describe)
commands.add_command(evaluate)
commands.add_command(fetch)
commands.add_command(fma)
commands.add_command(serve)


@commands.group()
def train() -> None:
    """Train a model on your own library."""


train.add_command(train_genre_head)
train.add_command(train_mfcc_autoencoder)
train.add_command(train_cf_regression)
