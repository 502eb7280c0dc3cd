"""The gateway of the stand-in: one WebSocket endpoint with sessions that can be resumed.

A session has one shard of so many; what happens in a guild is told to the sessions whose shard it
is, and what happens in private to those that have shard 0. Several sessions may have the same.
"""

import asyncio
import contextlib
import json
import secrets
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import WSMsgType, web

Json = dict[str, Any]
Clock = Callable[[], float]

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT = 0, 1, 2, 6, 7
INVALID_SESSION, HELLO, HEARTBEAT_ACK = 9, 10, 11

PRIVILEGED = 1 << 1 | 1 << 8 | 1 << 15
PAYLOAD = 4096  # bytes a client may send at once
SENDS, SENDS_PER = 120, 60.0
GUILDS_A_SHARD = 2500
INTENTS = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))  # all that there are
NOT_AUTHENTICATED, BAD_TOKEN, BAD_SEQUENCE, TOO_FAST = 4003, 4004, 4007, 4008
BAD_SHARD, MORE_SHARDS, BAD_INTENTS, NO_INTENT = 4010, 4011, 4013, 4014
ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)
GOODBYES = (1000, 1001)  # a client that closes so wants no session any more


def _zstd() -> Callable[[], Callable[[bytes], bytes]] | None:
    """A maker of flushing zstd compressors, if this Python has one of the two modules."""
    with contextlib.suppress(ImportError):
        import zstandard  # type: ignore[import-not-found, unused-ignore]

        def third_party() -> Callable[[bytes], bytes]:
            stream = zstandard.ZstdCompressor().compressobj()
            block = zstandard.COMPRESSOBJ_FLUSH_BLOCK
            return lambda data: stream.compress(data) + stream.flush(block)

        return third_party
    with contextlib.suppress(ImportError):
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]

        def standard() -> Callable[[bytes], bytes]:
            stream = zstd.ZstdCompressor()
            return lambda data: stream.compress(data, mode=stream.FLUSH_BLOCK)

        return standard
    return None


def _zlib() -> Callable[[bytes], bytes]:
    stream = zlib.compressobj()
    return lambda data: stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


class Session:
    """What Discord remembers of a bot between two connections.

    Attributes:
        shard, shards: which shard of how many.
        client: the name of the process that began it, "" without one: see ``DiscordServer``.
    """

    def __init__(self, intents: int, shard: int, shards: int, client: str) -> None:
        self.id = secrets.token_hex(8)
        self.intents = intents
        self.shard = shard
        self.shards = shards
        self.client = client
        self.sequence = 0
        self.events: deque[tuple[int, str]] = deque(maxlen=10_000)  # sequence number, JSON
        self.socket: Socket | None = None

    def covers(self, guild: int | None) -> bool:
        """Whether it is told of this guild; None: of what is private."""
        return ((guild or 0) >> 22) % self.shards == self.shard

    def dispatch(self, event: str, data: Json) -> None:
        """Sends an event, or keeps it until the bot resumes."""
        self.sequence += 1
        text = json.dumps({"op": DISPATCH, "t": event, "s": self.sequence, "d": data})
        self.events.append((self.sequence, text))
        if self.socket:
            self.socket.send(text)


class Socket:
    """One connection: payloads go out in the order in which they were given."""

    def __init__(self, ws: web.WebSocketResponse, compress: str | None, client: str = "") -> None:
        self.ws = ws
        self.client = client
        self._compressor: Callable[[bytes], bytes] | None = None
        if compress == "zlib-stream":
            self._compressor = _zlib()
        elif compress == "zstd-stream" and (make := _zstd()):
            self._compressor = make()
        elif compress:
            raise web.HTTPBadRequest(text=f"compress={compress} is not supported")
        self._queue: asyncio.Queue[str | int] = asyncio.Queue()

    def send(self, text: str) -> None:
        self._queue.put_nowait(text)

    def close(self, code: int) -> None:
        """Closes after what was sent before."""
        self._queue.put_nowait(code)

    async def write(self) -> None:
        """Sends what is queued until the connection is closed."""
        with contextlib.suppress(ConnectionError):
            while True:
                payload = await self._queue.get()
                if isinstance(payload, int):
                    await self.ws.close(code=payload)
                    return
                if self._compressor:
                    await self.ws.send_bytes(self._compressor(payload.encode()))
                else:
                    await self.ws.send_str(payload)


class Gateway:
    """Accepts connections, keeps sessions, hands out events.

    Args:
        token: the only token that may identify.
        ready: makes the READY payload for a session.
        guilds: the installed guilds that a session covers, as GUILD_CREATE payloads.
        clock: seconds; counts a client's sends, and what comes between two IDENTIFYs.
        changed: called after everything that happens here.
    """

    def __init__(
        self,
        token: str,
        ready: Callable[[Session], Json],
        guilds: Callable[[Session], Iterator[Json]],
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self.token = token
        self.heartbeat_interval = 41_250  # ms, as Discord has it
        self.acknowledge = True
        self.privileged = 0  # the privileged intents that the application may ask for
        self.identify_period = 0.0  # seconds between two IDENTIFYs of a bucket; Discord: 5
        self.session_starts = 1000  # that a bot has on a day
        self.max_concurrency = 1  # buckets of IDENTIFYs
        self.sessions: list[Session] = []  # the newest is last
        self.opened: Counter[str] = Counter()  # connections by the client's name
        self.connected = 0  # connections that identified or resumed
        self.received: list[Json] = []  # all that clients have sent
        self.sent: Counter[int] = Counter()  # by opcode, without events
        self.identified: list[tuple[float, int, int, str]] = []  # when, shard, shards, client
        self._ready = ready
        self._guilds = guilds
        self._clock = clock
        self._changed = changed
        self._transports: dict[Socket, asyncio.Transport | None] = {}
        self._buckets: dict[int, float] = {}  # when the last IDENTIFY of each came

    @property
    def session(self) -> Session | None:
        """The newest session, None while there is none."""
        return self.sessions[-1] if self.sessions else None

    @property
    def socket(self) -> Socket | None:
        """The connection of the newest session, None while there is none."""
        return self.session.socket if self.session else None

    def count(self, op: int) -> int:
        """How many payloads with this opcode clients have sent."""
        return sum(payload["op"] == op for payload in self.received)

    def covering(self, guild: int | None) -> list[Session]:
        """The sessions that are told of this guild; None: of what is private."""
        return [session for session in self.sessions if session.covers(guild)]

    def dispatch(self, event: str, data: Json, guild: int | None) -> None:
        """Sends an event to the sessions that cover its guild."""
        for session in self.covering(guild):
            session.dispatch(event, data)
        self._changed()

    def drop(self) -> None:
        """Cuts all connections as a broken network does: no closing frame."""
        for socket, transport in list(self._transports.items()):
            self._detach(socket)
            if transport:
                transport.abort()

    def fall_silent(self) -> None:
        """Hears nothing more of what the bot sends, not even its goodbye."""
        for transport in self._transports.values():
            if transport:
                transport.pause_reading()

    def ask_to_reconnect(self) -> None:
        """Opcode 7: Discord wants the bot to come back and resume."""
        for session in self.sessions:
            if session.socket:
                self._send(session.socket, {"op": RECONNECT, "d": None})

    def invalidate(self, *, resumable: bool = False) -> None:
        """Opcode 9; when not resumable the sessions are forgotten and the bot must identify."""
        sockets = [session.socket for session in self.sessions if session.socket]
        if not resumable:
            self.sessions.clear()
        for socket in sockets:
            self._send(socket, {"op": INVALID_SESSION, "d": resumable})

    def close(self, code: int) -> None:
        """Closes every connection with a code, such as 4000 or 4004."""
        for socket in self._transports:
            socket.close(code)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serves one connection until it ends."""
        socket = Socket(
            ws := web.WebSocketResponse(max_msg_size=PAYLOAD, compress=False),
            request.query.get("compress"),
            request.match_info.get("client", ""),
        )
        if request.query.get("v") != "10" or request.query.get("encoding") != "json":
            raise web.HTTPBadRequest(text="v=10 and encoding=json, please")
        await ws.prepare(request)
        self.opened[socket.client] += 1
        self._transports[socket] = request.transport
        writer = asyncio.create_task(socket.write())
        self._send(socket, {"op": HELLO, "d": {"heartbeat_interval": self.heartbeat_interval}})
        sends: deque[float] = deque()
        message = None
        try:
            while (message := await ws.receive()).type not in ENDS:
                if message.type is not WSMsgType.TEXT:
                    socket.close(4002)
                    break
                now = self._clock()
                sends.append(now)
                while sends[0] < now - SENDS_PER:
                    sends.popleft()
                if len(sends) > SENDS:
                    socket.close(TOO_FAST)
                    break
                payload = json.loads(message.data)
                self.received.append(payload)
                self._receive(socket, payload)
                self._changed()
        finally:
            session = self._detach(socket)
            if session and message and message.data in GOODBYES:  # the code of a closing frame
                self.sessions.remove(session)
            self._transports.pop(socket, None)
            with contextlib.suppress(asyncio.CancelledError):
                if ws.closed:
                    writer.cancel()
                await writer
            self._changed()
        return ws

    def _session_of(self, socket: Socket) -> Session | None:
        return next((session for session in self.sessions if session.socket is socket), None)

    def _detach(self, socket: Socket) -> Session | None:
        if session := self._session_of(socket):
            session.socket = None
        return session

    def _send(self, socket: Socket, payload: Json) -> None:
        self.sent[payload["op"]] += 1
        socket.send(json.dumps(payload))
        self._changed()

    def _receive(self, socket: Socket, payload: Json) -> None:
        op, data = payload["op"], payload.get("d") or {}
        if op == HEARTBEAT:
            if self.acknowledge:
                self._send(socket, {"op": HEARTBEAT_ACK})
        elif op == IDENTIFY:
            self._identify(socket, data)
        elif op == RESUME:
            self._resume(socket, data)
        elif self._session_of(socket) is None:
            socket.close(NOT_AUTHENTICATED)

    def _identify(self, socket: Socket, data: Json) -> None:
        if data["token"] != self.token:
            return socket.close(BAD_TOKEN)
        shard, shards = _shard(data.get("shard", [0, 1]))
        self.identified.append((self._clock(), shard, shards, socket.client))
        intents = data.get("intents")
        if not 0 <= shard < shards:
            socket.close(BAD_SHARD)
        elif not isinstance(intents, int) or intents & ~INTENTS:
            socket.close(BAD_INTENTS)
        elif intents & PRIVILEGED & ~self.privileged:
            socket.close(NO_INTENT)
        elif self._too_soon(shard % self.max_concurrency):
            self._send(socket, {"op": INVALID_SESSION, "d": False})
        else:
            session = Session(intents, shard, shards, socket.client)
            ready = self._ready(session)
            if len(ready["guilds"]) > GUILDS_A_SHARD:
                return socket.close(MORE_SHARDS)
            # Nobody will resume what the same shard had before.
            known = [s for s in self.sessions if s.socket or (s.shard, s.shards) != (shard, shards)]
            self.sessions = [*known, session]
            session.socket = socket
            self.connected += 1
            session.dispatch("READY", ready)
            for guild in self._guilds(session):
                session.dispatch("GUILD_CREATE", guild)

    def _too_soon(self, bucket: int) -> bool:
        """Whether an IDENTIFY of this bucket comes too soon after the last one."""
        now = self._clock()
        last = self._buckets.get(bucket)
        self._buckets[bucket] = now
        return last is not None and now - last < self.identify_period

    def _resume(self, socket: Socket, data: Json) -> None:
        session = next((s for s in self.sessions if s.id == data["session_id"]), None)
        if data["token"] != self.token:
            socket.close(BAD_TOKEN)
        elif session is None:
            self._send(socket, {"op": INVALID_SESSION, "d": False})
        elif not 0 <= data["seq"] <= session.sequence:
            socket.close(BAD_SEQUENCE)
        else:
            session.socket = socket
            self.connected += 1
            for sequence, text in session.events:
                if sequence > data["seq"]:
                    socket.send(text)
            session.dispatch("RESUMED", {})


def _shard(given: object) -> tuple[int, int]:
    """Shard and count of an IDENTIFY; (0, 0) for what is no such pair."""
    match given:
        case [int(shard), int(shards)]:
            return shard, shards
        case _:
            return 0, 0
