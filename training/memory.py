"""Does a network use the story so far? Probes that need no judge, measured with what writes.

Each asks for the loss of some characters after different pasts (`nats_after`). A network without a
memory answers the same whatever lies further back than its last few words.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.decoder import Decoder
from model.rules import RUN, speaker
from model.vocab import Vocab

Nats = NDArray[np.float64]

SLOTS = 32
"""Texts read side by side."""
CONTEXTS = (16, 64, 128, 256, 1024)
"""Characters before a place, of which each is tried."""
NEAR = 128
"""Characters before a place that stay its own when all before them is foreign."""
FRIENDS = ("Piglet", "Owl", "Eeyore", "Rabbit", "Kanga", "Christopher Robin")
"""No two of them begin with the same letter."""
GAPS = (0, 60, 180, 400)
"""Characters between somebody's last word and the place where he is expected again."""
AGAIN = '"Well, I never did," said '
FILLER = (
    "It had rained all night, and the path was soft and brown. Every leaf had a drop on it, and "
    "every drop had a small bright window in it. The wind came round the corner, looked about, and "
    "went away again. There was a puddle by the gate that had not been there before. Somewhere a "
    "long way off a door was shut. Nothing else happened for quite a long time. "
)
_NAME = re.compile(r"\b[A-Z][a-z]{2,}\b")


@dataclass(frozen=True)
class Place:
    """A question to a network: how much do these characters surprise after that past."""

    past: str
    text: str


def nats_after(decoder: Decoder, vocab: Vocab, places: Sequence[Place]) -> list[Nats]:
    """The loss of each character of the texts, each after its past: (len(text),) nats a place.

    Args:
        decoder: the network; it reads no more than `context_length` characters of a past.
        vocab: its characters, which hold all of the places'.
        places: past and text, neither of them empty.
    """
    found: list[Nats] = []
    for start in range(0, len(places), SLOTS):
        batch = places[start : start + SLOTS]
        slots = [decoder.join() for _ in batch]
        texts = [vocab.encode(place.text) for place in batch]
        losses = [np.empty(len(text)) for text in texts]
        logits = [
            decoder.read(slot, vocab.encode(place.past)).copy()
            for slot, place in zip(slots, batch, strict=True)
        ]
        for t in range(max(map(len, texts))):
            busy = [i for i, text in enumerate(texts) if t < len(text)]
            for i in busy:
                losses[i][t] = surprise(logits[i], texts[i][t])
            busy = [i for i in busy if t + 1 < len(texts[i])]
            if busy:
                rows = decoder.step([slots[i] for i in busy], [texts[i][t] for i in busy])
                for i, row in zip(busy, rows, strict=True):
                    logits[i] = row.copy()
        for slot in slots:
            decoder.leave(slot)
        found += losses
    return found


def surprise(logits: NDArray[np.float32], target: int) -> float:
    """-log softmax(logits)[target], in nats; logits (V,)."""
    most = logits.max()
    return float(most + np.log(np.exp((logits - most).astype(np.float64)).sum()) - logits[target])


def memory_report(
    decoder: Decoder, vocab: Vocab, text: str = "", seed: int = 0, places: int = 48
) -> dict[str, Any]:
    """All probes that ask for losses.

    Args:
        decoder: the network.
        vocab: its characters.
        text: one it was not trained on; "" leaves out what needs one.
        seed: of the places and of the made-up names.
        places: how many places of the text, and names.

    Returns:
        What each probe gives, by its function's name; empty for a vocabulary without English.
    """
    if not set(f"{FILLER}{AGAIN}{ascii_letters}\n!") <= set(vocab.characters):
        return {}  # a network of another alphabet: the probes are English
    report: dict[str, Any] = {
        "copying": copying(decoder, vocab, seed, places),
        "named_before": named_before(decoder, vocab),
    }
    if len(text) > 4 * max(CONTEXTS):
        report["contexts"] = context_losses(decoder, vocab, text, seed, places)
        report["foreign_past"] = foreign_past(decoder, vocab, text, seed, places)
        if (chosen := next_paragraph(decoder, vocab, text, seed, places)) is not None:
            report["next_paragraph"] = chosen
    return report


def context_losses(
    decoder: Decoder, vocab: Vocab, text: str, seed: int, places: int, length: int = 64
) -> dict[int, float]:
    """Mean loss of the same characters with so many before them, nats a character."""
    starts = _places(len(text), places, length, seed)
    return {
        context: _mean(
            nats_after(
                decoder,
                vocab,
                [Place(text[at - context : at], text[at : at + length]) for at in starts],
            )
        )
        for context in CONTEXTS
    }


def foreign_past(
    decoder: Decoder, vocab: Vocab, text: str, seed: int, places: int, length: int = 64
) -> float:
    """How much the loss rises, nats a character, where all but the last words are foreign.

    The past of each place is, but for its last `NEAR` characters, that of another place.
    """
    starts = _places(len(text), places, length, seed)
    far = max(CONTEXTS)
    own, foreign = [], []
    for at, other in zip(starts, np.roll(starts, len(starts) // 2), strict=True):
        target, near = text[at : at + length], text[at - NEAR : at]
        own.append(Place(text[at - far : at - NEAR] + near, target))
        foreign.append(Place(text[other - far : other - NEAR] + near, target))
    return _mean(nats_after(decoder, vocab, foreign)) - _mean(nats_after(decoder, vocab, own))


def copying(decoder: Decoder, vocab: Vocab, seed: int, names: int) -> dict[str, float]:
    """The loss of names that nobody has, nats a letter from the 4th on: new, and met before.

    Returns:
        By how the name was met: "new", "after 4 mentions" in the last 90 or so characters, and
        "at a gap of" so many characters since it was met four times.
    """
    random = np.random.default_rng(seed)
    kinds: dict[str, list[Place]] = {}
    for _ in range(names):
        name = made_up_name(random)
        met = f'"Hallo, {name}," said Pooh. {name} said nothing. "{name}!" said Pooh, and {name} '
        again = "looked up.\n\n"
        asked = '"I think," said Pooh, "that we ought to ask '
        pasts = {"new": f"One day Pooh went for a walk. {asked}", "after 4 mentions": met + "and "}
        for gap in (150, 450):
            pasts[f"at a gap of {gap}"] = met + again + filler(gap - len(asked)) + asked
        for kind, past in pasts.items():
            kinds.setdefault(kind, []).append(Place(past, name))
    return {
        kind: _mean([nats[3:] for nats in nats_after(decoder, vocab, asked)])
        for kind, asked in kinds.items()
    }


def made_up_name(random: np.random.Generator) -> str:
    """Eight letters that can be said, and no name: consonants and vowels by turns."""
    letters = "bdfgklmnprstvz", "aeiou"
    drawn = [letters[i % 2][random.integers(len(letters[i % 2]))] for i in range(8)]
    return "".join(drawn).capitalize()


def named_before(decoder: Decoder, vocab: Vocab) -> dict[int, float]:
    """What a friend's first letter gains, in nats, when he spoke before and not another, by gap."""
    gains = {}
    for gap in GAPS:
        own: list[Place] = []
        others: list[Place] = []
        for friend in FRIENDS:
            for other in FRIENDS:
                if other != friend:
                    middle = filler(gap)
                    for spoke, places in ((friend, own), (other, others)):
                        past = f'One day there was a noise. "What is it?" said {spoke}.\n\n'
                        places.append(Place(past + middle + AGAIN, friend[0]))
        with_him, without = (_mean(nats_after(decoder, vocab, each)) for each in (own, others))
        gains[gap] = without - with_him
    return gains


def next_paragraph(
    decoder: Decoder, vocab: Vocab, text: str, seed: int, places: int, choices: int = 8
) -> float | None:
    """How often the paragraph that comes next is likelier than seven others of the same chapter.

    Likelihood is of the first 120 characters, by how much the story so far raises it: the loss
    after the paragraph alone that comes before, less that after the whole past. None without enough
    paragraphs.
    """
    random = np.random.default_rng(seed)
    ends = [found.end() for found in re.finditer(r"\n\n", text)]
    begins = [at for at in ends if len(text[at : at + 120].split("\n\n")[0]) >= 60]
    begins = [at for at in begins if at >= max(CONTEXTS)]
    if len(begins) < 2 * choices:
        return None
    chosen = random.permutation(len(begins))[: max(8, places // 3)]
    right = 0
    for place in chosen:
        at = begins[place]
        near = [i for i in range(len(begins)) if abs(i - place) > 1]
        near.sort(key=lambda i: abs(i - place))  # of the same chapter: those that lie nearest
        others = random.choice(near[: 4 * choices], choices - 1, replace=False)
        starts = [at, *(begins[i] for i in others)]
        candidates = [text[s : s + 120].split("\n\n")[0] for s in starts]
        long = text[at - max(CONTEXTS) : at]
        pasts = (long, long[long.rstrip("\n").rfind("\n\n") + 2 :])
        after, alone = (
            nats_after(decoder, vocab, [Place(past, candidate) for candidate in candidates])
            for past in pasts
        )
        gains = [(a - b).mean() for a, b in zip(alone, after, strict=True)]
        right += int(gains[0] > max(gains[1:]))  # a network that cannot tell has not chosen
    return right / len(chosen)


def strangers(texts: Iterable[tuple[str, str]], people: Iterable[str]) -> float:
    """People of the library who are in no prompt, for each 1,000 characters written.

    Args:
        texts: (prompt, what was written) each.
        people: names of the library, those of the Forest not among them.
    """
    known, met, characters = frozenset(people), 0, 0
    for prompt, written in texts:
        asked = set(_NAME.findall(prompt))
        met += sum(name in known and name not in asked for name in _NAME.findall(written))
        characters += len(written)
    return 1000 * met / max(characters, 1)


def answers_himself(texts: Iterable[str]) -> float | None:
    """Share of the replies whose speaker is the one who spoke in the paragraph before.

    Of paragraphs that hold speech and name the speaker, side by side. None where there are none.
    """
    same = pairs = 0
    for text in texts:
        before: str | None = None
        for paragraph in text.split("\n\n"):
            now = speaker(paragraph)
            if now and before:
                pairs += 1
                same += now == before
            before = now
    return same / pairs if pairs else None


def repeated(texts: Iterable[str]) -> float:
    """Share of the words that end a run of four words which the text had before."""
    runs = again = 0
    for text in texts:
        seen: set[tuple[str, ...]] = set()
        words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.lower())
        for run in zip(*(words[i:] for i in range(RUN)), strict=False):
            runs += 1
            again += run in seen
            seen.add(run)
    return again / max(runs, 1)


def filler(length: int) -> str:
    """Whole sentences in which nobody is named, at least so many characters of them."""
    sentences = re.findall(r"[^.]+\. ", FILLER)
    text = ""
    for sentence in itertools.cycle(sentences):
        if len(text) >= length:
            return text
        text += sentence
    raise AssertionError("cycle has no end")


def _places(length: int, count: int, ahead: int, seed: int) -> list[int]:
    """Places in a text with enough before and behind them, spread evenly, the same every time."""
    first, last = max(CONTEXTS), length - ahead
    steps = np.linspace(first, last, count, endpoint=False)
    shift = np.random.default_rng(seed).random(count) * (last - first) / count
    return [int(place) for place in steps + shift]


def _mean(nats: Sequence[Nats]) -> float:
    return float(np.concatenate(list(nats)).mean())
