"""The queue is fair, bounded and in time; the worker writes what the network alone would write."""

import asyncio
import string
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.worker import Outcome, Story
from bot.writer import UNFINISHED, BusyError, ClosingError, Writer
from model.decoder import Decoder
from model.sampling import Sampling
from model.strangers import NOBODY
from model.vocab import Vocab
from model.words import WordFilter
from model.writing import generate
from tests.hosting import CHARACTERS, HeldDecoder, small_weights

VOCAB = Vocab(CHARACTERS)
SHORT = Sampling(length=40, seed=1)


@asynccontextmanager
async def at_work(
    *,
    words: WordFilter | None = None,
    slots: int = 2,
    candidates: int = 1,
    capacity: int = 100,
    deadline: float = 600.0,
    decoder: HeldDecoder | None = None,
) -> AsyncIterator[tuple[Writer, HeldDecoder]]:
    """A writer with a small real network, put to bed afterwards."""
    decoder = decoder or HeldDecoder(*small_weights(VOCAB))
    writer = Writer(
        decoder,
        VOCAB,
        words or WordFilter(active=False),
        slots=slots,
        candidates=candidates,
        capacity=capacity,
        deadline=deadline,
    )
    writer.start()
    try:
        yield writer, decoder
    finally:
        decoder.open()
        await writer.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def ended(*stories: Story) -> list[Outcome | None]:
    async with asyncio.timeout(120):
        await asyncio.gather(*(story.ended.wait() for story in stories))
    return [story.outcome for story in stories]


def alone(prompt: str, sampling: Sampling) -> str:
    return "".join(generate(Decoder(*small_weights(VOCAB)), VOCAB, prompt, sampling))


async def test_stories_in_company_are_what_the_network_writes_alone() -> None:
    wishes = [
        ("The bee", Sampling(length=30, seed=1)),
        ("", Sampling(length=90, temperature=1.5, seed=2)),
        ("Oh dear! " * 20, Sampling(length=70, temperature=0.0, seed=3)),  # beyond the context
        ("A mouse", Sampling(length=1, seed=4)),
        ("So", Sampling(length=200, top_k=3, seed=5)),
    ]
    async with at_work(slots=3) as (writer, _):
        stories = [writer.submit(i, *wish) for i, wish in enumerate(wishes)]
        assert await ended(*stories) == [Outcome.WRITTEN] * len(wishes)
        for story, wish in zip(stories, wishes, strict=True):
            assert story.text == alone(*wish)


async def test_a_story_has_a_seed_that_tells_it_again() -> None:
    async with at_work() as (writer, _):
        first = writer.submit(1, "The", Sampling(length=60))
        await ended(first)
        assert first.sampling.seed is not None
        again = writer.submit(1, "The", first.sampling)
        await ended(again)
        assert again.text == first.text


async def test_text_only_grows_and_by_whole_words() -> None:
    async with at_work() as (writer, decoder):
        decoder.hold()
        story = writer.submit(1, "The", Sampling(length=80, seed=7))
        before = ""
        while not story.ended.is_set():
            decoder.allow(1)
            await until(lambda: not decoder.allowed or story.ended.is_set())
            assert story.text.startswith(before)
            assert story.ended.is_set() or not story.text or not story.text[-1].isalnum()
            before = story.text


async def test_a_script_without_spaces_is_shown_while_it_is_written() -> None:
    kana = "あいうえおかきくけこ"

    class Kana(HeldDecoder):
        def read(self, slot: int, ids: Sequence[int]) -> NDArray[np.float32]:
            return super().read(slot, ids) + favoured

        def step(self, slots: Sequence[int], ids: Sequence[int]) -> NDArray[np.float32]:
            return super().step(slots, ids) + favoured

    vocab = Vocab(CHARACTERS + kana)
    favoured = np.array([100.0 * (c in kana) for c in vocab.characters], np.float32)
    decoder = Kana(*small_weights(vocab))
    writer = Writer(decoder, vocab, WordFilter())
    writer.start()
    decoder.hold()
    story = writer.submit(1, "", Sampling(length=60, seed=7))
    for written in range(1, 50):
        decoder.allow(1)
        await until(lambda: not decoder.allowed)
        await until(lambda: len(story.text) >= written)  # noqa: B023
    assert not story.ended.is_set() and set(story.text) <= set(kana)
    decoder.open()
    await writer.close(5.0)


async def test_everybody_in_turn() -> None:
    order: list[Story] = []
    async with at_work(slots=1, capacity=9) as (writer, decoder):
        decoder.hold()
        first = writer.submit(0, "The", SHORT)  # is being written
        kanga = [writer.submit(1, "The", SHORT) for _ in range(3)]
        roo = [writer.submit(2, "The", SHORT) for _ in range(2)]
        owl = [writer.submit(3, "The", SHORT)]
        again = writer.submit(0, "The", SHORT)  # has had a turn already
        turns = [kanga[0], roo[0], owl[0], kanga[1], roo[1], again, kanga[2]]
        assert [writer.place(story) for story in turns] == [1, 2, 3, 4, 5, 6, 7]
        assert writer.place(first) == 0 and writer.waiting == 7

        async def watch(story: Story) -> None:
            await story.ended.wait()
            order.append(story)

        watchers = [asyncio.create_task(watch(story)) for story in [first, *turns]]
        decoder.open()
        await asyncio.gather(*watchers)
        assert set(order) == {first, *turns}
        assert order.index(kanga[1]) > order.index(owl[0]), "others come between"
        assert order.index(kanga[2]) > order.index(roo[1])


async def test_places_move_up_as_stories_end() -> None:
    async with at_work(slots=1) as (writer, decoder):
        decoder.hold()
        stories = [writer.submit(person, "The", SHORT) for person in range(4)]
        assert [writer.place(story) for story in stories] == [0, 1, 2, 3]
        writer.stop(stories[1])
        assert [writer.place(story) for story in stories] == [0, 0, 1, 2]
        assert stories[1].outcome is Outcome.STOPPED
        decoder.open()
        await ended(*stories)


async def test_the_queue_is_bounded_for_all_and_for_one() -> None:
    async with at_work(slots=1, capacity=6) as (writer, decoder):
        decoder.hold()
        for _ in range(UNFINISHED):
            writer.submit(1, "The", SHORT)
        with pytest.raises(BusyError) as caught:
            writer.submit(1, "The", SHORT)
        assert caught.value.own
        writer.submit(2, "The", SHORT)
        writer.submit(3, "The", SHORT)
        with pytest.raises(BusyError) as caught:
            writer.submit(4, "The", SHORT)
        assert not caught.value.own


async def test_a_story_can_be_stopped_within_one_step() -> None:
    async with at_work() as (writer, decoder):
        decoder.hold()
        story = writer.submit(1, "The", Sampling(length=100_000, seed=1))
        decoder.allow(50)
        await until(lambda: decoder.steps == 50)
        writer.stop(story)
        assert not story.ended.is_set(), "the worker is in a step"
        decoder.allow(1)
        assert await ended(story) == [Outcome.STOPPED]
        assert decoder.steps <= 51
        assert story.text
        decoder.open()
        assert await ended(writer.submit(1, "The", SHORT)) == [Outcome.WRITTEN]


async def test_a_story_that_is_late_is_ended_waiting_or_not() -> None:
    async with at_work(slots=1, deadline=0.2) as (writer, decoder):
        decoder.hold()
        writing, waiting = (writer.submit(i, "The", Sampling(length=90)) for i in range(2))
        assert await ended(waiting) == [Outcome.LATE]
        assert waiting.text == ""
        decoder.open()
        assert await ended(writing) == [Outcome.LATE]


async def test_an_error_is_logged_under_its_number_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with at_work() as (writer, decoder):
        decoder.error = MemoryError("what somebody wrote")
        story = writer.submit(1, "The", Sampling(length=90))
        assert await ended(story) == [Outcome.FAILED]
    (record,) = [r for r in caplog.records if r.levelname == "ERROR"]
    assert record.getMessage().startswith(f"{story.reference}: MemoryError in the network")
    assert "somebody" not in caplog.text and record.exc_info is None


async def test_an_error_fails_its_stories_only() -> None:
    async with at_work() as (writer, decoder):
        decoder.hold()
        stories = [writer.submit(i, "The", Sampling(length=90)) for i in range(3)]
        decoder.allow(1)
        await until(lambda: decoder.steps == 1)  # after it, two stories are being written
        decoder.error = MemoryError("no more")
        decoder.allow(1)
        assert await ended(*stories[:2]) == [Outcome.FAILED] * 2
        decoder.open()
        assert await ended(stories[2]) == [Outcome.WRITTEN]


async def test_a_prompt_that_cannot_be_read_fails_alone() -> None:
    class Choosy(HeldDecoder):
        def read(self, slot: int, ids: object) -> NDArray[np.float32]:
            if ids == VOCAB.encode("Mill"):
                raise ValueError("not this one")
            return super().read(slot, ids)  # type: ignore[arg-type]

    async with at_work(decoder=Choosy(*small_weights(VOCAB))) as (writer, _):
        good, bad = writer.submit(1, "The", SHORT), writer.submit(2, "Mill", SHORT)
        assert await ended(good, bad) == [Outcome.WRITTEN, Outcome.FAILED]


async def test_closing_takes_nothing_on_and_ends_what_there_is() -> None:
    async with at_work(slots=1) as (writer, decoder):
        decoder.hold()
        stories = [writer.submit(i, "The", Sampling(length=100_000)) for i in range(3)]
        decoder.allow(20)
        await until(lambda: decoder.steps == 20)
        closing = asyncio.create_task(writer.close(grace=0.05))
        await asyncio.sleep(0)
        with pytest.raises(ClosingError):
            writer.submit(9, "The", SHORT)
        await until(lambda: stories[2].ended.is_set())
        decoder.open()
        await closing
        assert [story.outcome for story in stories] == [Outcome.CLOSED] * 3
        assert stories[0].text and not stories[2].text


async def test_closing_lets_end_what_is_being_written_and_tells_the_others_at_once() -> None:
    async with at_work(slots=2) as (writer, decoder):
        decoder.hold()
        stories = [writer.submit(i, "The", SHORT) for i in range(3)]
        closing = asyncio.create_task(writer.close(grace=100.0))
        await until(lambda: stories[2].ended.is_set())
        assert stories[2].outcome is Outcome.CLOSED and not stories[0].ended.is_set()
        decoder.open()
        await closing
        assert [story.outcome for story in stories[:2]] == [Outcome.WRITTEN] * 2


async def test_a_step_that_hangs_does_not_hold_closing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.writer.HALT", 0.05)
    async with at_work(slots=2) as (writer, decoder):
        decoder.hold()
        stories = [writer.submit(i, "The", SHORT) for i in range(3)]
        decoder.allow(8)
        await until(lambda: decoder.steps == 8)
        async with asyncio.timeout(30):  # the network stays held: it would never come back
            await writer.close(grace=0.05)
        assert [story.outcome for story in stories] == [Outcome.CLOSED] * 3
        assert stories[0].text
        decoder.open()  # now the step comes back, to stories that are over
        await until(lambda: not writer.is_alive)
        await asyncio.sleep(0)
        assert [story.outcome for story in stories] == [Outcome.CLOSED] * 3


async def test_words_that_are_refused_are_never_in_a_story() -> None:
    sampling = Sampling(length=300, temperature=1.0, seed=3)
    refused = {"the", "bee", "to", "it", "we", "sat", "so", "a"}
    free = alone("The", sampling)
    assert WordFilter(refused=refused).refuses(free)
    words = WordFilter(refused=refused)
    async with at_work(words=words) as (writer, _):
        stories = [
            writer.submit(0, "The", sampling),
            writer.submit(1, "The", Sampling(length=300, temperature=0.0)),
        ]
        assert await ended(*stories) == [Outcome.WRITTEN] * 2
        for story in stories:
            assert len(story.text) == 300
            assert not words.refuses(story.text)
            decoder = Decoder(*small_weights(VOCAB))
            terminal = "".join(generate(decoder, VOCAB, "The", story.sampling, words))
            assert terminal == story.text, "the terminal's way is the bot's"


async def test_a_refused_word_forbids_no_other_word_after_it() -> None:
    # The network writes "the" often. Taken back, it begins with another letter; but that holds
    # for this place only, and later words on "t" are as welcome as ever.
    async with at_work(words=WordFilter(refused={"the"}), slots=4) as (writer, _):
        stories = [writer.submit(i, "The", Sampling(length=1000, seed=i)) for i in range(4)]
        await ended(*stories)
    words = [word for story in stories for word in story.text.split()]
    on_t = sum(word.startswith("t") for word in words)
    assert "the" not in words and on_t > len(words) // 10, f"{on_t} of {len(words)}"


async def test_a_word_that_begins_in_the_prompt_is_refused_too() -> None:
    # Whatever follows "b" in greedy writing: the word it makes is refused, and another is found.
    greedy = Sampling(length=60, temperature=0.0, seed=0, whole_word=False)
    word = "b" + alone("the b", greedy).split(" ", 1)[0].strip(".,!?\"'")
    assert len(word) > 1
    words = WordFilter(refused={word})
    async with at_work(words=words) as (writer, _):
        story = writer.submit(0, "the b", greedy)
        await ended(story)
        assert len(story.text) == 60
        assert not words.refuses("the b" + story.text)


async def test_a_refused_word_in_the_prompt_stops_nobody() -> None:
    async with at_work(words=WordFilter(refused={"the"})) as (writer, _):
        story = writer.submit(0, "the the ", Sampling(length=50, seed=1))
        assert await ended(story) == [Outcome.WRITTEN]
        assert len(story.text) == 50


class Reciter:
    """Writes one text, and "a bee " for ever when it is made to leave it. For one story."""

    strangers = NOBODY
    remembers = False
    digest = ""

    def __init__(self, text: str, vocab: Vocab) -> None:
        self._text, self._vocab = text, vocab
        self._ids: list[int] = []

    def join(self) -> int:
        return 0

    def leave(self, slot: int) -> None:
        self._ids.clear()

    def rewind(self, slot: int, count: int) -> None:
        del self._ids[len(self._ids) - count :]

    def fork(self, slot: int) -> int:
        raise AssertionError("one candidate needs no fork")

    def log_likelihoods(self, before: Sequence[int], texts: Sequence[Sequence[int]]) -> list[float]:
        raise AssertionError("one candidate is not compared")

    def read(self, slot: int, ids: Sequence[int]) -> NDArray[np.float32]:
        self._ids += ids
        read = self._vocab.decode(self._ids)
        known = self._text.startswith(read) and read != self._text
        logits = np.zeros(len(self._vocab), np.float32)
        logits[self._vocab.encode("a bee "[len(read) % 6])] = 1.0
        if known:
            logits[self._vocab.encode(self._text[len(read)])] = 2.0
        return logits

    def step(self, slots: Sequence[int], ids: Sequence[int]) -> NDArray[np.float32]:
        return np.stack([self.read(0, ids)])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The Owl and the pussy-cat went to sea.", "The Owl and the pussy-cat went to sea."),
        ("A bundle of faggots, two blue tits.", "A bundle of faggots, two blue tits."),
        ("The Owl and the pussy ran off.", "The Owl and the "),
        ("The Owl sang to the pussy sat", "The Owl sang to the "),
        ("Then he said f.u.c.k it", "Then he said f.u.c."),
        ("They were niggardly niggers all", "They were niggardly "),
    ],
)
async def test_a_word_is_judged_when_what_follows_has_told_its_meaning(
    text: str, kept: str
) -> None:
    vocab = Vocab.from_text(string.ascii_letters + " .,-")
    writer = Writer(Reciter(text, vocab), vocab, WordFilter())
    writer.start()
    try:
        whole = not text[1].isalnum()
        sampling = Sampling(length=len(text) - 1, temperature=0.0, whole_word=whole)
        story = writer.submit(0, text[:1], sampling)
        await ended(story)
        assert len(story.text) == sampling.length
        assert (text[:1] + story.text).startswith(kept)
        assert (text[:1] + story.text == text) == (kept == text)
        assert not WordFilter().refuses(text[:1] + story.text)
        terminal = generate(Reciter(text, vocab), vocab, text[:1], sampling, WordFilter())
        assert "".join(terminal) == story.text, "the terminal's way is the bot's"
    finally:
        await writer.close()


async def test_the_event_loop_is_not_held_up() -> None:
    # While one step of the network is held for as long as it takes, the loop goes round.
    async with at_work() as (writer, decoder):
        decoder.hold()
        story = writer.submit(1, "The", SHORT)
        turns = 0
        while turns < 200:
            await asyncio.sleep(0)
            turns += 1
        assert not story.ended.is_set()
        decoder.open()
        await ended(story)


async def test_the_loop_comes_round_while_stories_are_written() -> None:
    turns = 0

    async def go_round() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with at_work(slots=8) as (writer, _):
        runner = asyncio.create_task(go_round())
        began = time.process_time()
        stories = [writer.submit(i, "The", Sampling(length=200, seed=i)) for i in range(16)]
        await ended(*stories)
        runner.cancel()
        assert turns > 100, f"in {time.process_time() - began} s of the processor"
