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
from training.estimates import Estimate, estimate
from training.measures import common_start

Nats = NDArray[np.float64]

FAR = 1024
"""Characters before each place of a text that is asked for."""
CONTEXTS = (16, 64, 128, 256, FAR)
"""Characters before a place, of which each is tried."""
MOST = 512
"""Places of a long text that are asked for."""
SHARED = 64
"""Pasts that have fewer characters in common are read each by itself."""
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

    What several pasts begin with is read once, and forked: the same characters are read after the
    same ones as alone.

    Args:
        decoder: the network; it reads no more than `context_length` characters of a past.
        vocab: its characters, which hold all of the places'.
        places: past and text, neither of them empty.
    """
    limit, found = decoder.config.context_length, dict[Place, Nats]()

    def ask(slot: int, read: int, places: Iterable[Place]) -> None:
        """Ask places, sorted, of whose pasts a slot has read so many characters already."""
        for _, group in itertools.groupby(places, lambda place: place.past[read:-1][:SHARED]):
            alike = list(group)
            common = common_start(alike[0].past[:-1], alike[-1].past[:-1])
            if len(alike) > 1 and common > read:  # sorted: what first and last share, all do
                other = decoder.fork(slot)
                decoder.read(other, vocab.encode(alike[0].past[read:common]))
                ask(other, common, alike)
                decoder.leave(other)
                continue
            for place in alike:
                other = decoder.fork(slot)
                ids = vocab.encode(place.past[read:] + place.text)
                logits = decoder.read_all(other, ids[:-1])
                decoder.leave(other)
                length = len(place.text)
                found[place] = surprise(logits[:, -length:], ids[-length:])

    asked = [Place(place.past[-limit:], place.text) for place in places]
    empty = decoder.join()
    ask(empty, 0, sorted(dict.fromkeys(asked), key=lambda place: place.past[:-1]))
    decoder.leave(empty)
    return [found[place] for place in asked]


def surprise(logits: NDArray[np.float32], targets: Sequence[int]) -> Nats:
    """-log softmax(logits)[targets], in nats; logits (V, T), targets (T,) -> (T,)."""
    shifted = (logits - logits.max(axis=0)).astype(np.float64)
    nats: Nats = np.log(np.exp(shifted).sum(axis=0)) - shifted[targets, np.arange(len(targets))]
    return nats


def memory_report(
    decoder: Decoder, vocab: Vocab, text: str = "", seed: int = 0, names: int = 48, most: int = MOST
) -> dict[str, Any]:
    """All probes that ask for losses.

    Args:
        decoder: the network.
        vocab: its characters.
        text: one it was not trained on; "" or a short one leaves out what needs one.
        seed: of the made-up names, and of the paragraphs to choose from.
        names: how many made-up names.
        most: how many stretches and paragraphs of the text, at most.

    Returns:
        What each probe gives; empty for a vocabulary without English.
    """
    if not set(f"{FILLER}{AGAIN}{ascii_letters}\n!") <= set(vocab.characters):
        return {}  # a network of another alphabet: the probes are English
    report: dict[str, Any] = {
        "copying": copying(decoder, vocab, seed, names),
        "named_before": named_before(decoder, vocab),
    }
    if len(text) > 4 * FAR:
        report |= context_losses(decoder, vocab, text, most)
        if (chosen := next_paragraph(decoder, vocab, text, seed, most)) is not None:
            report["next_paragraph"] = chosen
    return report


def context_losses(
    decoder: Decoder, vocab: Vocab, text: str, most: int = MOST, length: int = 64
) -> dict[str, Any]:
    """What the past of a stretch of characters is worth: its loss after more, less and another.

    The stretches lie side by side, each with `FAR` characters before it: all of them, or `most`,
    spread evenly. Their losses are means, nats a character. (Neighbours are a little alike: taken
    over blocks of 16 stretches, errors are a sixth larger for gains, and a quarter for losses.)

    Args:
        decoder: the network.
        vocab: its characters.
        text: one it was not trained on, of at least two stretches.
        most: of them.
        length: of each, in characters.

    Returns:
        "contexts": the loss by the number of characters before. "context_gain": how much less it is
        after `FAR` than after 64. "foreign_past": how much it rises where all but the last `NEAR`
        of `FAR` characters are those of the stretch that lies half the text away.

    Raises:
        ValueError: the text is too short.
    """
    starts = spread(range(FAR, len(text) - length + 1, length), most)
    if len(starts) < 2:
        raise ValueError(f"text: needs at least {FAR + 2 * length} characters, has {len(text)}")
    middle = len(starts) // 2
    pasts = [[text[at - context : at] for at in starts] for context in CONTEXTS]
    pasts.append(
        [
            text[other - FAR : other - NEAR] + text[at - NEAR : at]
            for at, other in zip(starts, starts[middle:] + starts[:middle], strict=True)
        ]
    )
    stretches = [text[at : at + length] for at in starts]
    asked = [Place(*both) for row in pasts for both in zip(row, stretches, strict=True)]
    losses = np.stack(nats_after(decoder, vocab, asked)).mean(axis=1).reshape(len(pasts), -1)
    found = dict(zip(CONTEXTS, losses, strict=False))
    return {
        "contexts": {context: estimate(nats) for context, nats in found.items()},
        "context_gain": estimate(found[64] - found[FAR]),
        "foreign_past": estimate(losses[-1] - found[FAR]),
    }


def copying(decoder: Decoder, vocab: Vocab, seed: int, names: int) -> dict[str, Estimate]:
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
    nats = np.stack(nats_after(decoder, vocab, list(itertools.chain(*kinds.values()))))  # (.., 8)
    means = nats[:, 3:].mean(axis=1).reshape(len(kinds), names)
    return {kind: estimate(row) for kind, row in zip(kinds, means, strict=True)}


def made_up_name(random: np.random.Generator) -> str:
    """Eight letters that can be said, and no name: consonants and vowels by turns."""
    letters = "bdfgklmnprstvz", "aeiou"
    drawn = [letters[i % 2][random.integers(len(letters[i % 2]))] for i in range(8)]
    return "".join(drawn).capitalize()


def named_before(decoder: Decoder, vocab: Vocab) -> dict[int, Estimate]:
    """What a friend's first letter gains, in nats, when he spoke before and not another, by gap.

    Of each friend it is the mean over all others.
    """
    gains, N = {}, len(FRIENDS)
    pasts = [
        f'One day there was a noise. "What is it?" said {spoke}.\n\n{filler(gap)}{AGAIN}'
        for gap in GAPS
        for spoke in FRIENDS
    ]
    asked = [Place(past, friend[0]) for friend in FRIENDS for past in pasts]
    losses = np.stack(nats_after(decoder, vocab, asked))
    for gap, nats in zip(GAPS, losses.reshape(N, len(GAPS), N).swapaxes(0, 1), strict=True):
        own = nats.diagonal()[:, None]  # rows: who is expected; columns: who spoke
        gains[gap] = estimate((nats - own).sum(axis=1) / (N - 1))
    return gains


def next_paragraph(
    decoder: Decoder, vocab: Vocab, text: str, seed: int, most: int = MOST, choices: int = 8
) -> Estimate | None:
    """How often the paragraph that comes next is likelier than seven others of the same chapter.

    Likelihood is of the first 120 characters, by how much the story so far raises it: the loss
    after the paragraph alone that comes before, less that after the whole past. Every paragraph is
    asked for that has `FAR` characters before it, more than one paragraph in them, and 60 to give
    (or `most`, spread evenly). None without enough of them.
    """
    random = np.random.default_rng(seed)

    def opening(at: int) -> str:
        return text[at : at + 120].split("\n\n")[0]

    begins = [
        at
        for at in (found.end() for found in re.finditer(r"\n\n", text))
        if at >= FAR and len(opening(at)) >= 60 and "\n\n" in text[at - FAR : at].rstrip("\n")
    ]
    if len(begins) < 2 * choices:
        return None
    right = []
    for place in spread(range(len(begins)), most):
        at = begins[place]
        near = [i for i in range(len(begins)) if abs(i - place) > 1]
        near.sort(key=lambda i: abs(i - place))  # of the same chapter: those that lie nearest
        others = random.choice(near[: 4 * choices], choices - 1, replace=False)
        candidates = [opening(at), *(opening(begins[i]) for i in others)]
        long = text[at - FAR : at]
        pasts = (long, long[long.rstrip("\n").rfind("\n\n") + 2 :])
        asked = [Place(past, candidate) for past in pasts for candidate in candidates]
        nats = [each.mean() for each in nats_after(decoder, vocab, asked)]
        gains = [b - a for a, b in zip(nats[:choices], nats[choices:], strict=True)]
        right.append(gains[0] > max(gains[1:]))  # a network that cannot tell has not chosen
    return estimate(right)


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


def answers_himself(texts: Iterable[str]) -> Estimate | None:
    """Share of the replies whose speaker is the one who spoke in the paragraph before.

    Of paragraphs that hold speech and name the speaker, side by side. None where there are none.
    """
    same = []
    for text in texts:
        before: str | None = None
        for paragraph in text.split("\n\n"):
            now = speaker(paragraph)
            if now and before:
                same.append(now == before)
            before = now
    return estimate(same) if same else None


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


def spread(items: Sequence[int], most: int) -> list[int]:
    """All of them, or as many as are wanted at most, spread evenly."""
    if len(items) <= most:
        return list(items)
    return [items[i * len(items) // most] for i in range(most)]
