"""Two rules of a good story, for a network whose memory is better than its judgement.

A network that has learned to copy copies too much: it goes round in circles, and whoever has spoken
speaks again. So no run of four words is written twice, and nobody answers himself. (Milne's own
text repeats a run of four words within a page about once in a hundred words, and lets a speaker go
on in a new paragraph of his own in 5 of 100.) Both rules forbid a letter at the beginning of a
word, so that another word is written, never half of one.
"""

import re

RUN = 4  # words that are not written twice
GREEDY_RUN = 8  # the same at temperature 0, which recites: Milne repeats shorter ones
_PAGE = 1500  # characters of the text so far that are looked at
SAYS = "said|says|asked|cried|answered|replied|shouted|whispered|thought|exclaimed|called|began"
SPEAKER = re.compile(rf"\b(?:{SAYS})\s+([A-Z][a-z]+)|\b([A-Z][a-z]+)(?: Robin)?\s+(?:{SAYS})\b")
"""Who says something, in one of two groups."""

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")  # in mid-sentence: "Oh" is nobody
_BEGUN = re.compile(rf"\b(?:{SAYS})\s+([A-Z]?)\Z")


def speaker(paragraph: str) -> str | None:
    """Who is named as the first to speak in a paragraph that holds speech."""
    found = SPEAKER.search(paragraph) if '"' in paragraph else None
    return (found[1] or found[2]) if found else None


def repeating(text: str, run: int = RUN) -> set[str]:
    """The letters that would begin the last word of a run of words written before.

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
    """The letters by which he who spoke in the paragraph before would be named as the next.

    Where somebody else in the text shares his first letter, the second decides.

    Args:
        text: what was written so far.
    """
    begun = _BEGUN.search(text[-24:])
    if begun is None:
        return set()
    text = text[-_PAGE:]
    paragraphs = text.rsplit("\n\n", 2)
    if len(paragraphs) < 2 or '"' not in paragraphs[-1]:
        return set()
    before = speaker(paragraphs[-2])
    if before is None:
        return set()
    first, second = before[0], before[1]
    people = {*_NAME.findall(text), *(found[1] or found[2] for found in SPEAKER.finditer(text))}
    shared = any(name[0] == first and name[:2] != before[:2] for name in people)
    if begun[1]:
        return {second} if begun[1] == first else set()
    return set() if shared else {first}
