"""A request to the stand-in: as it is logged, as its handler sees it, and how it is read."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web


@dataclass
class Request:
    """One line of the request log."""

    method: str
    route: str
    path: str
    body: Any
    at: float  # by the clock
    real: float  # time.perf_counter when it came
    status: int = 0
    code: int = 0
    answer: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    client: str = ""  # which process of the bot it was, where its addresses tell


@dataclass
class Upload:
    """A file of a multipart request."""

    name: str
    kind: str
    data: bytes


@dataclass
class Call:
    """A request as its route's handler sees it."""

    entry: Request
    match: Any
    body: Any
    files: list[Upload]
    query: dict[str, str]


async def read_body(request: web.Request) -> tuple[Any, list[Upload]]:
    """The JSON body and the files of a request; None without a body."""
    if request.content_type == "multipart/form-data":
        body: Any = None
        files = []
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name == "payload_json":
                body = json.loads(await part.text())
            elif re.fullmatch(r"files\[\d+\]", part.name or ""):
                data = bytes(await part.read())
                kind = part.headers.get("Content-Type", "application/octet-stream")
                files.append(Upload(part.filename or "file", kind, data))
        return body, files
    raw = await request.read()
    return (json.loads(raw) if raw else None), []
