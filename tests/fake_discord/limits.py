"""Rate limits, counted by the real clock: discord.py sleeps on what they announce."""

import asyncio
import re
import time
from typing import Any

from tests.fake_discord.rules import ApiError

# How many requests in how many (real) seconds, by route; Discord publishes none of these.
RATES: dict[str, tuple[int, float]] = {
    "POST /webhooks": (5, 2.0),
    "PATCH /webhooks": (5, 2.0),
    "DELETE /webhooks": (5, 2.0),
    "POST /channels": (5, 5.0),
    "PATCH /channels": (5, 5.0),
    "DELETE /channels": (5, 1.0),
}
GLOBAL_RATE = (50, 1.0)


class RateLimiter:
    """Buckets by route and major parameter, and one for all routes together.

    Args:
        rates: requests allowed per route, ``{"PATCH /webhooks": (5, 2.0)}``; {} for no limits.
    """

    def __init__(self, rates: dict[str, tuple[int, float]]) -> None:
        self.rates = rates
        self._buckets: dict[str, tuple[float, int]] = {}

    def count(self, method: str, route: str, match: Any) -> dict[str, str]:  # noqa: ANN401
        """Counts a request; the headers of its bucket, or the 429 that it earns."""
        if route.startswith("/interactions") or not route:
            return {}
        now = asyncio.get_running_loop().time()
        if self.rates and not route.startswith("/webhooks"):
            self._add("global", *GLOBAL_RATE, now, route)
        name = f"{method} /{route.split('/')[1]}"
        if name not in self.rates:
            return {}
        major = match.get("webhook_token") or match.get("channel_id") or ""
        return self._add(f"{name} {major}", *self.rates[name], now, route)

    def _add(self, key: str, most: int, per: float, now: float, route: str) -> dict[str, str]:
        reset, used = self._buckets.get(key, (0.0, 0))
        if now >= reset:
            reset, used = now + per, 0
        left = reset - now
        if used >= most:
            raise too_many(left, everywhere=key == "global")
        self._buckets[key] = reset, used + 1
        return {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(most - used - 1),
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "Via": "1.1 google",
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Bucket": re.sub(r"\W", "", key.split(" ")[0] + route)[:32],
        }


def too_many(
    after: float,
    *,
    everywhere: bool = False,
    code: int = 0,
    message: str = "You are being rate limited.",
) -> ApiError:
    """A 429. The Via header tells discord.py that it is no ban."""
    headers = {"Via": "1.1 google", "Retry-After": f"{after:.3f}"}
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    else:
        headers["X-RateLimit-Scope"] = "user"
    extra = {"retry_after": round(after, 3), "global": everywhere}
    return ApiError(429, code, message, extra=extra, headers=headers)
