"""What is shown of an `Explanation`: a few lines of the text, as figures, in words and in shades.

`picture.py` draws an `Excerpt`; `alt_text` says the same to who cannot see it, and `in_terminal`
to who reads it there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.explain import ExplainError, Explanation, Numbers, Word
from model.sentences import first_words
from model.windows import edges, fitting, windows
from model.wording import ENGLISH, Wording
from model.words import WordFilter

STEPS = (50, 10, 1)
"""Whole per cents below which a word is shown a step darker."""
TEMPERATURES = (0.3, 0.8, 1.5)
LETTERS = 3
"""The likeliest characters that have bars of their own in the charts."""
RUN = 12
"""Characters of a run from which on it is told that the table has it: two or three words."""
LONGEST_ALT = 1024  # characters: Discord's

_WILD = 10.0  # bits: more surprise than that does not make an excerpt livelier; an arc is as much


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
        words: those of the excerpt that are explained, in order; the end of a prompt may stand
            before them.
        rarest: of them, the one that was least likely; None where nothing could be told.
        call_outs: at `rarest`, and where most was open but there; in order.
        open_word: of the words the one before which most was open, also one of the call-outs';
            None without any.
        characters: the vocabulary in the order of the charts: the likeliest before `open_word`
            first.
        charts: at each of `TEMPERATURES` the probabilities of `characters` there.
        runs: (start, stop) of parts that the n-gram table has as runs of `RUN` characters and more.
        arc: from a name to the same name in the excerpt, where it was looked for; None without
            memory, or such a name.
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

    @property
    def bars(self) -> list[tuple[str, tuple[float, ...], bool]]:
        """The rows of the charts, which together are all characters.

        A character, its probability at each of `TEMPERATURES`, and whether it was taken: the
        likeliest ones and the one that was taken; last, as "", the sum of all others.
        """
        if self.open_word is None:
            return []
        taken = self.characters.index(self.open_word.text[0])
        own = sorted({*range(min(LETTERS, len(self.characters))), taken})
        rows = [
            (self.characters[i], tuple(float(chart[i]) for chart in self.charts), i == taken)
            for i in own
        ]
        if len(own) < len(self.characters):
            rest = tuple(float(np.delete(chart, own).sum()) for chart in self.charts)
            rows.append(("", rest, False))
        return rows


def step(probability: float | None) -> int:
    """How dark a word is shown: 0, where it was likely or nothing is known, to 3."""
    return 0 if probability is None else sum(round(100 * probability) < least for least in STEPS)


def percent(probability: float) -> str:
    """In whole per cents."""
    whole = round(100 * probability)
    return f"{whole} %" if whole else "<1 %"


def liveliest(explanation: Explanation) -> int:
    """The number of the window that says most: whose words were the least expected.

    Raises:
        ExplainError: there is no word in the text.
    """
    starts = windows(explanation)
    if not starts:
        raise ExplainError("there is no word in the text")

    def surprise(number: int) -> float:
        first = starts[number]
        words = explanation.words[first : first + fitting(explanation, first)]
        chances = [1.0 if w.probability is None else w.probability for w in words]
        bits = -np.log2(np.maximum(chances, 1e-300))
        return float(np.minimum(bits, _WILD).sum()) + _WILD * (_arc(explanation, words) is not None)

    return max(range(len(starts)), key=surprise)


def excerpt(explanation: Explanation, window: int) -> Excerpt:
    """The lines that begin with a window.

    Args:
        explanation: of the text.
        window: its number in `windows`, as of `liveliest`.
    """
    first = windows(explanation)[window]
    words = explanation.words[first : first + fitting(explanation, first)]
    start, stop = edges(explanation, first, first + len(words))
    text = explanation.text[start:stop]
    told = [word for word in words if word.probability is not None]
    rarest = min(told, key=lambda word: word.probability or 0.0, default=None)
    opened = explanation.open_words([word for word in told if word != rarest], 1)
    called = sorted([*opened, *([rarest] if rarest else [])], key=lambda word: word.start)
    most_open = max(called, key=lambda word: explanation.openness(word.start), default=None)
    order, charts = "", []
    if most_open is not None:
        falling = np.argsort(-explanation.after(most_open.start), kind="stable")
        order = "".join(explanation.characters[i] for i in falling)
        charts = [explanation.after(most_open.start, t)[falling] for t in TEMPERATURES]
    return Excerpt(
        text="".join(" " if c.isspace() else c for c in text),
        start=start,
        before=bool(explanation.text[:start].strip()),
        after=bool(explanation.text[stop:].strip()),
        words=words,
        rarest=rarest,
        call_outs=tuple(
            CallOut(word, tuple(explanation.next_words(word.start))) for word in called
        ),
        open_word=most_open,
        characters=order,
        charts=tuple(charts),
        runs=tuple(_runs(explanation, start, start + len(text))),
        arc=_arc(explanation, words),
    )


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
    """From a name among the words to the same name among them, where a far block looks most."""
    arcs = []
    names = [word for word in words if word.text.istitle() and len(word.text) > 2]
    for number, word in enumerate(names):
        look = explanation.look(word.start)
        for source in names[:number] if look else ():
            if look and source.start <= look.source < source.stop and source.text == word.text:
                arcs.append(Arc(word, source, look.share))
    return max(arcs, key=lambda arc: arc.share, default=None)


def alt_text(shown: Excerpt, wording: Wording = ENGLISH) -> str:
    """What the picture of an excerpt shows, in words: at most `LONGEST_ALT` characters."""
    dots = "..." if shown.before else "", "..." if shown.after else ""
    parts = [wording.question, wording.alt_text.format(words=f"{dots[0]}{shown.text}{dots[1]}")]
    if shown.rarest is not None and shown.rarest.probability is not None:
        chance = percent(shown.rarest.probability)
        parts.append(wording.alt_rarest.format(word=shown.rarest.text, chance=chance))
    for number, call_out in enumerate(shown.call_outs, 1):
        guesses = ", ".join(
            wording.alt_taken.format(word=text, chance=percent(chance))
            if taken
            else f"{text} {percent(chance)}"
            for text, chance, taken in call_out.rows
        )
        parts.append(wording.alt_place.format(number=number, guesses=guesses))
    if shown.open_word is not None:
        number = [call_out.word for call_out in shown.call_outs].index(shown.open_word) + 1
        letters = ", ".join(
            f"{letter or wording.rest} {' / '.join(map(percent, chances))}"
            for letter, chances, _ in shown.bars
        )
        temperatures = " / ".join(wording.temperatures)
        parts.append(
            wording.alt_letter.format(number=number, temperatures=temperatures, letters=letters)
        )
    if shown.arc is not None:
        parts.append(wording.alt_arc.format(word=shown.arc.word.text))
    if shown.runs:
        runs = (shown.text[a - shown.start : b - shown.start].strip() for a, b in shown.runs)
        parts.append(wording.alt_runs.format(runs="; ".join(runs)))
    words = ", ".join(
        f"{w.text} {percent(w.probability)}" for w in shown.words if w.probability is not None
    )
    if words:
        parts.append(wording.alt_words.format(words=words))
    return first_words(" ".join(parts), LONGEST_ALT)


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
        lines.append("(n): likeliest words at the rarest and at the most open place; > was taken")
    return "\n".join(lines)
