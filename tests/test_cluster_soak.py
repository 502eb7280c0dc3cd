"""The short form of the hour of two processes, and what it calls lost."""

import contextlib
from pathlib import Path

import pytest

from bot.metrics import served
from bot.parsers import Address
from tests.bot_steps import told
from tests.cluster_counts import LATE, STORY, TOLD, Counts, Use, of_metrics
from tests.cluster_soak import soak
from tests.hosting import stage
from tests.test_metrics import Watched


@pytest.mark.slow
async def test_no_story_is_lost_when_processes_are_replaced(tmp_path: Path) -> None:
    rows, wrong = await soak(
        tmp_path, minutes=0.5, rate=100, model="", servers=80, period=1.0, seed=0
    )
    said = "\n".join(f"{name}: {text}" for name, text in rows)
    assert not wrong, said
    table = dict(rows)
    assert "lost 0" in table["ended"] and table["IDENTIFYs"].startswith("16: "), said
    for name in ("a", "b", "a2", "b2"):
        assert "metrics equal" in table[f"process {name}"], said


async def test_what_is_lost_is_told_from_what_is_late_and_from_what_was_answered() -> None:
    async with contextlib.AsyncExitStack() as stack:
        wood = await stack.enter_async_context(stage(start=False))
        wood.prepare()
        port = await stack.enter_async_context(served(wood.bot, Address("127.0.0.1", 0)))
        await wood.run()
        await wood.server.until(wood.bot.is_ready, "that it is ready")
        watched, counts = Watched(wood, Address("127.0.0.1", port)), Counts(wood.server)
        roo = wood.server.person("Roo")

        def end(use: Use) -> str:
            counts.update()
            return counts.end(use)

        use = roo.command("pooh", prompt="The bee")
        first = Use("/pooh", use, away=False)
        assert end(first) == ""
        story = await told(wood, use)
        assert end(first) == STORY and counts.time(first) == story.edits[-1][0] - story.created
        # A note goes away, and was an answer.
        asked = Use("mention", roo.say("@pooh \N{SNOWMAN}"), away=False)
        await wood.server.until(lambda: asked.replies, "the note")
        await wood.pass_seconds(20)
        assert not asked.replies and end(asked) == TOLD
        # The first response leaves in time, and is held up on its way.
        wood.server.fail("POST", "/interactions", delay=0.2)
        late = Use("/pooh", roo.command("pooh", prompt="The bun"), away=False)
        wood.clock.advance(4.0)
        await wood.until(lambda: end(late) == LATE, "that it was too late")
        await wood.until(lambda: not wood.writer.writing, "that nobody writes for nobody")
        # Two press a button of one message, and one of them is not heard.
        heard = Use("Again", roo.press(story, "Again"), away=False)
        await wood.until(lambda: end(heard) == STORY, "another story")
        numbers = await watched.numbers()
        assert of_metrics(numbers) == counts.seen("")
        ends = [numbers[f"pooh_stories_total outcome={how}"] for how in ("written", "stopped")]
        assert sum(ends) == 3  # the late one may be whole before Discord says that it is too late
        assert numbers["pooh_requests_total code=10062 kind=respond"] >= 1
        await wood.stop()
        lost = Use("Again", wood.server.person("Kanga").press(story, "Again"), away=False)
        unheard = Use("mention", roo.say("@pooh The bee"), away=False)
        await wood.pass_seconds(5)
        assert end(lost) == end(unheard) == ""
