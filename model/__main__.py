"""`python -m model "Here is Edward Bear"`: write in the terminal."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, NoReturn

# numpy and what needs it are imported in `_run`, so that Ctrl-C meanwhile is no traceback either.
if TYPE_CHECKING:
    from model.sampling import Sampling


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, instead of the usage and a line."""
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def _parser() -> _Parser:
    from model.sampling import Sampling
    from model.weights import DEFAULT_MODEL

    defaults = Sampling()
    parser = _Parser(
        prog="python -m model",
        description="Write on from a prompt. Without one, each line that is typed starts a story.",
    )
    add = parser.add_argument
    add("prompt", nargs="?", help="the first words; an empty prompt starts a story")
    add(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME|PATH",
        help="a shipped model, or a .safetensors file (default: %(default)s)",
    )
    add(
        "--temperature",
        type=float,
        default=defaults.temperature,
        metavar="F",
        help="0 to 2: 0 always takes the likeliest character (default: %(default)s)",
    )
    add(
        "--length",
        type=int,
        default=defaults.length,
        metavar="N",
        help="how many characters to write (default: %(default)s)",
    )
    add(
        "--top-k",
        type=int,
        default=defaults.top_k,
        metavar="K",
        help="choose among the K likeliest characters only; 0 is off (default: %(default)s)",
    )
    add(
        "--top-p",
        type=float,
        default=defaults.top_p,
        metavar="P",
        help="choose among the likeliest that together have the probability P (default: "
        "%(default)s)",
    )
    add("--seed", type=int, metavar="S", help="the same seed writes the same text (default: any)")
    return parser


def _lines() -> Iterator[str]:
    """Each line typed or piped in; a sign to type, on stderr, only where somebody can see it."""
    if sys.stdin is None:
        return
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    while True:
        if sys.stdin.isatty():
            _tell("> ", end="")
        line = sys.stdin.readline()
        if not line:
            return
        yield line.rstrip("\r\n")


def _tell(text: str, end: str = "\n") -> None:
    if sys.stderr is not None:  # print would take a closed stderr for stdout
        print(text, end=end, file=sys.stderr, flush=True)


def _write(prompts: Iterable[str], model: str, sampling: "Sampling") -> None:
    import numpy as np

    from model.sampling import generate
    from model.weights import load_decoder

    np.seterr(all="ignore")  # damaged weights end in one error, not in warnings before it
    decoder, vocab = load_decoder(model)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    for prompt in prompts:
        text, dropped = vocab.clean(prompt)
        if dropped:
            _tell(f"the model cannot say, so dropped: {dropped!a}")
        print(text, end="", flush=True)
        for character in generate(decoder, vocab, text, sampling):
            print(character, end="", flush=True)
        print(flush=True)


def _run() -> int:
    from model.sampling import NotFiniteError, Sampling
    from model.vocab import VocabError
    from model.weights import WeightsError

    parser = _parser()
    options = parser.parse_args()
    try:
        sampling = Sampling(**{f.name: getattr(options, f.name) for f in fields(Sampling)})
    except ValueError as error:
        parser.error(str(error))
    try:
        if sys.stdout is None:
            raise OSError("standard output is closed")
        _write(_lines() if options.prompt is None else [options.prompt], options.model, sampling)
    except (WeightsError, VocabError, NotFiniteError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    except OSError as error:
        # What is still buffered would fail once more when Python ends.
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            parser.exit(1, f"{parser.prog}: cannot write the text: {error.strerror or error}\n")
        return 1
    return 0


def main() -> int:
    """Parse the command line and write; the exit code."""
    try:
        return _run()
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as a shell has it


if __name__ == "__main__":
    sys.exit(main())
