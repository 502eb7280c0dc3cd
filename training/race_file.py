"""The command of whatever makes a file for the race."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from model.console import Parser, add_version, forgive_outputs, tell
from model.weights import ROOT
from training.recipe import CorpusError, books_folder


def make_race_file(
    module: str,
    description: str,
    make: Callable[[Path, Path], dict[str, Any]],
    arguments: Sequence[str] | None,
) -> int:
    """Run the command line of `python -m module`; the exit code.

    Args:
        module: its name.
        description: for `--help`.
        make: takes the books' folder and where to write, and gives the summary that is printed.
        arguments: None: those of the process.

    Returns:
        0, or 2 with one line on stderr, or 130 by Ctrl-C.
    """
    forgive_outputs()
    parser = Parser(prog=f"python -m {module}", description=description)
    add_version(parser)
    parser.add_argument("--books", type=Path, default=books_folder(), metavar="FOLDER",
                        help="where the books lie (default: data/books)")  # fmt: skip
    parser.add_argument("--output", type=Path, default=ROOT / "weights" / "race", metavar="FOLDER",
                        help="where to write (default: weights/race)")  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        summary = make(options.books, options.output)
    except (CorpusError, OSError) as error:
        tell(f"{parser.prog}: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    print(json.dumps(summary, indent=1))
    return 0
