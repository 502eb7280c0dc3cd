"""Keeps slurs and sexual words out of prompts and stories.

The words are those of `data/slurs.txt`. Text is first folded to small Latin letters, look-alikes of
other alphabets among them; then a few regular expressions, each a trie of all entries, find words
however they are disguised; last, what is innocent in its surroundings ("spick and span") is taken
out again. A story is judged while it is written: there a word may still be on its way to becoming
innocent ("pussy-" to "pussy-willow").
"""

import enum
import functools
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.wordlist import WORD_LIST, make_trie, read_word_list

# Characters: no word that is refused is longer, stretched and spaced out; and what is enough
# of a text in which so many of its letters stand apart that no word of the list has more.
LONGEST = 256
_NEAR = 48
_LETTERS = 24
_REPEATED = 8  # times that a letter of a disguised word may stand beyond those that spell it

# How letters are written by whoever means to get past a list: with digits, with signs, with letters
# that look or sound alike, and a vowel may be blotted out. What makes one English word of another
# (l for i, v for u) is only looked for where no word is innocent.
_DIGITS = {"a": "4", "b": "8", "e": "3", "g": "69", "i": "1", "l": "1", "o": "0", "s": "5"}
_DIGITS |= {"t": "7", "z": "2"}
_SIGNS = {"a": "@", "c": "(<", "i": "!|", "l": "|", "s": "$", "t": "+"}
_ALIKE = {"c": "k", "g": "q", "i": "l", "k": "c", "s": "z", "u": "v"}
_BLOTS = dict.fromkeys("aeiou", "*#")
# Letters of other alphabets that look like Latin ones; those of Latin itself tell by their names.
_LOOKALIKES: dict[int, int | str] = {
    **str.maketrans(
        "авсԁеһнієјкӏмипոоорԛгяѕтυцսѵνԝшхуαβϲεηικορςτχγωμŋ€£¢¥¡†",
        "abcdehhiejklmnnnoopqrrstuuuvvwwxyabcenikopstxywunelcyit",
    ),
    **str.maketrans("ɑ⍺эҽϝցհɩᎥꭵռօᴦѡ", "aaeefghiiinorw"),  # noqa: RUF001
    **{ord("æ"): "ae", ord("œ"): "oe"},
    # Letters that are not seen: fillers of Hangul syllables.
    **dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0"), ""),
}
_LATIN = re.compile(r"(?:.* )?(?:LATIN|REGIONAL INDICATOR) .*?(?:LETTER) (?:[A-Z]+ )*?([A-Z])\b")

_LETTER = r"[^\W\d_]"
_START, _END = f"(?<!{_LETTER})", f"(?!{_LETTER})"
_PLURAL = r"(?:['\u2019]?[s5$z]+)?"
_BETWEEN = r"[\W_]{0,3}"  # what may stand between the letters of a word that is spelled out
_MARKS = ("||", "~~", "**", "__")  # what hides, strikes, or draws the letters in between
_PARTING = "\u2014\u2015\u2025\u2026"  # dashes and dots that part words as a space does
_GAP = re.compile(
    rf"[\s_*{_PARTING}-]+"
)  # what may stand between the words of a phrase that is allowed
_RUN = re.compile(rf"(.)\1{{{_REPEATED},}}", re.S)
_APART = re.compile(r"([^\W_])(?!\1)")  # a letter, however often it stands there


class Verdict(enum.Enum):
    """What is to be said of words at the end of a story that is being written."""

    CLEAN = "none of them is refused"
    UNDECIDED = "what follows decides"
    REFUSED = "one of them is refused"


class WordFilter:
    """The list, as the host wants it."""

    def __init__(
        self,
        *,
        active: bool = True,
        refused: Iterable[str] = (),
        allowed: Iterable[str] = (),
        path: Path = WORD_LIST,
    ) -> None:
        """Whether it refuses anything at all; words to add; words to allow; where the list lies.

        Raises:
            model.wordlist.WordListError: the list cannot be read.
        """
        allowed = frozenset(allowed)
        words = {
            name: [entry for entry in entries if entry.rstrip("*") not in allowed]
            for name, entries in read_word_list(path).items()
        }
        self._active = active
        self._rules = _rules(words)
        self._host = _rules({"ambiguous": sorted(refused)})
        phrases = [*words["allowed"], *allowed]
        self._plain = [phrase.replace("-", " ") for phrase in phrases]
        self._allowed = _innocent(phrases)

    def become(self, other: "WordFilter") -> None:
        """Refuse what the other refuses, from now on and for everybody who holds this one.

        The worker's thread may be judging meanwhile: nothing is changed, each part is replaced, and
        a word that falls between two parts is judged by the old list or by the new.
        """
        for name, part in vars(other).items():
            setattr(self, name, part)

    def ends(self, text: str) -> list[int]:
        """Where each word that is refused ends in `text`."""
        folded, origins = _fold(text)
        return sorted({origins[end - 1] + 1 for _, end, _ in self._find(folded)})

    def refuses(self, text: str) -> bool:
        """Whether there is such a word in `text`."""
        folded, _ = _fold(text)
        return any(self._find(folded))

    def judge(self, before: str, fresh: str) -> Verdict:
        """Judge the words that end in `fresh`, which follows `before` and is to be followed itself.

        The last word of `fresh` must be whole: its last character is one that `ends_word`.
        """
        before = _near(before)
        folded, origins = _fold(before + fresh)
        verdict = Verdict.CLEAN
        for start, end, by_host in self._find(folded):
            if origins[end - 1] < len(before):
                continue
            if by_host or not self._may_become_innocent(folded, start):
                return Verdict.REFUSED
            verdict = Verdict.UNDECIDED
        return verdict

    def _find(self, folded: str) -> Iterator[tuple[int, int, bool]]:
        """Start and end of each word that is refused, and whether the host said so."""
        if not self._active:
            return
        for start, end in _matches(self._host, folded):
            yield start, end, True
        innocent: list[tuple[int, int]] | None = None
        for start, end in _matches(self._rules, folded):
            if innocent is None:
                innocent = [m.span() for rule in self._allowed for m in rule.finditer(folded)]
            if not any(first <= start and end <= last for first, last in innocent):
                yield start, end, False

    def _may_become_innocent(self, folded: str, start: int) -> bool:
        """Whether a phrase that is allowed has begun there or before, and is not over yet."""
        words = [m.start() for m in re.finditer(_START + _LETTER, folded) if m.start() <= start]
        tails = [_GAP.sub(" ", folded[word:]) for word in words]
        return any(phrase.startswith(tail) for phrase in self._plain for tail in tails)


def _near(text: str) -> str:
    """The end of a text, from where a word may have begun that is not over yet."""
    near = text[-_NEAR:]
    if len(_APART.findall(near.lower())) >= _LETTERS:
        return near
    return _RUN.sub(lambda run: run[0][:_REPEATED], text)[-LONGEST:]


def ends_word(character: str) -> bool:
    """Whether what stands before a character is whole: it is no letter that a list may hold.

    A letter of a script without capitals that looks like none of Latin's (Han, kana, Thai, Hebrew)
    is in no word of the list. Some of these scripts have no spaces, so nobody should wait for one.
    """
    if not character.isalnum():
        return True
    return unicodedata.category(character) == "Lo" and not _letters(character).isascii()


def _matches(rules: Sequence["_Rule"], folded: str) -> Iterator[tuple[int, int]]:
    for rule in rules:
        yield from (m.span() for m in rule.pattern.finditer(folded) if rule.accepts(m))


@dataclass(frozen=True)
class _Rule:
    """Entries that are looked for in one way.

    Attributes:
        pattern: finds them in folded text.
        accepts: whether what was found is meant, and not there by accident.
    """

    pattern: re.Pattern[str]
    accepts: Callable[[re.Match[str]], bool] = bool


def _rules(words: Mapping[str, Sequence[str]]) -> list[_Rule]:
    """All ways in which the entries of these sections are looked for."""
    anywhere, whole, unsure = (words.get(n, ()) for n in ("anywhere", "word", "ambiguous"))
    stems = [entry.rstrip("*") for entry in anywhere]
    bounded = [*(_tokens(e, _stretched) for e in whole), *(_tokens(e, _exact) for e in unsure)]
    blotted = (_blotted(stem, "_.-") for stem in stems)
    words_alone = (entry.rstrip("*") for entry in (*whole, *unsure))
    blots = (_blotted(word, "") for word in words_alone if word.isalpha())
    ends = _PLURAL + _END
    rules = [
        ("", (_tokens(stem, _wild) for stem in stems), "", bool),
        (_START, blotted, "", bool),
        (_START, itertools.chain(bounded, blots), ends, bool),
        (_START, map(_apart, stems), "", lambda m: _is_spelled(m) or _is_cut(m, spaces=True)),
        (
            _START,
            map(_apart, whole),
            ends,
            lambda m: _is_over(m) and (_is_spelled(m) or _is_cut(m)),
        ),
        (_START, map(_apart, unsure), ends, lambda m: _is_over(m) and _is_spelled(m)),
    ]
    return [
        _Rule(re.compile(start + trie + end), accepts)
        for start, entries, end, accepts in rules
        if (trie := make_trie(entries))
    ]


def _is_spelled(match: re.Match[str]) -> bool:
    """Whether every letter stands by itself: n-o, n  o."""
    parts = re.split(r"[\W_]+", match.group())
    return len(parts) > 1 and all(len(set(part)) == 1 for part in parts)


def _is_over(match: re.Match[str]) -> bool:
    """Whether no longer word is spelled: n-o, but not n-o-t."""
    return not re.match(rf"-(?:{_LETTER}{_END}|\Z)", match.string[match.end() : match.end() + 3])


def _is_cut(match: re.Match[str], *, spaces: bool = False) -> bool:
    """Whether there is one sign, one mark of Discord, or one space wherever the word is cut.

    A long dash, and three dots in one, are as a space.

    The s of "Owl's hat" is no part of a word that is cut by a space.
    """
    cuts = re.findall(r"[\W_]+", match.group())
    rest = match.string[match.end() : match.end() + 4]
    ends = re.match(rf"(?:s|ed|er|ers|ing|in)?{_END}", rest)
    owned = re.search(rf"{_LETTER}['\u2019]\Z", match.string[: match.start()][-2:])
    spaces = spaces and ends is not None and owned is None
    return bool(cuts) and all(
        cut in _MARKS or (len(cut) == 1 and (spaces or not (cut.isspace() or cut in _PARTING)))
        for cut in cuts
    )


def _tokens(entry: str, spell: Callable[[str, int], str]) -> Iterator[str]:
    """An entry as regular expressions, one for each run of a letter, gap or star."""
    for character, run in itertools.groupby(entry):
        match character:
            case " ":
                yield r"[\W_]{1,3}"
            case "-":
                yield r"[\W_]?"
            case "*":
                yield f"{_LETTER}*"
            case _:
                yield spell(character, len(list(run)))


def _wild(letter: str, count: int) -> str:
    """A letter, or what stands for it, so many times or more often."""
    return _run(_spellings(letter, _DIGITS, _SIGNS, _ALIKE, _BLOTS), count)


def _blotted(entry: str, signs: str) -> Iterator[str]:
    """An entry of which every letter but the first and the last may be blotted out: n*t for not."""
    for position, letter in enumerate(entry):
        blot = "*#" if 0 < position < len(entry) - 1 else ""
        yield f"[{letter}{blot}{signs if blot and letter in 'aeiou' else ''}]"


def _stretched(letter: str, count: int) -> str:
    """The same, with signs that nobody mistakes for another letter."""
    return _run(_spellings(letter, _DIGITS, _SIGNS), count)


def _exact(letter: str, count: int) -> str:
    """A letter so many times, or so often that it is no accident: rapping is not raping."""
    spelling = _spellings(letter, _DIGITS, _SIGNS)
    return _run(spelling, count) if count > 1 else f"{spelling}(?:{_run(spelling, 2)})?"


def _apart(entry: str) -> Iterator[str]:
    """An entry as regular expressions, with something between its letters.

    Signs only stand between letters here, not for them, so that there is one way to read them and
    no text takes long.
    """
    for position, letter in enumerate(c for c in entry if c.isalnum()):
        if position:
            yield _BETWEEN
        yield _run(_spellings(letter, _DIGITS), 1)


def _spellings(letter: str, *signs: Mapping[str, str]) -> str:
    """What may stand for a letter, as a set of a regular expression."""
    return f"[{letter}{''.join(kind.get(letter, '') for kind in signs)}]"


def _run(spelling: str, count: int) -> str:
    """So many of them, or more. A set comes first: `re` looks at it before it tries the rest.

    How many more is bounded, as sets overlap (1 is i and l): else a long run of what may stand for
    both takes the cube of its length. `_fold` makes every run that short.
    """
    return f"{spelling * count}{spelling}{{0,{_REPEATED}}}"


def _innocent(phrases: Iterable[str]) -> list[re.Pattern[str]]:
    """What finds phrases that are allowed, without the letters that a * stands for.

    Else whatever hangs on such a phrase would be allowed with it.
    """
    kinds: dict[tuple[str, str], list[list[str]]] = {}
    signs = {" ": _GAP.pattern, "'": "['\u2019]"}
    for phrase in phrases:
        ends = "" if phrase.endswith("*") else _END
        kind = "" if phrase.startswith("*") else _START, r"(?:['\u2019]?s)?" + ends
        spelled = "".join(signs.get(c, re.escape(c)) for c in phrase.strip("*"))
        kinds.setdefault(kind, []).append([spelled])
    return [re.compile(start + make_trie(found) + end) for (start, end), found in kinds.items()]


def _fold(text: str) -> tuple[str, Sequence[int]]:
    """Text in small Latin letters, long runs shortened; and where in `text` each of them is."""
    folded: str
    origins: Sequence[int]
    if text.isascii():
        folded, origins = text.lower(), range(len(text) + 1)
    else:
        spelled = [_letters(character) for character in text]
        folded = "".join(spelled)
        origins = [*(i for i, letters in enumerate(spelled) for _ in letters), len(text)]
    if not _RUN.search(folded):
        return folded, origins
    kept = list(range(len(origins)))
    for run in reversed(list(_RUN.finditer(folded))):
        del kept[run.start() + _REPEATED - 1 : run.end() - 1]  # its end stays where it is
    return "".join(folded[i] for i in kept[:-1]), [origins[i] for i in kept]


@functools.lru_cache(maxsize=4096)
def _letters(character: str) -> str:
    """What a character looks like, in small letters; "" for what is not seen."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return ""
    small = character.lower()
    if small.translate(_LOOKALIKES) != small:  # before NFKD, which makes a sigma of a lunate one
        return small.translate(_LOOKALIKES)
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    parts = unicodedata.normalize("NFKD", character)
    if unicodedata.category(character) == "Po":  # several signs in one are one sign
        return character if character in _PARTING else parts[0]
    if parts != character:
        return "".join(map(_letters, parts))
    if not character.isascii() and (named := _LATIN.match(unicodedata.name(character, ""))):
        return named[1].lower()
    return small
