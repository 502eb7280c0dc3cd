"""When each shard of this process may identify.

Discord sends what happens in a server to shard `(server >> 22) % count`, and private messages to
shard 0. It wants some seconds between two IDENTIFYs of one bucket, `shard % max_concurrency`; who
comes sooner is sent away with opcode 9.
See https://docs.discord.com/developers/events/gateway#sharding.
"""

import logging
from typing import Protocol

import discord

from bot.clock import Clock
from bot.connection import retry
from bot.shards import ShardRange

PERIOD = 5.0  # seconds that Discord wants between two IDENTIFYs of a bucket
MARGIN = 0.5  # seconds by which one IDENTIFY may be slower on its way than the next

_log = logging.getLogger(__name__)


class IdentifyGate(Protocol):
    """Keeps IDENTIFYs of one bucket apart."""

    async def wait(self, bucket: int) -> None:
        """Return when an IDENTIFY of this bucket may be sent, and count it as sent."""


class LocalGate:
    """Keeps the IDENTIFYs of this process apart; of other processes it knows nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free: dict[int, float] = {}  # when a bucket is free again, monotonic

    async def wait(self, bucket: int) -> None:
        """See `IdentifyGate`."""
        while (left := self._free.get(bucket, 0.0) - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)
        self._free[bucket] = self._clock.monotonic() + PERIOD + MARGIN


class Shards:
    """The shards of this process: planned after the login, then let in one by one."""

    def __init__(self, wanted: ShardRange | None, gate: IdentifyGate, clock: Clock) -> None:
        """Without a wish, Discord says how many shards there are, and this process has them all."""
        self.range = wanted or ShardRange(0, 0, 1)
        self._is_advised = wanted is None
        self._gate = gate
        self._clock = clock
        self._buckets = 1

    @property
    def has_first(self) -> bool:
        """Whether shard 0 is here: what one process does for all is done where it is."""
        return self.range.first == 0

    async def plan(self, client: discord.AutoShardedClient) -> None:
        """Ask Discord how many sessions may begin, wait while they are too few, tell the client."""
        while True:
            advised, _, limit = await retry(client.http.get_bot_gateway, self._clock.sleep)
            self._buckets = max(limit["max_concurrency"], 1)
            if self._is_advised:
                self.range = ShardRange(0, advised - 1, advised)
            if limit["remaining"] >= len(self.range.ids):
                break
            pause = limit["reset_after"] / 1000
            # Who goes on all the same finds the token reset.
            _log.warning(
                "Discord lets this bot begin %d more sessions today, %s need one each; "
                "waiting %d seconds",
                *(limit["remaining"], self.range, pause),
            )
            await self._clock.sleep(pause)
        if advised > self.range.count:
            _log.warning("POOH_SHARDS has %d; Discord advises %d", self.range.count, advised)
        client.shard_ids, client.shard_count = self.range.ids, self.range.count

    async def before_identify(self, shard: int) -> None:
        """Wait until this shard may identify."""
        await self._gate.wait(shard % self._buckets)
