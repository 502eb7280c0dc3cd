"""Routes of the application itself: who the bot is, and where its gateway is."""

from typing import Any

from tests.fake_discord.calls import Call
from tests.fake_discord.routes.handlers import Handlers
from tests.fake_discord.world import World

Json = dict[str, Any]


class ApplicationRoutes:
    """Answers for one application."""

    def __init__(self, world: World) -> None:
        self.world = world

    def handlers(self) -> Handlers:
        """The handlers by method and route."""
        return {
            ("GET", "/users/@me"): self._me,
            ("GET", "/applications/@me"): self._application,
            ("GET", "/oauth2/applications/@me"): self._application,
            ("GET", "/gateway"): self._gateway_bot,
            ("GET", "/gateway/bot"): self._gateway_bot,
        }

    def _me(self, call: Call) -> Json:
        return self.world.bot_user()

    def _application(self, call: Call) -> Json:
        return {
            "id": str(self.world.application_id),
            "name": "Pooh",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "00" * 32,
            "owner": {**self.world.bot_user(), "id": "1", "username": "owner", "bot": False},
            "team": None,
            "flags": self.world.application_flags,
            "bot": self.world.bot_user(),
            "interactions_endpoint_url": None,
            "summary": "",
            "tags": [],
            "integration_types_config": {"0": {}, "1": {}},
        }

    def _gateway_bot(self, call: Call) -> Json:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self.world.gateway_url, "shards": 1, "session_start_limit": limit}
