"""What a message of the bot looks like: pure text, made, made safe, and read back.

    **Here is Edward Bear**, coming downstairs now, bump, bump, bump.
    -# pooh · temperature 0.8 · seed 123

The prompt is bold, what Pooh added follows, the small line stands below. A message is all the bot
remembers of a story, so `parse` gives back exactly the text that `build` was given: whatever is
changed on the way to Discord (`escape`) can be undone (`unescape`).
"""

import math
import re
import unicodedata
from dataclasses import dataclass

from model.sentences import SENTENCE_END, last_end

LIMIT = 2000  # characters in a message
ROOM = 80  # characters a note may take: the rest is for the story
BREAK = "\u200b"  # zero-width space: parts what Discord would join into a link or a mention
CUT = BREAK + "..."  # the story stops here in mid-sentence; the break tells it from written dots

# What Discord's markdown gives a meaning: a backslash takes it away ...
_MARKDOWN = r"[\\*_~|`#<>\[\]]|^[ ]*(?:[-+]|[0-9]+\.)"
# ... and what it joins with the text after it, whatever stands before: a break parts them.
_JOINTS = r"[@:](?=[^\s.])|(?<=\w)\.(?=\w)"
_SPECIAL = re.compile(f"{_MARKDOWN}|{_JOINTS}", re.M)
_ITALICS = re.compile(r"(?<![\w\\])_(?=[^\s_])([^_\\*~|`#<>\[\]@:\n]*(?<!\s))_(?!\w)")
_EITHER = re.compile(f"{_ITALICS.pattern}|{_SPECIAL.pattern}", re.M)
_ESCAPED = re.compile(r"\\([\\*_~|`#<>\[\]\-+.])|" + BREAK)
_PROMPT = re.compile(r"\*\*((?:\\.|[^\\*])+)\*\*(.*)", re.S)
SHARE = 0.75  # of its length, after which a story may end where a sentence does
_MARKS = 2  # accents that one letter may carry


@dataclass(frozen=True)
class Page:
    """What a message holds: the prompt, what was written, and whether that was cut short."""

    prompt: str = ""
    story: str = ""
    cut: bool = False

    @property
    def text(self) -> str:
        """All of it, as the network reads it to go on."""
        return self.prompt + self.story


def plain(text: str) -> str:
    """Any Unicode as text that is safe to look at, with nothing hidden in it.

    Compatibility forms are replaced (NFKC), line ends are newlines, other white space is a space;
    control, format and private characters and lone surrogates are dropped (zero-width and
    right-to-left marks among them), and a letter keeps at most two accents. What is plain stays as
    it is.
    """
    text = re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text)
    text = unicodedata.normalize("NFKC", "".join(c for c in text if _shown(c)))
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if marks <= _MARKS and _shown(character):
            kept.append(" " if character.isspace() and character != "\n" else character)
    return unicodedata.normalize("NFKC", "".join(kept))


def _shown(character: str) -> bool:
    return unicodedata.category(character)[0] != "C" or character in "\n\t"


def escape(text: str, *, italics: bool = False) -> str:
    """Text as Discord shows it literally: no markdown, link, invite, mention or emoji.

    Args:
        text: any text; what is not `plain` is made so.
        italics: keep `_words_` between underscores as italics.
    """
    return (_EITHER if italics else _SPECIAL).sub(_defuse, plain(text))


def _defuse(match: re.Match[str]) -> str:
    found = match[0]
    if match.re is _EITHER and match[1]:
        return f"_{_SPECIAL.sub(_defuse, match[1])}_"
    if found in "@:.":
        return found + BREAK
    return f"{found[:-1]}\\{found[-1]}"


def unescape(text: str) -> str:
    """Undo `escape`."""
    return _ESCAPED.sub(lambda match: match[1] or "", text)


def build(page: Page, note: str) -> str:
    """The message, of at most 2,000 characters: what is too long for it is cut.

    Args:
        page: what to show.
        note: the small line: one safe line of at most `ROOM` characters.
    """
    prompt, story, cut = plain(page.prompt).strip(), plain(page.story), page.cut
    while True:
        shown = f"**{escape(prompt)}**" if prompt else ""
        shown += escape(story if prompt else story.lstrip(), italics=True).rstrip()
        shown += CUT if cut else ""
        message = f"{shown}\n-# {note}" if shown else f"-# {note}"
        over = _length(message) - LIMIT
        if over <= 0:
            return message
        # Escaping only makes text longer: to cut as many characters as there are too many is
        # enough, or the loop comes round again.
        if story:
            kept = trim(story, max(0, len(story) - over), prompt)
            story, cut = kept.story, kept.cut
        else:
            prompt = last_words(prompt, max(1, len(prompt) - over))


def parse(content: str) -> Page:
    """Read back what `build` made, without the small line."""
    shown = content.rpartition("\n-# ")[0] if not content.startswith("-# ") else ""
    if cut := shown.endswith(CUT):
        shown = shown.removesuffix(CUT)
    if match := _PROMPT.fullmatch(shown):
        return Page(unescape(match[1]), unescape(match[2]), cut)
    return Page("", unescape(shown), cut)


def room(page: Page) -> int:
    """How many characters the story can still grow in its message, if few need escaping."""
    return LIMIT - ROOM - _length(build(page, ""))


def trim(story: str, length: int, before: str = "") -> Page:
    """End a story that has no end of its own.

    After a sentence that ends within `length` and after `SHARE` of it (see `last_end`); where there
    is none, after the last whole word, marked as cut.

    Args:
        story: what was written.
        length: how much of it is wanted.
        before: what stands before it.

    Returns:
        A page without a prompt.
    """
    text = story[:length].rstrip()
    end = last_end(text, math.ceil(SHARE * length), before)
    if end:
        return Page(story=text[:end])
    next_one = story[len(text) : len(text) + 1]
    if text[-1:].isalnum() and (not next_one or next_one.isalnum()):  # perhaps half a word
        text = text[: max(text.rfind(" "), text.rfind("\n"), 0)].rstrip() or text
    return Page(story=text, cut=True)


def last_words(text: str, length: int) -> str:
    """The end of a text: its last sentences, or words, of at most `length` characters."""
    text = text.strip()
    if len(text) <= length:
        return text
    tail = text[-length - 1 :]  # with the character before, which may part words
    starts = [match.end() for match in SENTENCE_END.finditer(tail) if match.end() < len(tail)]
    if not starts:
        starts = [match.start() for match in re.finditer(r"\s", tail)]
    return tail[starts[0] if starts else 1 :].strip()


def _length(text: str) -> int:
    """As Discord may count: a character beyond the first 65,536 as two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
