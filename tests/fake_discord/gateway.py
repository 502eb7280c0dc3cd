"""The gateway of the stand-in: one WebSocket endpoint with sessions that can be resumed."""

import asyncio
import contextlib
import json
import secrets
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

Json = dict[str, Any]
Clock = Callable[[], float]

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT = 0, 1, 2, 6, 7
INVALID_SESSION, HELLO, HEARTBEAT_ACK = 9, 10, 11

PRIVILEGED = 1 << 1 | 1 << 8 | 1 << 15
PAYLOAD = 4096  # bytes a client may send at once
SENDS, SENDS_PER = 120, 60.0


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
    """What Discord remembers of a bot between two connections."""

    def __init__(self, intents: int) -> None:
        self.id = secrets.token_hex(8)
        self.intents = intents
        self.sequence = 0
        self.events: deque[Json] = deque(maxlen=10_000)
        self.socket: Socket | None = None


class Socket:
    """One connection: payloads go out in the order in which they were given."""

    def __init__(self, ws: web.WebSocketResponse, compress: str | None) -> None:
        self.ws = ws
        self.compression = compress
        self._compressor: Callable[[bytes], bytes] | None = None
        if compress == "zlib-stream":
            self._compressor = _zlib()
        elif compress == "zstd-stream" and (make := _zstd()):
            self._compressor = make()
        elif compress:
            raise web.HTTPBadRequest(text=f"compress={compress} is not supported")
        self._queue: asyncio.Queue[Json | int] = asyncio.Queue()

    def send(self, payload: Json) -> None:
        self._queue.put_nowait(payload)

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
                data = json.dumps(payload)
                if self._compressor:
                    await self.ws.send_bytes(self._compressor(data.encode()))
                else:
                    await self.ws.send_str(data)


class Gateway:
    """Accepts connections, keeps sessions, hands out events.

    Args:
        token: the only token that may identify.
        ready: makes the READY payload for a session.
        guilds: makes the GUILD_CREATE payloads that follow it.
        clock: seconds; counts a client's sends.
        changed: called after everything that happens here.
    """

    def __init__(
        self,
        token: str,
        ready: Callable[[Session], Json],
        guilds: Callable[[], list[Json]],
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self.token = token
        self.heartbeat_interval = 41_250  # ms, as Discord has it
        self.acknowledge = True
        self.privileged = 0  # the privileged intents that the application may ask for
        self.session: Session | None = None
        self.connected = 0  # connections that identified or resumed
        self.log: list[tuple[str, Json]] = []  # ("in" | "out", payload)
        self._ready = ready
        self._guilds = guilds
        self._clock = clock
        self._changed = changed
        self._transports: dict[Socket, asyncio.Transport | None] = {}

    @property
    def socket(self) -> "Socket | None":
        """The connection of the present session, None while there is none."""
        return self.session.socket if self.session else None

    def count(self, op: int) -> int:
        """How many payloads with this opcode clients have sent."""
        return sum(way == "in" and payload["op"] == op for way, payload in self.log)

    def dispatch(self, event: str, data: Json) -> None:
        """Sends an event to the bot, or keeps it until the bot resumes."""
        session = self.session
        if session is None:
            return
        session.sequence += 1
        payload = {"op": DISPATCH, "t": event, "s": session.sequence, "d": data}
        session.events.append(payload)
        if session.socket:
            self._send(session.socket, payload)

    def drop(self) -> None:
        """Cuts the connection as a broken network does: no closing frame."""
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
        if self.socket:
            self._send(self.socket, {"op": RECONNECT, "d": None})

    def invalidate(self, *, resumable: bool = False) -> None:
        """Opcode 9; when not resumable the session is forgotten and the bot must identify."""
        socket = self.socket
        if not resumable:
            self.session = None
        if socket:
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
        )
        if request.query.get("v") != "10" or request.query.get("encoding") != "json":
            raise web.HTTPBadRequest(text="v=10 and encoding=json, please")
        await ws.prepare(request)
        self._transports[socket] = request.transport
        writer = asyncio.create_task(socket.write())
        self._send(socket, {"op": HELLO, "d": {"heartbeat_interval": self.heartbeat_interval}})
        sends: deque[float] = deque()
        try:
            async for message in ws:
                if message.type is not WSMsgType.TEXT:
                    socket.close(4002)
                    break
                now = self._clock()
                sends.append(now)
                while sends[0] < now - SENDS_PER:
                    sends.popleft()
                if len(sends) > SENDS:
                    socket.close(4008)
                    break
                payload = json.loads(message.data)
                self.log.append(("in", payload))
                self._receive(socket, payload)
                self._changed()
        finally:
            self._detach(socket)
            self._transports.pop(socket, None)
            with contextlib.suppress(asyncio.CancelledError):
                if ws.closed:
                    writer.cancel()
                await writer
            self._changed()
        return ws

    def _detach(self, socket: Socket) -> None:
        if self.session and self.session.socket is socket:
            self.session.socket = None

    def _send(self, socket: Socket, payload: Json) -> None:
        self.log.append(("out", payload))
        socket.send(payload)
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
        elif self.session is None or self.session.socket is not socket:
            socket.close(4003)  # not authenticated

    def _identify(self, socket: Socket, data: Json) -> None:
        if data["token"] != self.token:
            socket.close(4004)
        elif not isinstance(data.get("intents"), int):
            socket.close(4013)
        elif data["intents"] & PRIVILEGED & ~self.privileged:
            socket.close(4014)
        else:
            self.session = Session(data["intents"])
            self.session.socket = socket
            self.connected += 1
            self.dispatch("READY", self._ready(self.session))
            for guild in self._guilds():
                self.dispatch("GUILD_CREATE", guild)

    def _resume(self, socket: Socket, data: Json) -> None:
        session = self.session
        if data["token"] != self.token:
            socket.close(4004)
        elif session is None or data["session_id"] != session.id:
            self._send(socket, {"op": INVALID_SESSION, "d": False})
        elif not 0 <= data["seq"] <= session.sequence:
            socket.close(4007)
        else:
            session.socket = socket
            self.connected += 1
            for event in [event for event in session.events if event["s"] > data["seq"]]:
                self._send(socket, event)
            self.dispatch("RESUMED", {})
