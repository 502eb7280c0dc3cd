"""What a message of the bot looks like: pure text, made, made safe, and read back.

    **Here is Edward Bear**, coming downstairs now, bump, bump, bump.
    -# pooh · temperature 0.8 · seed 123

The prompt is bold, what Pooh added follows, the small line stands below. A message is all the bot
remembers of a story, so `parse` gives back exactly the text that `build` was given: whatever is
changed on the way to Discord (`escape`) can be undone (`unescape`).
"""

import re
import unicodedata
from dataclasses import dataclass

from model.cuts import begins_well
from model.sentences import SENTENCE_END, ending

LIMIT = 2000  # characters in a message
ROOM = 200  # characters a note may take: the rest is for the story
GOES_ON = "... "  # what begins in the middle of something begins with this
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
_BOLD = r"\*\*((?:\\.|[^\\*])+)\*\*"
_PROMPT = re.compile(f"{_BOLD}(.*)", re.S)
# After the end of a sentence, or of a paragraph, but not before "said he".
_SENTENCE_START = re.compile(f"(?:{SENTENCE_END.pattern})" + r"\s+(?=\W{0,4}[^\Wa-z])|\n\n")
_MARKS = 2  # accents that one letter may carry
_MARKS_SORTED = 30  # accents together that are looked at: no language needs more (UAX #15)


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
    # Normalising sorts accents, in a time that grows with the square of how many stand together.
    text = unicodedata.normalize("NFKC", _with_few_marks(_without_hidden(text), _MARKS_SORTED))
    text = _with_few_marks(_without_hidden(text), _MARKS)
    return unicodedata.normalize("NFKC", re.sub(r"[^\S\n]", " ", text))


def _without_hidden(text: str) -> str:
    hidden = {c for c in set(text) - {"\n", "\t"} if unicodedata.category(c)[0] == "C"}
    return "".join(c for c in text if c not in hidden) if hidden else text


def _with_few_marks(text: str, most: int) -> str:
    """Text in which no more than so many accents stand together."""
    marks = {c for c in set(text) if unicodedata.category(c)[0] == "M"}
    if not marks:
        return text
    kept: list[str] = []
    together = 0
    for character in text:
        together = together + 1 if character in marks else 0
        if together <= most:
            kept.append(character)
    return "".join(kept)


def escape(text: str, *, italics: bool = False) -> str:
    """Text as Discord shows it literally: no markdown, link, invite, mention or emoji.

    Args:
        text: any text; what is not `plain` is made so.
        italics: keep `_words_` between underscores as italics.
    """
    return _escape(plain(text), italics=italics)


def _escape(text: str, *, italics: bool = False) -> str:
    return (_EITHER if italics else _SPECIAL).sub(_defuse, text)


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


def build(page: Page, note: str, limit: int = LIMIT) -> str:
    """The message, of at most 2,000 characters: what is too long for it is cut.

    Args:
        page: what to show.
        note: the small line: one safe line, of which `ROOM` characters are shown.
        limit: the most characters, more than `ROOM`.
    """
    prompt, story, cut = plain(page.prompt).strip(), plain(page.story), page.cut
    note = note.encode("utf-16-le")[: 2 * ROOM].decode("utf-16-le", "ignore")
    while True:
        shown = f"**{_escape(prompt)}**" if prompt else ""
        shown += _escape(story if prompt else story.lstrip(), italics=True).rstrip()
        shown += CUT if cut else ""
        message = with_note(shown, note)
        over = length(message) - limit
        if over <= 0:
            return message
        # Escaping makes a character twice as long at most: half as many as there are too many are
        # never too many to cut, and the loop comes round again.
        if story:
            kept = trim(story, max(0, len(story) - (over + 1) // 2), prompt)
            story, cut = kept.story, kept.cut
        else:
            prompt = last_words(prompt, max(1, len(prompt) - (over + 1) // 2))


def parse(content: str) -> Page:
    """Read back what `build` made, without the small line."""
    shown, _ = split_note(content)
    if cut := shown.endswith(CUT):
        shown = shown.removesuffix(CUT)
    match = _PROMPT.fullmatch(shown)
    # What else is bold somebody added to a story circle: a `*` of `build` has a backslash.
    story = re.sub(_BOLD, r"\1", match[2] if match else shown)
    return Page(unescape(match[1]) if match else "", unescape(story), cut)


def with_note(shown: str, note: str) -> str:
    """What a message shows, and a small line below it."""
    return f"{shown}\n-# {note}" if shown else f"-# {note}"


def split_note(content: str) -> tuple[str, str]:
    """What a message shows, and its small line."""
    if content.startswith("-# "):
        return "", content.removeprefix("-# ")
    shown, _, note = content.rpartition("\n-# ")
    return shown, note


def room(page: Page) -> int:
    """How many characters the story can still grow in its message, if few need escaping."""
    return LIMIT - ROOM - length(build(page, ""))


def trim(story: str, length: int, before: str = "") -> Page:
    """End a story that has no end of its own, as `ending` does; marked where it is cut.

    Args:
        story: what was written.
        length: how much of it is wanted.
        before: what stands before it.

    Returns:
        A page without a prompt.
    """
    text, cut = ending(story, length, before)
    return Page(story=text, cut=cut)


def last_words(text: str, length: int) -> str:
    """The end of a text, of at most `length` characters.

    It begins with a whole sentence outside of speech, if there is one in the first half of what may
    be kept; else with a sentence or a word, after a mark that it goes on. No word is parted from
    what makes it innocent.
    """
    text = text.strip()
    if len(text) <= length:
        return text
    cut = len(text) - length
    latest = cut + length // 2
    found = [match.end() for match in _SENTENCE_START.finditer(text, max(0, cut - 10))]
    starts = [at for at in found if cut <= at <= latest and begins_well(text, at)]
    for start in starts:
        paragraph = text.rfind("\n\n", 0, start) + 1
        if text.count('"', paragraph, start) % 2 == 0:
            return text[start:]
    cut += len(GOES_ON)
    if cut >= len(text):
        return text[-length:]
    starts += [match.end() for match in re.finditer(r"\s+", text) if match.end() >= cut]
    starts.append(cut if begins_well(text, cut) else len(text))
    return GOES_ON + text[next(at for at in starts if at >= cut and begins_well(text, at)) :]


def length(text: str) -> int:
    """How long Discord may count a text: a character beyond the first 65,536 as two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
