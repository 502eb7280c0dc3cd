"""Other names for the people of the library, so that a name is something to remember.

Whoever reads the same books again and again knows that Uncle is followed by Wiggily: learned by
heart, it needs no memory. Copying in context is learned when names are many, rare, come in bursts,
and mean somebody else in each text (Chan et al., 2022, arXiv 2205.05055). So the people of most
windows of the library get other names, the same throughout the window: invented ones, those of
other people of the library, or those of the Hundred Acre Wood. The voice to learn is left alone.

A few windows are made up: two invented names in a few sentences, over and over. What is worth
looking up is there nothing but names.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from model.rules import SAYS
from model.strangers import Strangers, part
from model.vocab import Vocab
from training.dataset import Ids, Window

MALE = ("Pooh", "Piglet", "Eeyore", "Rabbit", "Owl", "Roo", "Tigger", "Christopher Robin")
FEMALE = ("Kanga",)
"""The Forest's cast, as those who told of them say he or she."""

LEAST = 15
"""Mentions in mid-sentence that make a capitalised word a name."""
LOWER_CASE = 0.02
"""Most mentions in lower case, to each capitalised one, of a word that is still a name."""
ONE_SEX = 0.75
"""Share of the pronouns near a name that must agree for it to be given to one of the cast."""
SPEAKS = 3
"""Times that a name says something, or has a title, which make it a person's."""
BORROWED, CAST = 0.5, 0.2
"""Share of new names that are other people's of the library; of windows with the Forest's cast."""

_MID_SENTENCE = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}\b")
_LOWER = re.compile(r"\b[a-z]{3,}\b")
_CAPITALISED = re.compile(r"\b[A-Z][a-z]{2,}\b")
_WORD = re.compile(r"[A-Za-z]+")
_SPEAKS = re.compile(
    rf"\b(?:{SAYS}|Uncle|Aunt|Mr\.|Mrs\.|Miss|Master|Cousin|Doctor) ([A-Z][a-z]+)\b"
    rf"|\b([A-Z][a-z]+) (?:{SAYS})\b"
)
_NEAR = 80  # characters behind a name in which a pronoun may mean its bearer
_HE, _SHE = re.compile(r"\b(?:he|him|his)\b"), re.compile(r"\b(?:she|her|hers)\b")

_ONSETS = (
    *("b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z") * 3,
    *(
        "bl",
        "br",
        "ch",
        "cr",
        "dr",
        "fl",
        "gr",
        "kn",
        "pl",
        "qu",
        "sc",
        "sh",
        "sn",
        "st",
        "th",
        "tr",
    ),
    *("",) * 4,
)
_VOWELS = (*("a", "e", "i", "o", "u") * 4, "ay", "ea", "ee", "ie", "oa", "oo", "y")
_CODAS = ("b", "ck", "d", "ff", "g", "l", "ll", "m", "n", "nd", "p", "r", "s", "t", *("",) * 18)
_ENDINGS = ("a", "o", "y", "le", "er", "kin", "ums", "by", "ster", "ling", "wick", *("",) * 11)

_FRAMES = (
    '"Hallo, {a}," said {b}.',
    '"Well, {b}," said {a}, "what shall we do?"',
    "{a} looked at {b}, and {b} looked at {a}.",
    '"I thought so," said {b} to himself.',
    "So {a} went off to look for {b}.",
    '"Where is {b}?" asked {a}.',
    "And there, under a tree, was {b}.",
    '"Oh, {a}!" cried {b}.',
    "{b} was very glad to see {a}.",
    "But {a} said nothing at all.",
    '"{a}," said {b} after a long silence, "listen to me."',
    "Then {a} and {b} walked on together.",
    "It was {b}'s turn now, and {a} waited.",
    '"Good-bye, {b}," said {a}, and he waved.',
    "{a} sat down beside {b} and thought.",
    '"That," said {a}, "is what {b} always says."',
)


@dataclass(frozen=True)
class Names:
    """The names of a library.

    Attributes:
        all: every name, the most frequent first.
        male: those of people called he, as far as the pronouns near them tell.
        female: those of people called she.
    """

    all: tuple[str, ...]
    male: frozenset[str] = field(default_factory=frozenset)
    female: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def find(cls, texts: Iterable[str]) -> "Names":
        """The words that stand capitalised in mid-sentence and hardly ever in lower case."""
        capital: Counter[str] = Counter()
        lower: Counter[str] = Counter()
        he: Counter[str] = Counter()
        she: Counter[str] = Counter()
        for text in texts:
            lower.update(_LOWER.findall(text))
            for found in _MID_SENTENCE.finditer(text):
                name = found[0]
                capital[name] += 1
                behind = text[found.end() : found.end() + _NEAR]
                he[name] += len(_HE.findall(behind))
                she[name] += len(_SHE.findall(behind))
        names = tuple(
            name
            for name, count in capital.most_common()
            if count >= LEAST and lower[name.lower()] <= LOWER_CASE * count
        )
        sexed = [(name, he[name], he[name] + she[name]) for name in names if he[name] + she[name]]
        return cls(
            names,
            frozenset(name for name, males, both in sexed if males >= ONE_SEX * both),
            frozenset(name for name, males, both in sexed if both - males >= ONE_SEX * both),
        )


def people(library: Sequence[str], voice: Sequence[str]) -> list[str]:
    """The people of the library, those left out of whom the voice tells, too.

    People are names that say something, or have a title, at least `SPEAKS` times.
    """
    speaks = Counter(a or b for text in library for a, b in _SPEAKS.findall(text))
    at_home = {word.lower() for text in voice for word in _WORD.findall(text)}
    return [
        name
        for name in Names.find(library).all
        if speaks[name] >= SPEAKS and name.lower() not in at_home
    ]


def strangers(library: Sequence[str], voice: Sequence[str]) -> Strangers:
    """Those people, as a network leaves them out: at a letter that no word shares.

    Words are all of the voice, and what the library often writes in lower case.
    """
    counted = Counter(word for text in library for word in _LOWER.findall(text))
    words = {word.lower() for text in voice for word in _WORD.findall(text)}
    words |= {word for word, count in counted.items() if count >= LEAST}
    allowed = frozenset(
        word.capitalize()[:length] for word in words for length in range(1, len(word) + 1)
    )
    return Strangers(sorted(part(name, allowed) for name in people(library, voice)))


def strangers_left(away: Strangers, texts: Iterable[str]) -> Strangers:
    """Who stays a stranger to a network that learns on from texts of one's own.

    Args:
        away: the strangers of the network.
        texts: what it learns on from: whoever is in them is none, and their words may be written.
    """
    words = {word.capitalize() for text in texts for word in _WORD.findall(text)}
    # What stands before the letter that tells a name begins a word that the network may write.
    told = [name.partition("|") for name in away.names]
    shared = (before if bar and not behind else before[:-1] for before, bar, behind in told)
    allowed = frozenset(
        word[:length] for word in (*words, *shared) for length in range(1, len(word) + 1)
    )
    names = (before + behind for before, _, behind in told)
    return Strangers(sorted(part(name, allowed) for name in names if name not in words))


def invent(random: np.random.Generator) -> str:
    """A name that nobody has: one to three syllables."""

    def one_of(parts: tuple[str, ...]) -> str:
        return parts[random.integers(len(parts))]

    while True:
        syllables = int(random.choice((1, 2, 2, 2, 3)))
        parts = [one_of(_ONSETS) + one_of(_VOWELS) + one_of(_CODAS) for _ in range(syllables)]
        name = "".join(parts) + one_of(_ENDINGS)
        if 4 <= len(name) <= 12:
            return name.capitalize()


def rename(text: str, names: Names, random: np.random.Generator) -> str:
    """The text with other names for its people, each the same throughout."""
    known = frozenset(names.all)
    male, female = (list(random.permutation(cast)) for cast in (MALE, FEMALE))
    with_cast = random.random() < CAST
    new: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        name = found[0]
        if name not in known:
            return name
        if name not in new:
            if with_cast and name in names.male and male:
                new[name] = str(male.pop())
            elif with_cast and name in names.female and female:
                new[name] = str(female.pop())
            elif random.random() < BORROWED:
                new[name] = names.all[random.integers(len(names.all))]
            else:
                new[name] = invent(random)
        return new[name]

    return _CAPITALISED.sub(other, text)


def make_up(length: int, random: np.random.Generator) -> str:
    """At least `length` characters about two people whom nobody knows."""
    a, b = invent(random), invent(random)
    text = ""
    while len(text) < length:
        one, other = (a, b) if random.random() < 0.5 else (b, a)
        frame = _FRAMES[random.integers(len(_FRAMES))]
        text += frame.format(a=one, b=other) + ("\n\n" if random.random() < 0.6 else " ")
    return text


@dataclass(frozen=True)
class Rewriter:
    """What becomes of windows of the library."""

    names: Names
    vocab: Vocab

    def __call__(
        self,
        window: Window,
        text: Ids,
        random: np.random.Generator,
        renamed: float,
        made_up: float,
    ) -> Window:
        """The window with other names, or another one, or as it is.

        Args:
            window: (T + 1,) ids.
            text: its source from where it begins on: other names may be shorter.
            random: where all choices come from.
            renamed: share of the windows whose people get other names.
            made_up: share of the windows that are made up instead.
        """
        length, drawn = len(window.ids), random.random()
        if drawn < made_up:
            written = make_up(length, random)
        elif drawn < made_up + renamed and window.counts.all():
            printed = self.vocab.decode(text[: 2 * length].tolist())
            written = rename(printed, self.names, random)
        else:
            return window
        # A small library may lack a letter of the new names.
        written = "".join(c for c in written if c in self.vocab.characters)[:length]
        if len(written) < length:
            return window  # its source ends here
        ids = np.array(self.vocab.encode(written), window.ids.dtype)
        return replace(window, ids=ids, counts=np.ones_like(window.counts))
