"""`python -m model "Here is Edward Bear"`: write in the terminal."""

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from model.console import (
    ConsoleError,
    Parser,
    add_version,
    program,
    read_lines,
    shows_colours,
    standard_output,
    tell,
)

# numpy and what needs it are imported in `_run`, so that Ctrl-C meanwhile is no traceback either.
if TYPE_CHECKING:
    from model.sampling import Sampling
    from model.vocab import Vocab
    from model.words import WordFilter


def _parser() -> Parser:
    from model.sampling import Sampling
    from model.weights import DEFAULT_MODEL
    from model.writing import CANDIDATES

    defaults = Sampling()
    parser = Parser(
        prog=program("model", "pooh"),
        description="Write on from a prompt. Without one, each line that is typed starts a story.",
    )
    add_version(parser)
    add = parser.add_argument
    add(
        "prompt",
        nargs="*",
        help='the first words, whose last stays whole ("bee-": it goes on); "" starts a story',
    )
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
        help="how many characters to write, up to the end of a sentence (default: %(default)s)",
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
    add(
        "--candidates",
        type=int,
        default=CANDIDATES,
        metavar="N",
        help="sentences that are tried for each one that is written; 1 takes what comes, five "
        "times as fast (default: %(default)s)",
    )
    add("--seed", type=int, metavar="S", help="the same seed writes the same text (default: any)")
    add(
        "--how",
        action="store_true",
        help="write nothing, but show how likely each word of the text is and what else might "
        "have stood in it",
    )
    add(
        "--picture",
        type=Path,
        metavar="FILE.png",
        help="with --how and a text: also draw its liveliest lines",
    )
    add(
        "--no-word-filter",
        dest="word_filter",
        action="store_false",
        help="let the words of data/slurs.txt pass, which are kept out of prompts and texts",
    )
    return parser


def _write(
    prompts: Iterable[str], model: str, sampling: "Sampling", words: "WordFilter", out: TextIO
) -> bool:
    """A text for each prompt; whether none was refused."""
    import numpy as np

    from model.sentences import shown, unfinished
    from model.weights import load_decoder
    from model.writing import generate

    np.seterr(all="ignore")  # damaged weights end in one error, not in warnings before it
    decoder, vocab = load_decoder(model)
    all_taken = True
    for prompt in prompts:
        typed, goes_on = unfinished(prompt)
        text = _read(typed, vocab, words)
        if text is None:
            all_taken = False
            continue
        print(text, end="", file=out, flush=True)
        wanted = replace(sampling, whole_word=not goes_on)
        written = generate(decoder, vocab, text, wanted, words)
        for part in shown(written, wanted.length, text):
            print(part, end="", file=out, flush=True)
        print(file=out, flush=True)
    return all_taken


def _read(typed: str, vocab: "Vocab", words: "WordFilter") -> str | None:
    """What the network reads of what was typed; None, and why, if it is refused."""
    text, dropped = vocab.clean(typed)
    if dropped:
        tell(f"the model cannot say, so dropped: {dropped!a}")
    if typed.strip() and not text.strip():
        tell("refused: no character of it is known to the model")
        return None
    if words.refuses(text):
        tell("refused: it holds a word of data/slurs.txt; --no-word-filter lets it pass")
        return None
    return text


def _explain(
    texts: Iterable[str], model: str, picture: Path | None, words: "WordFilter", out: TextIO
) -> bool:
    """Each text explained; whether none was refused."""
    import numpy as np

    from model.explain import ExplainError, Explanation
    from model.files import write_atomically
    from model.how import excerpt, in_terminal, liveliest
    from model.weights import load_decoder

    np.seterr(all="ignore")  # as in `_write`
    decoder, vocab = load_decoder(model)
    all_taken = True
    for typed in texts:
        text = _read(typed, vocab, words)
        if text is None:
            all_taken = False
            continue
        explanation = Explanation(decoder, vocab, text)
        shown = excerpt(explanation, liveliest(explanation))
        shown = replace(shown, call_outs=tuple(c.allowed(words) for c in shown.call_outs))
        print(in_terminal(explanation, shown.call_outs, shaded=shows_colours(out)), file=out)
        out.flush()
        if picture:
            from model.picture import draw

            try:
                write_atomically(picture, draw(shown))
            except OSError as error:
                reason = error.strerror or error
                raise ExplainError(f"{picture}: cannot write the picture: {reason}") from None
    return all_taken


def _run() -> int:
    from model.explain import ExplainError
    from model.sampling import NotFiniteError, Sampling
    from model.vocab import VocabError
    from model.weights import WeightsError
    from model.wordlist import WordListError
    from model.words import WordFilter

    parser = _parser()
    told = sys.argv[1:]
    end = told.index("--") if "--" in told else len(told)  # behind it nothing is an option
    options = vars(parser.parse_intermixed_args(told[:end]))
    words, model = options.pop("prompt") + told[end + 1 :], options.pop("model")
    how, picture = options.pop("how"), options.pop("picture")
    word_filter = options.pop("word_filter")
    if picture and not (how and words):
        parser.error("argument --picture: needs --how and a text")
    try:
        sampling = Sampling(**options)
    except ValueError as error:
        parser.error(str(error))
    prompts = [" ".join(words)] if words else read_lines()
    try:
        refused = WordFilter(active=word_filter)
        with standard_output() as out:
            if how:
                done = _explain(prompts, model, picture, refused, out)
            else:
                done = _write(prompts, model, sampling, refused, out)
    except (WeightsError, VocabError, WordListError, NotFiniteError, ExplainError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    except ConsoleError as error:
        if str(error):
            tell(f"{parser.prog}: {error}")
        return 1
    return 0 if done or not words else 1


def main() -> int:
    """Parse the command line and write; the exit code."""
    # Before numpy comes: OpenBLAS, with a thread for each core, spins where others want the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        return _run()
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as a shell has it


if __name__ == "__main__":
    sys.exit(main())
