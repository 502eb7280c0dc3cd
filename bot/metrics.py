"""Numbers for Prometheus, and `/healthz`, over HTTP. No label names a person, a server or a text.

What is known at any time (shards, servers, queue) is read when it is asked for; what happens
(stories, requests, errors) is counted where it passes by: the end of a story in the writer, every
HTTP request in aiohttp's tracing, every error in the log. So the rest of the bot counts nothing.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace

import aiohttp
from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from bot import health
from bot.client import Pooh
from bot.errors import kind_of
from bot.parsers import Address
from bot.worker import Outcome, Story
from model import __version__

TICK = 0.5  # seconds between two looks at the event loop
# What a request is for, by its method and path; the first that matches.
KINDS = (
    ("respond", re.compile(r"POST .*/interactions/[0-9]+/.*")),
    ("edit", re.compile(r"PATCH .*/messages/.*")),
    ("delete", re.compile(r"DELETE .*/messages/.*")),
    ("send", re.compile(r"POST .*/(?:messages|webhooks/[0-9]+/[^/]+)$")),
)

_log = logging.getLogger(__name__)


class Metrics:
    """Counts what happens to one client and its writer, from now on."""

    def __init__(self, client: Pooh) -> None:
        """Watch a client that has not logged in yet."""
        self.registry = registry = CollectorRegistry()
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when each series began interests nobody
        self._stories = Counter(
            "pooh_stories", "Stories by how they ended.", ["outcome"], registry=registry
        )
        self._characters = Counter(
            "pooh_characters", "Characters of stories that have ended.", registry=registry
        )
        self._first_text = Histogram(
            "pooh_first_text_seconds",
            "From asking for a story, waiting included, to its first words.",
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300),
            registry=registry,
        )
        self._requests = Counter(
            "pooh_requests",
            "Requests to Discord by what they were for, and how they ended: ok, Discord's error "
            "code, the HTTP status where there is none, or the name of the failure.",
            ["kind", "code"],
            registry=registry,
        )
        self._errors = Counter(
            "pooh_errors", "Errors in the log, by kind.", ["kind"], registry=registry
        )
        self._lag = Histogram(
            "pooh_loop_lag_seconds",
            "How much later than wanted the event loop came back to something.",
            buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
            registry=registry,
        )
        info = Gauge("pooh_info", "Always 1.", ["version", "model"], registry=registry)
        info.labels(__version__, client.services.weights.stem).set(1)
        for outcome in Outcome:  # a series that begins at 0 shows its first step
            self._stories.labels(outcome.name.lower())
        registry.register(_State(client))
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        client.services.writer.on_end = self._story_ended
        self._watch_requests(client.services.delivery.trace)

    def _story_ended(self, story: Story) -> None:
        assert story.outcome is not None
        self._stories.labels(story.outcome.name.lower()).inc()
        self._characters.inc(len(story.text))
        if story.first_text is not None:
            self._first_text.observe(story.first_text - story.asked)

    def _watch_requests(self, trace: aiohttp.TraceConfig) -> None:
        """Count each request that discord.py makes, repeated ones too."""

        async def ended(
            _: aiohttp.ClientSession, __: SimpleNamespace, end: aiohttp.TraceRequestEndParams
        ) -> None:
            code = "ok"
            if end.response.status >= 400:
                code = str(end.response.status)
                with contextlib.suppress(aiohttp.ClientError, OSError, ValueError, AttributeError):
                    # aiohttp keeps the body; discord.py reads it again.
                    code = str(int((await end.response.json()).get("code") or code))
            self._requests.labels(_kind(end.method, end.url.path), code).inc()

        async def failed(
            _: aiohttp.ClientSession, __: SimpleNamespace, end: aiohttp.TraceRequestExceptionParams
        ) -> None:
            code = type(end.exception).__name__
            self._requests.labels(_kind(end.method, end.url.path), code).inc()

        trace.on_request_end.append(ended)
        trace.on_request_exception.append(failed)

    async def watch_loop(self) -> None:
        """Measure the event loop's lag until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            self._lag.observe(max(0.0, loop.time() - due))

    @contextlib.contextmanager
    def errors_counted(self) -> Iterator[None]:
        """Within, each error that anybody logs is counted."""
        handler = _Handler(self._errors)
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)


class _State(Collector):
    """What can be read off client and writer at any time."""

    def __init__(self, client: Pooh) -> None:
        self._client = client

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("pooh_shard_up", "1: connected.", labels=["shard"])
        latency = GaugeMetricFamily(
            "pooh_shard_latency_seconds", "Heartbeat to acknowledgement.", labels=["shard"]
        )
        for shard in health.shards(self._client):
            up.add_metric([str(shard.number)], shard.connected)
            latency.add_metric([str(shard.number)], shard.latency)
        yield up
        yield latency
        writer = self._client.services.writer
        healthy = not any(health.problems(self._client))
        for name, help_text, value in (
            ("pooh_healthy", "1: /healthz says 200.", healthy),
            ("pooh_servers", "Servers it is in.", len(self._client.guilds)),
            ("pooh_stories_waiting", "Stories in the queue.", writer.waiting),
            (
                "pooh_stories_writing",
                "Stories being written.",
                writer.writing,
            ),
        ):
            yield GaugeMetricFamily(name, help_text, value)


class _Handler(logging.Handler):
    def __init__(self, errors: Counter) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        kind = getattr(record, "kind", None)
        if kind is None and record.exc_info and record.exc_info[1] is not None:
            kind = kind_of(record.exc_info[1])
        self._errors.labels(kind or record.name).inc()


def _kind(method: str, path: str) -> str:
    line = f"{method} {path}"
    return next((kind for kind, pattern in KINDS if pattern.fullmatch(line)), "other")


@contextlib.asynccontextmanager
async def served(client: Pooh, address: Address) -> AsyncIterator[int]:
    """Within, `/healthz` and `/metrics` answer at the address; yields the port.

    Args:
        client: not logged in yet.
        address: where; port 0 is any free one.

    Raises:
        OSError: the address cannot be had.
    """
    metrics = Metrics(client)

    async def healthz(_: web.Request) -> web.Response:
        wrong = list(health.problems(client))
        return web.Response(text="\n".join(wrong or ["ok"]) + "\n", status=503 if wrong else 200)

    async def numbers(_: web.Request) -> web.Response:
        body = generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/metrics", numbers)])
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    watching = asyncio.create_task(metrics.watch_loop())
    try:
        site = web.TCPSite(runner, address.host, address.port)
        await site.start()
        port: int = runner.addresses[0][1]
        _log.info("/healthz and /metrics are served at %s, port %d", address.host, port)
        with metrics.errors_counted():
            yield port
    finally:
        watching.cancel()
        await runner.cleanup()
