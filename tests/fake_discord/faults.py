"""What can go wrong between a bot and Discord, on order: errors, delays, broken connections."""

import enum
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tests.fake_discord.calls import Request
from tests.fake_discord.rules import ApiError


class Cut(enum.Enum):
    """A connection that breaks where an answer should come."""

    RESET = "connection reset by peer, errno 104"
    CLOSED = "closed without a word: aiohttp's ServerDisconnectedError"


@dataclass
class Fault:
    """What happens to the next matching requests.

    Attributes:
        method, route: of requests on routes that begin so.
        answer: an error or a broken connection instead of the answer; None for the true answer.
        carried_out: whether the request is carried out all the same, and only its answer lost.
        delay: real seconds before the answer.
        times: how many requests.
        when: which of them.
    """

    method: str
    route: str
    answer: ApiError | Cut | None = None
    carried_out: bool = False
    delay: float = 0.0
    times: int = 1
    when: Callable[[Request], bool] = lambda _: True

    def matches(self, request: Request) -> bool:
        return (
            self.method in ("", request.method)
            and request.route.startswith(self.route)
            and self.when(request)
        )


def cut(request: web.Request, how: Cut) -> web.Response:
    """Breaks the connection of a request; nothing of the response reaches the client."""
    if transport := request.transport:
        if how is Cut.RESET:  # what is not sent is thrown away, and the other side told so
            linger = struct.pack("ii", 1, 0)
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return web.Response()
