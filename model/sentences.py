"""Where a text goes on and where it ends: words stay whole, sentences are finished.

A prompt's last word is the asker's, so what is written first does not go on with it (`barred`). A
text of a given length has no end of its own, so it is shown up to a sentence's (`ending`, and
`shown` while it is still being written). Both hold in any alphabet.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator

from model.cuts import ends_well

SHARE = 0.75  # of its length, after which a text may end where a sentence does
REACH = 8  # characters after a prompt in which its punctuation may still go on

# Thai and Lao, Burmese, Khmer, kana and Han: no spaces part their words, so none can be kept whole.
_RANGES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{_RANGES}]")
# Arabic, Urdu, Hindi, Armenian, Ethiopic, Tibetan, Burmese and Khmer end sentences so.
STOPS = "\u2026\u061f\u06d4\u0964\u0965\u0589\u1362\u0f0d\u104b\u17d4"
SENTENCE_END = re.compile(
    rf"(?<!\bMr)(?<!\bMrs)(?<!\bDr)[.!?{STOPS}][\"'_)\]\u00ab\u00bb\u2018-\u201f]*"
    rf"(?=\s|$|[{_RANGES}])|[\u3002\uff01\uff1f][\u300d\u300f\uff09\u201d]*"
)

# After it, another sentence begins: not "said he".
_SENTENCE_BREAK = re.compile(f"(?:{SENTENCE_END.pattern})" + r"(?=\s+\W{0,4}[^\Wa-z])")

PARAGRAPH = "\n\n"
_DOTS = "..."  # where there is more
_WIDE_STOPS = "\u3002\uff01\uff1f"  # no space follows these

_HYPHENS = "-\u2010\u2011\u05be"
_APOSTROPHES = "'\u2019\u02bc"
_JOINERS = _APOSTROPHES + "\u00b7" + _HYPHENS  # letters on both sides of these are one word
_QUOTES = (
    '"\u201c\u201d\u201e\u201f',
    "\u00ab\u00bb",
    "\u2039\u203a",
    "\u300c\u300d",
    "\u300e\u300f",
)
_PAIRS = (*_QUOTES, "_", "()", "[]")  # an odd number of these in a paragraph: one is open
_OPENS_SINGLE = re.compile(r"(?<!\w)['\u2018](?=\S)")
_CLOSES_SINGLE = re.compile(r"(?<=\S)['\u2019](?!\w)")
# What stands behind a whole word as part of it, or closes what it is in: the bears', (he said).
_CLOSED = re.compile(rf"[^\W_][_)\]{_APOSTROPHES}\u2018{''.join(_QUOTES)}]+\Z")
_POINTED = re.compile(r"\d[.,:/]\Z")
_UNFINISHED = re.compile(rf"(?<=[^\W_])[{_HYPHENS}]\Z")


def barred(prompt: str, written: str, characters: str, *, whole_word: bool = True) -> list[int]:
    """Which characters must not come next, for the sake of the prompt's end.

    The prompt's last word is whole: no letter, digit, accent, apostrophe or hyphen is written at
    once after it (no letter or digit after a mark that closes it, no digit after the point of a
    number). And until a space is written, nothing is closed, quote or bracket, that is not open.

    Args:
        prompt: what the text goes on from; "" begins one, and bars nothing.
        written: what has been written after it.
        characters: those there are.
        whole_word: the last word is whole; otherwise it goes on, and must.

    Returns:
        Places in `characters`, never all of them.
    """
    if not prompt or len(written) >= REACH or any(map(str.isspace, written)):
        return []
    text = prompt + written
    closing = _closing_nothing(text)
    last = next((c for c in reversed(prompt) if not _attaches(c)), "")
    if not written and _is_spelled(last):
        joining = _HYPHENS if _open_single(_paragraph(text)) else _JOINERS
        goes_on = [_goes_on(c) or c in joining for c in characters]
        wrong = [
            on or c in closing if whole_word else not on
            for c, on in zip(characters, goes_on, strict=True)
        ]
    elif not whole_word and len(written) == 1 and written in _JOINERS:
        wrong = [not _is_spelled(c) for c in characters]
    elif not written:
        closed = whole_word and _CLOSED.search(prompt) is not None
        pointed = whole_word and _POINTED.search(prompt) is not None
        wrong = [
            c in closing or _attaches(c) or (_is_spelled(c) and closed) or (c.isdigit() and pointed)
            for c in characters
        ]
    else:
        number = whole_word and last.isdigit() and len(written) == 1 and written in ".,:/"
        wrong = [c in closing or (number and c.isdigit()) for c in characters]
    return [] if all(wrong) else [i for i, bad in enumerate(wrong) if bad]


def unfinished(prompt: str) -> tuple[str, bool]:
    """A prompt as it was typed: a hyphen at its end asks for the last word to go on.

    Returns:
        The prompt without that hyphen, and whether there was one.
    """
    text = _UNFINISHED.sub("", prompt)
    return text, text != prompt


def last_end(text: str, least: int, before: str = "") -> int | None:
    """Where a text may end: after its last sentence that leaves nobody in the midst of speaking.

    Args:
        text: what was written.
        least: it shall not end before that many characters.
        before: what stands before it, which may have begun a speech.

    Returns:
        The length up to there. Where every such sentence leaves a quote open, up to the last of
        them; None where no sentence ends.
    """
    found = (match.end() for match in SENTENCE_END.finditer(text))
    ends = [end for end in found if end >= least and ends_well(text, end)]
    # In speech of several paragraphs each opens a quote, and only the last closes one.
    closed = (end for end in reversed(ends) if not in_speech(_paragraph(before + text[:end])))
    return next(closed, ends[-1] if ends else None)


def has_ended(sentence: str) -> bool:
    """Whether a sentence, and what parts it from the next, stands at the end of this text."""
    whole = sentence.rstrip()
    end = next((m for m in SENTENCE_END.finditer(whole) if m.end() == len(whole)), None)
    if end is None:
        return False
    between = sentence[len(whole) :]
    return between in (" ", PARAGRAPH) if end[0][0] not in _WIDE_STOPS else not between


def last_sentence(text: str) -> str:
    """The last sentence of a text, whole or not."""
    ends = [match.end() for match in SENTENCE_END.finditer(text.rstrip())]
    begins = [end for end in ends if end < len(text.rstrip())]
    return text[begins[-1] :].lstrip() if begins else text


def ending(text: str, length: int, before: str = "") -> tuple[str, bool]:
    """End a text that has no end of its own.

    After a sentence that ends within `length` and after `SHARE` of it (see `last_end`); where there
    is none, after the last whole word. No word is parted from what makes it innocent.

    Args:
        text: what was written.
        length: how much of it is wanted.
        before: what stands before it.

    Returns:
        What is shown, and whether it is cut in mid-sentence.
    """
    whole = text[:length].rstrip()
    if end := last_end(whole, math.ceil(SHARE * length), before):
        return whole[:end], False
    following = text[len(whole) : len(whole) + 1]
    if _goes_on(whole[-1:]) and (not following or _goes_on(following)):  # perhaps half a word
        whole = whole[: _word_start(whole, len(whole))].rstrip() or whole
    return text[: well_ended(text, len(whole))], True


def first_words(text: str, length: int) -> str:
    """A text in short: as many of its first words as `length` characters hold, and dots.

    A word is whole, as half a word may be another: of `title` none is left. None is parted from
    what makes it innocent.
    """
    if len(text) <= length:
        return text
    room = length - len(_DOTS)
    # One more character tells whether a word ends there.
    kept = text[: min(room, _word_start(text, room + 1))].rstrip() or text[:room]
    return text[: well_ended(text, len(kept))] + _DOTS


def first_sentences(text: str, count: int, before: str = "") -> tuple[str, bool]:
    """The beginning of a text that goes on and on.

    Args:
        text: what was written.
        count: how many sentences are wanted; it is one more or less where that would leave somebody
            in the midst of speaking.
        before: what stands before it, which may have begun a speech.

    Returns:
        Its beginning, and whether it is cut in mid-sentence, as no sentence ends.
    """
    found = (match.end() for match in _SENTENCE_BREAK.finditer(text))
    ends = [end for end in found if ends_well(text, end)]
    if not ends:
        return ending(text, len(text), before)
    nearest = sorted(range(len(ends)), key=lambda place: abs(place + 1 - count))
    closed = (ends[i] for i in nearest if not in_speech(_paragraph(before + text[: ends[i]])))
    return text[: next(closed, ends[min(count, len(ends)) - 1])], False


def certain(text: str, length: int) -> int:
    """How many characters of a text that still grows `ending` will show, whatever comes."""
    at = _word_start(text, min(len(text), math.ceil(SHARE * length)))
    return well_ended(text, len(text[:at].rstrip()))


def shown(pieces: Iterable[str], length: int, before: str = "") -> Iterator[str]:
    """What `ending` shows of a text, while it is written: word by word, and the last part at once.

    Args:
        pieces: the text, in any parts.
        length: how much of it is wanted.
        before: what stands before it.

    Yields:
        Parts of what is shown; the last ends in "..." when it is cut in mid-sentence.
    """
    text, told = "", 0
    for piece in pieces:
        text += piece
        if _parts_words(piece[-1:]) and (known := certain(text, length)) > told:
            yield text[told:known]
            told = known
    whole, cut = ending(text, length, before)
    yield whole[told:] + "..." * cut


def well_ended(text: str, at: int) -> int:
    """Where to cut a text, there or after an earlier word, so that it `ends_well`; 0 at last."""
    while at and not ends_well(text, at):
        at = len(text[: min(_word_start(text, at), at - 1)].rstrip())
    return at


def _is_spelled(character: str) -> bool:
    """Whether words are made of it and parted by spaces."""
    return character.isalnum() and not _UNSPACED.match(character)


def _attaches(character: str) -> bool:
    """Whether it changes the character before: accents, vowel signs, joiners, selectors."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf")


def _goes_on(character: str) -> bool:
    """Whether it, or nothing, may be within a word."""
    return bool(character) and (_is_spelled(character) or _attaches(character))


def within_word(character: str) -> bool:
    """Whether it is part of a word when single words are looked at: also an apostrophe is."""
    return _goes_on(character) or character in _APOSTROPHES


def is_word(character: str) -> bool:
    """Whether it is looked at as a word by itself, as no spaces part the words of its script."""
    return bool(_UNSPACED.match(character))


def _parts_words(character: str) -> bool:
    return character.isspace() or bool(_UNSPACED.match(character))


def _word_start(text: str, end: int) -> int:
    """Where the run without a space begins that ends at `end`."""
    while end and not _parts_words(text[end - 1]):
        end -= 1
    return end


def _paragraph(text: str) -> str:
    """The last paragraph: quotes are closed in the one that they are opened in."""
    return text.rpartition("\n\n")[2]


def in_speech(paragraph: str) -> bool:
    """Whether a quote is open at its end."""
    return any(_is_open(paragraph, pair) for pair in _QUOTES)


def _is_open(paragraph: str, pair: str) -> bool:
    return sum(map(paragraph.count, pair)) % 2 == 1


def _open_single(paragraph: str) -> bool:
    """Whether a single quote is open; an apostrophe within a word is none."""
    opened = len(_OPENS_SINGLE.findall(paragraph))
    return opened > len(_CLOSES_SINGLE.findall(paragraph))


def _closing_nothing(text: str) -> str:
    """The marks that would close, after this text, what is not open."""
    last = text[-1]
    if last.isspace() or unicodedata.category(last) in ("Ps", "Pi", "Pd"):
        return ""  # a mark here would open
    paragraph = _paragraph(text)
    marks = "".join(pair for pair in _PAIRS if not _is_open(paragraph, pair))
    if not _open_single(paragraph):
        marks += "'\u2018\u2019"
    return "".join(mark for mark in marks if unicodedata.category(mark) != "Ps")
