"""The same Pooh in a terminal: no Discord, no token."""

import signal
import sys
from typing import TextIO

from bot import messages
from bot.clock import Clock
from bot.words import WordFilter
from bot.worker import Outcome
from bot.writer import Writer
from model.sampling import Sampling
from model.sentences import certain

PAUSE = 0.03  # seconds between two looks at a story


async def tell(
    writer: Writer, words: WordFilter, model: str, prompt: str, sampling: Sampling, out: TextIO
) -> Outcome | None:
    """Write a story to `out` as it grows, with a small line below it.

    Returns:
        How it ended; None when the prompt was refused.
    """
    text = writer.vocab.clean(messages.plain(prompt)).text.strip()
    if prompt.strip() and not text:
        print("Pooh knows none of these characters. Try some words?", file=out)
        return None
    if words.refuses(text):
        print("Pooh would rather not say that. Shall we begin another way?", file=out)
        return None
    story = writer.submit(0, text, sampling)
    try:
        out.write(text)
        shown = 0
        while not await Clock().wait(story.ended, PAUSE):
            # The last part waits: the story may be made to end with a sentence in it.
            latest = story.text[: certain(story.text, sampling.length)]
            out.write(latest[shown:])
            out.flush()
            shown = len(latest)
        end = messages.trim(story.text, sampling.length, text)
        print(end.story[shown:] + ("..." if end.cut else ""), file=out)
        note = f"{model}, temperature {sampling.temperature:g}, seed {story.sampling.seed}"
        if story.outcome is not Outcome.WRITTEN and story.outcome is not None:
            note += f" ({story.outcome.value})"
        print(f"[{note}]", file=out)
        return story.outcome
    finally:
        writer.stop(story)


async def converse(
    writer: Writer, words: WordFilter, model: str, prompt: str | None, sampling: Sampling
) -> bool:
    """One story for the prompt, or, without one, a story for each line from the terminal.

    Returns:
        Whether the story that the command line asked for was written.
    """
    writer.start()
    try:
        if prompt is not None:
            outcome = await tell(writer, words, model, prompt, sampling, sys.stdout)
            return outcome is Outcome.WRITTEN
        if sys.stdin.isatty():
            print("How does the story begin? An empty line lets Pooh begin; Ctrl-D ends.")
        # Nothing else is on the event loop, so it may wait for a line. But its own way with Ctrl-C
        # would wait for one, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        while line := sys.stdin.readline():
            begun = line.strip().removeprefix("/pooh").strip()
            await tell(writer, words, model, begun, sampling, sys.stdout)
            print()
        return True
    finally:
        await writer.close()
