"""What answers a request: a function of the call, by method and route."""

from collections.abc import Callable
from typing import Any

from tests.fake_discord.calls import Call

Handler = Callable[[Call], Any]  # JSON to answer with; None: 204, no content
Handlers = dict[tuple[str, str], Handler]
