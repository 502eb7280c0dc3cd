"""What several processes of one bot share: whose turn it is to identify, in a Valkey (or Redis)."""

import logging
import random
import secrets
from urllib.parse import urlsplit

from bot import sharding
from bot.clock import Clock
from bot.parsers import application_id
from bot.settings import Settings, SettingsError
from bot.sharding import IdentifyGate, LocalGate

TIMEOUT = 5.0  # seconds for Valkey to answer
RETRY = 2.0  # seconds between two tries to reach it
REMIND = 60.0  # seconds after which it is said again that it cannot be reached

_log = logging.getLogger(__name__)


class ValkeyError(Exception):
    """Valkey cannot be used: why, in one line that holds no password.

    Attributes:
        is_temporary: whether it may pass by itself.
    """

    def __init__(self, reason: str, *, is_temporary: bool) -> None:
        """Bring both."""
        super().__init__(reason)
        self.is_temporary = is_temporary


def make_gate(settings: Settings, clock: Clock) -> IdentifyGate:
    """The gate that the settings ask for.

    Raises:
        SettingsError: Valkey is wanted, and its client is not installed.
    """
    if settings.valkey:
        return ValkeyGate(settings.valkey, application_id(settings.token) or 0, clock)
    if settings.shards and settings.shards.is_part:
        _log.warning(
            "POOH_SHARDS is a part, and POOH_VALKEY is not set: processes that start together "
            "will be sent away by Discord and try again"
        )
    return LocalGate(clock)


class ValkeyGate:
    """Keeps the IDENTIFYs of all processes apart.

    Who sets a bucket's key may identify. Nobody deletes it: it goes by itself when the bucket is
    free again, and so it does when its process has crashed.

    Attributes:
        where: host and port.
    """

    def __init__(self, url: str, application: int, clock: Clock) -> None:
        """Take the address as in `POOH_VALKEY`; keys are named after the application."""
        try:
            from redis import asyncio, exceptions  # an extra: one process does without
        except ImportError:
            raise SettingsError(
                "POOH_VALKEY: its client is not installed: pip install '.[cluster]'"
            ) from None
        self._redis, self._errors = asyncio, (exceptions.RedisError, OSError)
        self._refusal = exceptions.AuthenticationError
        self._absence = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)
        self._url = url
        place = urlsplit(url)
        self.where = f"{place.hostname}:{place.port or 6379}"
        self._application = application
        self._name = secrets.token_hex(8)  # for who looks into Valkey
        self._clock = clock

    async def wait(self, bucket: int) -> None:
        """Return when an IDENTIFY of this bucket may be sent; while Valkey is away, wait for it."""
        said: float | None = None  # when it was last said that it is away
        while True:
            try:
                pause = await self._take(f"pooh:{self._application}:identify:{bucket}")
            except self._errors as error:
                now = self._clock.monotonic()
                if said is None or now - said >= REMIND:
                    _log.warning(
                        "POOH_VALKEY: %s cannot be used (%s): no shard may identify before it is; "
                        "trying again",
                        *(self.where, type(error).__name__),
                    )
                    said = now
                await self._clock.sleep(RETRY)
                continue
            if said is not None:
                _log.info("POOH_VALKEY: %s answers again", self.where)
                said = None
            if pause is None:
                return
            await self._clock.sleep(pause)

    async def check(self) -> None:
        """Ask for a turn that nobody else wants, as an IDENTIFY does; it goes by itself.

        Raises:
            ValkeyError: there is none.
        """
        try:
            await self._take(f"pooh:{self._application}:check:{self._name}")
        except self._errors as error:
            kind = type(error).__name__
            if isinstance(error, self._refusal):
                reason = f"{self.where} wants another user or password than POOH_VALKEY has"
            elif isinstance(error, self._absence):
                reason = f"{self.where} cannot be reached ({kind}): is POOH_VALKEY right?"
            else:
                reason = f"{self.where} answers, but refuses what is needed ({kind}): see its rules"
            temporary = isinstance(error, self._absence) and not isinstance(error, self._refusal)
            raise ValkeyError(reason, is_temporary=temporary) from None

    async def _take(self, key: str) -> float | None:
        """None if the key is ours now; else after how many seconds to try again."""
        life = sharding.PERIOD + 2 * sharding.MARGIN
        connect = self._redis.Redis.from_url
        async with connect(self._url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT) as db:
            await db.ping()  # now it is connected: what follows is one way there and back
            asked = self._clock.monotonic()
            taken = await db.set(key, self._name, nx=True, px=round(life * 1000))
            # Had this machine been busy since, our IDENTIFY would leave when the next one may.
            if taken and self._clock.monotonic() - asked <= sharding.MARGIN:
                return None
            left = await db.pttl(key)
        return max(left / 1000, 0.0) + random.uniform(0.01, 0.1)  # not all at the same moment
