"""Runs a client until it is told to stop; and which server it talks to."""

import asyncio
import itertools
import signal
import sys

import discord
import yarl

from bot.client import GRACE, Pooh

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def use_server(api_base: str, gateway: str) -> None:
    """Talk to another server than Discord, from now on and with every client.

    discord.py keeps the addresses in its classes; there is no place for them in a client.
    """
    discord.http.Route.BASE = api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)


async def serve(client: Pooh, token: str) -> None:
    """Run until SIGTERM or SIGINT: the first lets stories end, the second does not wait.

    SIGUSR1 says that another process has taken over: see `Pooh.hand_over`.

    Raises:
        discord.LoginFailure: Discord does not know the token.
        discord.ConnectionClosed: Discord does not want the bot any more; the code says why.
        OSError, aiohttp.ClientError, discord.HTTPException: Discord cannot be reached.
    """
    loop = asyncio.get_running_loop()
    leaving: list[asyncio.Task[None]] = []
    async with client:
        running = asyncio.ensure_future(client.start(token))

        async def leave(grace: float) -> None:
            try:
                await client.leave(grace)
            finally:
                running.cancel()  # it may be asleep until it connects again

        async def hand_over() -> None:
            running.cancel()  # nothing is heard any more
            await client.hand_over()

        def on_successor() -> None:
            if not leaving:
                leaving.append(asyncio.create_task(hand_over()))

        asked = itertools.count()

        def on_signal() -> None:  # the first lets stories end, also when another has taken over
            leaving.append(asyncio.create_task(leave(0.0 if next(asked) else GRACE)))

        try:
            if sys.platform != "win32":
                for number in SIGNALS:
                    loop.add_signal_handler(number, on_signal)
                loop.add_signal_handler(signal.SIGUSR1, on_successor)
            await asyncio.wait([running])
            while not all(task.done() for task in leaving):
                await asyncio.gather(*leaving)
            if not running.cancelled():
                running.result()
        finally:
            if sys.platform != "win32":
                for number in (*SIGNALS, signal.SIGUSR1):
                    loop.remove_signal_handler(number)
            running.cancel()
            await client.services.stories.close(0.0)
