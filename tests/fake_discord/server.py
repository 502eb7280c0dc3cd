"""A Discord to test against: the real discord.py talks to it over real sockets.

``DiscordServer`` is a ``World`` that listens: it reads requests, counts rate limits, lets faults
happen, keeps the log, and hands the rest to the gateway and to the groups of routes.

Time is a clock passed in: it decides token lives, the three seconds to the first response and
the age of messages. Only rate limits run on real time, for discord.py sleeps on them.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.fake_discord.calls import Call, Request, read_body
from tests.fake_discord.faults import Cut, Fault, cut
from tests.fake_discord.limits import RATES, RateLimiter
from tests.fake_discord.messages import Messages
from tests.fake_discord.routes.application import ApplicationRoutes
from tests.fake_discord.routes.channels import ChannelRoutes
from tests.fake_discord.routes.commands import CommandRoutes
from tests.fake_discord.routes.handlers import Handler
from tests.fake_discord.routes.interactions import InteractionRoutes
from tests.fake_discord.routes.threads import ThreadRoutes
from tests.fake_discord.rules import ApiError
from tests.fake_discord.schema import Schemas
from tests.fake_discord.world import World


class DiscordServer(World):
    """The whole stand-in: ``async with DiscordServer() as discord: ...``.

    Args:
        clock: seconds since 1970; the real time by default.
        token: the bot token that is accepted.
        rates: requests allowed per route, ``{"PATCH /webhooks": (5, 2.0)}``; {} for none.
        schemas: the OpenAPI description to check bodies with; None for none.
        identify_period: seconds of the clock that must lie between two IDENTIFYs of one bucket.
            Discord's is 5; 0 lets a test start a bot again at once.
        max_concurrency: how many buckets there are, by shard modulo this.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        *,
        token: str | None = None,
        rates: dict[str, tuple[int, float]] | None = None,
        schemas: Schemas | None = None,
        identify_period: float = 0.0,
        max_concurrency: int = 1,
    ) -> None:
        super().__init__(clock, token)
        self.gateway.identify_period = identify_period
        self.gateway.max_concurrency = max_concurrency
        self.schemas = schemas
        self.faults: list[Fault] = []
        self.random_fault: Callable[[Request], Fault | None] = lambda _: None
        self.unexpected: list[str] = []
        self.invalid_requests = 0
        self._limiter = RateLimiter(RATES if rates is None else rates)
        messages = Messages(self)
        self._handlers = {
            **ApplicationRoutes(self).handlers(),
            **CommandRoutes(self).handlers(),
            **InteractionRoutes(self, messages).handlers(),
            **ChannelRoutes(self, messages).handlers(),
            **ThreadRoutes(self).handlers(),
        }

    @property
    def api_base(self) -> str:
        return self.api_address()

    def api_address(self, client: str = "") -> str:
        """Where a process of the bot finds the REST routes.

        With a name in its addresses, the log and the sessions tell which of several processes it
        was; Discord has no such thing.
        """
        return f"http://127.0.0.1:{self.port}{'/as/' + client if client else ''}/api/v10"

    async def __aenter__(self) -> "DiscordServer":
        app = web.Application(client_max_size=30 << 20)
        for client in ("", r"/as/{client:\w+}"):
            app.router.add_get(client + "/gateway", self.gateway.handle)
            app.router.add_get(client + "/gateway/", self.gateway.handle)
            for (method, route), handler in self._handlers.items():
                path = re.sub(r"{(\w+_id)}", r"{\1:[0-9]+}", route)
                app.router.add_route(method, f"{client}/api/v10{path}", self._serve(route, handler))
        app.router.add_get("/attachments/{name:.*}", self._file)
        app.router.add_route("*", "/{path:.*}", self._serve("", self._unknown))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gateway.drop()
        await self._runner.cleanup()

    async def online(self, times: int = 1) -> None:
        """Waits until the bot has come online ``times`` times (identified or resumed)."""
        await self.until(
            lambda: self.gateway.connected >= times and self.gateway.socket, "the bot to connect"
        )

    def requests(self, method: str = "", route: str = "") -> list[Request]:
        """The log, of one method and of routes that begin so."""
        return [
            r for r in self.log if (not method or r.method == method) and r.route.startswith(route)
        ]

    def refused(self) -> list[Request]:
        """The requests that were answered with an error."""
        return [r for r in self.log if r.status >= 400]

    def violations(self) -> list[str]:
        """All that a well-behaved bot would not have sent: bad bodies, unknown routes."""
        found = list(self.unexpected)
        if self.schemas:
            for request in self.log:
                if request.route and request.status != 401:
                    found += self.schemas.violations(request.method, request.route, request.body)
        return found

    def fail(
        self,
        method: str,
        route: str,
        answer: ApiError | Cut | None = None,
        *,
        carried_out: bool = False,
        delay: float = 0.0,
        times: int = 1,
        when: Callable[[Request], bool] = lambda _: True,
    ) -> None:
        """Lets the next ``times`` requests on routes that begin so fail; see ``Fault``."""
        self.faults.append(Fault(method, route, answer, carried_out, delay, times, when))

    def _serve(
        self, route: str, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            body, files = await read_body(request)
            entry = Request(
                request.method, route, request.path, body, self.clock(), time.perf_counter()
            )
            entry.client = request.match_info.get("client", "")
            self.log.append(entry)
            call = Call(entry, request.match_info, body, files, dict(request.query))
            fault = self._fault(entry)
            if fault:
                await asyncio.sleep(fault.delay)
            broken = fault.answer if fault else None
            try:
                entry.headers |= self._limiter.count(request.method, route, request.match_info)
                needs_token = not route.startswith(("/webhooks", "/interactions"))
                if needs_token and request.headers.get("Authorization") != f"Bot {self.token}":
                    raise ApiError(401, 0, "401: Unauthorized")
                if not broken or (fault and fault.carried_out):
                    entry.answer = handler(call)
                    entry.status = 200 if entry.answer is not None else 204
                if isinstance(broken, ApiError):
                    raise broken
            except ApiError as error:
                entry.answer, entry.status, entry.code = error.body, error.status, error.code
                entry.headers |= error.headers
                self.invalid_requests += error.status in (401, 403, 429)
            self.changed()
            if isinstance(broken, Cut):
                entry.status = 0
                return cut(request, broken)
            if entry.answer is None:
                return web.Response(status=204, headers=entry.headers)
            # discord.py reads JSON only under this very name, without a charset.
            headers = {"Content-Type": "application/json", **entry.headers}
            data = json.dumps(entry.answer).encode()
            return web.Response(body=data, status=entry.status, headers=headers)

        return serve

    def _fault(self, entry: Request) -> Fault | None:
        for fault in self.faults:
            if fault.matches(entry):
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return fault
        return self.random_fault(entry)

    def _unknown(self, call: Call) -> None:
        self.unexpected.append(
            f"{call.entry.method} {call.entry.path}: not a route of the stand-in"
        )
        raise ApiError(404, 0, "404: Not Found")

    async def _file(self, request: web.Request) -> web.Response:
        data = self.files.get(request.match_info["name"])
        return web.Response(status=404) if data is None else web.Response(body=data)
