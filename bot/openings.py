"""How a story may begin: what is suggested while a prompt is typed."""

import re

from bot.options import MAX_PROMPT

CHOICES = 25  # that Discord shows

OPENINGS = (
    "Here is Edward Bear",
    "Once upon a time, a very long time ago now,",
    "One fine day",
    "One day, when the sun had come back over the Forest,",
    "It rained and it rained and it rained.",
    '"Hallo!" said Piglet, "what are you doing?"',
    '"Hallo, Rabbit," said Pooh,',
    '"Good morning, Eeyore," said Pooh.',
    '"Good morning, Pooh Bear," said Eeyore gloomily.',
    "Christopher Robin was sitting outside his door,",
    "Winnie-the-Pooh sat down at the foot of the tree,",
    "The Piglet lived in a very grand house",
    "Eeyore, the old grey Donkey, stood by the side of the stream,",
    "Owl lived at The Chestnuts,",
    "Nobody seemed to know where Kanga came from,",
    "Rabbit brushed his whiskers and said",
    "Little Roo was washing his face",
    "Tigger had come to the Forest",
    "Pooh went back to his own house",
    "If I know anything about anything,",
    "The more he looked for it",
    "Pooh",
    "Piglet",
    "Eeyore",
    "Rabbit",
    "Owl",
    "Kanga",
    "Roo",
    "Tigger",
    "Alexander Beetle",
    "Christopher Robin",
    "Heffalump",
    "Woozle",
)


def suggestions(typed: str) -> list[str]:
    """Openings that lead to good stories, for what is typed so far: where it begins one first."""
    wanted = _letters(typed[:MAX_PROMPT])
    if typed.strip() and not wanted:
        return []
    matching = [text for text in OPENINGS if wanted in _letters(text)]
    return sorted(matching, key=lambda text: not _letters(text).startswith(wanted))[:CHOICES]


def _letters(text: str) -> str:
    """Words alone: nobody types "Winnie-the-Pooh" with its hyphens to find it."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "")))
