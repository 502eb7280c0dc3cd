"""From what somebody typed to what the network reads: cleaned, checked, and of bounded length."""

from dataclasses import dataclass, replace

from bot import messages, seen
from bot.errors import Refusal
from bot.options import MAX_PROMPT
from bot.translations import Text
from model.sampling import Sampling
from model.sentences import unfinished
from model.vocab import Vocab
from model.words import WordFilter

READ = 4 * MAX_PROMPT  # characters that are looked at for a prompt: some will be dropped
TAIL = 200  # characters of an earlier story that a new message repeats


@dataclass(frozen=True)
class Prompt:
    """What a story goes on from.

    Attributes:
        text: what is shown of it, in characters the network knows.
        context: what the network reads: `text`, or all of the story that `text` is the end of.
        dropped: how many characters it does not know.
        goes_on: its last word was asked to go on, by a hyphen at its end.
    """

    text: str
    context: str
    dropped: int = 0
    goes_on: bool = False

    def applied_to(self, sampling: Sampling) -> Sampling:
        """How to write on from it."""
        return replace(sampling, whole_word=False) if self.goes_on else sampling


def read_prompt(
    text: str, vocab: Vocab, words: WordFilter, *, before: str = "", tail: int = TAIL
) -> Prompt:
    """A prompt from what somebody wrote: cleaned, checked, and its end if it is too long.

    Args:
        text: what was typed.
        vocab: the characters that the network knows.
        words: what is refused.
        before: an earlier story that it goes on from; its end is shown, all of it is read.
        tail: how many characters of that are shown.

    Raises:
        Refusal: nothing is left of it, or it holds a word that is refused.
    """
    typed = messages.plain(text[-READ:])[-READ:]  # one character may become eighteen
    typed, goes_on = unfinished(typed.strip())
    shown = _joined(messages.last_words(before, tail), typed)
    cleaned = vocab.clean(shown)
    prompt = context = messages.last_words(cleaned.text, MAX_PROMPT)
    if (before + text).strip() and not prompt:
        raise Refusal(Text.NO_LETTERS)
    if before:
        context = vocab.clean(_joined(before, messages.last_words(typed, MAX_PROMPT))).text.strip()
    if words.refuses(prompt) or (before and words.refuses(context)):
        raise Refusal(Text.RATHER_NOT)
    kept = _kept(shown, prompt, vocab)
    dropped = sum(map(kept.count, set(cleaned.dropped) - set(seen.SIGNS)))
    return Prompt(prompt, context, dropped, goes_on)


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _kept(typed: str, prompt: str, vocab: Vocab) -> str:
    """The end of what was typed that the prompt is made of; nobody misses the rest.

    Found by counting letters from the end: white space may have gone.
    """
    sizes = {c: len("".join(vocab.spell(c).split())) for c in set(typed)}
    if (left := len("".join(prompt.split()))) >= sum(map(sizes.__getitem__, typed)):
        return typed
    start = len(typed)
    while left > 0:
        start -= 1
        left -= sizes[typed[start]]
    return typed[start:]
