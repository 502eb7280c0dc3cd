"""The same Pooh in a terminal: no Discord, no token."""

import signal
import sys
from dataclasses import dataclass, replace
from typing import TextIO

from bot import captions, messages
from bot.actions import Action
from bot.clock import Clock
from bot.errors import Refusal
from bot.languages import Language
from bot.pages import warmer
from bot.prompts import Prompt, read_prompt
from bot.worker import Outcome
from bot.writer import Writer
from model.console import read_lines
from model.sampling import Sampling
from model.sentences import certain
from model.words import WordFilter

PAUSE = 0.03  # seconds between two looks at a story
GREETING = "How does the story begin? An empty line lets Pooh begin; /help says more, quit ends."
HELP = """\
Type how a story begins. An empty line lets Pooh begin; a hyphen at the end, the word go on.
again           the same beginning, another story
continue        go on from the end
wilder, calmer  again, with the temperature up or down
/pooh WORDS     a story that begins with these words, whatever they are
/help           this
quit            end, as Ctrl-D does"""
NO_STORY = "There is no story yet. How does one begin?"
NO_COMMAND = "Pooh does not know that one; /help says which there are."
_RETELL = (Action.AGAIN, Action.CONTINUE, Action.WILDER, Action.CALMER)


@dataclass(frozen=True)
class Told:
    """A story that was told: what the next one may go on from."""

    prompt: str
    story: str
    sampling: Sampling


class Conversation:
    """Somebody at a terminal, and the last story that was told there."""

    def __init__(
        self, writer: Writer, words: WordFilter, model: str, sampling: Sampling, out: TextIO
    ) -> None:
        """Who writes, what is refused, who speaks, how, and where to."""
        self._writer = writer
        self._words = words
        self._model = model
        self._sampling = sampling
        self._out = out
        self._last: Told | None = None

    async def answer(self, line: str) -> bool:
        """Do what a line asks for: a story, help, a button's verb.

        Returns:
            Whether to go on: not after "quit".
        """
        typed = line.strip()
        verb = typed.removeprefix("/").casefold()
        if verb in ("quit", "exit"):
            return False
        if verb == "help":
            print(HELP, file=self._out)
        elif verb in _RETELL:
            await self._retell(Action(verb))
        elif typed.casefold().split(maxsplit=1)[:1] == ["/pooh"]:
            await self.begin(typed[len("/pooh") :])
        elif typed.startswith("/"):
            print(NO_COMMAND, file=self._out)
        else:
            await self.begin(line)
        print(file=self._out, flush=True)
        return True

    async def begin(self, text: str) -> Outcome | None:
        """Tell the story that begins so, or say why there is none.

        Returns:
            How it ended; None when the prompt was refused.
        """
        try:
            prompt = read_prompt(text, self._writer.vocab, self._words)
        except Refusal as refusal:
            print(refusal, file=self._out)
            return None
        self._out.write(prompt.text)
        return await self._tell(prompt, "", prompt.applied_to(self._sampling))

    async def _retell(self, action: Action) -> None:
        """What the buttons under a story do."""
        last = self._last
        if last is None:
            print(NO_STORY, file=self._out)
            return
        sampling = replace(last.sampling, seed=None)
        if action is Action.CONTINUE:
            await self._tell(Prompt(last.prompt, last.prompt), last.story, sampling)
            return
        self._out.write(last.prompt)
        await self._tell(Prompt(last.prompt, last.prompt), "", warmer(sampling, action.wilder))

    async def _tell(self, prompt: Prompt, so_far: str, sampling: Sampling) -> Outcome | None:
        """Write a story as it grows, with a small line below it."""
        before = prompt.text + so_far
        # Only the prompt's last word may have been asked to go on.
        how = replace(sampling, whole_word=True) if so_far else sampling
        story = self._writer.submit(0, before, how)
        shown = 0
        try:
            while not await Clock().wait(story.ended, PAUSE):
                # The last part waits: the story may be made to end with a sentence in it.
                latest = story.text[: certain(story.text, sampling.length)]
                self._out.write(self._led(latest, shown, so_far))
                self._out.flush()
                shown = len(latest)
            end = messages.trim(story.text, sampling.length, before)
            print(self._led(end.story, shown, so_far) + "..." * end.cut, file=self._out)
            facts = captions.facts(self._model, story, prompt.dropped, Language.ENGLISH)
            note = ", ".join(facts)
            if story.outcome is not Outcome.WRITTEN and story.outcome is not None:
                note += f" ({story.outcome.value})"
            print(f"[{note}]", file=self._out, flush=True)
            self._last = Told(prompt.text, so_far + end.story, sampling)
            return story.outcome
        finally:
            self._writer.stop(story)

    @staticmethod
    def _led(text: str, shown: int, so_far: str) -> str:
        """What is new of a text; what goes on from the end of another begins on a new line."""
        return text[shown:].lstrip() if so_far and not shown else text[shown:]


async def converse(
    writer: Writer,
    words: WordFilter,
    model: str,
    prompt: str | None,
    sampling: Sampling,
    out: TextIO,
) -> bool:
    """One story for the prompt, or, without one, what each line from the terminal asks for.

    Returns:
        Whether the story that the command line asked for was written.
    """
    writer.start()
    conversation = Conversation(writer, words, model, sampling, out)
    try:
        if prompt is not None:
            return await conversation.begin(prompt) is Outcome.WRITTEN
        if sys.stdin is not None and sys.stdin.isatty():
            print(GREETING, file=out, flush=True)
        # Nothing else is on the event loop, so it may wait for a line. But its own way with Ctrl-C
        # would wait for one, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for line in read_lines():
            if not await conversation.answer(line):
                break
        return True
    finally:
        await writer.close()
