"""Nothing is asked of Discord twice because this machine is slow: requests are counted."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.delivery import FIRST_AT_ONCE
from tests.fake_discord import Cut, Request, Schemas
from tests.hosting import Stage, finished, stage


@pytest.fixture
async def wood(schemas: Schemas | None) -> AsyncIterator[Stage]:
    async with stage(schemas=schemas) as theatre:
        yield theatre


def slow(_: Request) -> bool:
    """No fault: each request keeps the machine busy for a while, server and bot alike."""
    time.sleep(0.005)
    return False


async def test_a_crowd_on_a_slow_machine_is_answered_with_one_request_each(
    wood: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.FIRST_PATIENCE", 0.1)  # fifty of 300 are answered in it
    server = wood.server
    server.fail("POST", "/interactions", when=slow)
    uses = [server.person().command("help") for _ in range(300)]
    await wood.until(lambda: all(use.answered for use in uses))
    assert len(server.requests("POST", "/interactions")) == 300


async def test_an_answer_that_comes_while_we_sleep_is_not_asked_for_again(
    wood: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.FIRST_PATIENCE", 0.2)
    server = wood.server
    server.fail("POST", "/interactions", delay=0.1)
    use = server.person().command("help")
    await server.until(lambda: server.requests("POST", "/interactions"))
    time.sleep(1.0)
    await wood.until(lambda: use.answered)
    await wood.pass_seconds(1.0)
    assert len(server.requests("POST", "/interactions")) == 1


async def test_no_more_than_some_connections_are_opened_for_a_crowd(wood: Stage) -> None:
    server = wood.server
    server.fail("POST", "/interactions", delay=0.3, times=200)
    uses = [server.person().command("help") for _ in range(200)]
    await server.until(lambda: len(server.requests("POST", "/interactions")) >= FIRST_AT_ONCE)
    await asyncio.sleep(0.1)
    assert len(server.requests("POST", "/interactions")) == FIRST_AT_ONCE
    await server.until(lambda: all(use.answered for use in uses))
    assert len(server.requests("POST", "/interactions")) == 200


async def test_an_edit_that_is_never_answered_holds_up_no_story(
    wood: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.PATIENCE", 0.3)
    server, kanga = wood.server, wood.server.person()
    wood.decoder.hold()
    use = kanga.command("pooh", prompt="The mill", length=200)
    await server.until(lambda: use.original)
    server.fail("PATCH", "/webhooks", Cut.CLOSED, delay=500.0)
    wood.decoder.allow(40)
    await wood.until(lambda: not server.faults)
    wood.decoder.open()
    await wood.until(lambda: finished(use.original))


async def test_an_answer_that_is_lost_and_a_message_that_is_not_told_hold_up_no_story(
    wood: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.PATIENCE", 0.3)
    server = wood.server
    server.fail("POST", "/interactions", Cut.CLOSED, carried_out=True)
    server.fail("GET", "/webhooks", Cut.CLOSED, delay=500.0)
    use = server.person().command("pooh", prompt="The mill")
    await wood.until(lambda: finished(use.original))


async def test_the_wait_for_a_rate_limit_costs_no_patience(schemas: Schemas | None) -> None:
    async with stage(schemas=schemas, rates={"POST /channels": (1, 0.6)}) as wood:
        channel = wood.bot.get_partial_messageable(wood.server.channel.id)
        await asyncio.gather(
            *(
                wood.bot.services.delivery.send(
                    lambda: channel.send("tea"), pauses=(), patience=0.3
                )
                for _ in range(4)
            )
        )
        assert len(wood.server.requests("POST", "/channels")) == 4
