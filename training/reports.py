"""What is measured of a model: loss, samples, recall, memory, and how simpler writers compare."""

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.chain import Chain
from model.sampling import Sampling
from model.sentences import SENTENCE_END
from model.weights import load_decoder, load_gpt, resolve
from model.writing import CANDIDATES
from training.baselines import word_chain_texts
from training.chapters import chapters, is_heading, story
from training.measures import ReadingList, common_start, losses, qualities, write
from training.memory import answers_himself, memory_report, repeated, strangers
from training.recipe import CorpusError

LENGTH = 300
SEEDS = range(1, 16)
STORY, STORY_SEEDS = 600, range(1, 31)
TEMPERATURES = (0.5, 0.8, 1.0)
TRADE_OFF = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.2)  # temperatures
PROMPTS = {
    "book": ("Here is Edward Bear", "Pooh said", "Christopher Robin", "One fine", "Piglet was"),
    "unseen": (
        "Piglet looked at the telephone",
        "The robot opened its eyes",
        "On Tuesday Pooh learned to swim",
        "Rabbit had written a very long letter",
        "Nobody had ever seen so much snow",
    ),
    "empty": ("",),
}
"""Prompts by kind; an empty one starts a story. They take turns until each seed has had one."""

FIRST_WORDS = PROMPTS["book"][0]
"""How the book's first sentence begins."""

Report = dict[str, Any]
Continue = Callable[[list[tuple[str, Sampling]]], list[str]]


def loss_report(nats: NDArray[np.float64], text: str) -> Report:
    """Mean loss of a text and of each of its chapters.

    Args:
        nats: (N,) the loss of each character.
        text: the N characters.
    """
    rows, end = [], 0
    for chapter in chapters(text):
        start = text.index(chapter.strip("\n"), end)
        end = start + len(chapter.strip("\n"))
        title = chapter.split("\n", 1)[0] if is_heading(chapter.split("\n\n", 1)[0]) else "the text"
        rows.append({"title": title, "characters": end - start, **_mean(nats[start:end])})
    return {"characters": len(text), **_mean(nats), "chapters": rows}


def sample_report(continuations: Continue, library: ReadingList) -> list[Report]:
    """What a model's answers are made of, by kind of prompt and temperature.

    Args:
        continuations: takes prompts and settings, gives continuations.
        library: the reading list.
    """
    rows = []
    for temperature in TEMPERATURES:
        for kind, prompts in PROMPTS.items():
            requests = [
                (
                    prompts[i % len(prompts)],
                    Sampling(LENGTH, temperature, seed=seed, candidates=CANDIDATES),
                )
                for i, seed in enumerate(SEEDS)
            ]
            texts = zip((prompt for prompt, _ in requests), continuations(requests), strict=True)
            rows.append(
                {"prompts": kind, "temperature": temperature}
                | asdict(qualities(list(texts), library))
            )
    return rows


def recall_report(continuations: Continue, book: str) -> list[Report]:
    """How many characters of the book follow its chapters' first five words at temperature 0."""
    openings = openings_of(book)
    greedy = Sampling(LENGTH, temperature=0.0)
    written = continuations([(opening, greedy) for opening, _ in openings])
    return [
        {"opening": opening, "characters": common_start(text, rest)}
        for (opening, rest), text in zip(openings, written, strict=True)
    ]


def openings_of(book: str) -> list[tuple[str, str]]:
    """The first five words of each chapter's story, and what follows."""
    openings = []
    for chapter in chapters(book):
        text = story(chapter)
        opening = " ".join(text.split(" ")[:5])
        if opening:
            openings.append((opening, text[len(opening) :]))
    return openings


def first_sentence(book: str) -> str:
    """The first sentence of the first chapter's story."""
    text = story(chapters(book)[0])
    end = SENTENCE_END.search(text)
    return text[: end.end()] if end else text


def trade_off_report(continuations: Continue, library: ReadingList, book: str) -> list[Report]:
    """By temperature: how much is recited where it should be, and copied where it should not.

    Recited: characters of the book that follow after a chapter's opening, the mean of three seeds
    each. First sentence: how many of all seeds go on from `FIRST_WORDS` with the whole first
    sentence of the book. Copied and real words: as in `sample_report`, for prompts never seen.
    """
    openings, rows = openings_of(book), []
    sentence = first_sentence(book).removeprefix(FIRST_WORDS)
    for temperature in TRADE_OFF:
        begun = [
            (opening, rest, Sampling(LENGTH, temperature, seed=seed))
            for opening, rest in openings
            for seed in SEEDS[:3]
        ]
        recited = continuations([(opening, sampling) for opening, _, sampling in begun])
        first = continuations(
            [(FIRST_WORDS, Sampling(len(sentence), temperature, seed=seed)) for seed in SEEDS]
        )
        new = [
            (PROMPTS["unseen"][i % 5], Sampling(LENGTH, temperature, seed=seed))
            for i, seed in enumerate(SEEDS)
        ]
        texts = zip((prompt for prompt, _ in new), continuations(new), strict=True)
        found = qualities(list(texts), library)
        common = [common_start(t, r) for t, (_, r, _) in zip(recited, begun, strict=True)]
        rows.append(
            {
                "temperature": temperature,
                "recited": sum(common) / max(len(common), 1),
                "first_sentence": sum(text == sentence for text in first),
                "copied": found.copied,
                "real_words": found.real_words,
            }
        )
    return rows


def stories_report(continuations: Continue, away: Sequence[str]) -> Report:
    """Who is in stories at the default settings, written longer than a member's to show more.

    Args:
        continuations: takes prompts and settings, gives continuations.
        away: people of the library who have no business in the Forest.
    """
    prompts = [prompt for kind in ("unseen", "empty") for prompt in PROMPTS[kind]]
    requests = [
        (prompts[i % len(prompts)], Sampling(STORY, seed=seed, candidates=CANDIDATES))
        for i, seed in enumerate(STORY_SEEDS)
    ]
    texts = [(p, w) for (p, _), w in zip(requests, continuations(requests), strict=True)]
    return {
        "stories": len(texts),
        "strangers": strangers(texts, away),
        "answers_himself": answers_himself(prompt + written for prompt, written in texts),
        "repeated": repeated(prompt + written for prompt, written in texts),
    }


def evaluate(
    name: str,
    text: str,
    library: ReadingList | None,
    book: str | None,
    away: Sequence[str] = (),
) -> Report:
    """Everything about one model.

    Args:
        name: of shipped weights, or their path.
        text: clean; what the vocabulary cannot say is left out and named in the report.
        library: the reading list; without it no samples are drawn.
        book: the chapters it learned by heart; without them recall is not tried.
        away: people of the library alone; without them its stories are not looked through.
    """
    started = time.monotonic()
    gpt, vocab = load_gpt(name)
    decoder, _ = load_decoder(name)
    cleaned = vocab.clean(text)
    if not cleaned.text.strip():
        raise CorpusError(f"{name} knows no character of the text")
    ids = np.array(vocab.encode("\n" + cleaned.text))

    def continuations(requests: list[tuple[str, Sampling]]) -> list[str]:
        clean = [(vocab.clean(prompt).text, sampling) for prompt, sampling in requests]
        return write(decoder, vocab, clean)

    return {
        "model": resolve(name)[0].stem,
        "parameters": sum(parameter.numel() for parameter in gpt.parameters()),
        "dropped": cleaned.dropped,
        "loss": loss_report(losses(gpt, ids), cleaned.text),
        "memory": memory_report(decoder, vocab, cleaned.text),
        "stories": stories_report(continuations, away) if away else {},
        "samples": sample_report(continuations, library) if library else [],
        "recall": recall_report(continuations, book) if book else [],
        "trade_off": trade_off_report(continuations, library, book) if library and book else [],
        "seconds": round(time.monotonic() - started, 1),
    }


def baselines(text: str, library: ReadingList, book: str) -> list[Report]:
    """The same for Markov chains that learned `book`, the loss of guessing, and `text` itself.

    Raises:
        ModuleNotFoundError: markovify, of the extra `bench`, is not installed.
    """
    chain = Chain.learn(book, order=4)
    cleaned = chain.vocab.clean(text).text
    freely = [("", Sampling(LENGTH, 1.0, top_p=1.0, seed=seed, rules=False)) for seed in SEEDS]
    characters = [("", written) for written in write(chain, chain.vocab, freely)]
    words = [("", written) for written in word_chain_texts(book, LENGTH, SEEDS)]
    itself = [("", part) for part in excerpts(text)]
    return [
        {"model": "uniform guessing", "loss": _mean(np.full(1, math.log(len(chain.vocab))))},
        {
            "model": f"Markov chain, {chain.order} characters",
            "loss": loss_report(chain.losses(cleaned), cleaned),
            "samples": [asdict(qualities(characters, library))],
        },
        {"model": "Markov chain, 2 words", "samples": [asdict(qualities(words, library))]},
        {"model": "the text itself", "samples": [asdict(qualities(itself, library))]},
    ]


def excerpts(text: str) -> list[str]:
    """As many parts of a text as there are seeds, as long as answers, from paragraphs' starts."""
    starts = [m.end() for m in re.finditer(r"^|\n+", text) if m.end() <= len(text) - LENGTH]
    chosen = np.linspace(0, len(starts) - 1, len(SEEDS)).round().astype(int)
    return [text[starts[i] : starts[i] + LENGTH] for i in chosen] if starts else []


def _mean(nats: NDArray[np.float64]) -> Report:
    mean = float(nats.mean())
    return {"nats_per_character": mean, "bits_per_character": mean / math.log(2)}
