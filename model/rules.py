"""Rules of a good story, for a network whose memory is better than its judgement.

A network that has learned to copy copies too much: it goes round in circles, and whoever has spoken
speaks again. So no run of four words is written twice, nobody answers himself or calls himself by
name, and a speech does not follow another in one paragraph. (Milne's own text repeats a run of four
words within a page about once in a hundred words, and lets a speaker go on in a new paragraph of
his own in 5 of 100.) All rules forbid what would begin a word, so that another is written, never
half of one.
"""

import re
from collections import Counter

from model.sentences import PARAGRAPH, in_speech

RUN = 4  # words that are not written twice
GREEDY_RUN = 8  # the same at temperature 0, which recites: Milne repeats shorter ones
_PAGE = 1500  # characters of the text so far that are looked at
SAYS = "said|says|asked|cried|answered|replied|shouted|whispered|thought|exclaimed|called|began"
SPEAKER = re.compile(rf"\b(?:{SAYS})\s+([A-Z][a-z]+)|\b([A-Z][a-z]+)(?: Robin)?\s+(?:{SAYS})\b")
"""Who says something, in one of two groups."""

_CALLED = re.compile(r"(?:, |^|_)([A-Z][a-z]+)(?=[,.!?;])")
_NEAR = 200  # characters
_LONGER = 4  # letters
_HEADING = re.compile(r"\bCHAPTER\b|\bIN WHICH\b")
_PHRASE = 12  # characters; what is shorter may be said twice
_SPOKEN = re.compile(r'[.!?]" \Z')
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")  # in mid-sentence: "Oh" is nobody
_BEGUN = re.compile(rf"\b(?:{SAYS})\s+([A-Z]?)\Z")


def speaker(paragraph: str) -> str | None:
    """Who is named as the first to speak in a paragraph that holds speech."""
    found = SPEAKER.search(paragraph) if '"' in paragraph else None
    return (found[1] or found[2]) if found else None


def repeating(text: str, run: int = RUN) -> set[str]:
    """The letters by which the next word would complete a run of words written before.

    Args:
        text: what was written so far.
        run: how many words are one.
    """
    if not text or text[-1].isalnum() or text[-1] in "'\u2019-":
        return set()  # in the midst of a word
    words = list(_WORD.finditer(text[-_PAGE:]))
    if len(words) < run:
        return set()
    spelled = [word[0].lower() for word in words]
    last = spelled[1 - run :]
    return {
        words[end][0][0]
        for end in range(run - 1, len(words))
        if spelled[end + 1 - run : end] == last
    }


def answering_himself(text: str) -> set[str]:
    """The letters that would name, as the one who says this, somebody who cannot be.

    That is who spoke in the paragraph before, and who is called by name in this speech ("Hallo,
    Pooh," said ...). Where somebody else in the text shares his first letter, the second decides.

    Args:
        text: what was written so far.
    """
    begun = _BEGUN.search(text[-24:])
    if begun is None:
        return set()
    text = text[-_PAGE:]
    before, _, paragraph = text.rpartition("\n\n")
    if '"' not in paragraph or _is_open(paragraph):
        return set()
    people = {*_NAME.findall(text), *(found[1] or found[2] for found in SPEAKER.finditer(text))}
    silent = people.intersection(_CALLED.findall(paragraph.split('"')[-2]))
    if spoke := speaker(before.rpartition("\n\n")[2]):
        silent.add(spoke)
    if begun[1]:
        return {name[1] for name in silent if name[0] == begun[1]}
    others = {name[0] for name in people if name[:2] not in {quiet[:2] for quiet in silent}}
    return {name[0] for name in silent} - others


def speaking_twice(text: str) -> set[str]:
    """The quote that would begin a speech right after another in one paragraph: nobody's turn."""
    spoken = bool(_SPOKEN.search(text[-8:])) and not _is_open(text.rpartition("\n\n")[2])
    return {'"'} if spoken else set()


def faults(before: str, sentence: str) -> int:
    """How many things are wrong with a sentence that may be next.

    A paragraph that ends in the midst of speech; somebody who calls himself by name ("Hallo, Pooh,"
    Pooh said); what was said before; the heading of a chapter.

    Args:
        before: the text so far.
        sentence: with what parts it from the next.
    """
    paragraph = (before + sentence).rstrip().rpartition(PARAGRAPH)[2]
    open_quote = sentence.endswith(PARAGRAPH) and in_speech(paragraph)
    called = {name for speech in paragraph.split('"')[1::2] for name in _CALLED.findall(speech)}
    himself = any((found[1] or found[2]) in called for found in SPEAKER.finditer(paragraph))
    said = sentence.strip()
    again = len(said) >= _PHRASE and said in before
    return open_quote + himself + again + bool(_HEADING.search(sentence))


def echo(before: str, sentence: str) -> float:
    """The share of a sentence's longer words that stand twice in the lines before it.

    Args:
        before: the text so far.
        sentence: what may be next.
    """
    near = Counter(word.lower() for word in _WORD.findall(before[-_NEAR:]))
    longer = _longer_words(sentence)
    return sum(near[word] > 1 for word in longer) / max(len(longer), 1)


def stutter(sentence: str) -> float:
    """The share of a sentence's longer words that stand in it already."""
    longer = _longer_words(sentence)
    return (len(longer) - len(set(longer))) / max(len(longer), 1)


def _longer_words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text) if len(word) >= _LONGER]


def _is_open(paragraph: str) -> bool:
    """Whether it ends in the midst of speech."""
    return paragraph.count('"') % 2 == 1
