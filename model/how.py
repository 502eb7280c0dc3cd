"""What is shown of an `Explanation`: a few lines of the text, as figures, in words and in shades.

`picture.py` draws an `Excerpt`; `alt_text` says the same to who cannot see it, and `in_terminal`
to who reads it there.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.explain import ExplainError, Explanation, Numbers, Word
from model.words import WordFilter

QUESTION = "Where was Pooh sure, where did he guess?"
STEPS = (50, 10, 1)
"""Whole per cents below which a word is shown a step darker."""
TEMPERATURES = (0.3, 0.8, 1.5)
WORDS, CHARACTERS = 13, 84
"""How much of a text an excerpt holds at most: with it, a picture has 40 words or fewer."""
RUN = 12
"""Characters of a run from which on it is told that the table has it: two or three words."""
LONGEST_ALT = 1024  # characters: Discord's

_WILD = 10.0  # bits: more surprise than that does not make an excerpt livelier


@dataclass(frozen=True)
class CallOut:
    """What might have stood at a place: the likeliest words there, and the one that was taken.

    Attributes:
        word: the one that was taken.
        guesses: words and their probabilities, the likeliest first.
    """

    word: Word
    guesses: tuple[tuple[str, float], ...]

    @property
    def rows(self) -> list[tuple[str, float, bool]]:
        """Word, probability and whether it was taken: the guesses, and what was taken instead."""
        rows = [(text, chance, text == self.word.text) for text, chance in self.guesses]
        if not any(taken for _, _, taken in rows):
            rows.append((self.word.text, self.word.probability or 0.0, True))
        return rows

    def allowed(self, words: WordFilter) -> "CallOut":
        """The same without guesses that are refused: they may be words that nobody wrote."""
        return replace(self, guesses=tuple(g for g in self.guesses if not words.refuses(g[0])))


@dataclass(frozen=True)
class Arc:
    """A name, and where a far block looked from its first letter: at the same name, further back.

    Attributes:
        word: the name.
        source: where it stood before.
        share: of a head's attention.
    """

    word: Word
    source: Word
    share: float


@dataclass(frozen=True)
class Excerpt:
    """A few lines of a text, with all that is shown of them.

    Attributes:
        text: the lines, as one; newlines are spaces.
        start: the place in the whole text at which they begin; places below are those of the whole.
        before, after: whether the text goes on there.
        words: those of the excerpt, in order.
        rarest: of them, the one that was least likely; None where nothing could be told.
        call_outs: at the places where most was open, in order.
        open_word: of the call-outs' words the one before which most was open; None without any.
        characters: the vocabulary in the order of the charts: the likeliest before `open_word`
            first.
        charts: at each of `TEMPERATURES` the probabilities of `characters` there.
        runs: (start, stop) of parts that the n-gram table has as runs of `RUN` characters and more.
        arc: from a name to where it was looked for; None without memory, or a name.
    """

    text: str
    start: int
    before: bool
    after: bool
    words: tuple[Word, ...]
    rarest: Word | None
    call_outs: tuple[CallOut, ...]
    open_word: Word | None
    characters: str
    charts: tuple[Numbers, ...]
    runs: tuple[tuple[int, int], ...]
    arc: Arc | None


def step(probability: float | None) -> int:
    """How dark a word is shown: 0, where it was likely or nothing is known, to 3."""
    return 0 if probability is None else sum(round(100 * probability) < least for least in STEPS)


def percent(probability: float) -> str:
    """In whole per cents."""
    whole = round(100 * probability)
    return f"{whole} %" if whole else "<1 %"


def windows(explanation: Explanation) -> list[int]:
    """The words (their numbers) with which the excerpts of a text begin, one after the other."""
    first = next(
        (i for i, word in enumerate(explanation.words) if word.start >= explanation.written), 0
    )
    starts = []
    while first < len(explanation.words):
        starts.append(first)
        first += _fitting(explanation.words[first:])
    return starts


def liveliest(explanation: Explanation) -> int:
    """The number of the window that says most: whose words were the least expected.

    Raises:
        ExplainError: there is no word in the text.
    """
    starts = windows(explanation)
    if not starts:
        raise ExplainError("there is no word in the text")

    def surprise(number: int) -> float:
        words = explanation.words[starts[number] :]
        bits = [-math.log2(word.probability or 1.0) for word in words[: _fitting(words)]]
        return float(np.minimum(bits, _WILD).sum())

    return max(range(len(starts)), key=surprise)


def excerpt(explanation: Explanation, window: int) -> Excerpt:
    """The lines that begin with a window.

    Args:
        explanation: of the text.
        window: its number in `windows`, as of `liveliest`.
    """
    first = windows(explanation)[window]
    words = explanation.words[first : first + _fitting(explanation.words[first:])]
    last = first + len(words) == len(explanation.words)
    start = words[0].start if first or words[0].start > WORDS else 0
    ends = re.compile(r"\S*").match(explanation.text, words[-1].stop)  # with its punctuation
    text = explanation.text[start : min(ends.end() if ends else words[-1].stop, start + CHARACTERS)]
    told = [word for word in words if word.probability is not None]
    opened = explanation.open_words(words)
    most_open = max(opened, key=lambda word: explanation.openness(word.start), default=None)
    order, charts = "", []
    if most_open is not None:
        falling = np.argsort(-explanation.after(most_open.start), kind="stable")
        order = "".join(explanation.characters[i] for i in falling)
        charts = [explanation.after(most_open.start, t)[falling] for t in TEMPERATURES]
    return Excerpt(
        text="".join(" " if c.isspace() else c for c in text),
        start=start,
        before=start > 0,
        after=not last,
        words=words,
        rarest=min(told, key=lambda word: word.probability or 0.0, default=None),
        call_outs=tuple(
            CallOut(word, tuple(explanation.next_words(word.start))) for word in opened
        ),
        open_word=most_open,
        characters=order,
        charts=tuple(charts),
        runs=tuple(_runs(explanation, start, start + len(text))),
        arc=_arc(explanation, words),
    )


def _fitting(words: Sequence[Word]) -> int:
    """How many words, at least one, an excerpt holds from the first of them on."""
    fit = sum(word.stop - words[0].start <= CHARACTERS for word in words[:WORDS])
    return max(fit, 1)


def _runs(explanation: Explanation, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Parts of the text from `start` to `stop` that known runs cover, in order."""
    covered = np.zeros(len(explanation.text), np.bool_)
    for end, (known, starts) in enumerate(
        zip(explanation.known, explanation.ngram_starts, strict=True), 1
    ):
        for first in starts[known]:
            if end - first >= RUN:
                covered[max(first, 0) : end] = True
    edges = np.flatnonzero(np.diff(covered[start:stop], prepend=False, append=False))
    for first, last in edges.reshape(-1, 2):
        yield int(start + first), int(start + last)


def _arc(explanation: Explanation, words: Sequence[Word]) -> Arc | None:
    """From a name among the words to the same name, where a far block looks at it most."""
    arcs = []
    for word in words:
        look = explanation.look(word.start) if word.text.istitle() and len(word.text) > 2 else None
        for source in explanation.words if look else ():
            if look and source.start <= look.source < source.stop and source.text == word.text:
                arcs.append(Arc(word, source, look.share))
    return max(arcs, key=lambda arc: arc.share, default=None)


def alt_text(shown: Excerpt) -> str:
    """What the picture of an excerpt shows, in words: at most `LONGEST_ALT` characters."""
    dots = "..." if shown.before else "", "..." if shown.after else ""
    parts = [f"{QUESTION} The text: {dots[0]}{shown.text}{dots[1]}"]
    for number, call_out in enumerate(shown.call_outs, 1):
        guesses = ", ".join(
            f"{text} {percent(chance)}{' (taken)' if taken else ''}"
            for text, chance, taken in call_out.rows
        )
        parts.append(f"Place {number}: {guesses}.")
    if shown.rarest is not None and shown.rarest.probability is not None:
        chance = percent(shown.rarest.probability)
        parts.insert(1, f"The word that surprised him most: {shown.rarest.text}, {chance}.")
    if shown.charts and shown.open_word is not None:
        number = [call_out.word for call_out in shown.call_outs].index(shown.open_word) + 1
        likeliest = ", ".join(
            f"{percent(float(chart[0]))} at temperature {temperature}"
            for temperature, chart in zip(TEMPERATURES, shown.charts, strict=True)
        )
        parts.append(
            f"The likeliest character at place {number}, {shown.characters[0]!r}: {likeliest}."
        )
    if shown.arc is not None:
        back = shown.arc.word.start - shown.arc.source.start
        parts.append(f"At {shown.arc.word.text} he looked at the same name, {back} letters back.")
    if shown.runs:
        read = (shown.text[a - shown.start : b - shown.start].strip() for a, b in shown.runs)
        parts.append("He has read before: " + "; ".join(read) + ".")
    words = (f"{w.text} {percent(w.probability)}" for w in shown.words if w.probability is not None)
    parts.append("Each word's probability: " + ", ".join(words) + ".")
    alt = " ".join(parts)
    return alt if len(alt) <= LONGEST_ALT else alt[: LONGEST_ALT - 3].rstrip() + "..."


# Backgrounds and letters of the steps, of the 256 colours of terminals: greys.
_GREYS = ((255, 16), (250, 16), (242, 231), (234, 231))


def in_terminal(explanation: Explanation, call_outs: Sequence[CallOut], *, shaded: bool) -> str:
    """The whole text, its words shaded as in the picture, and the call-outs below.

    Args:
        explanation: of the text.
        call_outs: what is told below it.
        shaded: the terminal shows shades; otherwise what was below 10 % is followed by how much.

    Returns:
        Lines, the last without its end.
    """
    told = [word for word in explanation.words if word.probability is not None]
    rarest = min(told, key=lambda word: word.probability or 0.0, default=None)
    numbers = {call_out.word: i for i, call_out in enumerate(call_outs, 1)}
    parts, at = [], 0
    for word in explanation.words:
        parts.append(explanation.text[at : word.start])
        at = word.stop
        if word in numbers:
            parts.append(f"({numbers[word]}) ")
        if shaded:
            back, front = _GREYS[step(word.probability)]
            line = "4;" if word == rarest else ""
            parts.append(f"\033[{line}48;5;{back};38;5;{front}m{word.text}\033[0m")
        elif step(word.probability) > 1:
            parts.append(f"{word.text} [{percent(word.probability or 0.0)}]")
        else:
            parts.append(word.text)
    parts.append(explanation.text[at:])
    legend = "[n %]: how likely a word was, where it was less than 10 %"
    if shaded:
        names = ("sure", "10 % to 50 %", "1 % to 10 %", "surprised: less than 1 %")
        legend = " ".join(
            f"\033[48;5;{back};38;5;{front}m {name} \033[0m"
            for name, (back, front) in zip(names, _GREYS, strict=True)
        )
    lines = ["".join(parts), "", legend]
    for number, call_out in enumerate(call_outs, 1):
        rows = (
            f"{'>' if taken else ''}{text} {percent(chance)}"
            for text, chance, taken in call_out.rows
        )
        lines.append(f"({number}) " + ", ".join(rows))
    if call_outs:
        lines.append("(n): where most was open, the likeliest words; > was taken")
    return "\n".join(lines)
