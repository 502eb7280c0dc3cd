"""Many stories at once share the network: candidates for each, and room for all."""

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.worker import Outcome, Story
from bot.writer import COMPARING, Writer, most_texts
from model.sampling import Sampling
from tests.hosting import HeldDecoder, small_weights
from tests.test_writer import SHORT, VOCAB, at_work, ended, until


async def test_few_stories_share_the_room_for_candidates() -> None:
    remembering = HeldDecoder(*small_weights(VOCAB))
    remembering.remembers = True
    async with at_work(slots=8, candidates=6, decoder=remembering) as (writer, decoder):
        decoder.hold()
        stories = [writer.submit(i, "The", Sampling(length=30)) for i in range(12)]
        assert [story.sampling.candidates for story in stories] == [6, 4, 2, 2, *[1] * 8]
        assert [story.unusual_candidates for story in stories] == [None, 4, 2, 2, *[1] * 8]
        assert writer.writing == 8 and writer.share() == 1
        for candidates, number in ((5, 5), (None, 1)):  # told before; no room for its seed's
            story = writer.submit(20, "The", SHORT, candidates)
            assert story.sampling.candidates == number
        decoder.open()
        await ended(*stories)
        await until(lambda: not writer.writing)
        assert writer.share() == 6 and writer.share(2) == 4 and writer.share(5) == 1
        story = writer.submit(1, "The", SHORT)
        assert story.sampling.candidates == 6 and story.unusual_candidates is None
        await ended(story)
    async with at_work(slots=4, candidates=6, decoder=remembering) as (writer, _):
        story = writer.submit(1, "The", Sampling(length=9))
        assert (story.sampling.candidates, story.unusual_candidates) == (4, None), "it is alone"
        await ended(story)
    async with at_work(slots=8, candidates=6) as (writer, _):
        assert writer.share() == 1, "nothing to choose by"
        assert writer.submit(1, "The", SHORT).sampling.candidates == 1


async def test_no_crowd_has_more_texts_than_there_is_room_for() -> None:
    draw = random.Random(1)
    for slots, most in ((1, 1), (1, 8), (3, 16), (8, 4), (12, 6), (5, 2)):
        remembering = HeldDecoder(*small_weights(VOCAB))
        remembering.remembers = True
        room = most_texts(slots, most) - COMPARING
        async with at_work(slots=slots, candidates=most, decoder=remembering) as (writer, decoder):
            crowds: list[list[int]] = []

            def look(_: Story, writer: Writer = writer, crowds: list[list[int]] = crowds) -> None:
                at_work = writer.unfinished[: writer.writing]
                crowds.append([writer.tried(story.sampling) for story in at_work])

            writer.on_end = look
            decoder.hold()
            stories = []
            for i in range(60):  # by its share, by its seed, told before; some too cool to choose
                sampling = Sampling(
                    length=3,
                    temperature=draw.choice([0.2, 1.0]),
                    seed=draw.choice([None, None, 7]),
                )
                number = draw.choice([None, None, draw.randint(1, 16)])
                stories.append(writer.submit(i, "The", sampling, number))
                look(stories[-1])
                if draw.random() < 0.2:
                    writer.stop(draw.choice(stories))
            decoder.open()
            await ended(*stories)
            assert all(sum(crowd) <= room or len(crowd) == 1 for crowd in crowds), (slots, most)
            assert max(map(len, crowds)) <= slots


async def test_seeds_leave_room_for_others() -> None:
    remembering = HeldDecoder(*small_weights(VOCAB))
    remembering.remembers = True
    async with at_work(slots=16, candidates=4, decoder=remembering) as (writer, decoder):
        decoder.hold()
        by_seed = Sampling(length=9, seed=7)
        stories = [writer.submit(i // 5, "The", by_seed) for i in range(10)]  # two people's all
        given = [story.sampling.candidates for story in stories]
        assert given == [4, 4, 4, 4, 3, 2, 2, 2, 1, 1]
        others = [writer.submit(i, "The", Sampling(length=9)) for i in range(2, 8)]
        assert writer.writing == 16 and not writer.waiting, "and six more are written at once"
        decoder.open()
        await ended(*stories, *others)
        await until(lambda: not writer.writing)
        crowd = [writer.submit(i, "The", Sampling(length=9)) for i in range(3)]
        story = writer.submit(4, "The", by_seed)
        assert story.sampling.candidates == 4, "few others: the same story as ever"
        await ended(*crowd, story)


async def test_who_gives_up_makes_room_for_who_is_behind() -> None:
    remembering = HeldDecoder(*small_weights(VOCAB))
    remembering.remembers = True
    async with at_work(slots=4, candidates=4, decoder=remembering) as (writer, decoder):
        decoder.hold()
        room = most_texts(4, 4) - COMPARING
        first = writer.submit(1, "The", SHORT, room - 1)
        large = writer.submit(2, "The", SHORT, 4)
        small = writer.submit(3, "The", SHORT, 1)
        assert writer.writing == 1 and (writer.place(large), writer.place(small)) == (1, 2)
        writer.stop(large)
        assert writer.writing == 2 and writer.place(small) == 0
        decoder.open()
        await ended(first, small)


async def test_between_two_prompts_the_others_are_written_on() -> None:
    class Recorder(HeldDecoder):
        def read(self, slot: int, ids: Sequence[int]) -> NDArray[np.float32]:
            calls.append("read")
            return super().read(slot, ids)

        def step(self, slots: Sequence[int], ids: Sequence[int]) -> NDArray[np.float32]:
            logits = super().step(slots, ids)
            calls.append("step")
            return logits

    calls: list[str] = []
    async with at_work(slots=5, decoder=Recorder(*small_weights(VOCAB))) as (writer, decoder):
        decoder.hold()
        stories = [writer.submit(0, "The bee", SHORT)]
        await until(lambda: calls)
        stories += [writer.submit(i, "Oh dear! " * 20, SHORT) for i in (1, 2, 3)]
        unwanted = writer.submit(4, "The", SHORT)
        writer.stop(unwanted)
        decoder.open()
        assert await ended(*stories, unwanted) == [Outcome.WRITTEN] * 4 + [Outcome.STOPPED]
    assert calls.count("read") == 4, "who is stopped before is not read"
    assert "read read" not in " ".join(calls)


async def test_each_number_of_candidates_has_a_digest_of_its_own() -> None:
    async with at_work(candidates=3) as (writer, _):
        assert len({writer.digest(count) for count in range(1, 17)}) == 16
