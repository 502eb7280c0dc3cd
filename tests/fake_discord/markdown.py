"""How Discord reads a message, by another way than the bot's: what is active in it, what is seen.

A small reader of Discord's markdown, one rule after the other at each place, after the rules of the
open simple-markdown grammar that Discord's clients build upon; and, for what servers find in the
raw text whatever the markdown says (links to preview, invites, mentions), plain searches.
"""

import re

_RAW = {
    "link": r"(?i)(?:https?|steam|discord|ftp)://[^\s]|www\.\w|mailto:\w",
    "invite": r"(?i)discord(?:app)?\s*\.\s*(?:gg|com|me|li|io)\b",
    "everyone": r"@(?:everyone|here)",
    "mention": r"<@[!&]?[0-9]+>|<#[0-9]+>|<id:\w+>",
    "command": r"</[^>]*:[0-9]+>",
    "time": r"<t:-?[0-9]+(?::[a-zA-Z])?>",
    "emoji": r"<a?:\w+:[0-9]+>|(?<!\w):[a-zA-Z0-9_]+:",
}
_BLOCKS = {  # at the start of a line
    "heading": r"#{1,3}\s+\S",
    "subtext": r"-# ",
    "list": r"[ ]*(?:[-*+]|[0-9]+\.)[ ]+\S",
    "quote": r"[ ]*>(?:>>)?[ ]+\S",
}
_INLINE = [  # anywhere; the group is what is seen
    ("code", r"(`+)(.+?)(?<!`)\1(?!`)", 2),
    ("masked link", r"\[((?:\\.|[^\]\\])*)\]\(\s*<?\S*?>?(?:\s+\"[^\"]*\")?\s*\)", 1),
    ("bold", r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)", 1),
    ("underline", r"__((?:\\.|[^\\])+?)__(?!_)", 1),
    ("italic _", r"\b_((?:__|\\.|[^\\_])+?)_\b", 1),
    ("italic *", r"\*(?=\S)((?:\*\*|\\.|\s+(?:\\.|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)", 1),
    ("strike", r"~~((?:\\.|[^\\])+?)~~", 1),
    ("spoiler", r"\|\|((?:\\.|[^\\])+?)\|\|", 1),
]


def read(content: str) -> tuple[set[str], str]:
    """What is active in a message, and the text people see."""
    active = {name for name, pattern in _RAW.items() if re.search(pattern, content)}
    seen = _read(content, active, line_start=True)
    return active, seen.replace("\u200b", "")


def _read(text: str, active: set[str], *, line_start: bool) -> str:
    seen: list[str] = []
    place = 0
    while place < len(text):
        rest = text[place:]
        if place == 0 or text[place - 1] == "\n":
            active |= {
                name for name, pattern in _BLOCKS.items() if line_start and re.match(pattern, rest)
            }
        if match := re.match(r"\\([^0-9A-Za-z\s])", rest):
            seen.append(match[1])
            place += match.end()
            continue
        for name, pattern, group in _INLINE:
            if name == "italic _" and place and re.match(r"\w", text[place - 1]):
                continue
            bare = pattern.replace(r"\b_(", "_(").replace(r"_\b", r"_(?!\w)")
            if match := re.match(bare, rest, re.S):
                active.add(name)
                seen.append(_read(match[group], active, line_start=False))
                place += match.end()
                break
        else:
            seen.append(text[place])
            place += 1
    return "".join(seen)
