"""Routes of the application itself: who the bot is, and where its gateway is."""

from typing import Any

from tests.fake_discord.calls import Call
from tests.fake_discord.routes.handlers import Handlers
from tests.fake_discord.world import World

Json = dict[str, Any]

ADVISED = 1000  # guilds a shard, in the number of shards that Discord advises


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
            ("GET", "/gateway"): self._gateway,
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

    def _gateway(self, call: Call) -> Json:
        return {"url": self.world.gateway_address(call.entry.client)}

    def _gateway_bot(self, call: Call) -> Json:
        gateway = self.world.gateway
        installed = sum(guild.installed for guild in self.world.guilds)
        return {
            **self._gateway(call),
            "shards": -(-installed // ADVISED) or 1,
            "session_start_limit": {
                "total": gateway.session_starts,
                "remaining": max(gateway.session_starts - len(gateway.identified), 0),
                "reset_after": 86_400_000,
                "max_concurrency": gateway.max_concurrency,
            },
        }
